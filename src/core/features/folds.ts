import { compareCodePoints } from "../cel/code-points.ts";
import type { Value } from "../cel/expr.ts";
import type { AggregateSpec } from "./feature.ts";
import { createNumberSet, type NumberSet } from "./number-set.ts";
import type { Gathered, Stream } from "./stream.ts";

/** What one reading of all aggregates leaves behind, beside values. */
export type Run = {
  nowMs: number;
  /** Sums beyond 2^53 and the like: the feature is missing, and the answer says why. */
  evalErrors: number;
  /** Of the fold that ran last, where its value is an estimate. */
  errorBound: number;
};

/** An aggregate of rows `from..until` of what was gathered (the newest first); undefined where it is missing. */
export type Fold = (rows: Gathered, from: number, until: number, run: Run) => Value;

/** Functions over gathered rows; the others look at how rows stand to each other (`answers.ts`, `sessions.ts`). */
export type FoldSpec = AggregateSpec & {
  readonly function: Exclude<AggregateSpec["function"], "UNANSWERED" | "FOLLOWED" | "LONGEST_SESSION">;
};

/** One table serves all DISTINCTs, one after the other. */
let distinct: NumberSet | undefined;

/** Builds the fold of an aggregate. `isExact`: its sums are integers, and beyond 2^53 an error. */
export function buildFold(spec: FoldSpec, stream: Stream, isExact: boolean): Fold {
  switch (spec.function) {
    case "COUNT":
      return (_rows, from, until) => until - from;
    case "SUM":
      return (rows, from, until, run) => sumUp(rows, from, until, run, isExact);
    case "AVG":
      return (rows, from, until, run) => {
        const sum = sumUp(rows, from, until, run, isExact);
        const count = countValues(rows, from, until);
        return sum === undefined || count === 0 ? undefined : sum / count;
      };
    case "MIN":
      return findLeast;
    case "MAX":
      return findGreatest;
    case "STDDEV":
      return findDeviation;
    case "DISTINCT":
      return countDistinct;
    case "RATIO":
      return (rows, from, until) => findRatio(countHits(rows, from, until), until - from, spec.minSamples);
    case "WILSON_LOWER":
      return (rows, from, until) =>
        findWilsonLower(countHits(rows, from, until), until - from, spec.minSamples);
    case "FIRST":
      return giveBack(spec, stream, (rows, from, until) => {
        for (let i = until - 1; i >= from; i--) if (!Number.isNaN(rows.values[i])) return rows.values[i];
        return undefined;
      });
    case "LAST":
      return giveBack(spec, stream, (rows, from, until) => {
        for (let i = from; i < until; i++) if (!Number.isNaN(rows.values[i])) return rows.values[i];
        return undefined;
      });
    case "STREAK":
      return (rows, from, until) => {
        let at = from;
        while (at < until && rows.hits[at] === 1) at++;
        return at - from;
      };
    case "DECAYED_SUM":
      return (rows, from, until, run) => sumDecayed(rows, from, until, run, spec.halfLifeMs);
    case "PERCENTILE":
      return (rows, from, until) => findPercentile(rows, from, until, spec.percent);
    case "MODE":
      return (rows, from, until) => findMode(rows, from, until, stream.interned as readonly string[]);
    case "MEDIAN_GAP":
      return findMedianGap;
  }
}

/** The value itself: of places, what is interned there. */
function giveBack(
  { of }: FoldSpec,
  { interned }: Stream,
  find: (rows: Gathered, from: number, until: number) => number | undefined,
): Fold {
  const isInterned = of?.kind === "plain";
  return (rows, from, until) => {
    const value = find(rows, from, until);
    if (value === undefined || value === Number.POSITIVE_INFINITY) return undefined;
    return isInterned ? interned[value] : value;
  };
}

function sumUp(
  { values }: Gathered,
  from: number,
  until: number,
  run: Run,
  isExact: boolean,
): number | undefined {
  let sum = 0;
  let size = 0;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) {
      sum += value;
      size += value < 0 ? -value : value;
    }
  }
  if (size <= Number.MAX_SAFE_INTEGER || (!isExact && size < Number.POSITIVE_INFINITY)) return sum;
  return refuseSum(values, from, until, run);
}

/** An amount without a rate is no error: the sum is missing for want of a fact. */
function refuseSum(values: Float64Array, from: number, until: number, run: Run): undefined {
  if (!values.subarray(from, until).includes(Number.POSITIVE_INFINITY)) run.evalErrors++;
  return undefined;
}

function countValues({ values }: Gathered, from: number, until: number): number {
  let count = 0;
  for (let i = from; i < until; i++) if (!Number.isNaN(values[i])) count++;
  return count;
}

function countHits({ hits }: Gathered, from: number, until: number): number {
  let count = 0;
  for (let i = from; i < until; i++) count += hits[i]!;
  return count;
}

function findLeast({ values }: Gathered, from: number, until: number): number | undefined {
  let least: number | undefined;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (value === Number.POSITIVE_INFINITY) return undefined;
    if (!Number.isNaN(value) && (least === undefined || value < least)) least = value;
  }
  return least;
}

