import { HotCache } from "../../src/adapters/embedded/hot-cache.ts";
import type { Player } from "../../src/core/player.ts";
import type { PaymentRecord, PaymentStore } from "../../src/ports/payment-store.ts";
import type { PlayerStore } from "../../src/ports/player-store.ts";

const done = Promise.resolve();

/** Keeps the latest answers in the cache of the embedded store, and nothing behind it: what is on disk is measured elsewhere. One merchant. */
export function createPaymentStore(recordsMax: number): PaymentStore {
  const records = new HotCache<PaymentRecord>(recordsMax);
  return {
    get: (_merchantId, paymentId) => {
      const record = records.get(paymentId);
      return record && { state: "answered", record };
    },
    put: (_merchantId, record) => {
      records.set(record.paymentId, record);
      return done;
    },
  };
}

/** Players by id. One merchant. */
export function createPlayerStore(players: readonly Player[]): Pick<PlayerStore, "get"> {
  const byId = new Map(players.map((player) => [player.playerId, player]));
  return { get: (_merchantId, playerId) => byId.get(playerId) };
}
