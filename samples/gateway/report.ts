/** From a PSP's answer to the report of it: codes as they came, the failure where there was one, never a guess. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { ReportOutcomeRequest_Result as Result } from "../../src/gen/switchyard/v1/decision_pb.js";
import {
  Failure,
  ThreeDsResult_Host as Host,
  type ThreeDsResultSchema,
  ThreeDsResult_TransStatus as TransStatus,
} from "../../src/gen/switchyard/v1/payment_pb.js";
import type { BookedAttempt } from "./books.ts";
import type { PspAnswer, ThreeDsAnswer } from "./psp-client.ts";
import type { ReportInit } from "./switchyard.ts";

/** Failures after which it is certain that nothing was processed. */
const certain: ReadonlySet<Failure> = new Set([Failure.CONNECT, Failure.THROTTLED, Failure.NOT_PROCESSED]);

/** `latencyMs` is how long the PSP took to answer the attempt itself; undefined for what was heard of it later. */
export function makeReport(
  attempt: BookedAttempt,
  answer: PspAnswer,
  latencyMs: number | undefined,
): ReportInit {
  const { payment: paymentId, attemptId, psp } = attempt;
  const base = {
    paymentId,
    attemptId,
    psp,
    ...(latencyMs === undefined ? {} : { latency: toDuration(latencyMs) }),
  };
  switch (answer.kind) {
    case "approved": {
      const isPart = answer.approvedMinor < attempt.amountMinor;
      const amount = { minorUnits: BigInt(answer.approvedMinor), currencyCode: attempt.currency };
      return {
        ...base,
        ...tellCodes(answer),
        result: isPart ? Result.PARTIAL : Result.APPROVED,
        ...(isPart ? { amount } : {}),
      };
    }
    case "declined":
      return { ...base, ...tellCodes(answer), result: Result.DECLINED };
    case "pending":
      return { ...base, result: Result.PENDING };
    case "abandoned":
      return { ...base, result: Result.ABANDONED };
    case "three_ds_failed":
      return { ...base, result: Result.DECLINED, failure: Failure.THREE_DS };
    case "voided":
      return { ...base, result: Result.VOIDED };
    case "not_found":
      // Asked for often enough, the PSP has never seen it.
      return { ...base, result: Result.DECLINED, failure: Failure.NOT_PROCESSED };
    case "refused":
      return { ...base, result: Result.UNKNOWN };
    case "failed": {
      const { failure } = answer;
      return { ...base, failure, result: certain.has(failure) ? Result.DECLINED : Result.UNKNOWN };
    }
  }
}

/** Whether the answer leaves open what became of the attempt. */
export function isOpen(answer: PspAnswer): boolean {
  if (answer.kind === "failed") return !certain.has(answer.failure);
  return answer.kind === "pending" || answer.kind === "refused";
}

function tellCodes(answer: Extract<PspAnswer, { readonly kind: "approved" | "declined" }>) {
  const { code, adviceCode, pspCode, threeDs } = answer;
  return {
    ...(code === undefined ? {} : { responseCode: code }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(pspCode === undefined ? {} : { pspCode }),
    ...(threeDs === undefined ? {} : { threeDs: toThreeDs(threeDs) }),
  };
}

function toThreeDs({ transStatus, eci }: ThreeDsAnswer): MessageInitShape<typeof ThreeDsResultSchema> {
  return {
    transStatus: TransStatus[transStatus],
    eci,
    host: Host.PSP,
    version: "2.2.0",
    hasCryptogram: transStatus === "Y" || transStatus === "A",
  };
}

function toDuration(ms: number): { readonly seconds: bigint; readonly nanos: number } {
  const whole = Math.floor(ms / 1000);
  return { seconds: BigInt(whole), nanos: Math.floor((ms - whole * 1000) * 1e6) };
}
