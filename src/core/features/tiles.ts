import type { History, Tile } from "../history/history.ts";
import { convertMinor, type FxRates } from "../money.ts";
import type { AggregateSpec } from "./feature.ts";
import { findRatio } from "./folds.ts";
import {
  codeSkip,
  type Gathered,
  hitAll,
  hitAsk,
  matchAsk,
  type Stream,
  valueAmount,
  valueConstant,
  valueConverted,
  valueMask,
  valueNone,
} from "./stream.ts";
import type { Span } from "./windows.ts";

/** A value that rests on tiles, and by how much it may be off. */
export type Folded = { readonly value: number | undefined; readonly errorBound: number };

/** What rows and tiles tell together: surely, and of tiles that may lie outside or may not match. */
type Tally = {
  count: number;
  /** Rows with a value. */
  valued: number;
  sum: number;
  min: number;
  max: number;
  hits: number;
  unsureCount: number;
  unsureHits: number;
  unsureSum: number;
  unsureMin: number;
  unsureMax: number;
  /** By how much conversion of sums may differ from the sum of conversions. */
  roundingMinor: number;
  /** Something that is needed is not in tiles. */
  isMissing: boolean;
};

/** Whether something that matches, or may match, was folded away within `fromMs..throughMs`. */
export function hidesRows(history: History, stream: Stream, fromMs: number, throughMs: number): boolean {
  return history.tiles.some(
    (tile) =>
      tile.untilMs > fromMs &&
      tile.fromMs <= throughMs &&
      stream.codeOf(history.labels, tile.label) !== codeSkip,
  );
}

/**
 * Folds tiles into an aggregate of rows `from..until`. A tile that lies within the window wholly counts as it is; one that only reaches into
 * it, or of which some rows may not match, only widens the bound: COUNT and SUM are then the least that is sure, MIN and MAX what is sure.
 *
 * Fails: missing for functions that need rows.
 */
export function foldTiles(
  spec: AggregateSpec,
  { history, stream, fx }: { readonly history: History; readonly stream: Stream; readonly fx: FxRates },
  rows: { readonly gathered: Gathered; readonly from: number; readonly until: number },
  span: Span,
): Folded {
  const needsValues = spec.function !== "COUNT" && spec.function !== "RATIO";
  const tally = tallyRows(rows.gathered, rows.from, rows.until);
  for (const tile of history.tiles) {
    if (tile.untilMs - 1 <= span.afterMs || tile.fromMs > span.throughMs) continue;
    const code = stream.codeOf(history.labels, tile.label);
    if (code === codeSkip) continue;
    const isSure =
      tile.fromMs > span.afterMs && tile.untilMs - 1 <= span.throughMs && (code & matchAsk) === 0;
    const values = needsValues ? readTile(tile, code, spec, { history, stream, fx }) : noValues;
    if (values === undefined) tally.isMissing = true;
    else addTile(tally, tile.count, values, isSure, code);
  }
  return conclude(spec, tally);
}

type TileValues = {
  readonly valued: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  readonly roundingMinor: number;
};

const noValues: TileValues = {
  valued: 0,
  sum: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  roundingMinor: 0,
};

/** What a tile tells of values; undefined where it tells nothing. */
function readTile(
  { label, count, sumMinor, minMinor, maxMinor }: Tile,
  code: number,
  { of }: AggregateSpec,
  { history, stream, fx }: { readonly history: History; readonly stream: Stream; readonly fx: FxRates },
): TileValues | undefined {
  switch (code & valueMask) {
    case valueNone:
      return noValues;
    case valueAmount:
      return { valued: count, sum: sumMinor, min: minMinor, max: maxMinor, roundingMinor: 0 };
    case valueConstant: {
      const value = stream.constantOf(label);
      return { valued: count, sum: count * value, min: value, max: value, roundingMinor: 0 };
    }
    case valueConverted: {
      const from = history.labels.get(label).currency;
      const to = of?.kind === "amount" ? of.currency : "";
      const convert = (amountMinor: number): number | undefined =>
        convertMinor(fx, { amountMinor, from, to });
      const [sum, min, max] = [convert(sumMinor), convert(minMinor), convert(maxMinor)];
      if (sum === undefined || min === undefined || max === undefined) return undefined;
      // Each conversion rounds by half a unit at most, and so does that of the sum.
      return { valued: count, sum, min, max, roundingMinor: count > 1 ? (count + 1) / 2 : 0 };
    }
    default:
      return undefined;
  }
}

