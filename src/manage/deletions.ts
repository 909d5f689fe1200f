import type { HistoryStore } from "../ports/history-store.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import type { PlayerDeps } from "./players.ts";

export type DeletionDeps = PlayerDeps & {
  readonly histories: Pick<HistoryStore, "remove" | "get">;
  /** Tells that the player left every segment, and forgets what was told. */
  readonly leave: (merchantId: string, playerId: string) => Promise<void>;
};

export type Deletion = {
  readonly eventsDeleted: number;
  /** Restrictions and own limits that stand until they end. */
  readonly kept: number;
};

/** Deletes a player (`SEMANTICS.md` 6.3): what is left is a tombstone under a keyed hash, with restrictions and own limits until they end. */
export class Deletions {
  readonly #deps: DeletionDeps;

  constructor(deps: DeletionDeps) {
    this.#deps = deps;
  }

  /** Deletes the player with all ids of the same person. */
  delete(
    merchantId: string,
    playerId: string,
    by: { readonly author: string; readonly reason: string },
  ): Promise<Managed<Deletion>> {
    return this.#deps.queue.run(merchantId, async () => {
      const { store, histories, audit, clock, leave } = this.#deps;
      const named = store.get(merchantId, playerId);
      const id = named?.mergedInto ?? playerId;
      const player = store.get(merchantId, id);
      if (player === undefined && histories.get(merchantId, { kind: "player", id }) === undefined)
        return fail({ kind: "missing", what: "player", id: playerId });
      const eventsDeleted = await histories.remove(merchantId, { kind: "player", id });
      for (const each of [id, ...(player?.aliases ?? [])]) await store.delete(merchantId, each);
      await leave(merchantId, id);
      const left = store.get(merchantId, id);
      const kept = (left?.restrictions.length ?? 0) + (left?.ownLimits?.length ?? 0);
      // The id itself must not outlive the player in the trail.
      await audit.append({
        atMs: clock.nowMs(),
        merchantId,
        actor: by.author,
        action: "player.delete",
        subject: "player",
        detail: { reason: by.reason, events: eventsDeleted, kept },
      });
      return succeed({ eventsDeleted, kept });
    });
  }
}
