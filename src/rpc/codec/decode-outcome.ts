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
import { FieldChecks } from "./field-checks.ts";

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
  const code = checks.pattern(
    "response_code",
    request.responseCode,
    /^[0-9A-Za-z]{2}$/,
    "two letters or digits",
  );
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
    ...(code === undefined ? {} : { responseCode: code.toUpperCase() }),
    ...(checks.text("player_id", request.playerId) === "" ? {} : { playerId: request.playerId }),
    ...(kind === undefined ? {} : { kind }),
    ...(request.reportAt === undefined ? {} : { reportAtMs: checks.instant("report_at", request.reportAt) }),
  };
  return checks.faults.length === 0 ? { ok: true, report } : { ok: false, faults: checks.faults };
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
