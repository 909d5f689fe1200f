import fc from "fast-check";
import { expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { applyLogistic } from "./logistic-function.ts";

test("the logistic function is right to the last digits, everywhere", () => {
  fc.assert(
    fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
      const want = x > 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
      expect(Math.abs(applyLogistic(x) - want)).toBeLessThanOrEqual(4e-16 * want);
    }),
    { numRuns: countRuns(500) },
  );
});

test("the logistic function has its known values, and ends at 0 and 1", () => {
  const known = [
    [0, 0.5],
    [Math.log(3), 0.75],
    [-Math.log(3), 0.25],
    [-708, 3.307553003638408e-308],
    [-709, 0],
    [40, 1],
    [1e300, 1],
    [Number.NEGATIVE_INFINITY, 0],
    [Number.POSITIVE_INFINITY, 1],
  ] as const;
  for (const [x, want] of known) expect(applyLogistic(x)).toBeCloseTo(want, 15);
  expect(applyLogistic(-708)).toBeGreaterThan(0);
  expect(applyLogistic(-709)).toBe(0);
});

test("the logistic function never falls while its argument grows", () => {
  let before = 0;
  for (let x = -750; x <= 750; x += 0.37) {
    const now = applyLogistic(x);
    expect(now).toBeGreaterThanOrEqual(before);
    before = now;
  }
});
