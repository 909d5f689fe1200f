import {
  type KeptStanding,
  type SegmentFlip,
  type Standing,
  type Swept,
  standBefore,
  sweepPlayer,
} from "../../core/segments/sweep.ts";
import type { SweepFacts, Timeline } from "../../core/segments/timeline.ts";
import type { MembershipChange, MembershipState } from "../../ports/membership-log.ts";
import { findNextSuppression, findSuppression } from "./suppression.ts";

/** What is known when a player is advanced. Instants are ms since the epoch. */
export type Advance = {
  readonly timeline: Timeline;
  readonly facts: SweepFacts;
  /** What was told of the player; undefined where nothing ever was. */
  readonly told: MembershipState | undefined;
  /** Whether something of an instant that was told already has come since. */
  readonly isLate: boolean;
  /** Where the player stood at the latest look, which may be later than what was told; undefined where that is not known or does not stand. */
  readonly latest: KeptStanding | undefined;
  /** When the rule set became active, on the clock of `toMs`. */
  readonly activeSinceMs: number;
  /** Now: advance up to here, and judge here whether the player may be contacted. */
  readonly toMs: number;
  /** Look at so many instants at most. */
  readonly looksMax: number;
  /** From where to go on, as an advance before that came to `looksMax` in the past told. */
  readonly past: Past | undefined;
};

/** A sweep through what was told already, halfway. */
export type Past = {
  readonly standing: Standing;
  readonly nextMs: number;
  /** The newest exit by segment; NaN where there was none. */
  readonly exitMs: Float64Array;
};

export type Advanced =
  /** Changes to tell, and what is then to be remembered. `isDone`: nothing is left to look at up to `toMs`. */
  | {
      readonly kind: "told";
      readonly changes: readonly MembershipChange[];
      readonly state: MembershipState;
      /** Where the player stands now. */
      readonly latest: KeptStanding;
      /** Where the player stood before the latest of the looks; undefined where there was none. */
      readonly before: KeptStanding | undefined;
      readonly looks: number;
      readonly isDone: boolean;
    }
  | { readonly kind: "past"; readonly past: Past };

/**
 * Brings what was told of a player up to date.
 *
 * | Told before | What is told now |
 * |---|---|
 * | nothing | every flip of the player's life |
 * | by this rule set, nothing late | flips since the last look |
 * | by this rule set, something late | CORRECTION for every membership that is another by the instant of the last look; then flips |
 * | by another rule set | ENTER and EXIT for every membership that is another, at the instant of activation; then flips |
 *
 * A membership that rests on a stored attribute which was set again since is not corrected: what the attribute was before is not kept.
 */
export function advancePlayer(advance: Advance): Advanced {
  const { timeline, told, isLate, facts, looksMax } = advance;
  if (told === undefined) {
    const { latest = { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY } } = advance;
    return tellForward(advance, latest);
  }
  const isSame = told.ruleSetHash === timeline.snapshot.hash;
  const baseMs = isSame
    ? told.toldUpToMs
    : Math.max(told.toldUpToMs, Math.min(advance.activeSinceMs, advance.toMs));
  if (isSame && !isLate) {
    const { latest = { standing: readStanding(timeline, told), nextMs: told.nextLookMs } } = advance;
    return tellForward(advance, latest);
  }
  if (!isSame && !timeline.hasMemory) {
    // The first look is at the activation itself, so that all differences are told as of then.
    const standing = { atMs: baseMs - 1, sinceMs: readStanding(timeline, told).sinceMs };
    const changes = listGone(advance, baseMs);
    return tellForward(advance, { standing, nextMs: baseMs }, { changes, before: undefined });
  }
  const past = advance.past ?? startPast(timeline);
  const swept = sweepPlayer(timeline, facts, { ...past, toMs: baseMs, looksMax });
  for (const { segment, kind, atMs } of swept.flips) if (kind === "EXIT") past.exitMs[segment] = atMs;
  const { standing, nextMs } = swept;
  if (!swept.isDone) return { kind: "past", past: { standing, nextMs, exitMs: past.exitMs } };
  const compared = compareStandings(advance, { told, isSame, baseMs, standing, exitMs: past.exitMs });
  // Where something was kept as it was told, the bound of the next look was for another standing.
  const settled = {
    standing: { atMs: baseMs, sinceMs: compared.sinceMs },
    nextMs: compared.isKept ? baseMs + 1 : nextMs,
  };
  return tellForward(advance, settled, { changes: compared.changes, before: swept.before });
}

