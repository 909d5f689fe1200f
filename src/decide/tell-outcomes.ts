import type { HeardOutcome } from "../core/breakers/heard-outcome.ts";
import type { ReportedOutcome } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { type HeardPayment, tellsTheSame } from "./outcomes.ts";
import { nameIssuer } from "./report-context.ts";

/** Told of every outcome that is new, once; what was voided, given back or told before is not. */
export type OnOutcome = (merchantId: string, outcome: HeardOutcome, nowMs: number) => void;

/**
 * Tells whoever watches the health of PSPs what the reports made known. `record` is as it was before. `latencyMs`: how long the PSP took, where the
 * caller of `ReportOutcome` said it.
 */
export function tellOutcomes(
  onOutcome: OnOutcome | undefined,
  { payment, record, bins, nowMs }: Pick<HeardPayment, "payment" | "record" | "bins" | "nowMs">,
  after: readonly Attempt[],
  reports: readonly ReportedOutcome[],
  latencyMs?: number,
): void {
  if (onOutcome === undefined) return;
  for (const attempt of after) {
    const before = record.attempts.find(({ attemptId }) => attemptId === attempt.attemptId);
    if (before === attempt || attempt.voided === true) continue;
    if (before !== undefined && tellsTheSame(before, attempt)) continue;
    const report = reports.findLast(({ attemptId }) => attemptId === attempt.attemptId);
    const outcome: HeardOutcome = {
      paymentId: payment.paymentId,
      attemptId: attempt.attemptId,
      psp: attempt.psp,
      method: payment.method ?? "",
      outcomeClass: attempt.outcomeClass,
      attribution: attempt.attribution,
      failure: report?.failure,
      threeDs: attempt.threeDs,
      latencyMs,
      issuerKey: nameIssuer(payment, bins),
      atMs: attempt.atMs,
    };
    onOutcome(payment.merchantId, outcome, nowMs);
  }
}
