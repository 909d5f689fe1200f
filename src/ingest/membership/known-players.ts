import { compareIds } from "../../core/compare-ids.ts";
import { SortedIds } from "../../core/sorted-ids.ts";
import type { HistoryStore } from "../../ports/history-store.ts";
import type { PlayerStore } from "../../ports/player-store.ts";
import type { Pacer } from "./tracker.ts";
import { createTurns } from "./turns.ts";

export type KnownPlayersDeps = {
  readonly players: Pick<PlayerStore, "get" | "isDeleted" | "forEachPlayer">;
  readonly histories: Pick<HistoryStore, "listPlayers" | "hasPlayer" | "countPlayers">;
  readonly pacer: Pacer;
};

/** Some players in order of id. */
export type KnownPage = {
  readonly playerIds: readonly string[];
  /** How many there are in all, as far as can be told before the last page. */
  readonly players: number;
};

const pageMax = 1_000;

/**
 * Lists all players of whom anything is known: those with events, and those of whom nothing but attributes, restrictions or own limits is stored. In
 * order of `compareIds`, at most 1,000 in a page; deleted ones and aliases of others are not among them. Works in slices. Players that become
 * known meanwhile may be missing. There is always a page, though it may be empty.
 */
export async function* listKnownPlayers(
  deps: KnownPlayersDeps,
  merchantId: string,
): AsyncGenerator<KnownPage, void> {
  const { histories } = deps;
  const others = await collectOthers(deps, merchantId);
  const merged = createMerge(others);
  let playerIds: string[] = [];
  let listed = 0;
  /** Gives a full page only when there is another, so that the last is known to be it. */
  function* take(ids: Iterable<string>): Generator<KnownPage, void> {
    for (const playerId of ids) {
      if (playerIds.length === pageMax) {
        yield { playerIds, players: Math.max(listed + 1, histories.countPlayers(merchantId) + others.size) };
        playerIds = [];
      }
      playerIds.push(playerId);
      listed++;
    }
  }
  for await (const ids of histories.listPlayers(merchantId)) yield* take(merged.until(ids));
  yield* take(merged.rest());
  yield { playerIds, players: listed };
}

/** Those without a history, in order, some twice; mostly few. */
async function collectOthers(
  { players, histories, pacer }: KnownPlayersDeps,
  merchantId: string,
): Promise<SortedIds> {
  const others = new SortedIds();
  await players.forEachPlayer(merchantId, (playerId) => {
    if (histories.hasPlayer(merchantId, playerId)) return;
    const isAlias = players.get(merchantId, playerId)?.mergedInto !== undefined;
    if (!isAlias && !players.isDeleted(merchantId, playerId)) others.add(playerId);
  });
  const turns = createTurns(pacer);
  for (const _ of others.sort()) await turns.take();
  return others;
}

/** Puts the pages of histories and the others into one order, each id once: one that got its first event meanwhile is in both. */
function createMerge(others: SortedIds): {
  readonly until: (ids: readonly string[]) => Generator<string, void>;
  readonly rest: () => Generator<string, void>;
} {
  let at = 0;
  let next = others.size === 0 ? undefined : others.at(0);
  /** Takes all of the same id. */
  const skip = (): void => {
    const taken = next;
    while (next !== undefined && next === taken) next = ++at < others.size ? others.at(at) : undefined;
  };
  function* rest(before?: string): Generator<string, void> {
    while (next !== undefined && (before === undefined || compareIds(next, before) < 0)) {
      yield next;
      skip();
    }
  }
  return {
    rest: () => rest(),
    *until(ids) {
      for (const id of ids) {
        yield* rest(id);
        if (next === id) skip();
        yield id;
      }
    },
  };
}