function startPast(timeline: Timeline): Past {
  const exitMs = new Float64Array(timeline.snapshot.segments.length).fill(Number.NaN);
  return { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY, exitMs };
}

type Settled = { readonly changes: readonly MembershipChange[]; readonly before: KeptStanding | undefined };

const nothingSettled: Settled = { changes: [], before: undefined };

/** Sweeps on from a standing and tells the flips, after what there is to tell of the past. */
function tellForward(advance: Advance, from: KeptStanding, past: Settled = nothingSettled): Advanced {
  const { timeline, facts, told, toMs, looksMax } = advance;
  const { snapshot } = timeline;
  const swept = sweepPlayer(timeline, facts, { ...from, toMs, looksMax });
  const { sinceMs, atMs } = swept.standing;
  const memberSince = new Map<string, number>();
  for (const segment of timeline.tracked) {
    if (!Number.isNaN(sinceMs[segment]!)) memberSince.set(snapshot.segments[segment]!.id, sinceMs[segment]!);
  }
  const suppressedBy = judgeSuppression(advance, swept);
  const flips = swept.flips.map((flip) => describeFlip(advance, flip));
  const nextLookMs = Math.min(swept.nextMs, findNextSuppression(facts.player, toMs));
  const retold =
    told !== undefined && told.suppressedBy !== suppressedBy ? listCampaigns(advance, told, memberSince) : [];
  return {
    kind: "told",
    // Whoever must not be contacted any more is told first.
    changes: [...retold, ...past.changes, ...flips].map((change) => ({
      ...change,
      playerId: facts.player.playerId,
      suppressedBy,
      ruleSetVersion: snapshot.version,
    })),
    state: {
      ruleSetHash: snapshot.hash,
      memberSince,
      toldUpToMs: atMs,
      rowsSeen: facts.history === undefined ? 0 : facts.history.end - facts.history.start,
      suppressedBy,
      nextLookMs,
    },
    latest: { standing: swept.standing, nextMs: nextLookMs },
    before: swept.before ?? past.before,
    looks: swept.looks,
    isDone: swept.isDone,
  };
}

/** What forbids to contact the player now: what is stored of them, or else a rule, which is nobody's business either. */
function judgeSuppression(
  { timeline, facts, toMs }: Advance,
  { standing, stopsMarketing }: Swept,
): MembershipState["suppressedBy"] {
  const stored = findSuppression(facts.player, toMs);
  if (stored === "RESTRICTED" || !timeline.hasMarketingStops) return stored;
  const isStopped =
    stopsMarketing ?? timeline.look(facts, toMs, Float64Array.from(standing.sinceMs)).stopsMarketing;
  return isStopped() ? "RESTRICTED" : stored;
}

function describeFlip({ timeline, facts }: Advance, { segment, kind, atMs }: SegmentFlip): MembershipChange {
  return makeChange(facts, timeline.snapshot.segments[segment]!.id, kind, atMs);
}

/** The rest is filled in when it is told. */
function makeChange(
  { player }: SweepFacts,
  segment: string,
  kind: MembershipChange["kind"],
  atMs: number,
): MembershipChange {
  return { playerId: player.playerId, segment, kind, atMs, suppressedBy: "", ruleSetVersion: 0 };
}

