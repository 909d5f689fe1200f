import type { Expr, Frame, Scalar, Value } from "../cel/expr.ts";
import { dayEndAt, hourAt, hourEndAt, openZone, weekdayAt, type ZoneClock } from "../local-time.ts";
import {
  anyRange,
  canBeFalse,
  canBeTrue,
  canBeUnknown,
  compareRanges,
  joinTruths,
  makeNumbers,
  makeTruths,
  negateTruths,
  numbersOf,
  type Range,
  spread,
  type Truths,
  truthsOf,
} from "./range.ts";

/** CEL's timestamps and durations in ms: what leaves them is unknown. */
const timestampMsMin = -62_135_596_800_000;
const timestampMsMax = 253_402_300_799_999;
const durationMsMax = 9_223_372_036_854;

/** A span of time that begins now, and what is needed to look into it. */
export type Ahead = {
  /** Filled now. */
  readonly frame: Frame;
  readonly spanMs: number;
  /** The value of an expression now. */
  readonly valueOf: (expr: Expr) => Value;
  /** Whether the value moves with the clock itself, and not only from one instant to another. */
  readonly moves: (expr: Expr) => boolean;
  /** Values of a slot that moves. */
  readonly rangeOfSlot: (slot: number, ahead: Ahead) => Range;
  /** Set where nothing could be said of a part, so that a shorter span would say no more. */
  isBlind: boolean;
};

/** Anything. */
export function beBlind(ahead: Ahead): Range {
  ahead.isBlind = true;
  return anyRange;
}

/**
 * What an expression may be during the ahead, both ends included, given that no slot changes but those that move.
 *
 * Shapes: too wide at worst; a wider span has a wider range.
 */
export function rangeOf(expr: Expr, ahead: Ahead): Range {
  if (!ahead.moves(expr)) return { kind: "same", value: ahead.valueOf(expr) };
  switch (expr.op) {
    case "slot":
      return ahead.rangeOfSlot(expr.slot, ahead);
    case "not":
      return makeTruths(negateTruths(truthsAt(expr.arg, ahead)));
    case "and":
      return makeTruths(joinTruths(expr.args.map((arg) => truthsAt(arg, ahead))));
    case "or":
      return makeTruths(uniteTruths(expr.args.map((arg) => truthsAt(arg, ahead))));
    case "cond":
      return rangeOfCond(expr, ahead);
    case "compare":
      return makeTruths(
        compareRanges(expr.how, rangeOf(expr.left, ahead), rangeOf(expr.right, ahead), ahead.spanMs),
      );
    case "in":
      return makeTruths(truthsOfIn(expr, ahead));
    case "exists":
    case "all":
      return makeTruths(truthsOfQuantifier(expr, ahead));
    case "arithmetic":
      return rangeOfArithmetic(expr, ahead);
    case "negate":
      return mapNumbers(rangeOf(expr.arg, ahead), ({ slope, low, high, mayBeUnknown }) =>
        makeNumbers(-high, -low, -slope, mayBeUnknown),
      );
    case "convert":
      return rangeOfConversion(expr, ahead);
    case "within":
    case "silent":
      return makeTruths(truthsOfSpanTest(expr, ahead));
    case "localHour":
    case "localWeekday":
      return mapNumbers(rangeOf(expr.at, ahead), (numbers) => {
        const [fromMs, toMs] = spread(numbers, ahead.spanMs);
        const range = rangeOfLocalTime(expr.op, openZone(expr.zone), fromMs, toMs);
        return range.kind === "numbers" ? { ...range, mayBeUnknown: numbers.mayBeUnknown } : range;
      });
    default:
      return beBlind(ahead);
  }
}

/** The local hours, or days of the week, of a span of time. */
export function rangeOfLocalTime(
  field: "localHour" | "localWeekday",
  clock: ZoneClock,
  fromMs: number,
  toMs: number,
): Range {
  const [read, endAt, all] =
    field === "localHour"
      ? ([hourAt, hourEndAt, makeNumbers(0, 23)] as const)
      : ([weekdayAt, dayEndAt, makeNumbers(1, 7)] as const);
  // More than a week has every day, and every hour; less has at most so many hours and changes of the clock.
  if (!(toMs - fromMs < 7 * 86_400_000)) return all;
  let low = read(fromMs, clock);
  let high = low;
  for (let atMs = endAt(fromMs, clock); atMs <= toMs; atMs = endAt(atMs, clock)) {
    const value = read(atMs, clock);
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (field === "localHour" && low === 0 && high === 23) return all;
  }
  return makeNumbers(low, high);
}

