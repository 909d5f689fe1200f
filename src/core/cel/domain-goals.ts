/**
 * A condition as a goal: what must hold for it to be true (or false), with negation pushed down to literals. Exact under Kleene logic: an
 * `and` is false where some part is false, and a literal that is unknown neither holds nor fails to.
 */
import { compareScalars } from "./build-compare.ts";
import { type Constraint, everyNumber, type Range, type Term } from "./domain-terms.ts";
import type { CompareOp, Expr, Frame, MembershipList, Predicate, Scalar, ScalarType } from "./expr.ts";
import { type Interner, listChildren } from "./intern.ts";
import { buildInternedPredicate, type PredicateCache } from "./predicate.ts";

/** What values a slot can take. */
export type SlotDomain = {
  readonly values?: readonly string[];
  /** Least and greatest, inclusive, of an int. */
  readonly min?: number;
  readonly max?: number;
};

/** A list as far as it is known: `values` are all its members where membership is equality, and `[]` for any empty list. */
export type ListDomain = MembershipList & { readonly values?: readonly string[] };

export type DomainContext = {
  readonly interner: Interner;
  readonly cache: PredicateCache;
  readonly domainOf: (slot: number) => SlotDomain | undefined;
  readonly listDomains: (list: number) => ListDomain | undefined;
};

/** A leaf that must be true (`holds`) or false. */
export type Literal = {
  readonly kind: "literal";
  readonly expr: Expr;
  readonly holds: boolean;
  /** Identifies the leaf; the same id with another `holds` cannot hold at once. */
  readonly id: number;
  /** Slots that must have a value for the leaf to be known. */
  readonly present: readonly number[];
  /** The slot that must have no value. */
  readonly absent?: number;
  /** Each says all that the literal says, of another term. */
  readonly constraints: readonly Constraint[];
};

export type Goal =
  | Literal
  | { readonly kind: "every" | "some"; readonly goals: readonly Goal[] }
  /** Holds in every frame, or in none. */
  | { readonly kind: "settled"; readonly holds: boolean; readonly expr: Expr };

/** Members of a list that are looked through one by one; a longer list only answers questions. */
const listedMax = 4096;

/** Ints are exact to 2^53 and never beyond. */
const everyInt: Range = { low: -(2 ** 53), isLowOpen: false, high: 2 ** 53, isHighOpen: false };

/** What must hold for an interned condition to be true (`holds`) or false. */
export function makeGoal(expr: Expr, holds: boolean, context: DomainContext): Goal {
  switch (expr.op) {
    case "not":
      return makeGoal(expr.arg, !holds, context);
    case "and":
    case "or":
      return {
        kind: (expr.op === "and") === holds ? "every" : "some",
        goals: expr.args.map((arg) => makeGoal(arg, holds, context)),
      };
    case "cond":
      return {
        kind: "some",
        goals: [
          makeBranch(expr.test, true, makeGoal(expr.then, holds, context), context),
          makeBranch(expr.test, false, makeGoal(expr.else, holds, context), context),
        ],
      };
    case "compare":
      return makeTruthComparison(expr, holds, context) ?? makeLeaf(expr, holds, context);
    case "within":
      return holds ? makeLeaf(expr, holds, context) : makeNotWithin(expr, context);
    default:
      return makeLeaf(expr, holds, context);
  }
}

function makeBranch(test: Expr, holds: boolean, goal: Goal, context: DomainContext): Goal {
  return { kind: "every", goals: [makeGoal(test, holds, context), goal] };
}

/** `(a && b) == true` is `a && b`: a truth against a constant. */
function makeTruthComparison(
  expr: Extract<Expr, { op: "compare" }>,
  holds: boolean,
  context: DomainContext,
): Goal | undefined {
  const { left, right, how } = expr;
  const [truth, constant] = right.op === "const" ? [left, right] : [right, left];
  const isEquality = how === "eq" || how === "ne";
  if (!isEquality || truth.type !== "bool" || constant.op !== "const") {
    return undefined;
  }
  return makeGoal(truth, (constant.value === true) === ((how === "eq") === holds), context);
}

/** Not within the last d is before it, or in the future. */
function makeNotWithin(expr: Extract<Expr, { op: "within" }>, context: DomainContext): Goal {
  const leaf = makeLiteral(expr, false, context);
  if (expr.duration.op !== "const") {
    return leaf;
  }
  const durationMs = expr.duration.value as number;
  const term = elapsedTerm(expr.at, context);
  const future = rangeConstraint(term, { ...everyNumber, high: 0, isHighOpen: true });
  const past = rangeConstraint(term, { ...everyNumber, low: durationMs });
  return {
    kind: "some",
    goals: [
      { ...leaf, constraints: [future] },
      { ...leaf, constraints: [past] },
    ],
  };
}

function makeLeaf(expr: Expr, holds: boolean, context: DomainContext): Goal {
  if (isClosed(expr)) {
    const truth = buildInternedPredicate(expr, context.cache)(makeFrame([], []));
    return { kind: "settled", holds: truth === holds, expr };
  }
  return makeLiteral(expr, holds, context);
}

