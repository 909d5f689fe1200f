/**
 * Proofs about conditions without running them: that one can never be true, or that one is true wherever another is. Sound under
 * three-valued logic and incomplete: a claim is always so, silence says nothing (`SEMANTICS.md` 2.5).
 */
import {
  type DomainContext,
  type Goal,
  type ListDomain,
  type Literal,
  makeGoal,
  type SlotDomain,
} from "./domain-goals.ts";
import { type Constraint, type Entry, isEntailed, isPossible, makeEntry } from "./domain-terms.ts";
import type { Expr } from "./expr.ts";
import { type ConditionNames, formatExpr } from "./format.ts";
import { createInterner } from "./intern.ts";
import { createPredicateCache } from "./predicate.ts";

/** Alternatives tried in one proof, and literals in one alternative; beyond them nothing is proven. */
const alternativesMax = 256;
const literalsMax = 256;

const plainNames: ConditionNames = {
  slot: (slot) => `slot${slot}`,
  segment: (segment) => `segment${segment}`,
  list: (list) => `list${list}`,
};

/**
 * Why a condition can never be true, or undefined where that is not proven.
 *
 * Looks at types, the closed sets and bounds of slots, the members of lists, intervals, and contradictory `has`, segments and other leaves.
 * `names` are for the text. A slot's domain must hold of every value that the slot ever has.
 */
export function findEmptiness(
  expr: Expr,
  domainOf: (slot: number) => SlotDomain | undefined,
  listDomains: (list: number) => ListDomain | undefined = () => undefined,
  names: ConditionNames = plainNames,
): string | undefined {
  const context = createContext(domainOf, listDomains);
  const goal = makeGoal(context.interner.intern(expr), true, context);
  const budget = { alternatives: alternativesMax };
  return refute({ goals: [goal], literals: [] }, { context, names, budget });
}

/**
 * Whether `later` being true means that `earlier` is true, in every frame. False where that is not proven.
 */
export function impliesCondition(earlier: Expr, later: Expr): boolean {
  const context = createContext(
    () => undefined,
    () => undefined,
  );
  const wanted = makeGoal(context.interner.intern(earlier), true, context);
  const given = makeGoal(context.interner.intern(later), true, context);
  return holdsInAll(wanted, { goals: [given], literals: [] }, { alternatives: alternativesMax });
}

function createContext(
  domainOf: (slot: number) => SlotDomain | undefined,
  listDomains: (list: number) => ListDomain | undefined,
): DomainContext {
  return { interner: createInterner(), cache: createPredicateCache(), domainOf, listDomains };
}

/** One alternative under way: goals still to take apart, literals that hold in it. */
type Alternative = { readonly goals: readonly Goal[]; readonly literals: readonly Literal[] };

type Budget = { alternatives: number };

type Refuting = {
  readonly context: DomainContext;
  readonly names: ConditionNames;
  readonly budget: Budget;
};

/** Why no frame meets the alternative; undefined where one may, or the budget is spent. */
function refute(alternative: Alternative, refuting: Refuting): string | undefined {
  const { literals, choices, never } = unfold(alternative);
  if (never !== undefined) {
    return `${formatExpr(never, refuting.names)} can never hold`;
  }
  const conflict = findConflict(literals);
  if (conflict !== undefined) {
    return describeConflict(conflict, refuting.names);
  }
  const [choice, ...rest] = choices;
  if (choice === undefined) {
    return literals.map((literal) => refuteBody(literal, refuting)).find((reason) => reason !== undefined);
  }
  if (literals.length > literalsMax) {
    return undefined;
  }
  let reason: string | undefined;
  for (const goal of choice) {
    refuting.budget.alternatives--;
    const found =
      refuting.budget.alternatives < 0
        ? undefined
        : refute({ goals: [goal, ...rest.map(makeSome)], literals }, refuting);
    if (found === undefined) {
      return undefined;
    }
    reason ??= found;
  }
  return reason ?? "an empty choice can never hold";
}

/** An `exists` whose body can never be true, or an `all` whose body can never be false, settles it for every list. */
function refuteBody(literal: Literal, refuting: Refuting): string | undefined {
  const { expr, holds } = literal;
  const needsElement = (expr.op === "exists" && holds) || (expr.op === "all" && !holds);
  if (!needsElement || (expr.op !== "exists" && expr.op !== "all")) {
    return undefined;
  }
  const goal = makeGoal(expr.body, holds, refuting.context);
  return refute({ goals: [goal], literals: [] }, refuting);
}

/** Whether the wanted goal is met in every frame that meets the alternative. */
function holdsInAll(wanted: Goal, alternative: Alternative, budget: Budget): boolean {
  const { literals, choices, never } = unfold(alternative);
  if (never !== undefined || findConflict(literals) !== undefined) {
    return true;
  }
  if (isMet(wanted, makeFacts(literals))) {
    return true;
  }
  const [choice, ...rest] = choices;
  if (choice === undefined || literals.length > literalsMax) {
    return false;
  }
  return choice.every((goal) => {
    budget.alternatives--;
    return (
      budget.alternatives >= 0 &&
      holdsInAll(wanted, { goals: [goal, ...rest.map(makeSome)], literals }, budget)
    );
  });
}

