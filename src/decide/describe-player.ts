import type { Value } from "../core/cel/expr.ts";
import { readJurisdictions } from "../core/facts.ts";
import { type FeatureReading, readFeatureValues } from "../core/features/frame-reader.ts";
import { isUnresolved } from "../core/limits/holds.ts";
import type { Hold, LimitReading } from "../core/limits/limit.ts";
import type { OwnLimit, Player } from "../core/player.ts";
import { listPackStandings, type PackStanding } from "../core/rules/pack-standings.ts";
import { isOfPlayer } from "../core/rules/player-sources.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { makePlayerInput } from "../core/segments/player-input.ts";
import { type LimitScope, readLimitsOfAnyBrand } from "./any-brand.ts";
import { type DecisionState, readFrame } from "./judge.ts";
import { readOwnLimits } from "./limits.ts";
import { openWorkspace } from "./workspace.ts";

/** What is known of a player without a payment in sight: all that a payment would tell is unknown. Instants are ms since the epoch. */
export type PlayerDescription = {
  /** Ids, sorted. */
  readonly segments: readonly string[];
  /** Segments that can't be told, sorted. */
  readonly unknownSegments: readonly string[];
  /** In order of id. */
  readonly features: readonly FeatureReading[];
  /** The tightest first, of whichever brand; those that no payment of the player can fall under are left out. */
  readonly limits: readonly LimitReading[];
  /** Those of them that hold at some brands only, by id. */
  readonly limitScopes: readonly LimitScope[];
  /** Under which policy packs payments of the player fall, or may fall. */
  readonly packs: readonly PackStanding[];
  /** The player's own as they hold now, by period, then measure. */
  readonly ownLimits: readonly OwnLimit[];
  /** State by lifecycle. */
  readonly lifecycles: ReadonlyMap<string, string>;
  /** Events that are kept row by row. */
  readonly events: number;
  readonly lastEventAtMs: number | undefined;
  /** Payments that hold something under limits. */
  readonly openPayments: number;
  /** Payments of whose outcome nobody has told for more than 24 hours, sorted. */
  readonly unresolvedPayments: readonly string[];
};

/** Describes a player at an instant. */
export function describePlayer(
  snapshot: RuleSnapshot,
  merchantId: string,
  player: Player,
  state: DecisionState,
  nowMs: number,
): PlayerDescription {
  const workspace = openWorkspace(snapshot);
  const { frame } = workspace;
  const { history } = state;
  const facts = makePlayerInput({ merchantId, player, history }, nowMs);
  readFrame(workspace, facts, state);
  const values: Value[] = frame.values;
  for (const [slot, source] of snapshot.slots.entries()) if (!isOfPlayer(source)) values[slot] = undefined;
  snapshot.matchSegments(frame);
  const truths = frame.segments.slice();
  const list = (truth: number): readonly string[] =>
    snapshot.segments.filter((_, at) => truths[at] === truth).map(({ id }) => id);
  const holds = state.ledger?.holdsOf({ kind: "player", id: player.playerId }) ?? [];
  return {
    segments: list(1),
    unknownSegments: list(2),
    ...readLimits(workspace, facts, state),
    packs: listPackStandings(snapshot, readJurisdictions(facts)?.[0], nowMs),
    ownLimits: readOwnLimits(snapshot, facts),
    features: readFeatureValues(snapshot, facts),
    lifecycles: findStates(snapshot, truths),
    events: history === undefined ? 0 : history.end - history.start,
    lastEventAtMs: history === undefined ? undefined : history.atMs[history.end - 1],
    openPayments: holds.length,
    unresolvedPayments: listUnresolved(holds, nowMs),
  };
}

function readLimits(
  ...asked: Parameters<typeof readLimitsOfAnyBrand>
): Pick<PlayerDescription, "limits" | "limitScopes"> {
  const { readings, scopes } = readLimitsOfAnyBrand(...asked);
  return { limits: readings, limitScopes: scopes };
}

function findStates({ lifecycles }: RuleSnapshot, truths: Uint8Array): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const { id, states: all } of lifecycles) {
    const state = all.find(({ segment }) => truths[segment] === 1);
    if (state !== undefined) states.set(id, state.id);
  }
  return states;
}

function listUnresolved(holds: readonly Hold[], nowMs: number): readonly string[] {
  return holds
    .filter((hold) => isUnresolved(hold, nowMs))
    .map(({ paymentId }) => paymentId)
    .sort();
}
