import { findFirstAfter } from "../features/windows.ts";
import { findKnownSince } from "../known-since.ts";
import type { Judged, SweepFacts, Timeline } from "./timeline.ts";

/** A player entered or left a segment, exactly then: at `atMs - 1` it was not so. Segments by ordinal. */
export type SegmentFlip = {
  readonly segment: number;
  readonly kind: "ENTER" | "EXIT";
  readonly atMs: number;
};

/** Where a player stood when last looked at, after all that happened at that instant. It holds until the next look. */
export type Standing = {
  /** The instant that was looked at; -Infinity before everything. */
  readonly atMs: number;
  /** Since when the player is in, by ordinal of the segment; NaN where out. */
  readonly sinceMs: Float64Array;
};

/** Where a player stood, with a lower bound of the next instant to look at. */
export type KeptStanding = { readonly standing: Standing; readonly nextMs: number };

export type Swept = {
  readonly flips: readonly SegmentFlip[];
  readonly standing: Standing;
  /** Where the player stood before the last look, to go on from when more comes to be known of that instant; undefined where nothing was looked at. */
  readonly before: KeptStanding | undefined;
  /** A lower bound of the next instant to look at, later than the standing; events that are known by now are in it. */
  readonly nextMs: number;
  /** Whether the sweep came to its end; else it goes on from the standing and `nextMs`. */
  readonly isDone: boolean;
  /** How many instants were looked at. */
  readonly looks: number;
  /** Says whether a rule suppresses marketing to the player at the standing, until the next look; undefined where nothing was looked at. */
  readonly stopsMarketing: (() => boolean) | undefined;
};

/** Before everything: in no segment. */
export function standBefore(timeline: Timeline): Standing {
  const sinceMs = new Float64Array(timeline.snapshot.segments.length).fill(Number.NaN);
  return { atMs: Number.NEGATIVE_INFINITY, sinceMs };
}

/**
 * Follows one player from a standing on to an instant (included), through all segments that have members without a payment: looks at every instant at
 * which something happened, and at every instant at which something may flip by itself, in order. So flips are exact to the millisecond.
 *
 * Shapes: flips in order of time, then of segments.
 * Units:  ms since the epoch. `nextMs` is the instant of the next look after the standing if no event comes, as a sweep before told; an instant by
 *         which it is to be looked at anew; or Infinity where only events and attributes matter.
 * Source: docs/memberships.md.
 */
export function sweepPlayer(
  timeline: Timeline,
  facts: SweepFacts,
  from: {
    readonly standing: Standing;
    readonly nextMs: number;
    readonly toMs: number;
    readonly looksMax: number;
  },
): Swept {
  const { toMs, looksMax } = from;
  const sinceMs = from.standing.sinceMs.slice();
  const flips: SegmentFlip[] = [];
  const happenings = createHappenings(timeline, facts);
  let { atMs } = from.standing;
  let { nextMs } = from;
  let looks = 0;
  let judged: Judged | undefined;
  let before: KeptStanding | undefined;
  for (;;) {
    const dueMs = Math.min(nextMs, happenings.nextAfter(atMs));
    const isDone = dueMs > toMs;
    if (isDone || looks === looksMax) {
      const standing = { atMs, sinceMs };
      const stopsMarketing = judged?.stopsMarketing;
      return { flips, standing, before, nextMs: dueMs, isDone, looks, stopsMarketing };
    }
    looks++;
    before = { standing: { atMs, sinceMs: sinceMs.slice() }, nextMs: dueMs };
    atMs = dueMs;
    judged = lookOnce(timeline, facts, { atMs, sinceMs, flips });
    nextMs = judged.findNext();
  }
}

/** Judges one instant. */
function lookOnce(
  timeline: Timeline,
  facts: SweepFacts,
  {
    atMs,
    sinceMs,
    flips,
  }: { readonly atMs: number; readonly sinceMs: Float64Array; readonly flips: SegmentFlip[] },
): Judged {
  const { tracked } = timeline;
  const wasIn = tracked.map((segment) => !Number.isNaN(sinceMs[segment]!));
  const judged = timeline.look(facts, atMs, sinceMs);
  for (const [place, segment] of tracked.entries()) {
    const isIn = judged.isMember(segment);
    if (isIn === wasIn[place] || !judged.isKnown(segment)) continue;
    flips.push({ segment, kind: isIn ? "ENTER" : "EXIT", atMs });
    sinceMs[segment] = isIn ? atMs : Number.NaN;
  }
  return judged;
}

/** The instants at which something happened that a segment may see: events, attributes being set, and the first of which anything is known. */
function createHappenings(
  timeline: Timeline,
  { history, player }: SweepFacts,
): { readonly nextAfter: (atMs: number) => number } {
  const setAt = [...player.attributes.values()].map(({ setAtMs }) => setAtMs);
  setAt.push(findKnownSince(player));
  setAt.sort((a, b) => a - b);
  let row = -1;
  const nextRowAfter = (atMs: number): number => {
    if (history === undefined) return Number.POSITIVE_INFINITY;
    if (row === -1) row = findFirstAfter(history, atMs);
    // A life begins with whatever is known first: what always holds, holds from then on.
    const isBirth = atMs === Number.NEGATIVE_INFINITY;
    for (; row < history.end; row++) {
      if (history.atMs[row]! <= atMs) continue;
      if (isBirth || timeline.reads(history.labels.get(history.label[row]!).type)) return history.atMs[row]!;
    }
    return Number.POSITIVE_INFINITY;
  };
  return {
    nextAfter: (atMs) =>
      Math.min(nextRowAfter(atMs), setAt.find((ms) => ms > atMs) ?? Number.POSITIVE_INFINITY),
  };
}
