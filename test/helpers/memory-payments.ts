import type { PaymentRecord, PaymentStore } from "../../src/ports/payment-store.ts";

/** A payment store in memory: answers until `keepUntilMs`, then tombstones without end. */
export function createMemoryPayments(): PaymentStore {
  const records = new Map<string, PaymentRecord>();
  return {
    get: (merchantId, paymentId, nowMs) => {
      const record = records.get(JSON.stringify([merchantId, paymentId]));
      if (record === undefined) return undefined;
      const { revision, keepUntilMs } = record;
      if (nowMs < keepUntilMs) return { state: "answered", record };
      return { state: "closed", tombstone: { paymentId, revision, finalState: "EXPIRED", keepUntilMs } };
    },
    put: (merchantId, record) => {
      records.set(JSON.stringify([merchantId, record.paymentId]), record);
      return Promise.resolve();
    },
  };
}
