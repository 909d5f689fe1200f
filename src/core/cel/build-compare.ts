import { compareCodePoints } from "./code-points.ts";
import type { BuildPart, Evaluator } from "./evaluator.ts";
import type { CompareOp, Expr, ExprType, Predicate, Scalar, Value } from "./expr.ts";

/** Up to this many constants a scan beats a hash lookup. */
const scanMax = 4;

/**
 * Whether two known scalars of one type stand in a relation, as CEL has it: NaN is unequal to all and in no order, -0 equals 0, false
 * comes before true, strings order by code point.
 */
export function compareScalars(how: CompareOp, left: Scalar, right: Scalar): boolean {
  switch (how) {
    case "eq":
      return left === right;
    case "ne":
      return left !== right;
  }
  if (typeof left === "string" && typeof right === "string") {
    return compareScalars(how, compareCodePoints(left, right), 0);
  }
  switch (how) {
    case "lt":
      return left < right;
    case "le":
      return left <= right;
    case "gt":
      return left > right;
    case "ge":
      return left >= right;
  }
}

/** Compiles a comparison: the common shapes (slot against constant) without a call for either side. */
export function buildCompare(expr: Extract<Expr, { op: "compare" }>, build: BuildPart): Predicate {
  const { how, left, right } = expr;
  if (isListType(left.type)) {
    return buildListEquality(how, build(left), build(right));
  }
  if (left.op === "slot" && right.op === "const") {
    return compareSlot(how, left.slot, right.value);
  }
  if (right.op === "const") {
    return compareWithConst(how, build(left), right.value);
  }
  const first = build(left);
  const second = build(right);
  return (frame) => {
    const a = first(frame);
    if (a === undefined) {
      return undefined;
    }
    const b = second(frame);
    return b === undefined ? undefined : compareScalars(how, a as Scalar, b as Scalar);
  };
}

function isListType(type: ExprType): boolean {
  return typeof type !== "string";
}

function compareSlot(how: CompareOp, slot: number, constant: Scalar): Predicate {
  switch (how) {
    case "eq":
      return (frame) => {
        const value = frame.values[slot];
        return value === undefined ? undefined : value === constant;
      };
    case "ne":
      return (frame) => {
        const value = frame.values[slot];
        return value === undefined ? undefined : value !== constant;
      };
  }
  if (typeof constant !== "number") {
    return compareWithConst(how, (frame) => frame.values[slot], constant);
  }
  switch (how) {
    case "lt":
      return (frame) => {
        const value = frame.values[slot] as number | undefined;
        return value === undefined ? undefined : value < constant;
      };
    case "le":
      return (frame) => {
        const value = frame.values[slot] as number | undefined;
        return value === undefined ? undefined : value <= constant;
      };
    case "gt":
      return (frame) => {
        const value = frame.values[slot] as number | undefined;
        return value === undefined ? undefined : value > constant;
      };
    case "ge":
      return (frame) => {
        const value = frame.values[slot] as number | undefined;
        return value === undefined ? undefined : value >= constant;
      };
  }
}

function compareWithConst(how: CompareOp, read: Evaluator, constant: Scalar): Predicate {
  return (frame) => {
    const value = read(frame);
    return value === undefined ? undefined : compareScalars(how, value as Scalar, constant);
  };
}

/** Lists are equal where they have equal elements in one order; they have no other relation. */
function buildListEquality(how: CompareOp, left: Evaluator, right: Evaluator): Predicate {
  if (how !== "eq" && how !== "ne") {
    throw new Error(`lists have no order: ${how}`);
  }
  return (frame) => {
    const a = left(frame) as readonly Scalar[] | undefined;
    if (a === undefined) {
      return undefined;
    }
    const b = right(frame) as readonly Scalar[] | undefined;
    return b === undefined ? undefined : areListsEqual(a, b) === (how === "eq");
  };
}

function areListsEqual(left: readonly Scalar[], right: readonly Scalar[]): boolean {
  return left.length === right.length && left.every((element, index) => element === right[index]);
}

/** Compiles `left in right`: equality with any element, unknown where either side is. */
export function buildIn(expr: Extract<Expr, { op: "in" }>, build: BuildPart): Predicate {
  const { left, right } = expr;
  if (right.op !== "listConst") {
    return buildInValue(build(left), build(right));
  }
  if (right.values.length <= scanMax) {
    return buildInScan(left, right.values, build);
  }
  // A set finds NaN, CEL's equality never does.
  const members = new Set<Value>(right.values.filter((value) => !Number.isNaN(value)));
  if (left.op === "slot") {
    const { slot } = left;
    return (frame) => {
      const value = frame.values[slot];
      return value === undefined ? undefined : members.has(value);
    };
  }
  const read = build(left);
  return (frame) => {
    const value = read(frame);
    return value === undefined ? undefined : members.has(value);
  };
}

function buildInScan(left: Expr, constants: readonly Scalar[], build: BuildPart): Predicate {
  const read = build(left);
  const [a, b] = constants;
  if (constants.length === 2) {
    return (frame) => {
      const value = read(frame);
      return value === undefined ? undefined : value === a || value === b;
    };
  }
  return (frame) => {
    const value = read(frame);
    if (value === undefined) {
      return undefined;
    }
    for (const constant of constants) {
      if (value === constant) {
        return true;
      }
    }
    return false;
  };
}

function buildInValue(read: Evaluator, readList: Evaluator): Predicate {
  return (frame) => {
    const value = read(frame);
    if (value === undefined) {
      return undefined;
    }
    const list = readList(frame) as readonly Scalar[] | undefined;
    return list?.some((element) => element === value);
  };
}

/** Compiles `in_list(left, "id")`. The list at this ordinal must be in every frame. */
export function buildInList(expr: Extract<Expr, { op: "inList" }>, build: BuildPart): Predicate {
  const { list } = expr;
  if (expr.left.op === "slot") {
    const { slot } = expr.left;
    return (frame) => {
      const value = frame.values[slot] as string | undefined;
      return value === undefined ? undefined : frame.lists[list]!.has(value);
    };
  }
  const read = build(expr.left);
  return (frame) => {
    const value = read(frame) as string | undefined;
    return value === undefined ? undefined : frame.lists[list]!.has(value);
  };
}