/** Stays in campaigns are told again, with the instant at which they began, when the verdict whether the player may be contacted is another. */
function listCampaigns(
  { timeline: { snapshot }, facts }: Advance,
  told: MembershipState,
  memberSince: ReadonlyMap<string, number>,
): readonly MembershipChange[] {
  return snapshot.segments.flatMap(({ id, isCampaign }) => {
    const sinceMs = told.memberSince.get(id);
    const stays = isCampaign && sinceMs !== undefined && memberSince.has(id);
    return stays ? [makeChange(facts, id, "ENTER", sinceMs)] : [];
  });
}

/** What was told, by ordinals of the rule set. */
export function readStanding(timeline: Timeline, { memberSince, toldUpToMs }: MembershipState): Standing {
  const { sinceMs } = standBefore(timeline);
  for (const segment of timeline.tracked) {
    const known = memberSince.get(timeline.snapshot.segments[segment]!.id);
    if (known !== undefined) sinceMs[segment] = known;
  }
  return { atMs: toldUpToMs, sinceMs };
}

/** Memberships in segments that the rule set does not have, or has only for payments. */
function listGone({ timeline, facts, told }: Advance, atMs: number): readonly MembershipChange[] {
  const { tracked, snapshot } = timeline;
  const ids = new Set(tracked.map((segment) => snapshot.segments[segment]!.id));
  const gone = [...told!.memberSince.keys()].filter((id) => !ids.has(id)).sort();
  return gone.map((id) => makeChange(facts, id, "EXIT", atMs));
}

/** What was told against what is true at that instant. */
function compareStandings(
  advance: Advance,
  compared: {
    readonly told: MembershipState;
    readonly isSame: boolean;
    readonly baseMs: number;
    readonly standing: Standing;
    readonly exitMs: Float64Array;
  },
): {
  readonly changes: readonly MembershipChange[];
  readonly sinceMs: Float64Array;
  readonly isKept: boolean;
} {
  const { timeline, facts } = advance;
  const { told, isSame, baseMs, standing, exitMs } = compared;
  const sinceMs = Float64Array.from(standing.sinceMs);
  const changes = isSame ? [] : [...listGone(advance, baseMs)];
  /** What happened at the very instant of the last look corrects nothing: the player was there before. */
  const describe = (kind: "ENTER" | "EXIT", id: string, atMs: number): MembershipChange => {
    if (!isSame) return makeChange(facts, id, kind, baseMs);
    const isPast = atMs < baseMs || (kind === "EXIT" && atMs === told.memberSince.get(id));
    return makeChange(facts, id, isPast ? `CORRECTION_${kind}` : kind, atMs);
  };
  let isKept = false;
  for (const segment of timeline.tracked) {
    const { id } = timeline.snapshot.segments[segment]!;
    const toldMs = told.memberSince.get(id);
    const trueMs = sinceMs[segment]!;
    const isIn = !Number.isNaN(trueMs);
    if (isSame && restsOnNews(timeline, facts, segment, baseMs)) {
      sinceMs[segment] = toldMs ?? Number.NaN;
      isKept = true;
    } else if (isIn && toldMs === undefined) {
      changes.push(describe("ENTER", id, trueMs));
    } else if (!isIn && toldMs !== undefined) {
      const exitedMs = exitMs[segment]!;
      changes.push(describe("EXIT", id, Number.isNaN(exitedMs) ? toldMs : exitedMs));
    }
  }
  return { changes, sinceMs, isKept };
}

/**
 * Whether a membership at an instant reads an attribute that was set later, or, where it depends on what was before, one that was ever set within the
 * player's life: the past can't be told then.
 */
function restsOnNews(
  { attributesOf, snapshot }: Timeline,
  facts: SweepFacts,
  segment: number,
  atMs: number,
): boolean {
  const { player, history } = facts;
  const firstMs =
    history === undefined || history.end === history.start ? atMs : history.atMs[history.start]!;
  const knownFromMs = snapshot.segments[segment]!.hasMemory ? firstMs : atMs;
  for (const name of attributesOf(segment)) {
    const stored = player.attributes.get(name);
    if (stored !== undefined && stored.setAtMs > knownFromMs) return true;
  }
  return false;
}
