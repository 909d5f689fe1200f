import type { Hold } from "../../src/core/limits/limit.ts";
import type { LimitStore } from "../../src/ports/limit-store.ts";

/** Open reservations in memory. */
export function createMemoryLimits(): LimitStore {
  const holds = new Map<string, Map<string, Hold>>();
  const holdsIn = (merchantId: string): Map<string, Hold> => {
    const known = holds.get(merchantId) ?? new Map<string, Hold>();
    holds.set(merchantId, known);
    return known;
  };
  return {
    holdsOf: (merchantId, { kind, id }) =>
      [...holdsIn(merchantId).values()].filter(({ subjects }) =>
        subjects.some((each) => each.kind === kind && each.id === id),
      ),
    attemptsOf: (merchantId, card) =>
      [...holdsIn(merchantId).values()].filter(({ attempts = [] }) =>
        attempts.some((each) => each.card === card),
      ),
    get: (merchantId, paymentId) => holds.get(merchantId)?.get(paymentId),
    hold: async (merchantId, hold) => void holdsIn(merchantId).set(hold.paymentId, hold),
    release: async (merchantId, paymentId) => void holdsIn(merchantId).delete(paymentId),
    sweep: (beforeMs) => {
      for (const each of holds.values()) {
        for (const [id, { lastWordMs }] of each) if (lastWordMs < beforeMs) each.delete(id);
      }
    },
  };
}
