/**
 * When a condition may change its mind if no event comes.
 *
 * A condition is asked whether it *is* a given truth (`want`). Of a conjunction that is true any part may end it, so the earliest counts; of one
 * that is not true all parts that fail must change first, so the latest counts; disjunctions are the mirror image. A leaf stays as it is until a slot
 * that it reads changes; one that moves with the clock itself is looked at over ever shorter spans of time until it can't change within.
 */
import type { SlotSource } from "../cel/environment.ts";
import type { CompareOp, Expr, Value } from "../cel/expr.ts";
import { readReads } from "../cel/reads.ts";
import type { FeatureSpec } from "../features/feature.ts";
import { canBeFalse, canBeTrue, numbersOf, truthsOf } from "./range.ts";
import { type Ahead, rangeOf } from "./range-of.ts";
import { createSlotClocks, type Look, type SlotClock } from "./slot-clock.ts";

const never = Number.POSITIVE_INFINITY;
/** What does not flip within a hundred years never does. */
const foreverMs = 100 * 365 * 86_400_000;
/** Beyond this many, different values may be estimated, and then one row more or less may change more than one. */
const distinctMax = 1_000;
/** How often a leaf is looked at of which nothing can be said ahead, such as one that reads a model of something that moves. */
const blindMs = 60_000;

/** What flips are computed from. */
export type FlipSources = {
  readonly slots: readonly SlotSource[];
  readonly features: readonly FeatureSpec[];
  readonly eventSlots: readonly SlotSource[];
  readonly intern: (expr: Expr) => Expr;
  /** The value of an interned expression in the frame of the look. */
  readonly valueOf: (expr: Expr, look: Look) => Value;
  /** The next flip of a segment that a condition names. */
  readonly nextOfSegment: (ordinal: number, want: boolean, look: Look) => number;
};

/** Finds next flips. Answers are kept as long as the look is the same object. */
export type FlipFinder = {
  /**
   * A lower bound, in ms since the epoch and later than now, of the next instant at which it may change whether the condition is `want` (true or
   * false; unknown is neither) if no event comes; Infinity where it never will.
   */
  readonly next: (condition: Expr, want: boolean, look: Look) => number;
};

type Next = (look: Look) => number;

