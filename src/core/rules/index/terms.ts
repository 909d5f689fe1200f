import type { CompareOp, Expr, Scalar } from "../../cel/expr.ts";
import { complementSet, intersectSets, makeHalfLine, makePoints, type ValueSet } from "./value-set.ts";

/** What a condition asks of one scalar slot: true for the values in `set`; `unknown` is its truth where the slot is unknown. */
export type Constraint = { readonly set: ValueSet; readonly unknown: boolean | undefined };

/** A test of a segment, or of one slot against one list, that must come out as `wanted`. */
export type Check =
  | { readonly kind: "segment"; readonly segment: number; readonly wanted: boolean }
  | { readonly kind: "list"; readonly slot: number; readonly list: number; readonly wanted: boolean };

/** `value in slot`, the slot being a list. */
export type Member = { readonly slot: number; readonly value: Scalar };

/** A condition taken apart: the conjunction of all its terms, and of something more where it is not `complete`. */
export type Terms = {
  readonly constraints: ReadonlyMap<number, Constraint>;
  readonly checks: readonly Check[];
  readonly members: readonly Member[];
  readonly complete: boolean;
  /** Some conjunct is the constant false, so nothing ever matches. */
  readonly never: boolean;
};

/** Takes a condition apart. Never fails: what the index cannot use only makes the result incomplete. */
export function readTerms(expr: Expr): Terms {
  const draft: TermsDraft = {
    constraints: new Map(),
    checks: [],
    members: [],
    complete: true,
    never: false,
  };
  addConjuncts(draft, expr, false);
  return draft;
}

/** A condition becomes at most this many entries of the index. */
const ALTERNATIVES_MAX = 8;

/**
 * Writes a condition as alternatives of which at least one holds where it holds: `a && (b || c)` as `a && b` and `a && c`. A disjunction is
 * split only where every side has something to index; one over a single slot needs no splitting. By Kleene's logic the condition is the
 * disjunction of its alternatives, so it is found where one of them is, and whether it then holds may be asked of either.
 */
export function splitAlternatives(expr: Expr): readonly Expr[] {
  let alternatives: (readonly Expr[])[] = [[]];
  for (const part of expr.op === "and" ? expr.args : [expr]) {
    const found =
      part.op === "or" && readConstraint(part) === undefined ? part.args.flatMap(splitAlternatives) : [];
    const isUseful = found.length > 0 && found.every((choice) => hasTerms(readTerms(choice)));
    const choices = isUseful && alternatives.length * found.length <= ALTERNATIVES_MAX ? found : [part];
    alternatives = alternatives.flatMap((args) => choices.map((choice) => [...args, choice]));
  }
  return alternatives.length === 1 ? [expr] : alternatives.map((args) => ({ op: "and", type: "bool", args }));
}

function hasTerms({ constraints, checks, members }: Terms): boolean {
  return constraints.size + checks.length + members.length > 0;
}

type TermsDraft = {
  constraints: Map<number, Constraint>;
  checks: Check[];
  members: Member[];
  complete: boolean;
  never: boolean;
};

function addConjuncts(draft: TermsDraft, expr: Expr, negated: boolean): void {
  switch (expr.op) {
    case "not":
      addConjuncts(draft, expr.arg, !negated);
      return;
    case "const":
      draft.never ||= (expr.value === true) === negated;
      return;
    case "segment":
      addCheck(draft, { kind: "segment", segment: expr.segment, wanted: !negated });
      return;
    case "inList":
      if (expr.left.op === "slot") {
        addCheck(draft, { kind: "list", slot: expr.left.slot, list: expr.list, wanted: !negated });
      } else {
        draft.complete = false;
      }
      return;
    case "and":
    case "or":
      if ((expr.op === "and") !== negated) {
        for (const arg of expr.args) {
          addConjuncts(draft, arg, negated);
        }
        return;
      }
      break;
    case "in":
      if (!negated && expr.left.op === "const" && expr.right.op === "slot") {
        draft.members.push({ slot: expr.right.slot, value: expr.left.value });
        return;
      }
      break;
  }
  addConstraint(draft, expr, negated);
}

