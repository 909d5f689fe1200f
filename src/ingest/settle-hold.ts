import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { Hold } from "../core/limits/limit.ts";
import type { LimitStore } from "../ports/limit-store.ts";

/**
 * Lets go of what a payment holds, or of a part of it, as a fact says; undefined where the fact settles nothing.
 *
 * Approved, voided, paid and cancelled settle the payment. So does a decline that names no attempt; one that names an attempt uses up one
 * authorisation of the plan, and settles the payment with the last; where another attempt may be open (UNKNOWN, PENDING) or a reviewer is asked it
 * settles nothing, because the wallet does not say which. `isNew` is false for a fact that was there before: that one may be about an
 * earlier revision, so it counts only where it is younger than the hold.
 */
export function settleHold(
  limits: LimitStore,
  merchantId: string,
  settled: { readonly hold: Hold; readonly fact: PaymentFact; readonly isNew: boolean },
): Promise<void> | undefined {
  const { hold, fact, isNew } = settled;
  if (!isNew && fact.atMs < hold.instantMs) return undefined;
  switch (fact.type) {
    case "payment_approved":
    case "payment_voided":
    case "withdrawal_paid":
    case "withdrawal_cancelled":
      return limits.release(merchantId, hold.paymentId);
    case "payment_declined": {
      if (fact.attemptId === "") return limits.release(merchantId, hold.paymentId);
      if (hold.state !== "HELD" || !isNew) return undefined;
      if (hold.authorisations <= 1) return limits.release(merchantId, hold.paymentId);
      const lastWordMs = Math.max(hold.lastWordMs, fact.atMs);
      return limits.hold(merchantId, {
        ...hold,
        authorisations: hold.authorisations - 1,
        lastWordMs,
        releasesAtMs: hold.releasesAtMs + lastWordMs - hold.lastWordMs,
      });
    }
    case "payment_attempted":
    case "payment_cleared":
    case "payment_refunded":
    case "payment_charged_back":
    case "withdrawal_requested":
    case "withdrawal_returned":
      return undefined;
  }
}