export function createFlipFinder(sources: FlipSources): FlipFinder {
  const clocks = createSlotClocks(sources);
  const built = [new Map<Expr, Next>(), new Map<Expr, Next>()] as const;
  const slotNexts = new Map<number, Next>();
  const nextOfSlot = (slot: number): Next => {
    let next = slotNexts.get(slot);
    if (next === undefined) {
      const clock = clocks.of(slot);
      next = remember((look) => clock.next(look));
      slotNexts.set(slot, next);
    }
    return next;
  };
  const build = (expr: Expr, want: boolean): Next => {
    const known = built[want ? 1 : 0];
    let next = known.get(expr);
    if (next === undefined) {
      next = buildNode(expr, want);
      known.set(expr, next);
    }
    return next;
  };
  const buildNode = (expr: Expr, want: boolean): Next => {
    switch (expr.op) {
      case "const":
        return () => never;
      case "not":
        return build(expr.arg, !want);
      case "and":
      case "or": {
        const parts = expr.args.map((arg) => ({ expr: arg, next: build(arg, want) }));
        // Where all have to be what is wanted, those that are not have to change; where one is enough, those that are.
        const counted = (expr.op === "and") !== want;
        return (look) =>
          nextOfParts(parts, (part) => (sources.valueOf(part.expr, look) === want) === counted, look);
      }
      case "segment":
        return (look) => sources.nextOfSegment(expr.segment, want, look);
      default:
        return remember(buildLeaf(expr, want));
    }
  };
  const buildLeaf = (expr: Expr, want: boolean): Next => {
    const falling = readFalling(expr, clocks.of);
    if (falling !== undefined) {
      return (look) => nextOfFalling(falling, look);
    }
    const reads = readReads(expr);
    const slots = [...reads.slots].map(nextOfSlot);
    const segments = [...reads.segments];
    const moves = clocks.moves(expr);
    const spanTest = readSpanTest(expr, clocks.moves);
    return (look) => {
      let horizonMs = never;
      for (const next of slots) horizonMs = Math.min(horizonMs, next(look));
      for (const segment of segments) {
        for (const truth of [true, false]) {
          horizonMs = Math.min(horizonMs, sources.nextOfSegment(segment, truth, look));
        }
      }
      if (!moves) return horizonMs;
      const nextMs =
        spanTest && nextOfSpanTest(spanTest, (part) => sources.valueOf(part, look), look.frame.nowMs);
      return nextMs === undefined ? findKept({ expr, want, horizonMs, look }) : Math.min(nextMs, horizonMs);
    };
  };
  /** The end of the longest span in which the leaf can't change, up to the horizon. */
  const findKept = (leaf: Leaf): number => {
    const { expr, want, horizonMs, look } = leaf;
    const { nowMs } = look.frame;
    if (horizonMs <= nowMs + 1) return horizonMs;
    const wanted = want ? canBeTrue : canBeFalse;
    const holds = sources.valueOf(expr, look) === want;
    const ahead: Ahead & { spanMs: number } = {
      frame: look.frame,
      spanMs: 0,
      valueOf: (part) => sources.valueOf(part, look),
      moves: clocks.moves,
      rangeOfSlot: (slot, within) => clocks.of(slot).rangeOf(within, look.frame.values[slot]),
      isBlind: false,
    };
    const keepsFor = (spanMs: number): boolean => {
      ahead.spanMs = spanMs;
      const truths = truthsOf(rangeOf(expr, ahead));
      return holds ? truths === wanted : (truths & wanted) === 0;
    };
    let failing = Math.min(horizonMs - 1 - nowMs, foreverMs);
    if (keepsFor(failing)) return failing === foreverMs ? never : horizonMs;
    if (ahead.isBlind && !keepsFor(1)) return Math.min(horizonMs, nowMs + blindMs);
    let kept = 0;
    const guess = guessCrossing(expr, ahead);
    if (guess > kept + 1 && guess <= failing) {
      // Mostly it is right, and the search is over.
      if (keepsFor(guess - 1)) kept = guess - 1;
      if (!keepsFor(guess)) failing = guess;
    }
    while (failing - kept > 1) {
      const middle = Math.floor((kept + failing) / 2);
      if (keepsFor(middle)) kept = middle;
      else failing = middle;
    }
    return nowMs + failing;
  };
  return { next: (condition, want, look) => build(sources.intern(condition), want)(look) };
}

type Leaf = { readonly expr: Expr; readonly want: boolean; readonly horizonMs: number; readonly look: Look };

type SpanTest = Extract<Expr, { op: "within" | "silent" }>;

/** A leaf that moves for no other reason than that now moves away from an instant, as most of them do. */
function readSpanTest(expr: Expr, moves: (expr: Expr) => boolean): SpanTest | undefined {
  const isTest = expr.op === "within" || expr.op === "silent";
  return isTest && !moves(expr.at) && !moves(expr.duration) ? expr : undefined;
}

/** When it flips, if nothing else changes; undefined where its sides are no plain numbers. */
function nextOfSpanTest(
  { op, at, duration }: SpanTest,
  read: (expr: Expr) => Value,
  nowMs: number,
): number | undefined {
  const [fromMs, lengthMs] = [read(at), read(duration)];
  if (fromMs === undefined || lengthMs === undefined) return never;
  if (typeof fromMs !== "number" || typeof lengthMs !== "number") return undefined;
  const endMs = Math.ceil(fromMs + lengthMs);
  if (!Number.isSafeInteger(endMs)) return undefined;
  const flipMs = op === "within" && fromMs > nowMs ? Math.ceil(fromMs) : endMs;
  return flipMs > nowMs && flipMs - nowMs <= foreverMs ? flipMs : never;
}

