import type { OutcomeReport } from "../core/outcome-report.ts";
import type { ReportedOutcome } from "../core/payment.ts";

/**
 * What a report says of its attempt. Whoever tells of a refund, a chargeback or a clearing tells of an approval with it.
 *
 * `refundableMinor`: what the attempt can give back at most; a refund of so much leaves nothing of it.
 */
export function readReport(told: OutcomeReport, refundableMinor: number): ReportedOutcome {
  const { attemptId, psp, atMs, amount } = told;
  const base = { attemptId, psp, ...(atMs === undefined ? {} : { atMs }) };
  switch (told.result) {
    case "REFUNDED": {
      const isWhole = amount === undefined || amount.minorUnits >= refundableMinor;
      return { ...base, outcomeClass: "APPROVED", ...(isWhole ? { refunded: true } : {}) };
    }
    case "CHARGED_BACK":
    case "CLEARED":
      return { ...base, outcomeClass: "APPROVED" };
    case "VOIDED":
      return { ...base, outcomeClass: "UNKNOWN", voided: true };
    case "DECLINED":
      return { ...base, ...readAnswer(told), ...readDecline(told), declined: true };
    case "PARTIAL":
      return {
        ...base,
        ...readAnswer(told),
        outcomeClass: "PARTIAL",
        ...(amount === undefined ? {} : { approvedMinor: amount.minorUnits }),
      };
    case "APPROVED":
    case "PENDING":
    case "ABANDONED":
    case "UNKNOWN":
      return { ...base, ...readAnswer(told), outcomeClass: told.result };
  }
}

function readAnswer({
  responseCode,
  pspCode,
  adviceCode,
  threeDs,
  failure,
}: OutcomeReport): Partial<ReportedOutcome> {
  return {
    ...(responseCode === undefined ? {} : { responseCode }),
    ...(pspCode === undefined ? {} : { pspCode }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(threeDs === undefined ? {} : { threeDs }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Without a class the codes say what a decline means. */
function readDecline({ outcomeClass, corrects }: OutcomeReport): Partial<ReportedOutcome> {
  return {
    ...(outcomeClass === undefined ? {} : { outcomeClass }),
    ...(corrects === "APPROVED" || corrects === "PARTIAL" ? { corrects } : {}),
  };
}