function addCheck(draft: TermsDraft, check: Check): void {
  if (!draft.checks.some((known) => isSameCheck(known, check))) {
    draft.checks.push(check);
  }
}

function isSameCheck(a: Check, b: Check): boolean {
  if (a.wanted !== b.wanted) {
    return false;
  }
  return a.kind === "segment"
    ? b.kind === "segment" && a.segment === b.segment
    : b.kind === "list" && a.slot === b.slot && a.list === b.list;
}

function addConstraint(draft: TermsDraft, expr: Expr, negated: boolean): void {
  const found = readConstraint(expr);
  if (found === undefined) {
    draft.complete = false;
    return;
  }
  const own = negated ? negate(found) : found;
  const before = draft.constraints.get(found.slot);
  const both = before === undefined ? own : conjoin(before, own);
  if (both === undefined) {
    draft.complete = false;
    return;
  }
  draft.constraints.set(found.slot, { set: both.set, unknown: both.unknown });
}

type SlotConstraint = Constraint & { readonly slot: number };

/** The constraint that an expression over exactly one scalar slot amounts to; undefined where it is none. */
function readConstraint(expr: Expr): SlotConstraint | undefined {
  switch (expr.op) {
    case "slot":
      return expr.type === "bool" ? onSlot(expr.slot, makePoints([true])) : undefined;
    case "has":
      return { slot: expr.slot, set: { kind: "flat", all: true }, unknown: false };
    case "not": {
      const arg = readConstraint(expr.arg);
      return arg && { slot: arg.slot, ...negate(arg) };
    }
    case "and":
    case "or":
      return readJunction(expr.op, expr.args);
    case "in":
      return expr.left.op === "slot" && expr.right.op === "listConst"
        ? onSlot(expr.left.slot, makePoints(expr.right.values))
        : undefined;
    case "compare":
      return readComparison(expr.how, expr.left, expr.right);
    default:
      return undefined;
  }
}

function readComparison(how: CompareOp, left: Expr, right: Expr): SlotConstraint | undefined {
  if (left.op === "const" && right.op === "slot") {
    return readComparison(FLIPPED[how], right, left);
  }
  if (left.op !== "slot" || right.op !== "const") {
    return undefined;
  }
  if (how === "eq" || how === "ne") {
    const points = makePoints([right.value]);
    return onSlot(left.slot, points && how === "ne" ? complementSet(points) : points);
  }
  // Strings order by code point and bools order too; neither is common enough to index.
  return typeof right.value === "number" ? onSlot(left.slot, makeHalfLine(how, right.value)) : undefined;
}

const FLIPPED: Readonly<Record<CompareOp, CompareOp>> = {
  eq: "eq",
  ne: "ne",
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
};

function readJunction(op: "and" | "or", args: readonly Expr[]): SlotConstraint | undefined {
  let total: SlotConstraint | undefined;
  for (const arg of args) {
    const own = readConstraint(arg);
    if (own === undefined || (total !== undefined && own.slot !== total.slot)) {
      return undefined;
    }
    // De Morgan holds in Kleene's logic too.
    const next = op === "and" ? own : { slot: own.slot, ...negate(own) };
    const both = total === undefined ? next : conjoin(total, next);
    if (both === undefined) {
      return undefined;
    }
    total = { slot: own.slot, set: both.set, unknown: both.unknown };
  }
  return total && (op === "and" ? total : { slot: total.slot, ...negate(total) });
}

function onSlot(slot: number, set: ValueSet | undefined): SlotConstraint | undefined {
  return set && { slot, set, unknown: undefined };
}

function negate(constraint: Constraint): Constraint {
  const { set, unknown } = constraint;
  return { set: complementSet(set), unknown: unknown === undefined ? undefined : !unknown };
}

function conjoin(a: Constraint, b: Constraint): Constraint | undefined {
  const set = intersectSets(a.set, b.set);
  return set && { set, unknown: conjoinTruth(a.unknown, b.unknown) };
}

function conjoinTruth(a: boolean | undefined, b: boolean | undefined): boolean | undefined {
  if (a === false || b === false) {
    return false;
  }
  return a === true && b === true ? true : undefined;
}