type Unfolded = {
  readonly literals: readonly Literal[];
  /** Of each, one goal must be met. */
  readonly choices: readonly (readonly Goal[])[];
  /** A part that no frame meets. */
  readonly never?: Expr;
};

function makeSome(goals: readonly Goal[]): Goal {
  return { kind: "some", goals };
}

/** Takes conjunctions apart, down to literals and choices. */
function unfold({ goals, literals }: Alternative): Unfolded {
  const found = [...literals];
  const choices: (readonly Goal[])[] = [];
  // A stack, so that literals come out in the order of the text.
  const open = goals.toReversed();
  for (let goal = open.pop(); goal !== undefined; goal = open.pop()) {
    switch (goal.kind) {
      case "literal":
        found.push(goal);
        break;
      case "every":
        open.push(...goal.goals.toReversed());
        break;
      case "some":
        choices.push(goal.goals);
        break;
      case "settled":
        if (!goal.holds) {
          return { literals: found, choices, never: goal.expr };
        }
    }
  }
  return { literals: found, choices };
}

/** Literals that cannot hold together. */
type Conflict = { readonly literals: readonly Literal[] };

function findConflict(literals: readonly Literal[]): Conflict | undefined {
  return findOpposites(literals) ?? findAbsence(literals) ?? findEmptyTerm(literals);
}

function findOpposites(literals: readonly Literal[]): Conflict | undefined {
  const byId = new Map<number, Literal>();
  for (const literal of literals) {
    const other = byId.get(literal.id);
    if (other !== undefined && other.holds !== literal.holds) {
      return { literals: [other, literal] };
    }
    byId.set(literal.id, literal);
  }
  return undefined;
}

/** A slot that must have no value, and a leaf that needs it. */
function findAbsence(literals: readonly Literal[]): Conflict | undefined {
  for (const absence of literals) {
    const { absent } = absence;
    const need =
      absent === undefined ? undefined : literals.find((literal) => literal.present.includes(absent));
    if (need !== undefined) {
      return { literals: [absence, need] };
    }
  }
  return undefined;
}

function findEmptyTerm(literals: readonly Literal[]): Conflict | undefined {
  const entry = [...makeEntries(literals).values()].find((candidate) => !isPossible(candidate));
  return entry === undefined
    ? undefined
    : {
        literals: literals.filter((literal) =>
          literal.constraints.some(({ term }) => term.key === entry.term.key),
        ),
      };
}

function makeEntries(literals: readonly Literal[]): ReadonlyMap<string, Entry> {
  const byTerm = new Map<string, Constraint[]>();
  for (const constraint of literals.flatMap((literal) => literal.constraints)) {
    const known = byTerm.get(constraint.term.key);
    if (known === undefined) {
      byTerm.set(constraint.term.key, [constraint]);
    } else {
      known.push(constraint);
    }
  }
  return new Map(
    [...byTerm].map(([key, constraints]) => [key, makeEntry(constraints[0]!.term, constraints)]),
  );
}

function describeConflict({ literals }: Conflict, names: ConditionNames): string {
  const texts = literals.map(({ expr, holds }) => {
    const text = formatExpr(expr, names);
    return holds ? text : `!(${text})`;
  });
  const joined = [...new Set(texts)].join(" && ");
  return `${joined} can never hold`;
}

/** What is known where all literals of an alternative hold. */
type Facts = {
  readonly held: ReadonlySet<string>;
  readonly present: ReadonlySet<number>;
  readonly absent: ReadonlySet<number | undefined>;
  readonly entries: ReadonlyMap<string, Entry>;
};

function makeFacts(literals: readonly Literal[]): Facts {
  return {
    held: new Set(literals.map(keyOf)),
    present: new Set(literals.flatMap((literal) => literal.present)),
    absent: new Set(literals.flatMap((literal) => literal.absent ?? [])),
    entries: makeEntries(literals),
  };
}

function keyOf(literal: Literal): string {
  return `${literal.id} ${literal.holds}`;
}

function isMet(goal: Goal, facts: Facts): boolean {
  switch (goal.kind) {
    case "settled":
      return goal.holds;
    case "every":
      return goal.goals.every((part) => isMet(part, facts));
    case "some":
      return goal.goals.some((part) => isMet(part, facts)) || isMetByCases(goal.goals, facts);
    case "literal":
      return isLiteralMet(goal, facts);
  }
}

function isLiteralMet(literal: Literal, facts: Facts): boolean {
  if (literal.expr.op === "has") {
    const { slot } = literal.expr;
    return literal.holds ? facts.present.has(slot) : facts.absent.has(slot);
  }
  return (
    facts.held.has(keyOf(literal)) ||
    literal.constraints.some((constraint) => {
      const entry = facts.entries.get(constraint.term.key);
      return entry !== undefined && isEntailed(constraint, entry);
    })
  );
}

/** Whether each value that a term may have meets one of the goals. */
function isMetByCases(goals: readonly Goal[], facts: Facts): boolean {
  const constraints = goals.flatMap((goal) => (goal.kind === "literal" ? goal.constraints : []));
  return [...facts.entries.values()].some((entry) =>
    entry.candidates?.every((value) =>
      constraints.some(({ term, accepts }) => term.key === entry.term.key && accepts(value)),
    ),
  );
}
