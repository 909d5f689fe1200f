import { formatScalar } from "../cel/build-value.ts";
import { type ConditionTrace, explainCondition } from "../cel/explain.ts";
import type { CompareOp, Expr, ExprType, Frame, Scalar, Value } from "../cel/expr.ts";
import { type ConditionNames, formatExpr } from "../cel/format.ts";
import { buildValue } from "../cel/predicate.ts";
import { nameSource } from "../rules/environment.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import type { Standing } from "./sweep.ts";
import type { SweepFacts, Timeline } from "./timeline.ts";

/** A leaf that keeps a player out. */
export type NearMiss = {
  /** The leaf as CEL text. */
  readonly text: string;
  /** The value; empty where it is unknown. */
  readonly value: string;
  /** What it would have to be compared with. */
  readonly wanted: string;
  /** By how much it failed, such as `1` or `PT3H`; empty where that has no meaning. */
  readonly by: string;
};

export type SegmentExplanation = {
  /** Undefined where it is unknown. */
  readonly truth: boolean | undefined;
  readonly trace: ConditionTrace;
  /** What keeps the player out, the nearest first; empty for members. At most 16. */
  readonly nearMisses: readonly NearMiss[];
  /** When membership flips if no event comes; undefined where it does not within 400 days. */
  readonly flipsAtMs: number | undefined;
  readonly isWarming: boolean;
  readonly memberSinceMs: number | undefined;
};

const missesMax = 16;
const textMax = 500;
const listedMax = 8;
const horizonMs = 400 * 86_400_000;
/** Looks ahead for a flip. */
const looksMax = 10_000;

/**
 * Explains whether a player is in a segment at an instant, without a payment in sight.
 *
 * `standing` is where the player stood by then (`sweepPlayer` up to the instant), for segments that depend on what was before.
 */
export function explainSegment(
  timeline: Timeline,
  facts: SweepFacts,
  asked: { readonly segment: number; readonly atMs: number; readonly standing: Standing },
): SegmentExplanation {
  const { segment, atMs } = asked;
  const { snapshot } = timeline;
  const sinceMs = Float64Array.from(asked.standing.sinceMs);
  const judged = timeline.look(facts, atMs, sinceMs);
  const { frame } = judged;
  const condition = snapshot.segmentCondition(segment);
  const names = nameParts(snapshot);
  const state = frame.segments[segment];
  const truth = state === 2 ? undefined : state === 1;
  const misses = truth === true ? [] : listMisses(condition, { snapshot, frame, names });
  const { windowMsMax } = snapshot.segments[segment]!;
  const memberSinceMs = truth === true && !Number.isNaN(sinceMs[segment]!) ? sinceMs[segment]! : undefined;
  return {
    truth,
    trace: explainCondition(condition, frame, names),
    nearMisses: misses,
    isWarming:
      windowMsMax > 0 && facts.coveredFromMs !== undefined && atMs - windowMsMax < facts.coveredFromMs,
    memberSinceMs,
    // This looks at other instants, so it comes last: frames are shared.
    flipsAtMs: findFlip(timeline, facts, { segment, atMs, sinceMs, nextMs: judged.findNextOf(segment) }),
  };
}

function nameParts({ slots, segments, listIds }: RuleSnapshot): ConditionNames {
  return {
    slot: (slot) => nameSource(slots[slot]!),
    segment: (ordinal) => segments[ordinal]!.id,
    list: (list) => listIds[list]!,
  };
}

/** The first instant at which membership is another if nothing happens any more. */
function findFlip(
  timeline: Timeline,
  facts: SweepFacts,
  from: {
    readonly segment: number;
    readonly atMs: number;
    readonly sinceMs: Float64Array;
    readonly nextMs: number;
  },
): number | undefined {
  const { segment, atMs, sinceMs } = from;
  let { nextMs } = from;
  const wasIn = timeline.look(facts, atMs, sinceMs).isMember(segment);
  for (let looks = 0; looks < looksMax && nextMs <= atMs + horizonMs; looks++) {
    const judged = timeline.look(facts, nextMs, sinceMs);
    if (judged.isMember(segment) !== wasIn) return nextMs;
    nextMs = judged.findNextOf(segment);
  }
  return undefined;
}

type Explaining = {
  readonly snapshot: RuleSnapshot;
  readonly frame: Frame;
  readonly names: ConditionNames;
};

/** A miss with its distance, relative to what was wanted: Infinity where there is none to speak of. */
type Measured = NearMiss & { readonly distance: number };

function listMisses(condition: Expr, at: Explaining): readonly NearMiss[] {
  const found = new Map<string, Measured>();
  const visit = (expr: Expr, want: boolean): void => {
    if (read(expr, at.frame) === want) return;
    if (expr.op === "not") {
      visit(expr.arg, !want);
    } else if (expr.op === "and" || expr.op === "or") {
      for (const arg of expr.args) visit(arg, want);
    } else if (expr.op === "segment" && !at.snapshot.segments[expr.segment]!.hasMemory) {
      visit(at.snapshot.segmentCondition(expr.segment), want);
    } else {
      const miss = measureLeaf(expr, want, at);
      if (!found.has(miss.text)) found.set(miss.text, miss);
    }
  };
  visit(condition, true);
  return [...found.values()]
    .sort((a, b) => compareDistances(a.distance, b.distance))
    .slice(0, missesMax)
    .map(({ text, value, wanted, by }) => ({ text, value, wanted, by }));
}

