import type { OutcomeClass } from "../../core/retry/outcome-class.ts";
import type { PaymentRecord } from "../../ports/payment-store.ts";

/** What a tombstone says of a payment. */
export type FinalState = "APPROVED" | "UNKNOWN" | "PENDING" | "DENIED" | "REVIEW" | "DECLINED";

/**
 * What became of a payment, as far as it was told. Any approval counts for the whole payment; then an attempt whose latest word is open; then the
 * verdict. A plan of which nothing was ever reported is UNKNOWN: silence is an unknown outcome (`SEMANTICS.md` 5.3).
 */
export function finalStateOf({
  decision,
  attempts,
}: Pick<PaymentRecord, "decision" | "attempts">): FinalState {
  if (attempts.some(({ outcomeClass }) => outcomeClass === "APPROVED" || outcomeClass === "PARTIAL")) {
    return "APPROVED";
  }
  const latest = new Map<string, OutcomeClass>();
  for (const { attemptId, outcomeClass } of attempts) latest.set(attemptId, outcomeClass);
  const open = [...latest.values()];
  if (open.includes("UNKNOWN")) return "UNKNOWN";
  if (open.includes("PENDING")) return "PENDING";
  if (decision.verdict === "DENY") return "DENIED";
  if (decision.verdict === "REVIEW") return "REVIEW";
  return attempts.length > 0 ? "DECLINED" : "UNKNOWN";
}
