/**
 * What is beyond the cap of a history: rows folded into tiles of a label and an aligned span of time, one minute at first and coarser as tiles get many.
 */
import type { Tile } from "./history.ts";
import { labelsMax, reversedLabel } from "./labels.ts";

const spanMsMin = 60_000;
/** About 8 years. Histories with more labels than tiles in such a span keep a tile for each. */
const spanMsMax = spanMsMin * 2 ** 22;
const tilesMax = 1024;

/** Tiles are oldest first, then by label; none reaches past `exactFromMs`. */
export type Fold = {
  readonly exactFromMs: number;
  readonly spanMs: number;
  readonly tiles: readonly Tile[];
};

export const emptyFold: Fold = {
  exactFromMs: Number.NEGATIVE_INFINITY,
  spanMs: spanMsMin,
  tiles: [],
};

/** The fold with rows put to it, all of them older than the new `exactFromMs`. Rows that were taken back leave nothing. */
export function addRows(
  fold: Fold,
  exactFromMs: number,
  rows: Iterable<{ readonly atMs: number; readonly label: number; readonly amountMinor: number }>,
): Fold {
  const single: Tile[] = [];
  for (const { atMs, label, amountMinor } of rows) {
    if (label === reversedLabel) continue;
    single.push({
      fromMs: atMs,
      untilMs: atMs,
      label,
      count: 1,
      sumMinor: amountMinor,
      minMinor: amountMinor,
      maxMinor: amountMinor,
    });
  }
  return tile([fold.tiles, single], fold.spanMs, exactFromMs);
}

/** Both in one: exact from where both are. */
export function mergeFolds(a: Fold, b: Fold): Fold {
  const exactFromMs = Math.max(a.exactFromMs, b.exactFromMs);
  return tile([a.tiles, b.tiles], Math.max(a.spanMs, b.spanMs), exactFromMs);
}

function tile(parts: readonly (readonly Tile[])[], startSpanMs: number, exactFromMs: number): Fold {
  let spanMs = startSpanMs;
  let tiles = group(parts, spanMs, exactFromMs);
  while (tiles.length > tilesMax && spanMs < spanMsMax) {
    spanMs *= 2;
    tiles = group([tiles], spanMs, exactFromMs);
  }
  tiles.sort((a, b) => a.fromMs - b.fromMs || a.label - b.label);
  return { exactFromMs, spanMs, tiles };
}

function group(parts: readonly (readonly Tile[])[], spanMs: number, exactFromMs: number): Tile[] {
  const grouped = new Map<number, Tile>();
  for (const part of parts) {
    for (const each of part) {
      const span = Math.floor(each.fromMs / spanMs);
      const key = span * labelsMax + each.label;
      const known = grouped.get(key);
      const untilMs = Math.min((span + 1) * spanMs, exactFromMs);
      const bounds = { fromMs: span * spanMs, untilMs };
      grouped.set(key, known === undefined ? { ...each, ...bounds } : { ...join(known, each), ...bounds });
    }
  }
  return [...grouped.values()];
}

function join(a: Tile, b: Tile): Tile {
  return {
    ...a,
    count: a.count + b.count,
    sumMinor: a.sumMinor + b.sumMinor,
    minMinor: Math.min(a.minMinor, b.minMinor),
    maxMinor: Math.max(a.maxMinor, b.maxMinor),
  };
}
