import { describe, expect, test } from "vitest";
import { type StatePlace, type Stay, stepState, stepStay } from "./memory.ts";

/** All sequences of so many of these. */
function listSequences<T>(choices: readonly T[], length: number): readonly (readonly T[])[] {
  if (length === 0) return [[]];
  return listSequences(choices, length - 1).flatMap((rest) => choices.map((choice) => [...rest, choice]));
}

const bools = [false, true];
const judgements = bools.flatMap((enters) => bools.map((exits) => ({ enters, exits })));

describe("a segment with a memory", () => {
  test("keeps its promises in every sequence of five judgements, whatever the least stay", () => {
    for (const dwellMinMs of [0, 1, 2, 3]) {
      for (const sequence of listSequences(judgements, 5)) {
        let stay: Stay;
        for (const [nowMs, { enters, exits }] of sequence.entries()) {
          const before: Stay = stay;
          stay = stepStay(before, { enters, exits, dwellMinMs, nowMs });
          const mayStay = before !== undefined && (!exits || nowMs - before < dwellMinMs);
          if (before !== undefined) expect(stay).toBe(mayStay ? before : undefined);
          else expect(stay).toBe(enters && !exits ? nowMs : undefined);
          // Judging an instant twice is judging it once.
          expect(stepStay(stay, { enters, exits, dwellMinMs, nowMs })).toBe(stay);
        }
      }
    }
  });

  test("leaves at exactly the end of its least stay", () => {
    const at = (nowMs: number): Stay => stepStay(100, { enters: false, exits: true, dwellMinMs: 50, nowMs });
    expect([at(149), at(150)]).toEqual([100, undefined]);
  });
});

describe("a journey", () => {
  const holdings = bools.flatMap((a) => bools.flatMap((b) => bools.map((c) => [a, b, c])));

  test("is in one state at a time, the first that holds once the least stay has passed", () => {
    for (const dwellMinMs of [
      [0, 0, 0],
      [2, 0, 1],
      [1, 3, 0],
    ]) {
      for (const sequence of listSequences(holdings, 4)) {
        let place: StatePlace | undefined;
        for (const [nowMs, holds] of sequence.entries()) {
          const before: StatePlace | undefined = place;
          place = stepState(before, { holds, dwellMinMs, nowMs });
          const isHeld = before !== undefined && nowMs - before.sinceMs < dwellMinMs[before.state]!;
          if (isHeld) expect(place).toBe(before);
          else expect(place?.state ?? -1).toBe(holds.indexOf(true));
          const hasMoved = place?.state !== before?.state;
          expect(place?.sinceMs).toBe(hasMoved ? place && nowMs : before?.sinceMs);
          expect(stepState(place, { holds, dwellMinMs, nowMs })).toEqual(place);
        }
      }
    }
  });
});
