import { describe, expect, it } from "vitest";
import type { Fold } from "./folds.ts";
import { addRows as addRowSpan, emptyFold, mergeFolds } from "./folds.ts";
import { reversedLabel } from "./labels.ts";

const minute = 60_000;
const row = (atMs: number, label = 1, amountMinor = 10) => ({ atMs, label, amountMinor });

function addRows(fold: Fold, exactFromMs: number, rows: ReturnType<typeof row>[]): Fold {
  // Rows of others lie before and behind.
  const all = [row(0, 9), ...rows, row(0, 9)];
  return addRowSpan(fold, exactFromMs, {
    start: 1,
    end: 1 + rows.length,
    atMs: Float64Array.from(all, ({ atMs }) => atMs),
    label: Uint32Array.from(all, ({ label }) => label),
    readAmount: (at) => all[at]!.amountMinor,
  });
}

describe("addRows", () => {
  it("folds rows of a label and a minute into one tile, oldest first", () => {
    const rows = [row(1, 2, 5), row(2, 1, 7), row(minute - 1, 2, -3), row(minute, 2, 4)];
    const fold = addRows(emptyFold, 10 * minute, rows);
    expect(fold.exactFromMs).toBe(10 * minute);
    expect(fold.tiles).toEqual([
      { fromMs: 0, untilMs: minute, label: 1, count: 1, sumMinor: 7, minMinor: 7, maxMinor: 7 },
      { fromMs: 0, untilMs: minute, label: 2, count: 2, sumMinor: 2, minMinor: -3, maxMinor: 5 },
      { fromMs: minute, untilMs: 2 * minute, label: 2, count: 1, sumMinor: 4, minMinor: 4, maxMinor: 4 },
    ]);
  });

  it("ends a tile where rows are kept one by one, and lengthens it when that moves on", () => {
    const first = addRows(emptyFold, 1000, [row(0)]);
    expect(first.tiles[0]).toMatchObject({ fromMs: 0, untilMs: 1000, count: 1 });
    const second = addRows(first, 5000, [row(1000), row(2000)]);
    expect(second.tiles).toHaveLength(1);
    expect(second.tiles[0]).toMatchObject({ fromMs: 0, untilMs: 5000, count: 3 });
  });

  it("leaves out what was taken back", () => {
    expect(addRows(emptyFold, 1000, [row(0, reversedLabel)]).tiles).toEqual([]);
  });

  it("keeps 1,024 tiles of a minute, and makes them coarser from one more on", () => {
    const rows = Array.from({ length: 1024 }, (_, at) => row(at * minute));
    const full = addRows(emptyFold, 1024 * minute, rows);
    expect(full.spanMs).toBe(minute);
    expect(full.tiles).toHaveLength(1024);
    const more = addRows(full, 1025 * minute, [row(1024 * minute, 1, 99)]);
    expect(more.spanMs).toBe(2 * minute);
    expect(more.tiles).toHaveLength(513);
    expect(more.tiles.reduce((sum, tile) => sum + tile.count, 0)).toBe(1025);
    expect(more.tiles.at(-1)).toMatchObject({ fromMs: 1024 * minute, untilMs: 1025 * minute, maxMinor: 99 });
  });

  it("stops at eight years where labels alone are more than the tiles", () => {
    const rows = Array.from({ length: 1500 }, (_, at) => row(at, at + 1));
    const fold = addRows(emptyFold, minute, rows);
    expect(fold.tiles).toHaveLength(1500);
    expect(fold.spanMs).toBe(minute * 2 ** 22);
  });
});

describe("mergeFolds", () => {
  it("adds tiles up and is exact from where both are", () => {
    const many = Array.from({ length: 1025 }, (_, at) => row(at * minute));
    const coarse = addRows(emptyFold, 2000 * minute, many);
    const fine = addRows(emptyFold, 3000 * minute, [row(minute), row(2500 * minute)]);
    const merged = mergeFolds(fine, coarse);
    expect(merged).toEqual(mergeFolds(coarse, fine));
    expect(merged.exactFromMs).toBe(3000 * minute);
    expect(merged.spanMs).toBe(2 * minute);
    expect(merged.tiles[0]).toMatchObject({ fromMs: 0, untilMs: 2 * minute, count: 3, sumMinor: 30 });
    expect(merged.tiles.at(-1)).toMatchObject({ fromMs: 2500 * minute, count: 1 });
  });
});
