import type { MembershipLog, MembershipState, NumberedChange } from "../../src/ports/membership-log.ts";

/** A membership log in memory. What was appended is durable when `settle` resolves, and shown from then on: at once unless told otherwise. */
export function createMemoryMemberships(
  options: { readonly settle?: () => Promise<void>; readonly keep?: number } = {},
): MembershipLog & { readonly changes: (merchantId: string) => readonly NumberedChange[] } {
  const { settle = () => Promise.resolve(), keep = Number.POSITIVE_INFINITY } = options;
  const states = new Map<string, Map<string, MembershipState>>();
  const changes = new Map<string, NumberedChange[]>();
  const shown = new Map<string, number>();
  const statesOf = (merchantId: string): Map<string, MembershipState> => {
    const known = states.get(merchantId) ?? new Map<string, MembershipState>();
    states.set(merchantId, known);
    return known;
  };
  const changesOf = (merchantId: string): NumberedChange[] => {
    const known = changes.get(merchantId) ?? [];
    changes.set(merchantId, known);
    return known;
  };
  const newestSequence = (merchantId: string): number => shown.get(merchantId) ?? 0;
  return {
    changes: changesOf,
    append: (merchantId, playerId, added, state) => {
      const all = changesOf(merchantId);
      const sequences = added.map((change) => all.push({ ...change, sequence: all.length + 1 }));
      statesOf(merchantId).set(playerId, state);
      const newest = all.length;
      const durable = settle().then(
        () => void shown.set(merchantId, Math.max(newest, newestSequence(merchantId))),
      );
      return { sequences, durable };
    },
    state: (merchantId, playerId) => states.get(merchantId)?.get(playerId),
    forEachState: async (merchantId, visit) => {
      for (const [playerId, state] of statesOf(merchantId)) visit(playerId, state);
    },
    read: (merchantId, afterSequence, max) => {
      const newest = newestSequence(merchantId);
      if (afterSequence < newest - keep) return undefined;
      return changesOf(merchantId).slice(afterSequence, Math.min(newest, afterSequence + max));
    },
    newestSequence,
    remove: async (merchantId, playerId) => {
      statesOf(merchantId).delete(playerId);
    },
  };
}
