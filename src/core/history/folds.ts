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

/** Rows side by side, as a history shows them. */
export type RowSpan = {
  readonly start: number;
  readonly end: number;
  readonly atMs: Float64Array;
  readonly label: Uint32Array;
  readonly readAmount: (row: number) => number;
  /** A row's amounts in other currencies, as in `Tile.convertedMinor`; absent where no row has any. */
  readonly readConverted?: (row: number) => readonly number[] | undefined;
};

/** The fold with rows put to it, all of them older than the new `exactFromMs`. Rows that were taken back leave nothing. */
export function addRows(fold: Fold, exactFromMs: number, rows: RowSpan): Fold {
  const tiles = regroup(fold.tiles, fold.spanMs);
  for (let row = rows.start; row < rows.end; row++) {
    const label = rows.label[row]!;
    const amountMinor = rows.readAmount(row);
    if (label === reversedLabel) continue;
    const tile = openTile(tiles, fold.spanMs, label, rows.atMs[row]!);
    join(tile, 1, amountMinor, amountMinor, amountMinor);
    joinConverted(tile, rows.readConverted?.(row));
  }
  return settle(tiles, fold.spanMs, exactFromMs);
}

/** Both in one: exact from where both are. */
export function mergeFolds(a: Fold, b: Fold): Fold {
  const spanMs = Math.max(a.spanMs, b.spanMs);
  const tiles = regroup([...a.tiles, ...b.tiles], spanMs);
  return settle(tiles, spanMs, Math.max(a.exactFromMs, b.exactFromMs));
}

type OpenTile = { -readonly [Field in keyof Omit<Tile, "convertedMinor">]: Tile[Field] } & {
  convertedMinor?: number[];
};

/** Coarser until they are few enough, and in order. */
function settle(fine: Map<number, OpenTile>, startSpanMs: number, exactFromMs: number): Fold {
  let tiles = fine;
  let spanMs = startSpanMs;
  while (tiles.size > tilesMax && spanMs < spanMsMax) {
    spanMs *= 2;
    tiles = regroup(tiles.values(), spanMs);
  }
  for (const tile of tiles.values()) tile.untilMs = Math.min(tile.untilMs, exactFromMs);
  const sorted = [...tiles.values()].sort((a, b) => a.fromMs - b.fromMs || a.label - b.label);
  return { exactFromMs, spanMs, tiles: sorted };
}

function regroup(tiles: Iterable<Tile>, spanMs: number): Map<number, OpenTile> {
  const grouped = new Map<number, OpenTile>();
  for (const { fromMs, label, count, sumMinor, minMinor, maxMinor, convertedMinor } of tiles) {
    const tile = openTile(grouped, spanMs, label, fromMs);
    join(tile, count, sumMinor, minMinor, maxMinor);
    joinConverted(tile, convertedMinor);
  }
  return grouped;
}

/** The tile of a label and of the span that an instant lies in. */
function openTile(tiles: Map<number, OpenTile>, spanMs: number, label: number, atMs: number): OpenTile {
  const span = Math.floor(atMs / spanMs);
  const key = span * labelsMax + label;
  const known = tiles.get(key);
  if (known !== undefined) return known;
  const tile: OpenTile = {
    fromMs: span * spanMs,
    untilMs: (span + 1) * spanMs,
    label,
    count: 0,
    sumMinor: 0,
    minMinor: Number.POSITIVE_INFINITY,
    maxMinor: Number.NEGATIVE_INFINITY,
  };
  tiles.set(key, tile);
  return tile;
}

/** All tiles of a label have the same currencies. */
function joinConverted(tile: OpenTile, converted: readonly number[] | undefined): void {
  if (converted === undefined) return;
  const own = tile.convertedMinor;
  if (own === undefined) tile.convertedMinor = [...converted];
  else for (let at = 0; at < own.length; at++) own[at]! += converted[at]!;
}

function join(tile: OpenTile, count: number, sumMinor: number, minMinor: number, maxMinor: number): void {
  tile.count += count;
  tile.sumMinor += sumMinor;
  if (minMinor < tile.minMinor) tile.minMinor = minMinor;
  if (maxMinor > tile.maxMinor) tile.maxMinor = maxMinor;
}