function makeLiteral(expr: Expr, holds: boolean, context: DomainContext): Literal {
  const ofTerms = listTermConstraints(expr, holds, context);
  const ofSlot = listSlotConstraints(expr, holds, context).filter(
    ({ term }) => !ofTerms.some((known) => known.term.key === term.key),
  );
  const constraints = [...ofTerms, ...ofSlot];
  const literal = { kind: "literal", expr, holds, id: context.interner.idOf(expr), constraints } as const;
  if (expr.op === "has") {
    return holds ? { ...literal, present: [expr.slot] } : { ...literal, present: [], absent: expr.slot };
  }
  return { ...literal, present: listRequired(expr) };
}

/** Whether nothing outside the expression can change its value. */
function isClosed(expr: Expr): boolean {
  switch (expr.op) {
    case "slot":
    case "has":
    case "local":
    case "segment":
    case "inList":
    case "within":
    case "silent":
      return false;
    default:
      return listChildren(expr).every(isClosed);
  }
}

/** Slots without whose value the expression has none. */
function listRequired(expr: Expr): readonly number[] {
  switch (expr.op) {
    case "slot":
      return [expr.slot];
    case "and":
    case "or":
      return [];
    case "cond":
      return listRequired(expr.test);
    case "exists":
    case "all":
      return listRequired(expr.list);
    default:
      return listChildren(expr).flatMap(listRequired);
  }
}

/** What a literal says of the terms that it compares. */
function listTermConstraints(expr: Expr, holds: boolean, context: DomainContext): readonly Constraint[] {
  switch (expr.op) {
    case "compare":
      return constrainComparison(expr, holds, context);
    case "in": {
      const term = expr.right.op === "listConst" ? termOf(expr.left, context) : undefined;
      return term === undefined || expr.right.op !== "listConst"
        ? []
        : [membershipConstraint(term, expr.right.values, holds)];
    }
    case "inList": {
      const list = context.listDomains(expr.list);
      const term = termOf(expr.left, context);
      return term === undefined || list?.values === undefined
        ? []
        : [membershipConstraint(term, list.values, holds, (value) => list.has(String(value)))];
    }
    case "within":
    case "silent":
      return constrainElapsed(expr, holds, context);
    default:
      return [];
  }
}

function constrainComparison(
  expr: Extract<Expr, { op: "compare" }>,
  holds: boolean,
  context: DomainContext,
): readonly Constraint[] {
  const { left, right, how } = expr;
  if (right.op === "const") {
    return constrainToConst(left, how, right.value, holds, context);
  }
  if (left.op === "const") {
    return constrainToConst(right, flip(how), left.value, holds, context);
  }
  const term = orderTerm(left, right, context);
  const towards = context.interner.idOf(left) <= context.interner.idOf(right) ? how : flip(how);
  return term === undefined
    ? []
    : [{ term, accepts: (value) => compareScalars(towards, value, 0) === holds }];
}

function constrainToConst(
  expr: Expr,
  how: CompareOp,
  constant: Scalar,
  holds: boolean,
  context: DomainContext,
): readonly Constraint[] {
  const term = termOf(expr, context);
  if (term === undefined) {
    return [];
  }
  const accepts = (value: Scalar): boolean => compareScalars(how, value, constant) === holds;
  if (how === "eq" || how === "ne") {
    return [membershipConstraint(term, [constant], (how === "eq") === holds)];
  }
  if (typeof constant !== "number" || Number.isNaN(constant)) {
    return [{ term, accepts }];
  }
  return [{ term, accepts, range: rangeOf(how, constant, holds) }];
}

function membershipConstraint(
  term: Term,
  values: readonly Scalar[],
  holds: boolean,
  has: (value: Scalar) => boolean = makeMembership(values),
): Constraint {
  const accepts = (value: Scalar): boolean => has(value) === holds;
  if (values.length > listedMax) {
    return { term, accepts };
  }
  return holds ? { term, accepts, only: values } : { term, accepts, excluded: values };
}

function makeMembership(values: readonly Scalar[]): (value: Scalar) => boolean {
  const members = new Set(values);
  // A set finds NaN, CEL's equality never does.
  return (value) => !Number.isNaN(value) && members.has(value);
}

function rangeOf(how: "lt" | "le" | "gt" | "ge", bound: number, holds: boolean): Range {
  const isBelow = (how === "lt" || how === "le") === holds;
  const isOpen = (how === "lt" || how === "gt") === holds;
  return isBelow
    ? { ...everyNumber, high: bound, isHighOpen: isOpen }
    : { ...everyNumber, low: bound, isLowOpen: isOpen };
}

function rangeConstraint(term: Term, range: Range): Constraint {
  const accepts = (value: Scalar): boolean =>
    typeof value === "number" &&
    (range.isLowOpen ? value > range.low : value >= range.low) &&
    (range.isHighOpen ? value < range.high : value <= range.high);
  return { term, accepts, range };
}