function truthsAt(expr: Expr, ahead: Ahead): Truths {
  return truthsOf(rangeOf(expr, ahead));
}

function uniteTruths(parts: readonly Truths[]): Truths {
  return negateTruths(joinTruths(parts.map(negateTruths)));
}

function mapNumbers(range: Range, map: (numbers: Extract<Range, { kind: "numbers" }>) => Range): Range {
  if (range.kind === "oneOf") return mapParts(range, (one) => mapNumbers(one, map));
  if (range.kind === "same" && range.value === undefined) return range;
  const numbers = numbersOf(range);
  return numbers === undefined ? anyRange : map(numbers);
}

function rangeOfCond(expr: Extract<Expr, { op: "cond" }>, ahead: Ahead): Range {
  const test = truthsAt(expr.test, ahead);
  if (test === canBeTrue) return rangeOf(expr.then, ahead);
  if (test === canBeFalse) return rangeOf(expr.else, ahead);
  if (test === canBeUnknown) return { kind: "same", value: undefined };
  const ranges = [rangeOf(expr.then, ahead), rangeOf(expr.else, ahead)];
  if (test & canBeUnknown) ranges.push({ kind: "same", value: undefined });
  return { kind: "oneOf", ranges };
}

function truthsOfIn(expr: Extract<Expr, { op: "in" }>, ahead: Ahead): Truths {
  if (ahead.moves(expr.right)) return truthsOf(beBlind(ahead));
  const list = ahead.valueOf(expr.right) as readonly Scalar[] | undefined;
  if (list === undefined) return canBeUnknown;
  const left = rangeOf(expr.left, ahead);
  if (list.length === 0) return canBeFalse | canBeUnknown;
  return uniteTruths(list.map((value) => compareRanges("eq", left, { kind: "same", value }, ahead.spanMs)));
}

/** Elements are looked at one by one, as the quantifier does; a list that moves may be anything. */
function truthsOfQuantifier(expr: Extract<Expr, { op: "exists" | "all" }>, ahead: Ahead): Truths {
  if (ahead.moves(expr.list)) return truthsOf(beBlind(ahead));
  const list = ahead.valueOf(expr.list) as readonly Scalar[] | undefined;
  if (list === undefined) return canBeUnknown;
  const { locals } = ahead.frame;
  const outer = locals[expr.depth];
  const parts = list.map((element) => {
    locals[expr.depth] = element;
    return truthsAt(expr.body, ahead);
  });
  locals[expr.depth] = outer;
  if (parts.length === 0) return expr.op === "all" ? canBeTrue : canBeFalse;
  return expr.op === "all" ? joinTruths(parts) : uniteTruths(parts);
}

function rangeOfArithmetic(expr: Extract<Expr, { op: "arithmetic" }>, ahead: Ahead): Range {
  return mapParts(rangeOf(expr.left, ahead), (left) =>
    mapParts(rangeOf(expr.right, ahead), (right) => calculate(expr, left, right, ahead)),
  );
}

function mapParts(range: Range, map: (range: Range) => Range): Range {
  return range.kind === "oneOf"
    ? { kind: "oneOf", ranges: range.ranges.map((one) => mapParts(one, map)) }
    : map(range);
}

function calculate(
  expr: Extract<Expr, { op: "arithmetic" }>,
  left: Range,
  right: Range,
  ahead: Ahead,
): Range {
  for (const part of [left, right]) if (part.kind === "same" && part.value === undefined) return part;
  const [a, b] = [numbersOf(left), numbersOf(right)];
  if (a === undefined || b === undefined) return anyRange;
  const mayBeUnknown = a.mayBeUnknown || b.mayBeUnknown;
  const isDouble = expr.type === "double";
  // Sums of doubles are rounded, so that they don't follow a straight line; their ends are still right, as rounding keeps the order.
  const [lowA, highA] = isDouble ? spread(a, ahead.spanMs) : [a.low, a.high];
  const [lowB, highB] = isDouble ? spread(b, ahead.spanMs) : [b.low, b.high];
  const [slopeA, slopeB] = isDouble ? [0, 0] : [a.slope, b.slope];
  switch (expr.how) {
    case "add":
      return limit(expr, ahead, makeNumbers(lowA + lowB, highA + highB, slopeA + slopeB, mayBeUnknown));
    case "sub":
      return limit(expr, ahead, makeNumbers(lowA - highB, highA - lowB, slopeA - slopeB, mayBeUnknown));
    case "mul":
    case "div":
      return limit(
        expr,
        ahead,
        combineCorners(expr, spread(a, ahead.spanMs), spread(b, ahead.spanMs), mayBeUnknown),
      );
    case "mod":
      return rangeOfRest(spread(a, ahead.spanMs), spread(b, ahead.spanMs), mayBeUnknown);
  }
}

