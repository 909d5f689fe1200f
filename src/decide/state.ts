import type { BinTable } from "../core/bin/bin-table.ts";
import type { FactInput } from "../core/facts.ts";
import type { Player } from "../core/player.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { HistoryStore } from "../ports/history-store.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PlayerStore } from "../ports/player-store.ts";
import type { PspStateKind } from "../ports/psp-state-store.ts";
import type { Breakers } from "./breakers.ts";
import type { DecisionState } from "./judge.ts";

export type StateDeps = {
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly players: Pick<PlayerStore, "get">;
  readonly histories: Pick<HistoryStore, "get" | "newestMs">;
  readonly limits: Pick<LimitStore, "holdsOf" | "attemptsOf" | "get">;
  readonly pspStates: (merchantId: string) => ReadonlyMap<string, PspStateKind>;
  readonly breakers?: Pick<Breakers, "boardOf"> | undefined;
  readonly bins: BinTable;
  /** Since when the events of a merchant are complete, ms since the epoch; undefined where it has none. */
  readonly coveredFromMs: (merchantId: string) => number | undefined;
  /** Truths of a player's segments with a memory, advanced to the instant of the facts. */
  readonly remember: (merchantId: string, snapshot: RuleSnapshot, facts: FactInput) => Uint8Array | undefined;
};

/** All that a decision about a player reads of the world, at one instant. Everything about an alias is kept under the player it was merged into. */
export function readState(deps: StateDeps, merchantId: string, playerId: string): DecisionState {
  const player = findPlayer(deps, merchantId, playerId);
  const id = player?.playerId ?? playerId;
  return {
    player,
    history: deps.histories.get(merchantId, { kind: "player", id }),
    coveredFromMs: deps.coveredFromMs(merchantId),
    remember: (snapshot, facts) => deps.remember(merchantId, snapshot, facts),
    pspStates: deps.pspStates(merchantId),
    breakers: deps.breakers?.boardOf(merchantId),
    bins: deps.bins,
    isServerClock: deps.merchants.get(merchantId)?.clock === "server",
    ledger: {
      historyOf: (subject) => deps.histories.get(merchantId, subject),
      holdsOf: (subject) => deps.limits.holdsOf(merchantId, subject),
      attemptsOf: (card) => deps.limits.attemptsOf(merchantId, card),
    },
  };
}

/** The player behind an id, which may be an alias. */
export function findPlayer(
  { players }: Pick<StateDeps, "players">,
  merchantId: string,
  playerId: string,
): Player | undefined {
  const player = players.get(merchantId, playerId);
  return player?.mergedInto === undefined ? player : players.get(merchantId, player.mergedInto);
}
