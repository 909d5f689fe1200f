/**
 * What a value may be over a span of time that begins now, if no event comes. Everything here may say too much, never too little: whatever can
 * be is inside.
 */
import { compareScalars } from "../cel/build-compare.ts";
import type { CompareOp, Scalar, Value } from "../cel/expr.ts";

/** Truths that a condition may take, as bits. */
export type Truths = number;
export const canBeTrue = 1;
export const canBeFalse = 2;
export const canBeUnknown = 4;
const canBeAnything = canBeTrue | canBeFalse | canBeUnknown;

/** Numbers: after `d` ms the value lies in `slope * d + [low, high]`. Only what is exact in integers has a slope. */
export type Numbers = {
  readonly kind: "numbers";
  readonly slope: number;
  readonly low: number;
  readonly high: number;
  readonly mayBeUnknown: boolean;
};

export type Range =
  /** One value all the time. */
  | { readonly kind: "same"; readonly value: Value }
  | Numbers
  | { readonly kind: "truths"; readonly truths: Truths }
  /** Now the one, now the other. */
  | { readonly kind: "oneOf"; readonly ranges: readonly Range[] }
  | { readonly kind: "any" };

export const anyRange: Range = { kind: "any" };

export function makeNumbers(low: number, high: number, slope = 0, mayBeUnknown = false): Range {
  if (Number.isNaN(low) || Number.isNaN(high)) return anyRange;
  return { kind: "numbers", slope, low, high, mayBeUnknown };
}

export function makeTruths(truths: Truths): Range {
  return { kind: "truths", truths };
}

function nameTruth(truth: Value): Truths {
  return truth === true ? canBeTrue : truth === false ? canBeFalse : canBeUnknown;
}

/** The truths of a range of type bool. */
export function truthsOf(range: Range): Truths {
  switch (range.kind) {
    case "same":
      return nameTruth(range.value);
    case "truths":
      return range.truths;
    case "oneOf":
      return range.ranges.reduce((truths, one) => truths | truthsOf(one), 0);
    case "numbers":
    case "any":
      return canBeAnything;
  }
}

/** The range as numbers, false being 0 and true 1; undefined where it may be anything, or is never a number. */
export function numbersOf(range: Range): Numbers | undefined {
  switch (range.kind) {
    case "numbers":
      return range;
    case "same":
      return typeof range.value === "boolean"
        ? numbersOfTruths(nameTruth(range.value))
        : numbersOfValue(range.value);
    case "truths":
      return numbersOfTruths(range.truths);
    case "oneOf":
    case "any":
      return undefined;
  }
}

function numbersOfValue(value: Value): Numbers | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  return { kind: "numbers", slope: 0, low: value, high: value, mayBeUnknown: false };
}

function numbersOfTruths(truths: Truths): Numbers {
  return {
    kind: "numbers",
    slope: 0,
    low: truths & canBeFalse ? 0 : 1,
    high: truths & canBeTrue ? 1 : 0,
    mayBeUnknown: (truths & canBeUnknown) !== 0,
  };
}

/** Least and greatest value over the span. */
export function spread({ slope, low, high }: Numbers, spanMs: number): readonly [number, number] {
  if (slope === 0) return [low, high];
  return slope > 0 ? [low, high + slope * spanMs] : [low + slope * spanMs, high];
}

export function negateTruths(truths: Truths): Truths {
  const swapped = (truths & canBeTrue ? canBeFalse : 0) | (truths & canBeFalse ? canBeTrue : 0);
  return swapped | (truths & canBeUnknown);
}

/** Kleene conjunction of parts, each of which may be any of its truths. */
export function joinTruths(parts: readonly Truths[]): Truths {
  let joined = canBeTrue;
  let isDecided = false;
  for (const part of parts) {
    if ((part & canBeTrue) === 0) joined &= ~canBeTrue;
    if (part & canBeFalse) joined |= canBeFalse;
    if (part & canBeUnknown) joined |= canBeUnknown;
    if (part === canBeFalse) isDecided = true;
  }
  return isDecided ? canBeFalse : joined;
}

/** What a comparison of two ranges may give over the span. */
export function compareRanges(how: CompareOp, left: Range, right: Range, spanMs: number): Truths {
  if (left.kind === "oneOf")
    return uniteComparisons(left.ranges, (one) => compareRanges(how, one, right, spanMs));
  if (right.kind === "oneOf")
    return uniteComparisons(right.ranges, (one) => compareRanges(how, left, one, spanMs));
  if (isUnknown(left) || isUnknown(right)) return canBeUnknown;
  if (left.kind === "same" && right.kind === "same") return compareValues(how, left.value, right.value);
  const a = numbersOf(left);
  const b = numbersOf(right);
  if (a === undefined || b === undefined) return canBeAnything;
  const [least, greatest] = subtract(a, b, spanMs);
  const unknown = a.mayBeUnknown || b.mayBeUnknown ? canBeUnknown : 0;
  return compareWithZero(how, least, greatest) | unknown;
}

function uniteComparisons(ranges: readonly Range[], compare: (one: Range) => Truths): Truths {
  return ranges.reduce((truths, one) => truths | compare(one), 0);
}

function compareValues(how: CompareOp, left: Value, right: Value): Truths {
  if (typeof left === "object" || typeof right === "object") return canBeAnything;
  return nameTruth(compareScalars(how, left as Scalar, right as Scalar));
}

function isUnknown(range: Range): boolean {
  return range.kind === "truths"
    ? range.truths === canBeUnknown
    : range.kind === "same" && range.value === undefined;
}

/** Least and greatest difference; of doubles only their signs are right, which is all that a comparison asks. */
function subtract(a: Numbers, b: Numbers, spanMs: number): readonly [number, number] {
  if (a.slope === 0 && b.slope === 0) {
    return [compareNumbers(a.low, b.high), compareNumbers(a.high, b.low)];
  }
  return spread({ ...a, slope: a.slope - b.slope, low: a.low - b.high, high: a.high - b.low }, spanMs);
}

/** Subtracting equal infinities gives NaN. */
function compareNumbers(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareWithZero(how: CompareOp, least: number, greatest: number): Truths {
  switch (how) {
    case "lt":
      return (least < 0 ? canBeTrue : 0) | (greatest >= 0 ? canBeFalse : 0);
    case "le":
      return (least <= 0 ? canBeTrue : 0) | (greatest > 0 ? canBeFalse : 0);
    case "gt":
      return (greatest > 0 ? canBeTrue : 0) | (least <= 0 ? canBeFalse : 0);
    case "ge":
      return (greatest >= 0 ? canBeTrue : 0) | (least < 0 ? canBeFalse : 0);
    case "eq":
      return canEqual(least, greatest);
    case "ne":
      return negateTruths(canEqual(least, greatest));
  }
}

function canEqual(least: number, greatest: number): Truths {
  const meets = least <= 0 && greatest >= 0;
  return (meets ? canBeTrue : 0) | (least !== 0 || greatest !== 0 ? canBeFalse : 0);
}