/** The rest grows with what is divided until it starts again. */
function rangeOfRest(
  [low, high]: readonly [number, number],
  [divisor, divisorMax]: readonly [number, number],
  mayBeUnknown: boolean,
): Range {
  const isOneTurn = Math.trunc(low / divisor) === Math.trunc(high / divisor) && low < 0 === high < 0;
  if (divisor !== divisorMax || divisor === 0 || !isOneTurn) return anyRange;
  return makeNumbers(low % divisor, high % divisor, 0, mayBeUnknown);
}

/** Products and quotients are monotone in each side, where no side of a quotient passes 0: their ends are at the corners. */
function combineCorners(
  expr: Extract<Expr, { op: "arithmetic" }>,
  [lowA, highA]: readonly [number, number],
  [lowB, highB]: readonly [number, number],
  mayBeUnknown: boolean,
): Range {
  if (expr.how === "div" && lowB <= 0 && highB >= 0) return anyRange;
  const combine = (a: number, b: number): number => {
    if (expr.how === "mul") return a * b;
    return expr.type === "double" ? a / b : Math.trunc(a / b);
  };
  const corners = [combine(lowA, lowB), combine(lowA, highB), combine(highA, lowB), combine(highA, highB)];
  return makeNumbers(Math.min(...corners), Math.max(...corners), 0, mayBeUnknown);
}

/** What leaves its type's bounds is unknown. */
function limit(expr: Extract<Expr, { op: "arithmetic" }>, ahead: Ahead, range: Range): Range {
  if (range.kind !== "numbers") return range;
  const [min, max] = boundsOf(expr);
  const [low, high] = spread(range, ahead.spanMs);
  return low < min || high > max ? { ...range, mayBeUnknown: true } : range;
}

function boundsOf({ type }: Extract<Expr, { op: "arithmetic" }>): readonly [number, number] {
  switch (type) {
    case "timestamp":
      return [timestampMsMin, timestampMsMax];
    case "duration":
      return [-durationMsMax, durationMsMax];
    case "int":
      return [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
    default:
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  }
}

/** Conversions to numbers keep the order. */
function rangeOfConversion(expr: Extract<Expr, { op: "convert" }>, ahead: Ahead): Range {
  if (expr.type === "string" || expr.arg.type === "string") return beBlind(ahead);
  const from = expr.arg.type;
  return mapNumbers(rangeOf(expr.arg, ahead), (numbers) => {
    const [low, high] = spread(numbers, ahead.spanMs);
    if (expr.type === "double") return makeNumbers(low, high, 0, numbers.mayBeUnknown);
    const mayBeUnknown =
      numbers.mayBeUnknown ||
      !Number.isSafeInteger(Math.trunc(low)) ||
      !Number.isSafeInteger(Math.trunc(high));
    const convert = (value: number): number => {
      if (from === "timestamp") return Math.floor(value / 1000);
      return Math.trunc(from === "duration" ? value / 1000 : value);
    };
    return makeNumbers(convert(low), convert(high), 0, mayBeUnknown);
  });
}

function truthsOfSpanTest(expr: Extract<Expr, { op: "within" | "silent" }>, ahead: Ahead): Truths {
  const elapsed = mapNumbers(rangeOf(expr.at, ahead), ({ slope, low, high, mayBeUnknown }) =>
    makeNumbers(ahead.frame.nowMs - high, ahead.frame.nowMs - low, 1 - slope, mayBeUnknown),
  );
  const duration = rangeOf(expr.duration, ahead);
  if (expr.op === "silent") return compareRanges("ge", elapsed, duration, ahead.spanMs);
  // Here an unknown duration is not outweighed by an instant to come.
  if (duration.kind === "same" && duration.value === undefined) return canBeUnknown;
  const zero: Range = { kind: "same", value: 0 };
  return joinTruths([
    compareRanges("ge", elapsed, zero, ahead.spanMs),
    compareRanges("lt", elapsed, duration, ahead.spanMs),
  ]);
}
