import type { Decision } from "../core/decision.ts";
import type { Money, Payment, PaymentKind } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";

/** What is compared when a payment comes again (`SEMANTICS.md` 1.3). */
export type PaymentIdentity = {
  readonly playerId: string;
  readonly kind: PaymentKind;
  readonly amount: Money;
  readonly method: string;
  /** Fingerprint, else token id, else BIN and last four; empty where there is no card. */
  readonly instrument: string;
};

/** An attempt of the payment that was reported. */
export type StoredAttempt = Attempt;

/** What a payment was at an earlier revision of which attempts may still be heard: they tell of this one. */
export type EarlierRevision = {
  readonly revision: number;
  readonly payment: Payment;
  /** Instant of its decision, ms since the epoch, and the rule set that decided. */
  readonly decidedAtMs: number;
  readonly ruleSetVersion: number;
  readonly converted: ReadonlyMap<string, number>;
  /** Accounts of the PSPs of its plan. */
  readonly accounts: ReadonlyMap<string, string>;
};

/** What is kept of one payment: its latest revision, its answer as it was given, and every attempt so far. */
export type PaymentRecord = {
  readonly paymentId: string;
  readonly revision: number;
  readonly identity: PaymentIdentity;
  readonly decision: Decision;
  /** The call that was decided, without its reports and review: outcomes are judged by it. Absent in records of before it was kept. */
  readonly payment?: Payment;
  /** Its amount in the currencies of limits, as it was converted when it reserved; absent where nothing was. */
  readonly converted?: ReadonlyMap<string, number>;
  /** Earlier revisions that had a plan, the oldest first, at most 16; absent where none had. */
  readonly earlier?: readonly EarlierRevision[];
  /** In the order in which they became known. */
  readonly attempts: readonly StoredAttempt[];
  /** Until when the answer is kept; then a tombstone. */
  readonly keepUntilMs: number;
};

/** What is left of a payment when its answer is gone. */
export type PaymentTombstone = {
  readonly paymentId: string;
  readonly revision: number;
  readonly finalState: string;
  readonly keepUntilMs: number;
};

export type StoredPayment =
  | { readonly state: "answered"; readonly record: PaymentRecord }
  | { readonly state: "closed"; readonly tombstone: PaymentTombstone };

/** Where answers are kept: 7 days, then a tombstone for 35 (`SEMANTICS.md` 1.3). Every key begins with the merchant. */
export type PaymentStore = {
  /** What is known of a payment at `nowMs`; undefined where nothing is. Synchronous: memory, then disk. */
  readonly get: (merchantId: string, paymentId: string, nowMs: number) => StoredPayment | undefined;
  /** Keeps the record. It is visible at once; the promise resolves when it is durable, before which no answer may leave. */
  readonly put: (merchantId: string, record: PaymentRecord) => Promise<void>;
};
