import type { Subject } from "../core/history/history.ts";
import type { Hold } from "../core/limits/limit.ts";
import { aliasesMax, mergePlayers } from "../core/merge-players.ts";
import type { FxRates } from "../core/money.ts";
import type { Player } from "../core/player.ts";
import type { HistoryStore } from "../ports/history-store.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PlayerStore } from "../ports/player-store.ts";

export type AliasStores = {
  readonly players: PlayerStore;
  readonly histories: HistoryStore;
  readonly limits: LimitStore;
};

/** Two ids under which one person is kept so far. */
export type AliasMerge = {
  readonly merchantId: string;
  readonly keptId: string;
  readonly aliasId: string;
  readonly fx: FxRates | undefined;
};

/** A player of whom nothing is stored has no attributes and no restrictions. */
export function emptyPlayer(playerId: string): Player {
  return { playerId, attributes: new Map(), restrictions: [] };
}

/** Whether one more id would be too many. */
export function hasRoomForAlias(kept: Player | undefined, alias: Player | undefined): boolean {
  return (kept?.aliases?.length ?? 0) + (alias?.aliases?.length ?? 0) < aliasesMax;
}

/**
 * Keeps everything of one id under another (`SEMANTICS.md` 6.3): history, restrictions, own limits, attributes and open holds. Ids that were
 * merged into the alias before lead to the kept one at once, so no chain is longer than one. Done again it changes nothing.
 */
export function mergeAlias(stores: AliasStores, merge: AliasMerge): readonly Promise<void>[] {
  const { players, histories } = stores;
  const { merchantId, keptId, aliasId, fx } = merge;
  const kept = players.get(merchantId, keptId) ?? emptyPlayer(keptId);
  const alias = players.get(merchantId, aliasId) ?? emptyPlayer(aliasId);
  const durable = [players.put(merchantId, mergePlayers(kept, alias, fx))];
  for (const each of [aliasId, ...(alias.aliases ?? [])]) {
    durable.push(players.put(merchantId, { ...emptyPlayer(each), mergedInto: keptId }));
  }
  durable.push(histories.merge(merchantId, playerSubject(aliasId), playerSubject(keptId)));
  // Moving them changes the list.
  for (const hold of [...stores.limits.holdsOf(merchantId, playerSubject(aliasId))]) {
    durable.push(stores.limits.hold(merchantId, moveHold(hold, aliasId, keptId)));
  }
  return durable;
}

export function playerSubject(id: string): Subject {
  return { kind: "player", id };
}

function moveHold(hold: Hold, aliasId: string, keptId: string): Hold {
  const isAlias = ({ kind, id }: Subject): boolean => kind === "player" && id === aliasId;
  return {
    ...hold,
    playerId: keptId,
    subjects: hold.subjects.map((each) => (isAlias(each) ? playerSubject(keptId) : each)),
  };
}