function tallyRows({ values, hits }: Gathered, from: number, until: number): Tally {
  const tally: Tally = {
    count: until - from,
    valued: 0,
    sum: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    hits: 0,
    unsureCount: 0,
    unsureHits: 0,
    unsureSum: 0,
    unsureMin: Number.POSITIVE_INFINITY,
    unsureMax: Number.NEGATIVE_INFINITY,
    roundingMinor: 0,
    isMissing: false,
  };
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    tally.hits += hits[i]!;
    if (value === Number.POSITIVE_INFINITY) tally.isMissing = true;
    if (Number.isNaN(value)) continue;
    tally.valued++;
    tally.sum += value;
    tally.min = Math.min(tally.min, value);
    tally.max = Math.max(tally.max, value);
  }
  return tally;
}

function addTile(tally: Tally, count: number, values: TileValues, isSure: boolean, code: number): void {
  // Which of its rows are hits is not known: no share can be told.
  if ((code & hitAsk) !== 0) tally.isMissing = true;
  const hits = (code & hitAll) !== 0 ? count : 0;
  if (!isSure) {
    tally.unsureCount += count;
    tally.unsureHits += hits;
    tally.unsureSum += values.sum + values.roundingMinor;
    tally.unsureMin = Math.min(tally.unsureMin, values.min);
    tally.unsureMax = Math.max(tally.unsureMax, values.max);
    return;
  }
  tally.count += count;
  tally.hits += hits;
  tally.valued += values.valued;
  tally.sum += values.sum;
  tally.min = Math.min(tally.min, values.min);
  tally.max = Math.max(tally.max, values.max);
  tally.roundingMinor += values.roundingMinor;
}

const missing: Folded = { value: undefined, errorBound: 0 };

function conclude(spec: AggregateSpec, tally: Tally): Folded {
  if (tally.isMissing) return missing;
  switch (spec.function) {
    case "COUNT":
      return { value: tally.count, errorBound: tally.unsureCount };
    case "SUM":
      if (tally.sum > Number.MAX_SAFE_INTEGER) return missing;
      return { value: tally.sum, errorBound: Math.abs(tally.unsureSum) + tally.roundingMinor };
    case "AVG":
      return concludeMean(tally);
    case "MIN":
      if (tally.valued === 0) return missing;
      return { value: tally.min, errorBound: Math.max(0, tally.min - tally.unsureMin) };
    case "MAX":
      if (tally.valued === 0) return missing;
      return { value: tally.max, errorBound: Math.max(0, tally.unsureMax - tally.max) };
    case "RATIO":
      return concludeRatio(spec, tally);
    default:
      return missing;
  }
}

/** However many of the unsure rows count, the mean stays between the sure one and the farthest of them. */
function concludeMean({ sum, valued, unsureMin, unsureMax, roundingMinor }: Tally): Folded {
  if (valued === 0 || sum > Number.MAX_SAFE_INTEGER) return missing;
  const value = sum / valued;
  const rounding = roundingMinor / valued;
  return { value, errorBound: Math.max(0, value - unsureMin, unsureMax - value) + rounding };
}

function concludeRatio({ minSamples }: AggregateSpec, tally: Tally): Folded {
  const { count, hits, unsureCount, unsureHits } = tally;
  const value = findRatio(hits, count, minSamples);
  if (value === undefined) return missing;
  const most = (hits + unsureHits) / (count + unsureHits);
  const least = hits / (count + unsureCount - unsureHits);
  return { value, errorBound: Math.max(most - value, value - least) };
}
