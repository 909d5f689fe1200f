import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { Hold } from "../core/limits/limit.ts";
import { type Attempt, isOpen } from "../core/retry/attempts.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PaymentRecord, PaymentStore } from "../ports/payment-store.ts";

/** Answers are kept this long after the last word on the payment, and while nobody knows what became of an attempt (`SEMANTICS.md` 1.3). */
const keepMs = 7 * 24 * 3_600_000;
const endOfTimeMs = Date.UTC(9999, 0);

/** Until when an answer is kept that was heard of now. */
export function findKeepUntil(attempts: readonly Attempt[], nowMs: number): number {
  return attempts.some(isOpen) ? endOfTimeMs : nowMs + keepMs;
}

export type KeeperDeps = {
  readonly payments: Pick<PaymentStore, "put">;
  readonly limits: Pick<LimitStore, "get" | "hold" | "release">;
  /** Puts facts of payments into the histories of their subjects. */
  readonly recordFacts: (
    merchantId: string,
    facts: readonly PaymentFact[],
  ) => { readonly placed: readonly { readonly kind: string }[]; readonly durable: Promise<void> };
};

/** What a call changed. */
export type Change = {
  readonly record: PaymentRecord;
  /** What the payment holds from now on; undefined where nothing. */
  readonly hold: Hold | undefined;
  readonly facts: readonly PaymentFact[];
  /** What of the same turn is being written already. */
  readonly begun?: Promise<void> | undefined;
};

/** Keeps what calls change. */
export type Keeper = {
  /** All of it in one turn of the store, so that a killed process has all of it or nothing; visible at once. Resolves when it is durable. */
  readonly keep: (merchantId: string, change: Change) => Promise<void>;
  /** The last write; writes become durable in order, so a repeat that finds an answer in memory waits for it. Undefined where none is open. */
  readonly last: () => Promise<void> | undefined;
};

export function createKeeper({ payments, limits, recordFacts }: KeeperDeps): Keeper {
  let lastWrite: Promise<void> | undefined;
  const change = (merchantId: string, { record, hold, facts, begun }: Change): Promise<void> => {
    const writes = new Set<Promise<void>>();
    if (begun !== undefined) writes.add(begun);
    if (facts.length > 0) writes.add(recordFacts(merchantId, facts).durable);
    if (hold !== undefined) writes.add(limits.hold(merchantId, hold));
    else if (limits.get(merchantId, record.paymentId) !== undefined)
      writes.add(limits.release(merchantId, record.paymentId));
    const put = payments.put(merchantId, record);
    // What one turn of the store writes together has one promise.
    writes.delete(put);
    return writes.size === 0 ? put : Promise.all([...writes, put]).then(() => {});
  };
  return {
    keep: (merchantId, changed) => {
      const write = change(merchantId, changed);
      if (write === lastWrite) return write;
      lastWrite = write;
      // A write that failed has left nothing behind, so no repeat has to wait for it.
      write.then(
        () => {
          if (lastWrite === write) lastWrite = undefined;
        },
        () => {
          if (lastWrite === write) lastWrite = undefined;
        },
      );
      return write;
    },
    last: () => lastWrite,
  };
}
