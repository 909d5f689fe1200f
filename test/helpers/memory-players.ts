import type { Player } from "../../src/core/player.ts";
import type { PlayerStore } from "../../src/ports/player-store.ts";

/** A player store in memory. Of a deleted player it keeps the restrictions and own limits, whatever their ends. */
export function createMemoryPlayers(): PlayerStore {
  const players = new Map<string, Player>();
  const deleted = new Set<string>();
  const keyOf = (merchantId: string, playerId: string): string => `${merchantId}\0${playerId}`;
  const strip = ({ playerId, restrictions, ownLimits }: Player): Player => ({
    playerId,
    attributes: new Map(),
    restrictions,
    ...(ownLimits !== undefined && { ownLimits }),
  });
  return {
    get: (merchantId, playerId) => players.get(keyOf(merchantId, playerId)),
    put: async (merchantId, player) => {
      const key = keyOf(merchantId, player.playerId);
      players.set(key, deleted.has(key) ? strip(player) : player);
    },
    delete: async (merchantId, playerId) => {
      const key = keyOf(merchantId, playerId);
      deleted.add(key);
      const player = players.get(key);
      if (player !== undefined) players.set(key, strip(player));
    },
    forEachPlayer: async (merchantId, visit) => {
      for (const [key, { playerId }] of players) if (key === keyOf(merchantId, playerId)) visit(playerId);
    },
    isDeleted: (merchantId, playerId) => deleted.size > 0 && deleted.has(keyOf(merchantId, playerId)),
  };
}
