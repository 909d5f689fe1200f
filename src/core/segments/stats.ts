import type { SegmentFlip, Standing } from "./sweep.ts";

/** What happened in one segment between two instants. */
export type SegmentStats = {
  readonly segment: number;
  readonly entries: number;
  readonly exits: number;
  /** Different players that were ever in. */
  readonly players: number;
  /** Players in at the end. */
  readonly members: number;
  /** Median length in ms of the stays that ended, the lower of the two in the middle; 0 where none did. */
  readonly medianStayMs: number;
};

/** Adds players up, one at a time, in whatever order. */
export type StatsFold = {
  /**
   * Takes one player in: the standing before the first flip that counts (in it since when, so that a stay that began earlier has its length), and all
   * flips that count, in order of time.
   */
  readonly add: (before: Standing, flips: readonly SegmentFlip[]) => void;
  /** In order of `segments`. */
  readonly finish: () => readonly SegmentStats[];
};

type Tally = { entries: number; exits: number; players: number; members: number; readonly stays: Stays };

/** Starts the statistics of some segments, by ordinal. */
export function startStats(segments: readonly number[]): StatsFold {
  const tallies = new Map<number, Tally>(
    segments.map((segment) => [
      segment,
      { entries: 0, exits: 0, players: 0, members: 0, stays: createStays() },
    ]),
  );
  /** Since when the player at hand is in. */
  const since = new Map<number, number>();
  const wasIn = new Set<number>();
  return {
    add: ({ sinceMs }, flips) => {
      since.clear();
      wasIn.clear();
      for (const segment of tallies.keys()) {
        if (!Number.isNaN(sinceMs[segment]!)) enter(segment, sinceMs[segment]!);
      }
      for (const { segment, kind, atMs } of flips) {
        const tally = tallies.get(segment);
        if (tally === undefined) continue;
        if (kind === "ENTER") {
          tally.entries++;
          enter(segment, atMs);
          continue;
        }
        tally.exits++;
        tally.stays.add(atMs - since.get(segment)!);
        since.delete(segment);
      }
      for (const segment of wasIn) tallies.get(segment)!.players++;
      for (const segment of since.keys()) tallies.get(segment)!.members++;
    },
    finish: () =>
      segments.map((segment) => {
        const { stays, ...counts } = tallies.get(segment)!;
        return { segment, ...counts, medianStayMs: stays.median() };
      }),
  };

  function enter(segment: number, atMs: number): void {
    since.set(segment, atMs);
    wasIn.add(segment);
  }
}

/** Lengths of stays: 8 bytes each, as every one is needed for an exact median. */
type Stays = { readonly add: (lengthMs: number) => void; readonly median: () => number };

function createStays(): Stays {
  let lengths = new Float64Array(16);
  let count = 0;
  return {
    add: (lengthMs) => {
      if (count === lengths.length) {
        const grown = new Float64Array(2 * count);
        grown.set(lengths);
        lengths = grown;
      }
      lengths[count++] = lengthMs;
    },
    median: () => (count === 0 ? 0 : lengths.slice(0, count).sort()[(count - 1) >>> 1]!),
  };
}
