/**
 * What is known of one *term* (a slot, or another expression whose value conditions compare) when several literals about it hold at once.
 */
import type { Scalar, ScalarType } from "./expr.ts";

/** Integer terms with at most this many values are looked through one by one. */
const enumerableMax = 64;

/** All numbers from `low` to `high`; an open end is outside. */
export type Range = {
  readonly low: number;
  readonly isLowOpen: boolean;
  readonly high: number;
  readonly isHighOpen: boolean;
};

export const everyNumber: Range = {
  low: Number.NEGATIVE_INFINITY,
  isLowOpen: false,
  high: Number.POSITIVE_INFINITY,
  isHighOpen: false,
};

export type Term = {
  /** Equal keys, equal values in every frame. */
  readonly key: string;
  readonly type: ScalarType;
  /** All values that it can take, where few. */
  readonly values?: readonly Scalar[];
  /** The numbers that it can take; NaN aside. */
  readonly range: Range;
};

/** What one literal says of a term: it holds exactly where the term is known and its value is accepted. */
export type Constraint = {
  readonly term: Term;
  readonly accepts: (value: Scalar) => boolean;
  /** Nothing else is accepted. */
  readonly only?: readonly Scalar[];
  /** Everything else is accepted. */
  readonly excluded?: readonly Scalar[];
  /** Of the numbers, exactly these are accepted; NaN aside. */
  readonly range?: Range;
};

/** A term under some constraints. */
export type Entry = {
  readonly term: Term;
  readonly constraints: readonly Constraint[];
  /** All values that are left, where they could be listed. */
  readonly candidates: readonly Scalar[] | undefined;
  /** The numbers that are left, where `candidates` is undefined; a superset. */
  readonly range: Range;
  readonly mayBeNaN: boolean;
};

/** Puts constraints on one term together. */
export function makeEntry(term: Term, constraints: readonly Constraint[]): Entry {
  const range = constraints.reduce(
    (sum, constraint) => (constraint.range === undefined ? sum : intersect(sum, constraint.range)),
    term.range,
  );
  const tight = isIntegral(term.type) ? closeOverIntegers(range) : range;
  const candidates = listCandidates(term, constraints, tight)?.filter(
    (value) => fits(value, term, tight) && constraints.every((constraint) => constraint.accepts(value)),
  );
  const mayBeNaN =
    term.type === "double" && constraints.every((constraint) => constraint.accepts(Number.NaN));
  return { term, constraints, candidates, range: tight, mayBeNaN };
}

/** Whether some value of the term meets all constraints. True where that is not known. */
export function isPossible(entry: Entry): boolean {
  if (entry.candidates !== undefined) {
    return entry.candidates.length > 0;
  }
  if (!isNumeric(entry.term.type) || entry.mayBeNaN) {
    return true;
  }
  const { low, high, isLowOpen, isHighOpen } = entry.range;
  if (low === high) {
    return !isLowOpen && !isHighOpen && entry.constraints.every((constraint) => constraint.accepts(low));
  }
  return low < high;
}

/** Whether the constraint holds for every value that the entry leaves. False where that is not known. */
export function isEntailed(constraint: Constraint, entry: Entry): boolean {
  if (entry.candidates !== undefined) {
    return entry.candidates.every((value) => constraint.accepts(value));
  }
  if (constraint.excluded !== undefined) {
    return constraint.excluded.every((value) => !admits(entry, value));
  }
  if (constraint.range === undefined || (entry.mayBeNaN && !constraint.accepts(Number.NaN))) {
    return false;
  }
  const wide = isIntegral(entry.term.type) ? closeOverIntegers(constraint.range) : constraint.range;
  return isWithin(entry.range, wide);
}

function admits(entry: Entry, value: Scalar): boolean {
  return (
    fits(value, entry.term, entry.range) && entry.constraints.every((constraint) => constraint.accepts(value))
  );
}

/** Values among which all that meet the constraints are found; undefined where there is no such list. */
function listCandidates(
  term: Term,
  constraints: readonly Constraint[],
  range: Range,
): readonly Scalar[] | undefined {
  if (term.values !== undefined) {
    return term.values;
  }
  if (term.type === "bool") {
    return [false, true];
  }
  const listed = constraints.find((constraint) => constraint.only !== undefined)?.only;
  if (listed !== undefined) {
    return listed;
  }
  const count = range.high - range.low + 1;
  if (isIntegral(term.type) && count <= enumerableMax) {
    return Array.from({ length: Math.max(0, count) }, (_, index) => range.low + index);
  }
  return undefined;
}

/** Whether the term can have this value at all. */
function fits(value: Scalar, term: Term, range: Range): boolean {
  if (typeof value !== "number" || !isNumeric(term.type)) {
    return true;
  }
  if (isIntegral(term.type) && !Number.isInteger(value)) {
    return false;
  }
  // NaN is in no range; where it is accepted nevertheless, the entry says so apart.
  return !(value < range.low || value > range.high);
}

function isNumeric(type: ScalarType): boolean {
  return type === "double" || isIntegral(type);
}

function isIntegral(type: ScalarType): boolean {
  return type === "int" || type === "timestamp" || type === "duration";
}

function intersect(left: Range, right: Range): Range {
  const isRightLow = right.low > left.low || (right.low === left.low && right.isLowOpen);
  const isRightHigh = right.high < left.high || (right.high === left.high && right.isHighOpen);
  return {
    low: isRightLow ? right.low : left.low,
    isLowOpen: isRightLow ? right.isLowOpen : left.isLowOpen,
    high: isRightHigh ? right.high : left.high,
    isHighOpen: isRightHigh ? right.isHighOpen : left.isHighOpen,
  };
}

function closeOverIntegers(range: Range): Range {
  return {
    low: range.isLowOpen ? Math.floor(range.low) + 1 : Math.ceil(range.low),
    isLowOpen: false,
    high: range.isHighOpen ? Math.ceil(range.high) - 1 : Math.floor(range.high),
    isHighOpen: false,
  };
}

function isWithin(inner: Range, outer: Range): boolean {
  return (
    (inner.low > outer.low || (inner.low === outer.low && (inner.isLowOpen || !outer.isLowOpen))) &&
    (inner.high < outer.high || (inner.high === outer.high && (inner.isHighOpen || !outer.isHighOpen)))
  );
}
