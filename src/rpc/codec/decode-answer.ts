import type { Failure, ReportedOutcome } from "../../core/payment.ts";
import type { Failure as FailureValue, ThreeDsResult } from "../../gen/switchyard/v1/payment_pb.js";
import { FailureSchema } from "../../gen/switchyard/v1/payment_pb.js";
import { decodeThreeDsResult } from "./decode-three-ds.ts";
import type { FieldChecks } from "./field-checks.ts";

const pspCodeMax = 64;

/** What the messages `Outcome` and `ReportOutcomeRequest` say alike of an answer. */
type AnswerMessage = {
  readonly responseCode: string;
  readonly pspCode: string;
  readonly adviceCode: string;
  readonly threeDs?: ThreeDsResult | undefined;
  readonly failure: FailureValue;
};

type DecodedAnswer = Pick<ReportedOutcome, "responseCode" | "pspCode" | "adviceCode" | "threeDs" | "failure">;

/** Failures after which it is open whether anything was processed. */
const openFailures: ReadonlySet<Failure> = new Set(["SERVER", "TIMEOUT"]);

/** Codes, 3DS and failure, checked for shape; `path` is that of the message, empty at the top. */
export function decodeAnswer(checks: FieldChecks, path: string, message: AnswerMessage): DecodedAnswer {
  const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const code = checks.pattern(
    at("response_code"),
    message.responseCode,
    /^[0-9A-Za-z]{2}$/,
    "two letters or digits",
  );
  const pspCode = checks.text(at("psp_code"), message.pspCode, pspCodeMax);
  const adviceCode = checks.pattern(at("advice_code"), message.adviceCode, /^[0-9]{2}$/, "two digits");
  const failure = checks.enumName(at("failure"), FailureSchema, message.failure);
  return {
    ...(code === undefined ? {} : { responseCode: code.toUpperCase() }),
    ...(pspCode === "" ? {} : { pspCode }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(message.threeDs === undefined
      ? {}
      : { threeDs: decodeThreeDsResult(checks, at("three_ds"), message.threeDs) }),
    ...(failure === undefined ? {} : { failure: failure.slice("FAILURE_".length) as Failure }),
  };
}

/**
 * Notes a failure that does not go with what else is said: `became` is the class or the result. Where nobody knows what was processed it is UNKNOWN,
 * and where nothing was it is not.
 */
export function checkFailure(
  checks: FieldChecks,
  field: string,
  { failure, became }: { readonly failure: Failure | undefined; readonly became: string | undefined },
): void {
  if (failure === undefined || became === undefined) return;
  if (openFailures.has(failure)) {
    if (became === "UNKNOWN") return;
    const message = `after ${failure} nobody knows what was processed, so the outcome is UNKNOWN, not ${became}`;
    checks.note(field, "conflict", message);
  } else if (!notProcessed.has(became)) {
    checks.note(field, "conflict", `after ${failure} nothing was processed, so the outcome is not ${became}`);
  }
}

/** Results and classes that say that nothing was processed. */
const notProcessed: ReadonlySet<string> = new Set(["DECLINED", "TECH_NOT_PROCESSED", "AUTH_FAILED"]);
