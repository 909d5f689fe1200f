import type { Player } from "../core/player.ts";

/** Where players are kept. Every key begins with the merchant. */
export type PlayerStore = {
  /**
   * The player, or undefined where nothing was ever stored. Synchronous: memory, then disk. Of a deleted player (`SEMANTICS.md` 6.3) only the
   * restrictions and own limits that still stand by the machine's clock; undefined where none does.
   */
  readonly get: (merchantId: string, playerId: string) => Player | undefined;
  /**
   * Keeps the player. Resolves when it is durable; a decision sees it at once. A deleted player stays deleted: of what is put only restrictions
   * and own limits that stand are kept.
   */
  readonly put: (merchantId: string, player: Player) => Promise<void>;
  /** Forgets the player but for a tombstone under a keyed hash of the id, with the restrictions and own limits that stand. Done twice, it is done once. */
  readonly delete: (merchantId: string, playerId: string) => Promise<void>;
  readonly isDeleted: (merchantId: string, playerId: string) => boolean;
  /**
   * Calls `visit` with the id of every player of whom something is stored, in no order, some of them twice; yields in slices. Those that come
   * meanwhile may be missing, and some that were deleted lately may be among them.
   */
  readonly forEachPlayer: (merchantId: string, visit: (playerId: string) => void) => Promise<void>;
};
