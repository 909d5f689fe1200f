import { describe, expect, test } from "vitest";
import { createNumberSet, exactDistinctMax } from "./number-set.ts";

describe("a set of numbers", () => {
  test("counts each value once, and nothing of the last filling", () => {
    const set = createNumberSet();
    set.clear();
    for (const value of [1, 1, 2.5, -3, 0, -0, 2 ** 52, 2 ** 52]) set.add(value);
    expect([set.count(), set.errorBound()]).toEqual([5, 0]);
    set.clear();
    set.add(1);
    expect(set.count()).toBe(1);
  });

  test("is exact up to its greatest size", () => {
    const set = createNumberSet();
    set.clear();
    for (let value = 0; value < 2 * exactDistinctMax; value++) set.add((value % exactDistinctMax) * 0.001);
    expect([set.count(), set.errorBound()]).toEqual([exactDistinctMax, 0]);
  });

  test.each([exactDistinctMax + 1, 5_000, 20_000, 41_000, 100_000, 1_000_000])(
    "estimates %i values within the bound that it tells",
    (size) => {
      const set = createNumberSet();
      for (const [scale, start] of [
        [1, 0],
        [0.37, 0],
        [8_191, 2 ** 40],
      ] as const) {
        set.clear();
        for (let value = 0; value < size; value++) set.add(start + value * scale);
        const bound = set.errorBound();
        expect(bound).toBeGreaterThan(0);
        expect(bound).toBeLessThan(size * 0.03);
        expect(Math.abs(set.count() - size)).toBeLessThanOrEqual(bound);
        expect(set.count()).toBeGreaterThan(exactDistinctMax);
      }
    },
  );

  test("is exact again after an estimate", () => {
    const set = createNumberSet();
    set.clear();
    for (let value = 0; value < 10_000; value++) set.add(value);
    set.clear();
    set.add(7);
    expect([set.count(), set.errorBound()]).toEqual([1, 0]);
  });
});
