import type { Player } from "../../src/core/player.ts";
import type { PaymentRecord, PaymentStore } from "../../src/ports/payment-store.ts";
import type { PlayerStore } from "../../src/ports/player-store.ts";

const done = Promise.resolve();

/** Keeps the latest answers in memory, so that a long run measures decisions and not the garbage collector. One merchant. */
export function createPaymentStore(recordsMax: number): PaymentStore {
  const records = new Map<string, PaymentRecord>();
  return {
    get: (_merchantId, paymentId) => {
      const record = records.get(paymentId);
      return record && { state: "answered", record };
    },
    put: (_merchantId, record) => {
      records.set(record.paymentId, record);
      if (records.size > recordsMax) records.delete(records.keys().next().value!);
      return done;
    },
  };
}

/** Players by id. One merchant. */
export function createPlayerStore(players: readonly Player[]): Pick<PlayerStore, "get"> {
  const byId = new Map(players.map((player) => [player.playerId, player]));
  return { get: (_merchantId, playerId) => byId.get(playerId) };
}