function findGreatest({ values }: Gathered, from: number, until: number): number | undefined {
  let greatest: number | undefined;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value) && (greatest === undefined || value > greatest)) greatest = value;
  }
  return greatest === Number.POSITIVE_INFINITY ? undefined : greatest;
}

/** In two passes, as squares of amounts are far beyond what a double holds exactly. */
function findDeviation(rows: Gathered, from: number, until: number): number | undefined {
  const { values } = rows;
  const count = countValues(rows, from, until);
  if (count === 0) return undefined;
  let sum = 0;
  for (let i = from; i < until; i++) if (!Number.isNaN(values[i])) sum += values[i]!;
  if (!Number.isFinite(sum)) return undefined;
  const mean = sum / count;
  let squares = 0;
  for (let i = from; i < until; i++) if (!Number.isNaN(values[i])) squares += (values[i]! - mean) ** 2;
  return Math.sqrt(squares / count);
}

function countDistinct({ values }: Gathered, from: number, until: number, run: Run): number | undefined {
  distinct ??= createNumberSet();
  distinct.clear();
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (value === Number.POSITIVE_INFINITY) return undefined;
    if (!Number.isNaN(value)) distinct.add(value);
  }
  run.errorBound = distinct.errorBound();
  return distinct.count();
}

/** Missing below the least number of samples, and always below one. */
export function findRatio(hits: number, count: number, minSamples: number): number | undefined {
  return count < Math.max(1, minSamples) ? undefined : hits / count;
}

/** The 97.5 % quantile of the normal distribution. */
const wilsonZ = 1.959963984540054;

function findWilsonLower(hits: number, count: number, minSamples: number): number | undefined {
  const share = findRatio(hits, count, minSamples);
  // Without a hit the bound is 0, which floating point would miss by a hair.
  if (share === undefined || hits === 0) return share;
  const z2 = wilsonZ * wilsonZ;
  const middle = share + z2 / (2 * count);
  const margin = wilsonZ * Math.sqrt((share * (1 - share) + z2 / (4 * count)) / count);
  return Math.max(0, (middle - margin) / (1 + z2 / count));
}

function sumDecayed(
  { at, values }: Gathered,
  from: number,
  until: number,
  run: Run,
  halfLifeMs: number,
): number | undefined {
  let sum = 0;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (value === Number.POSITIVE_INFINITY) return undefined;
    if (!Number.isNaN(value)) sum += value * 2 ** ((at[i]! - run.nowMs) / halfLifeMs);
  }
  return sum;
}

/** Room to sort in. */
let sorted = new Float64Array(256);

function reserveSorted(size: number): void {
  if (size > sorted.length) sorted = new Float64Array(2 * size);
}

function findPercentile(
  { values }: Gathered,
  from: number,
  until: number,
  percent: number,
): number | undefined {
  reserveSorted(until - from);
  let count = 0;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (value === Number.POSITIVE_INFINITY) return undefined;
    if (!Number.isNaN(value)) sorted[count++] = value;
  }
  if (count === 0) return undefined;
  sortNumbers(count);
  return sorted[Math.ceil((percent * count) / 100) - 1];
}

/** The mean of the two in the middle where their number is even, rounded down. */
function findMedianGap({ at }: Gathered, from: number, until: number): number | undefined {
  const count = until - from - 1;
  if (count < 1) return undefined;
  reserveSorted(count);
  for (let i = 0; i < count; i++) sorted[i] = at[from + i]! - at[from + i + 1]!;
  sortNumbers(count);
  return Math.floor((sorted[(count - 1) >> 1]! + sorted[count >> 1]!) / 2);
}

/** Sorts the first so many numbers of `sorted`, ascending. */
function sortNumbers(count: number): void {
  if (count > 32) {
    sorted.subarray(0, count).sort();
    return;
  }
  for (let i = 1; i < count; i++) {
    const value = sorted[i]!;
    let at = i;
    for (; at > 0 && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!;
    sorted[at] = value;
  }
}

/** How often each interned value came; all 0 between two folds. */
let tallies = new Uint32Array(64);

function findMode(
  { values }: Gathered,
  from: number,
  until: number,
  texts: readonly string[],
): string | undefined {
  if (texts.length > tallies.length) tallies = new Uint32Array(2 * texts.length);
  let best: number | undefined;
  for (let i = from; i < until; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    tallies[value]!++;
    if (best === undefined || isBefore(value, best, texts)) best = value;
  }
  for (let i = from; i < until; i++) if (!Number.isNaN(values[i])) tallies[values[i]!] = 0;
  return best === undefined ? undefined : texts[best];
}

/** More often, or as often and by code point before. */
function isBefore(value: number, best: number, texts: readonly string[]): boolean {
  const more = tallies[value]! - tallies[best]!;
  return more > 0 || (more === 0 && compareCodePoints(texts[value]!, texts[best]!) < 0);
}
