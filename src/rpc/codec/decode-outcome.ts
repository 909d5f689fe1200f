import type { Duration } from "@bufbuild/protobuf/wkt";
import type { FieldFault } from "../../core/field-fault.ts";
import { exponentOf } from "../../core/iso4217.ts";
import type { OutcomeReport, OutcomeResult } from "../../core/outcome-report.ts";
import type { Money } from "../../core/payment.ts";
import type { OutcomeClass } from "../../core/retry/outcome-class.ts";
import {
  type ReportOutcomeRequest,
  ReportOutcomeRequest_ResultSchema,
  ReportOutcomeRequestSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import {
  type Money as MoneyMessage,
  MoneySchema,
  Outcome_ClassSchema,
} from "../../gen/switchyard/v1/payment_pb.js";
import { checkFailure, decodeAnswer } from "./decode-answer.ts";
import { FieldChecks } from "./field-checks.ts";
import { decodeDurationMs } from "./time.ts";

const attemptMax = 64;
/** Results whose amount may be less than the payment's. */
const partialResults: ReadonlySet<OutcomeResult> = new Set(["PARTIAL", "REFUNDED", "CHARGED_BACK"]);
/** Classes that say why an attempt was declined. */
const declineClasses: ReadonlySet<string> = new Set([
  "HARD",
  "DATA",
  "SCA",
  "WAIT",
  "GENERIC",
  "TECH_NOT_PROCESSED",
  "ISSUER_DOWN",
  "AUTH_FAILED",
]);

/** What comes after the answer to an attempt. */
const laterResults: ReadonlySet<OutcomeResult> = new Set(["VOIDED", "REFUNDED", "CHARGED_BACK", "CLEARED"]);
const answerFields: Readonly<Record<string, string>> = {
  responseCode: "response_code",
  pspCode: "psp_code",
  adviceCode: "advice_code",
  threeDs: "three_ds",
  failure: "failure",
  latencyMs: "latency",
};
const latencyMsMax = 24 * 3_600_000;

export type DecodedOutcome =
  | { readonly ok: true; readonly report: OutcomeReport }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

/**
 * Turns a request into a report, checked for shape. What depends on the payment (its attempts, its currency) is for the corridor to check.
 *
 * Fails: with every fault, each naming field and rule.
 */
export function decodeOutcomeReport(request: ReportOutcomeRequest): DecodedOutcome {
  const checks = new FieldChecks();
  checks.noUnknownFields("", ReportOutcomeRequestSchema, request);
  const result = checks.enumName("result", ReportOutcomeRequest_ResultSchema, request.result) as
    | OutcomeResult
    | undefined;
  if (request.result === 0) checks.note("result", "required", "result is required");
  const outcomeClass = checks.enumName("outcome", Outcome_ClassSchema, request.outcome);
  if (outcomeClass !== undefined && (result !== "DECLINED" || !declineClasses.has(outcomeClass))) {
    checks.note(
      "outcome",
      "conflict",
      "outcome says why an attempt was declined, so the result must be DECLINED",
    );
  }
  const answer = decodeAnswer(checks, "", request);
  const latencyMs = decodeLatency(checks, request.latency);
  checkAnswer(checks, result, { ...answer, latencyMs });
  if (result !== undefined && !laterResults.has(result))
    checkFailure(checks, "failure", { failure: answer.failure, became: outcomeClass ?? result });
  const corrects = decodeCorrected(checks, request.corrects, result);
  const amount = decodeReportedAmount(checks, request.amount, result);
  const kind = decodeKind(checks, request.kind);
  const report: OutcomeReport = {
    merchantId: checks.text("merchant_id", request.merchantId) || "default",
    paymentId: checks.required("payment_id", request.paymentId),
    attemptId: checks.required("attempt_id", request.attemptId, attemptMax),
    psp: checks.required("psp", request.psp, attemptMax),
    result: result ?? "UNKNOWN",
    ...(amount === undefined ? {} : { amount }),
    ...(request.at === undefined ? {} : { atMs: checks.instant("at", request.at) }),
    ...(outcomeClass === undefined ? {} : { outcomeClass: outcomeClass as OutcomeClass }),
    ...answer,
    ...(latencyMs === undefined ? {} : { latencyMs }),
    ...(corrects === undefined ? {} : { corrects }),
    ...(checks.text("player_id", request.playerId) === "" ? {} : { playerId: request.playerId }),
    ...(kind === undefined ? {} : { kind }),
    ...(request.reportAt === undefined ? {} : { reportAtMs: checks.instant("report_at", request.reportAt) }),
  };
  return checks.faults.length === 0 ? { ok: true, report } : { ok: false, faults: checks.faults };
}

/** What was the answer to the attempt itself has no place in a report of what came after it. */
function checkAnswer(checks: FieldChecks, result: OutcomeResult | undefined, answer: object): void {
  if (result === undefined || !laterResults.has(result)) return;
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined) continue;
    const field = answerFields[name]!;
    checks.note(
      field,
      "conflict",
      `${field} belongs to the answer to the attempt, so not to a result of ${result}`,
    );
  }
}

function decodeLatency(checks: FieldChecks, latency: Duration | undefined): number | undefined {
  if (latency === undefined) return undefined;
  const latencyMs = decodeDurationMs(latency);
  if (latencyMs >= 0 && latencyMs <= latencyMsMax) return latencyMs;
  return checks.note("latency", "out-of-range", "latency must be between 0 and 24 hours");
}

function decodeCorrected(
  checks: FieldChecks,
  corrects: ReportOutcomeRequest["corrects"],
  result: OutcomeResult | undefined,
): OutcomeResult | undefined {
  const corrected = checks.enumName("corrects", ReportOutcomeRequest_ResultSchema, corrects);
  if (corrected === undefined) return undefined;
  if (result === "DECLINED" && (corrected === "APPROVED" || corrected === "PARTIAL")) return corrected;
  const message =
    "only an approval can be corrected, and only to a decline: result DECLINED, corrects APPROVED or PARTIAL";
  return checks.note("corrects", "conflict", message);
}

function decodeReportedAmount(
  checks: FieldChecks,
  amount: MoneyMessage | undefined,
  result: OutcomeResult | undefined,
): Money | undefined {
  if (amount === undefined) {
    if (result === "PARTIAL") checks.note("amount", "required", "a PARTIAL approval needs its amount");
    return undefined;
  }
  checks.noUnknownFields("amount", MoneySchema, amount);
  if (result !== undefined && !partialResults.has(result) && result !== "APPROVED") {
    checks.note("amount", "conflict", `a result of ${result} has no amount of its own`);
  }
  const currencyCode = checks.required("amount.currency_code", amount.currencyCode, 3);
  if (currencyCode !== "" && exponentOf(currencyCode) === undefined)
    checks.note("amount.currency_code", "iso-4217", "amount.currency_code is no ISO 4217 code in capitals");
  const minorUnits = checks.safeInt("amount.minor_units", amount.minorUnits);
  if (minorUnits <= 0) checks.note("amount.minor_units", "positive", "amount.minor_units must be positive");
  return { minorUnits, currencyCode };
}

function decodeKind(checks: FieldChecks, kind: string): OutcomeReport["kind"] {
  if (kind === "") return undefined;
  if (kind === "deposit" || kind === "withdrawal") return kind;
  return checks.note("kind", "unknown-value", "kind must be deposit or withdrawal");
}
