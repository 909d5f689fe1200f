import type { Player } from "../core/player.ts";

/** Where players are kept. Every key begins with the merchant. */
export type PlayerStore = {
  /** The player, or undefined where nothing was ever stored. Synchronous: memory, then disk. */
  readonly get: (merchantId: string, playerId: string) => Player | undefined;
  /** Keeps the player. Resolves when it is durable; a decision sees it at once. */
  readonly put: (merchantId: string, player: Player) => Promise<void>;
};
