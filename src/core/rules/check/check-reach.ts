import { type Rule, Rule_Class, Rule_Mode } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { impliesCondition } from "../../cel/domains.ts";
import type { Expr } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { type Reads, readReads } from "../../cel/reads.ts";
import { compareRules } from "../normalize.ts";
import type { LoweredConditions } from "./check-conditions.ts";
import { listEffects } from "./check-effects.ts";
import type { CheckInput } from "./check-input.ts";

/** Proofs tried for one rule and for all of them, each up to a millisecond; beyond these nothing is warned of. */
const proofsPerRule = 16;
const proofsMax = 3_000;
/** Comparisons of one condition, and speakers of which all comparisons are the same, that are looked at. */
const fixedMax = 6;
const sameKeyMax = 64;

/** Facets on which the first rule that speaks is the only one heard. */
type FirstSpeaks = "three_ds" | "strategy" | "retry_policy" | "method_order" | "amounts" | "message_keys";

type Speaker = {
  readonly rule: Rule;
  /** Undefined where it is always true. */
  readonly expr: Expr | undefined;
  readonly reads: Reads;
  /** What the condition fixes by equality. Most pairs of rules differ in that, and there is nothing to prove of them. */
  readonly fixed: readonly string[];
  readonly facets: readonly FirstSpeaks[];
};

const nothing: Reads = { slots: new Set(), segments: new Set(), lists: new Set() };
const always: Expr = { op: "const", type: "bool", value: true };

/**
 * Warns of rules of which nothing is ever heard: whenever they match, an earlier rule that is always on has spoken on all that they say
 * (`SEMANTICS.md` 2.5). Only what can be proven in bounded work.
 */
export function checkReach({ ruleSet, faults }: CheckInput, conditions: LoweredConditions): void {
  const indexes = new Map(ruleSet.rules.map((rule, index) => [rule, index]));
  const earlier: Speakers = new Map();
  const budget = { proofs: proofsMax };
  for (const rule of ruleSet.rules.toSorted(compareRules)) {
    const speaker = describeSpeaker(rule, conditions);
    if (speaker === undefined) continue;
    const { facets } = speaker;
    const cover = speaksOnlyFirst(rule, facets) ? findCover(speaker, earlier, budget) : undefined;
    if (cover !== undefined) {
      const message = `whenever this rule matches, ${quote(cover.id)} has spoken before it on ${facets.join(", ")}`;
      const path = `rules[${indexes.get(rule)}]`;
      faults.add({ severity: "WARNING", path, rule: "unreachable", message });
    }
    if (isAlwaysOn(rule)) addSpeaker(earlier, speaker);
  }
}

/** Earlier speakers by all that their conditions fix by equality, such as `3="DK" 7="card"`. */
type Speakers = Map<string, Speaker[]>;

function addSpeaker(speakers: Speakers, speaker: Speaker): void {
  const key = speaker.fixed.join(" ");
  const known = speakers.get(key);
  if (known === undefined) speakers.set(key, [speaker]);
  else if (known.length < sameKeyMax) known.push(speaker);
}

/** An earlier rule that has spoken whenever this one matches: it fixes nothing that this one does not. */
function findCover(speaker: Speaker, earlier: Speakers, budget: { proofs: number }): Rule | undefined {
  const { fixed, expr = always } = speaker;
  let proofsLeft = Math.min(proofsPerRule, budget.proofs);
  for (let subset = 0; subset < 2 ** fixed.length; subset++) {
    const key = fixed.filter((_, index) => (subset >> index) % 2 === 1).join(" ");
    for (const other of earlier.get(key) ?? []) {
      if (!mayCover(other, speaker)) continue;
      if (other.expr === undefined) return other.rule;
      if (proofsLeft-- <= 0) return undefined;
      budget.proofs--;
      if (impliesCondition(other.expr, expr)) return other.rule;
    }
  }
  return undefined;
}

/** A rule as a speaker; undefined where it sets no first-speaks facet, or its condition is faulty, which is told about elsewhere. */
function describeSpeaker(rule: Rule, conditions: LoweredConditions): Speaker | undefined {
  const expr = conditions.rules.get(rule.id);
  const facets = listFirstSpeaks(rule);
  if (facets === undefined || (expr === undefined && rule.when !== "")) return undefined;
  return {
    rule,
    expr,
    reads: expr === undefined ? nothing : readReads(expr),
    fixed: readFixed(expr),
    facets,
  };
}

/** The first-speaks facets that a rule of classes 5 to 7 sets; undefined for other rules and those that set none. */
function listFirstSpeaks({ class: ruleClass, effects }: Rule): readonly FirstSpeaks[] | undefined {
  if (effects === undefined || ruleClass < Rule_Class.EXPERIMENT) return undefined;
  const { experience } = effects;
  const facets: FirstSpeaks[] = [];
  if (effects.threeDs !== undefined) facets.push("three_ds");
  if (effects.strategy !== undefined) facets.push("strategy");
  if (effects.retryPolicy !== "") facets.push("retry_policy");
  if ((experience?.methodOrder.length ?? 0) > 0) facets.push("method_order");
  if ((experience?.amounts.length ?? 0) > 0) facets.push("amounts");
  if ((experience?.messageKeys.length ?? 0) > 0) facets.push("message_keys");
  return facets.length === 0 ? undefined : facets;
}

/** Whether all that the rule does is first-speaks: excludes, requires, hidden methods and actions add up whoever spoke before. */
function speaksOnlyFirst({ effects }: Rule, facets: readonly FirstSpeaks[]): boolean {
  const wholes: readonly string[] = [...facets, "experience"];
  const hides = (effects?.experience?.hiddenMethods.length ?? 0) > 0;
  return !hides && effects !== undefined && listEffects(effects).every((name) => wholes.includes(name));
}

function isAlwaysOn({ from, until, hours, rollout, mode }: Rule): boolean {
  return (
    from === undefined &&
    until === undefined &&
    hours === undefined &&
    rollout === undefined &&
    mode !== Rule_Mode.SHADOW
  );
}

function mayCover(earlier: Speaker, later: Speaker): boolean {
  return (
    later.facets.every((facet) => earlier.facets.includes(facet)) &&
    kindsOf(later.rule).every((kind) => kindsOf(earlier.rule).includes(kind)) &&
    // What the later rule does not read says nothing about the earlier one.
    earlier.reads.slots.isSubsetOf(later.reads.slots) &&
    earlier.reads.segments.isSubsetOf(later.reads.segments) &&
    earlier.reads.lists.isSubsetOf(later.reads.lists)
  );
}

/** What a conjunction compares with a constant, such as `payment.method == "card"`, as texts in order; at most 6 of these. */
function readFixed(expr: Expr | undefined): readonly string[] {
  const fixed = new Set<string>();
  for (const part of expr?.op === "and" ? expr.args : [expr]) {
    if (part?.op !== "compare" || part.how !== "eq") continue;
    const { left, right } = part;
    if (left.op === "slot" && right.op === "const") fixed.add(`${left.slot}=${JSON.stringify(right.value)}`);
    if (right.op === "slot" && left.op === "const") fixed.add(`${right.slot}=${JSON.stringify(left.value)}`);
  }
  return [...fixed].sort().slice(0, fixedMax);
}

function kindsOf({ kinds }: Rule): readonly string[] {
  return kinds.length === 0 ? ["deposit"] : kinds;
}
