import type { Expr, Scalar } from "../../cel/expr.ts";
import { type Check, type Constraint, readTerms, splitAlternatives, type Terms } from "./terms.ts";
import { listPoints } from "./value-set.ts";

/** One condition to index, and whether unknown counts as a match of it. */
export type IndexedCondition = { readonly expr: Expr; readonly matchUnknown: boolean };

/** A slot that gets a dimension of its own. */
export type SlotPlan = { readonly slot: number; readonly kind: "values" | "ranges" };

/** What a probe asks: is this segment or list test true, or has this slot one of these values (a list slot: one of these elements)? */
export type ProbeTest =
  | { readonly kind: "segment"; readonly segment: number }
  | { readonly kind: "list"; readonly slot: number; readonly list: number }
  | { readonly kind: "value"; readonly slot: number; readonly values: readonly Scalar[] };

/** Where each term of one condition goes, or of one of its alternatives. */
export type PlannedCondition = {
  readonly ordinal: number;
  readonly matchUnknown: boolean;
  /** Constraints on the planned slots only. */
  readonly constraints: ReadonlyMap<number, Constraint>;
  /** At most one probe in each of the three probe dimensions. */
  readonly segment: ProbeTest | undefined;
  readonly list: ProbeTest | undefined;
  readonly access: ProbeTest | undefined;
  /** Tests made on survivors only. */
  readonly checks: readonly Check[];
  /** All terms are in the lines above, and they are the whole condition. */
  readonly complete: boolean;
};

export type IndexPlan = {
  /** Best first: what removes most conditions. */
  readonly slots: readonly SlotPlan[];
  readonly conditions: readonly PlannedCondition[];
};

/** Each dimension costs every decision a look-up and a row, so the least useful are left to probes and predicates. */
const DIMENSIONS_MAX = 24;

/** A list that so many conditions name is mostly asked by one that survives, so it may as well be asked for all of them. */
const EAGER_NAMERS = 16;

/**
 * Decides which slots get a dimension and which term of each condition goes where. Conditions that can never match are left out.
 *
 * A condition's segment goes to the segment that the fewest conditions name; list tests are left to the survivors, where few
 * conditions name the list and this one has anything else that narrows it.
 */
export function planIndex(conditions: readonly IndexedCondition[]): IndexPlan {
  const entries = conditions.flatMap(({ expr, matchUnknown }, ordinal) =>
    splitAlternatives(expr).map((part) => ({ ordinal, matchUnknown, terms: readTerms(part) })),
  );
  const possible = entries.filter(({ terms }) => !terms.never);
  const termsOf = possible.map(({ terms }) => terms);
  const slots = planSlots(termsOf);
  const chosen = new Set(slots.map((plan) => plan.slot));
  const namers = countNamers(termsOf);
  const planned = possible.map(({ ordinal, matchUnknown, terms }) => ({
    ordinal,
    matchUnknown,
    ...placeTerms(terms, chosen, namers),
  }));
  return { slots, conditions: planned };
}

type SlotTally = { namers: number; benefit: number; ranges: boolean; readonly keys: Set<Scalar> };

function planSlots(termsOf: readonly Terms[]): SlotPlan[] {
  const tallies = new Map<number, SlotTally>();
  for (const { constraints } of termsOf) {
    for (const [slot, { set }] of constraints) {
      const tally = tallies.get(slot) ?? { namers: 0, benefit: 0, ranges: false, keys: new Set() };
      tallies.set(slot, tally);
      tally.namers++;
      const points = listPoints(set);
      tally.ranges ||= points === undefined;
      for (const value of points?.values ?? []) {
        tally.keys.add(value);
      }
    }
  }
  for (const { constraints } of termsOf) {
    for (const [slot, constraint] of constraints) {
      const tally = tallies.get(slot)!;
      tally.benefit += estimateBenefit(constraint, tally.keys.size);
    }
  }
  return [...tallies]
    .sort(([slotA, a], [slotB, b]) => b.benefit - a.benefit || slotA - slotB)
    .slice(0, DIMENSIONS_MAX)
    .map(([slot, tally]) => ({ slot, kind: tally.ranges ? "ranges" : "values" }));
}

/** The share of decisions that a constraint can be expected to turn away, taking values as equally likely. */
function estimateBenefit(constraint: Constraint, keys: number): number {
  const points = listPoints(constraint.set);
  if (points === undefined) {
    return 0.4;
  }
  return points.negated ? 0.05 : 1 - Math.min(0.9, points.values.length / Math.max(2, keys));
}

/** How many conditions name a segment, a list, or a value of a slot; keys are made by `nameTest`. */
function countNamers(termsOf: readonly Terms[]): ReadonlyMap<string, number> {
  const namers = new Map<string, number>();
  for (const { checks, members } of termsOf) {
    for (const name of [...checks.map(nameTest), ...members.map(nameMember)]) {
      namers.set(name, (namers.get(name) ?? 0) + 1);
    }
  }
  return namers;
}

function nameTest(check: Check): string {
  return check.kind === "segment" ? `segment ${check.segment}` : `list ${check.slot} ${check.list}`;
}

function nameMember(member: { readonly slot: number; readonly value: Scalar }): string {
  return `member ${member.slot} ${typeof member.value} ${member.value}`;
}

function placeTerms(
  terms: Terms,
  chosen: ReadonlySet<number>,
  namers: ReadonlyMap<string, number>,
): Omit<PlannedCondition, "ordinal" | "matchUnknown"> {
  const constraints = new Map([...terms.constraints].filter(([slot]) => chosen.has(slot)));
  const others = [...terms.constraints].filter(([slot]) => !chosen.has(slot));
  const rarest = <T>(items: readonly T[], name: (item: T) => string): T | undefined =>
    items.toSorted((a, b) => (namers.get(name(a)) ?? 0) - (namers.get(name(b)) ?? 0))[0];

  const segment = rarest(
    terms.checks.filter((check) => check.kind === "segment" && check.wanted),
    nameTest,
  );
  const member = rarest(terms.members, nameMember);
  const access = member ? { ...member, values: [member.value] } : findRareValues(others);
  const narrow = segment ?? access ?? [...constraints.values()].find(({ set }) => !listPoints(set)?.negated);
  const isWorthAsking = (check: Check): boolean =>
    narrow === undefined || namers.get(nameTest(check))! >= EAGER_NAMERS;
  const list = rarest(
    terms.checks.filter((check) => check.kind === "list" && check.wanted && isWorthAsking(check)),
    nameTest,
  );
  const left = terms.members.length + others.length - (access ? 1 : 0);
  return {
    constraints,
    segment,
    list,
    access: access && { kind: "value", slot: access.slot, values: access.values },
    checks: terms.checks.filter((check) => check !== segment && check !== list),
    complete: terms.complete && left === 0,
  };
}

/** A constraint on a slot without a dimension that asks for one of a few values, and is unknown where the slot is. */
function findRareValues(
  constraints: readonly (readonly [number, Constraint])[],
): { readonly slot: number; readonly values: readonly Scalar[] } | undefined {
  for (const [slot, { set, unknown }] of constraints) {
    const points = listPoints(set);
    if (points !== undefined && !points.negated && unknown === undefined) {
      return { slot, values: points.values };
    }
  }
  return undefined;
}
