import { findKnownSince } from "../../core/known-since.ts";
import type { Player } from "../../core/player.ts";
import type { RuleSnapshot } from "../../core/rules/snapshot.ts";
import { type SegmentStats, startStats } from "../../core/segments/stats.ts";
import { type SegmentFlip, type Standing, standBefore, sweepPlayer } from "../../core/segments/sweep.ts";
import { openTimeline, type SweepFacts, type Timeline } from "../../core/segments/timeline.ts";
import { listKnownPlayers } from "./known-players.ts";
import type { MembershipDeps } from "./tracker.ts";
import { createTurns, type Turns } from "./turns.ts";

/** How far a survey is. */
export type SurveyProgress = { readonly lookedAt: number; readonly players: number };

/** Members that were found since the last message, in order of id. */
export type MembersFound = SurveyProgress & { readonly playerIds: readonly string[] };

/** Progress; in the last message the result. */
export type StatsFound = SurveyProgress & { readonly stats: readonly SegmentStats[] | undefined };

export type SurveyDeps = Pick<MembershipDeps, "players" | "histories" | "pacer" | "coveredFromMs">;

/** Looks at one player between two questions how much of the turn is gone. */
const looksMax = 16;

type Survey = {
  readonly merchantId: string;
  readonly snapshot: RuleSnapshot;
  readonly signal: AbortSignal;
};

/**
 * Lists the players that are in a segment at an instant, in order of id, from all that are known. Works in slices between turns.
 *
 * `segment` is the ordinal of one that has members without a payment (`Timeline.tracked`).
 */
export async function* listMembers(
  deps: SurveyDeps,
  asked: Survey & { readonly segment: number; readonly atMs: number },
): AsyncGenerator<MembersFound, void> {
  const { segment, atMs, snapshot } = asked;
  const timeline = openTimeline(snapshot);
  const turns = createTurns(deps.pacer);
  for await (const { playerIds, ...progress } of listPages(deps, asked)) {
    const found: string[] = [];
    for (const playerId of playerIds) {
      if (asked.signal.aborted) return;
      if (timeline.hasMemory) {
        const { standing } = await follow({ deps, timeline, turns, ...asked, playerId, toMs: atMs });
        if (!Number.isNaN(standing.sinceMs[segment]!)) found.push(playerId);
        continue;
      }
      await turns.take();
      if (isMember(timeline, readFacts(deps, asked.merchantId, playerId), segment, atMs))
        found.push(playerId);
    }
    yield { playerIds: found, ...progress };
  }
}

/**
 * Counts who entered and left segments between two instants, both included, exactly, over all players that are known, whatever order their
 * events came in. Works in slices between turns.
 *
 * `segments` are ordinals; `fromMs` is -Infinity where all flips count.
 */
export async function* countFlips(
  deps: SurveyDeps,
  asked: Survey & {
    readonly segments: readonly number[];
    readonly fromMs: number;
    readonly untilMs: number;
  },
): AsyncGenerator<StatsFound, void> {
  const { snapshot, segments, fromMs, untilMs, signal } = asked;
  const timeline = openTimeline(snapshot);
  const turns = createTurns(deps.pacer);
  const fold = startStats(segments);
  let progress: SurveyProgress = { lookedAt: 0, players: 0 };
  for await (const { playerIds, ...page } of listPages(deps, asked)) {
    for (const playerId of playerIds) {
      if (signal.aborted) return;
      const { flips } = await follow({ deps, timeline, turns, ...asked, playerId, toMs: untilMs });
      fold.add(
        standAt(timeline, flips, fromMs),
        flips.filter(({ atMs }) => atMs >= fromMs),
      );
    }
    progress = page;
    yield { ...progress, stats: undefined };
  }
  if (!signal.aborted) yield { ...progress, stats: fold.finish() };
}

async function* listPages(
  deps: SurveyDeps,
  { merchantId, signal }: Survey,
): AsyncGenerator<SurveyProgress & { readonly playerIds: readonly string[] }, void> {
  let lookedAt = 0;
  for await (const { playerIds, players } of listKnownPlayers(deps, merchantId)) {
    if (signal.aborted) return;
    lookedAt += playerIds.length;
    yield { playerIds, lookedAt, players };
  }
}

function readFacts(
  { players, histories, coveredFromMs }: SurveyDeps,
  merchantId: string,
  playerId: string,
): SweepFacts {
  const player: Player = players.get(merchantId, playerId) ?? {
    playerId,
    attributes: new Map(),
    restrictions: [],
  };
  const history = histories.get(merchantId, { kind: "player", id: playerId });
  return { merchantId, player, history, coveredFromMs: coveredFromMs(merchantId) };
}

/** Where nothing depends on what was before, one look is enough. Nobody is in a segment before the first that is known of them. */
function isMember(timeline: Timeline, facts: SweepFacts, segment: number, atMs: number): boolean {
  const { player, history } = facts;
  const hasRow = history !== undefined && history.end > history.start && history.atMs[history.start]! <= atMs;
  const isThere = hasRow || findKnownSince(player) <= atMs;
  if (!isThere) return false;
  const judged = timeline.look(facts, atMs, standBefore(timeline).sinceMs);
  return judged.isMember(segment) && judged.isKnown(segment);
}

/** Where a player stood just before an instant, by the flips until then. */
function standAt(timeline: Timeline, flips: readonly SegmentFlip[], fromMs: number): Standing {
  const standing = standBefore(timeline);
  for (const { segment, kind, atMs } of flips) {
    if (atMs < fromMs) standing.sinceMs[segment] = kind === "ENTER" ? atMs : Number.NaN;
  }
  return standing;
}

/** Follows one player from before everything. */
async function follow(of: {
  readonly deps: SurveyDeps;
  readonly timeline: Timeline;
  readonly turns: Turns;
  readonly merchantId: string;
  readonly playerId: string;
  readonly toMs: number;
}): Promise<{ readonly flips: readonly SegmentFlip[]; readonly standing: Standing }> {
  const { deps, timeline, turns, merchantId, playerId, toMs } = of;
  const flips: SegmentFlip[] = [];
  let from = { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY };
  for (;;) {
    await turns.take();
    // Histories are only valid within a turn.
    const swept = sweepPlayer(timeline, readFacts(deps, merchantId, playerId), { ...from, toMs, looksMax });
    for (const flip of swept.flips) flips.push(flip);
    if (swept.isDone) return { flips, standing: swept.standing };
    from = swept;
  }
}