/** After how many ms the two sides of a leaf meet, where that is easy to tell; NaN elsewhere. */
function guessCrossing(expr: Expr, ahead: Ahead): number {
  switch (expr.op) {
    case "compare": {
      const [left, right] = [numbersOf(rangeOf(expr.left, ahead)), numbersOf(rangeOf(expr.right, ahead))];
      if (left === undefined || right === undefined || left.slope === right.slope) return Number.NaN;
      const gap = (right.low - left.low) / (left.slope - right.slope);
      // What meets at this instant may pass at the next.
      const isPassing = expr.how === "gt" || expr.how === "le" || expr.how === "ne";
      const isRising = left.slope > right.slope;
      return Math.ceil(gap) + (isPassing === isRising ? 1 : 0);
    }
    case "silent":
    case "within": {
      const [at, duration] = [ahead.valueOf(expr.at), ahead.valueOf(expr.duration)];
      if (typeof at !== "number" || typeof duration !== "number") return Number.NaN;
      const { nowMs } = ahead.frame;
      return expr.op === "within" && at > nowMs ? at - nowMs : at + duration - nowMs;
    }
    default:
      return Number.NaN;
  }
}

/** Conditions share leaves, and leaves slots: each is answered once in a look. */
function remember(next: Next): Next {
  let lastLook: Look | undefined;
  let lastNextMs = never;
  return (look) => {
    if (look !== lastLook) {
      lastNextMs = next(look);
      lastLook = look;
    }
    return lastNextMs;
  };
}

type Part = { readonly expr: Expr; readonly next: Next };

/**
 * The parts that are (or are not) what they should be: where there are none, the first of all to change may do it; else all of them have to change, so
 * the last counts.
 */
function nextOfParts(parts: readonly Part[], isCounted: (part: Part) => boolean, look: Look): number {
  let earliestMs = never;
  let latestMs = Number.NEGATIVE_INFINITY;
  for (const part of parts) {
    if (isCounted(part)) latestMs = Math.max(latestMs, part.next(look));
    else if (latestMs === Number.NEGATIVE_INFINITY) earliestMs = Math.min(earliestMs, part.next(look));
    if (latestMs === never) break;
  }
  return latestMs === Number.NEGATIVE_INFINITY ? earliestMs : latestMs;
}

/** A comparison of what only falls by time alone with a constant. */
type Falling = {
  readonly slot: number;
  readonly clock: SlotClock;
  readonly how: CompareOp;
  readonly bound: number;
};

const mirrored = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;

function readFalling(expr: Expr, clockOf: (slot: number) => SlotClock): Falling | undefined {
  if (expr.op !== "compare") return undefined;
  const { left, right } = expr;
  if (left.op === "const" && right.op === "slot") {
    return readFalling({ ...expr, how: mirrored[expr.how], left: right, right: left }, clockOf);
  }
  if (left.op !== "slot" || right.op !== "const" || typeof right.value !== "number") return undefined;
  const clock = clockOf(left.slot);
  if (clock.aggregate === undefined || !isFalling(clock.aggregate.spec)) return undefined;
  return { slot: left.slot, clock, how: expr.how, bound: right.value };
}

/** In a rolling window that ends now, time alone only takes away; amounts are never negative. */
function isFalling({ function: how, window, of }: NonNullable<SlotClock["aggregate"]>["spec"]): boolean {
  if (window.kind !== "rolling" || window.offsetMs !== 0) return false;
  return how === "COUNT" || how === "DISTINCT" || (how === "SUM" && of?.kind === "amount");
}

function nextOfFalling({ slot, clock, how, bound }: Falling, look: Look): number {
  const value = look.frame.values[slot];
  const { history, nowMs } = look.input;
  if (typeof value !== "number" || history === undefined) return clock.next(look);
  // Below the bound nothing changes any more; at or above it the value has to fall so far.
  const isStrict = how === "le" || how === "gt";
  if (isStrict ? value <= bound : value < bound) return never;
  const { spec, clock: aggregate } = clock.aggregate!;
  const isCountedRowByRow =
    spec.function === "COUNT" || (spec.function === "DISTINCT" && value <= distinctMax);
  if (!isCountedRowByRow || history.tiles.length > 0) return clock.next(look);
  const leaving = how === "eq" || how === "ne" ? 1 : Math.floor(value - bound) + (isStrict ? 0 : 1);
  return aggregate.nextAfterLeaving(history, nowMs, Math.max(1, leaving));
}