/** `within` and `silent` bound the time since an instant. */
function constrainElapsed(
  expr: Extract<Expr, { op: "within" | "silent" }>,
  holds: boolean,
  context: DomainContext,
): readonly Constraint[] {
  if (expr.duration.op !== "const" || (expr.op === "within" && !holds)) {
    return [];
  }
  const durationMs = expr.duration.value as number;
  const term = elapsedTerm(expr.at, context);
  const range =
    expr.op === "within"
      ? { ...everyNumber, low: 0, high: durationMs, isHighOpen: true }
      : rangeOf("ge", durationMs, holds);
  return [rangeConstraint(term, range)];
}

function elapsedTerm(at: Expr, { interner }: DomainContext): Term {
  return { key: `elapsed ${interner.idOf(at)}`, type: "duration", range: everyNumber };
}

/** The order of two terms: below 0, 0 or above where the one with the lesser id is less, equal or greater; NaN where unordered. */
function orderTerm(left: Expr, right: Expr, { interner }: DomainContext): Term | undefined {
  if (typeof left.type !== "string" || typeof right.type !== "string") {
    return undefined;
  }
  const ids = [interner.idOf(left), interner.idOf(right)].sort((a, b) => a - b);
  const unordered = left.type === "double" || right.type === "double" ? [Number.NaN] : [];
  const values = ids[0] === ids[1] ? [0, ...unordered] : [-1, 0, 1, ...unordered];
  return { key: `order ${ids.join(" ")}`, type: "double", values, range: everyNumber };
}

function termOf(expr: Expr, context: DomainContext): Term | undefined {
  const { type } = expr;
  if (typeof type !== "string") {
    return undefined;
  }
  switch (expr.op) {
    case "slot":
      return slotTerm(expr.slot, type, context);
    case "size":
      return makeTerm(expr, type, { ...everyInt, low: 0 }, context);
    case "localHour":
      return makeTerm(expr, type, { ...everyInt, low: 0, high: 23 }, context);
    case "localWeekday":
      return makeTerm(expr, type, { ...everyInt, low: 1, high: 7 }, context);
    default:
      return makeTerm(expr, type, type === "int" ? everyInt : everyNumber, context);
  }
}

function makeTerm(expr: Expr, type: ScalarType, range: Range, { interner }: DomainContext): Term {
  return { key: `expr ${interner.idOf(expr)}`, type, range };
}

function slotTerm(slot: number, type: ScalarType, { domainOf }: DomainContext): Term {
  const key = `slot ${slot}`;
  const domain = domainOf(slot);
  if (type === "string" && domain?.values !== undefined) {
    return { key, type, values: domain.values, range: everyNumber };
  }
  if (type !== "int") {
    return { key, type, range: everyNumber };
  }
  const range = { ...everyInt, low: domain?.min ?? everyInt.low, high: domain?.max ?? everyInt.high };
  return { key, type, range };
}

/**
 * What a literal that depends on one slot only says of that slot, whatever its shape: tried on a value, it holds or not. Only of use where
 * the values of the slot can be listed.
 */
function listSlotConstraints(expr: Expr, holds: boolean, context: DomainContext): readonly Constraint[] {
  const slot = findOnlySlot(expr, context);
  if (slot === undefined || typeof slot.type !== "string") {
    return [];
  }
  let test: Predicate | undefined;
  const lists = listLists(expr).reduce<MembershipList[]>((known, list) => {
    known[list] = context.listDomains(list)!;
    return known;
  }, []);
  const accepts = (value: Scalar): boolean => {
    test ??= buildInternedPredicate(expr, context.cache);
    const values: Scalar[] = [];
    values[slot.slot] = value;
    return test(makeFrame(values, lists)) === holds;
  };
  return [{ term: slotTerm(slot.slot, slot.type, context), accepts }];
}

/** The one slot that decides a leaf, all else of which is fixed; undefined where there is more to it. */
function findOnlySlot(expr: Expr, context: DomainContext): Extract<Expr, { op: "slot" }> | undefined {
  const parts = listParts(expr);
  const slots = parts.filter((part) => part.op === "slot");
  const [first] = slots;
  const isFixed = parts.every((part) => {
    switch (part.op) {
      case "local":
      case "segment":
      case "within":
      case "silent":
        return false;
      case "slot":
      case "has":
        return part.slot === first?.slot;
      case "inList":
        return context.listDomains(part.list) !== undefined;
      default:
        return true;
    }
  });
  return first !== undefined && isFixed && listRequired(expr).includes(first.slot) ? first : undefined;
}

function listLists(expr: Expr): readonly number[] {
  return listParts(expr).flatMap((part) => (part.op === "inList" ? [part.list] : []));
}

function listParts(expr: Expr): readonly Expr[] {
  return [expr, ...listChildren(expr).flatMap(listParts)];
}

function flip(how: CompareOp): CompareOp {
  const flipped = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;
  return flipped[how];
}

function makeFrame(values: Scalar[], lists: readonly MembershipList[]): Frame {
  return { values, segments: new Uint8Array(), lists, locals: [], nowMs: 0, evalErrors: 0 };
}
