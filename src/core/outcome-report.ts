import type { Failure, Money, PaymentKind, ThreeDsResult } from "./payment.ts";
import type { OutcomeClass } from "./retry/outcome-class.ts";

export const outcomeResults = [
  "APPROVED",
  "PARTIAL",
  "DECLINED",
  "UNKNOWN",
  "PENDING",
  "VOIDED",
  "REFUNDED",
  "CHARGED_BACK",
  "CLEARED",
  "ABANDONED",
] as const;

export type OutcomeResult = (typeof outcomeResults)[number];

/** What a gateway tells of an attempt, checked for shape. Instants are ms since the epoch; absent fields were not told. */
export type OutcomeReport = {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly attemptId: string;
  readonly psp: string;
  readonly result: OutcomeResult;
  /** For PARTIAL, REFUNDED and CHARGED_BACK: how much; the whole where absent. */
  readonly amount?: Money;
  readonly atMs?: number;
  /** What a decline means. */
  readonly outcomeClass?: OutcomeClass;
  readonly responseCode?: string;
  readonly pspCode?: string;
  readonly adviceCode?: string;
  readonly threeDs?: ThreeDsResult;
  readonly failure?: Failure;
  readonly latencyMs?: number;
  /** The result that this one corrects. */
  readonly corrects?: OutcomeResult;
  /** For payments that were never decided here. */
  readonly playerId?: string;
  readonly kind?: PaymentKind;
  /** The instant of the call, for merchants whose clock is `request`. */
  readonly reportAtMs?: number;
};
