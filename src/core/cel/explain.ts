import { formatScalar } from "./build-value.ts";
import type { Expr, ExprType, Frame, Scalar, Value } from "./expr.ts";
import { type ConditionNames, formatExpr } from "./format.ts";
import { listChildren } from "./intern.ts";
import { buildInternedPredicate, createPredicateCache, type PredicateCache } from "./predicate.ts";

/** The longest text of a leaf, in UTF-16 units, and the most elements of a list that a trace shows. */
const leafTextMax = 500;
const elementsMax = 32;

type Truth = "true" | "false" | "unknown";

/** A value in a trace: instants as RFC 3339, durations as `259200s`, NaN and infinities as text, null where unknown. */
type TraceValue = boolean | number | string | readonly (boolean | number | string)[] | null;

/** A value that a leaf looked at. */
type TraceRead = {
  /** Such as `payment.currency`, `segment("vip")` or `now`. */
  readonly name: string;
  readonly value: TraceValue;
  /** Elements of a list beyond those shown. */
  readonly elementsHidden: number;
};

/** Why a condition came out as it did. Plain data, fit for JSON. */
export type ConditionTrace =
  | {
      readonly kind: "and" | "or" | "not" | "cond";
      readonly truth: Truth;
      /** Each part, also those that the result did not depend on; of `cond` the test and both branches. */
      readonly parts: readonly ConditionTrace[];
    }
  | {
      readonly kind: "leaf";
      /** The leaf in CEL, cut with `…` where it is long. */
      readonly text: string;
      readonly truth: Truth;
      /** Whether an evaluation error made it unknown (reason EVAL_ERROR), or was met on the way. */
      readonly hasEvalError: boolean;
      readonly reads: readonly TraceRead[];
    };

/**
 * Explains a condition in a frame: the truth of every part and the values that it read. It builds closures anew, so it is for traces that
 * somebody asked for. The frame's count of evaluation errors stays as it was.
 */
export function explainCondition(expr: Expr, frame: Frame, names: ConditionNames): ConditionTrace {
  const errorsBefore = frame.evalErrors;
  const cache = createPredicateCache();
  const trace = explainNode(cache.intern(expr), { frame, names, cache });
  frame.evalErrors = errorsBefore;
  return trace;
}

type Explaining = {
  readonly frame: Frame;
  readonly names: ConditionNames;
  readonly cache: PredicateCache;
};

function explainNode(expr: Expr, at: Explaining): ConditionTrace {
  const { frame, names, cache } = at;
  frame.evalErrors = 0;
  const truth = nameTruth(buildInternedPredicate(expr, cache)(frame));
  const hasEvalError = frame.evalErrors > 0;
  switch (expr.op) {
    case "and":
    case "or":
    case "not":
    case "cond":
      return { kind: expr.op, truth, parts: listChildren(expr).map((part) => explainNode(part, at)) };
    default:
      return {
        kind: "leaf",
        text: cutText(formatExpr(expr, names)),
        truth,
        hasEvalError,
        reads: listReads(expr, at),
      };
  }
}

function nameTruth(truth: boolean | undefined): Truth {
  return truth === undefined ? "unknown" : truth ? "true" : "false";
}

function cutText(text: string): string {
  // A cut may fall inside a surrogate pair.
  return text.length <= leafTextMax ? text : `${text.slice(0, leafTextMax - 1).toWellFormed()}…`;
}

/** What a leaf reads, each once, in the order of its text. */
function listReads(leaf: Expr, { frame, names }: Explaining): readonly TraceRead[] {
  const reads = new Map<string, TraceRead>();
  const visit = (expr: Expr): void => {
    const read = readNode(expr, frame, names);
    if (read !== undefined && !reads.has(read.name)) {
      reads.set(read.name, read);
    }
    listChildren(expr).forEach(visit);
  };
  visit(leaf);
  return [...reads.values()];
}

function readNode(expr: Expr, frame: Frame, names: ConditionNames): TraceRead | undefined {
  switch (expr.op) {
    case "slot":
      return makeRead(names.slot(expr.slot), frame.values[expr.slot], expr.type);
    case "has":
      // The type of the slot is not known here; whether it has a value is all that was asked.
      return makeRead(`has(${names.slot(expr.slot)})`, frame.values[expr.slot] !== undefined, "bool");
    case "segment": {
      const value = [false, true][frame.segments[expr.segment]!];
      return makeRead(`segment(${JSON.stringify(names.segment(expr.segment))})`, value, "bool");
    }
    case "within":
    case "silent":
      return makeRead("now", frame.nowMs, "timestamp");
    default:
      return undefined;
  }
}

function makeRead(name: string, value: Value, type: ExprType): TraceRead {
  if (typeof type === "string") {
    const shown = value === undefined ? null : showScalar(value as Scalar, type);
    return { name, value: shown, elementsHidden: 0 };
  }
  if (value === undefined) {
    return { name, value: null, elementsHidden: 0 };
  }
  const elements = value as readonly Scalar[];
  return {
    name,
    value: elements.slice(0, elementsMax).map((element) => showScalar(element, type.list)),
    elementsHidden: Math.max(0, elements.length - elementsMax),
  };
}

function showScalar(value: Scalar, type: ExprType): Scalar {
  if (type === "timestamp" || type === "duration") {
    return formatScalar(value, type);
  }
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