/** Infinities are equal; sorting keeps their order. */
function compareDistances(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function measureLeaf(leaf: Expr, want: boolean, at: Explaining): Measured {
  const inner = formatExpr(leaf, at.names);
  const text = cutText(want ? inner : `!(${inner})`);
  return { text, ...measure(leaf, want, at) };
}

function measure(leaf: Expr, want: boolean, { frame, names }: Explaining): Omit<Measured, "text"> {
  switch (leaf.op) {
    case "compare": {
      const [value, other, how] =
        leaf.left.op === "const"
          ? [leaf.right, leaf.left, mirrored[leaf.how]]
          : [leaf.left, leaf.right, leaf.how];
      const has = read(value, frame);
      const wants = read(other, frame);
      return {
        value: show(has, value.type),
        wanted: show(wants, other.type),
        ...measureGap({ has, wants, how: want ? how : negated[how], type: gapType(value.type) }),
      };
    }
    case "in": {
      const list = read(leaf.right, frame);
      return {
        ...noGap,
        value: show(read(leaf.left, frame), leaf.left.type),
        wanted: show(list, leaf.right.type),
      };
    }
    case "within":
    case "silent": {
      const since = read(leaf.at, frame);
      const wants = read(leaf.duration, frame);
      const has = typeof since === "number" ? frame.nowMs - since : undefined;
      const how = leaf.op === "within" ? "lt" : "ge";
      return {
        value: show(has, "duration"),
        wanted: show(wants, "duration"),
        ...measureGap({ has, wants, how: want ? how : negated[how], type: "duration" }),
      };
    }
    case "inList":
      return { ...noGap, value: show(read(leaf.left, frame), leaf.left.type), wanted: names.list(leaf.list) };
    case "has":
      return { ...noGap, value: "", wanted: want ? "a value" : "no value" };
    default:
      return { ...noGap, value: show(read(leaf, frame), leaf.type), wanted: String(want) };
  }
}

const mirrored = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;
const negated = { eq: "ne", ne: "eq", lt: "ge", le: "gt", gt: "le", ge: "lt" } as const;
const noGap = { by: "", distance: Number.POSITIVE_INFINITY };

/** Instants lie a duration apart. */
function gapType(type: ExprType): ExprType {
  return type === "timestamp" ? "duration" : type;
}

/** How far a number is from where it would do. */
function measureGap(gap: {
  readonly has: Value;
  readonly wants: Value;
  readonly how: CompareOp;
  readonly type: ExprType;
}): Pick<Measured, "by" | "distance"> {
  const { has, wants, how, type } = gap;
  if (typeof has !== "number" || typeof wants !== "number" || how === "ne") return noGap;
  // Whole numbers and ms have to pass a bound that is not included by one.
  const beyond = (how === "lt" || how === "gt") && type !== "double" ? 1 : 0;
  const missing = Math.abs(wants - has) + beyond;
  if (!Number.isFinite(missing)) return noGap;
  return { by: show(missing, type), distance: missing / Math.max(1, Math.abs(wants)) };
}

function read(expr: Expr, frame: Frame): Value {
  const errorsBefore = frame.evalErrors;
  const value = buildValue(expr)(frame);
  frame.evalErrors = errorsBefore;
  return value;
}

function show(value: Value, type: ExprType): string {
  if (value === undefined) return "";
  if (typeof type === "string") return cutText(showScalar(value as Scalar, type));
  const elements = value as readonly Scalar[];
  const shown = elements.slice(0, listedMax).map((element) => showScalar(element, type.list));
  return cutText(elements.length > listedMax ? `${shown.join(", ")}, …` : shown.join(", "));
}

function showScalar(value: Scalar, type: ExprType): string {
  if (type === "duration") return formatIsoDuration(value as number);
  return typeof type === "string" ? formatScalar(value, type) : String(value);
}

/** ISO 8601, such as `P3DT4H` or `PT0.5S`. */
function formatIsoDuration(durationMs: number): string {
  const sign = durationMs < 0 ? "-" : "";
  const ms = Math.abs(durationMs);
  const parts = [
    [Math.floor(ms / 3_600_000) % 24, "H"],
    [Math.floor(ms / 60_000) % 60, "M"],
    [(ms % 60_000) / 1000, "S"],
  ] as const;
  const days = Math.floor(ms / 86_400_000);
  const time = parts.map(([count, unit]) => (count === 0 ? "" : `${count}${unit}`)).join("");
  if (ms === 0) return "PT0S";
  return `${sign}P${days === 0 ? "" : `${days}D`}${time === "" ? "" : `T${time}`}`;
}

function cutText(text: string): string {
  return text.length <= textMax ? text : `${text.slice(0, textMax - 1).toWellFormed()}…`;
}
