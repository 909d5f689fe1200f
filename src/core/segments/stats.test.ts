import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { startStats } from "./stats.ts";
import type { SegmentFlip, Standing } from "./sweep.ts";

const out: Standing = { atMs: 0, sinceMs: Float64Array.of(Number.NaN, Number.NaN) };
const enter = (segment: number, atMs: number): SegmentFlip => ({ segment, kind: "ENTER", atMs });
const exit = (segment: number, atMs: number): SegmentFlip => ({ segment, kind: "EXIT", atMs });

describe("statistics of segments", () => {
  test("count entries, exits, players, members and the median stay", () => {
    const fold = startStats([0]);
    fold.add(out, [enter(0, 10), exit(0, 30), enter(1, 30), enter(0, 40)]);
    fold.add({ atMs: 5, sinceMs: Float64Array.of(2, Number.NaN) }, [
      exit(0, 12),
      enter(0, 20),
      exit(0, 1_020),
    ]);
    fold.add({ atMs: 5, sinceMs: Float64Array.of(2, Number.NaN) }, []);
    fold.add(out, []);
    expect(fold.finish()).toEqual([
      { segment: 0, entries: 3, exits: 3, players: 3, members: 2, medianStayMs: 20 },
    ]);
  });

  test("are nothing where nothing happened", () => {
    expect(startStats([1]).finish()).toEqual([
      { segment: 1, entries: 0, exits: 0, players: 0, members: 0, medianStayMs: 0 },
    ]);
  });

  test("are the same in whatever order players come", () => {
    const player = fc
      .array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 6 })
      .map((steps) => steps.map((_, at) => steps.slice(0, at + 1).reduce((a, b) => a + b)))
      .map((instants) => instants.map((atMs, at) => (at % 2 === 0 ? enter(0, atMs) : exit(0, atMs))));
    const players = fc
      .array(player, { maxLength: 40 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(players, ([some, shuffled]) => {
        const [a, b] = [some, shuffled].map((each) => {
          const fold = startStats([0]);
          for (const flips of each) fold.add(out, flips);
          return fold.finish();
        });
        expect(a).toEqual(b);
      }),
      { numRuns: 50 },
    );
  });
});
