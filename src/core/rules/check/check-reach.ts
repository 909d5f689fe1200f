import { type Rule, Rule_Class, Rule_Mode } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { impliesCondition } from "../../cel/domains.ts";
import type { Expr } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { compareRules } from "../normalize.ts";
import type { LoweredConditions } from "./check-conditions.ts";
import { listEffects } from "./check-effects.ts";
import type { CheckInput } from "./check-input.ts";
import { type Reads, readReads } from "./check-segments.ts";

/** Proofs tried for one rule and for all of them; beyond these nothing is warned of. */
const proofsPerRule = 32;
const proofsMax = 20_000;

/** Facets on which the first rule that speaks is the only one heard. */
type FirstSpeaks = "three_ds" | "strategy" | "retry_policy" | "method_order" | "amounts" | "message_keys";

type Speaker = {
  readonly rule: Rule;
  /** Undefined where it is always true. */
  readonly expr: Expr | undefined;
  readonly reads: Reads;
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
  const earlier: Speaker[] = [];
  let proofsLeft = proofsMax;
  for (const rule of ruleSet.rules.toSorted(compareRules)) {
    const expr = conditions.rules.get(rule.id);
    const facets = listFirstSpeaks(rule);
    // A rule whose condition is faulty is told about elsewhere.
    if (facets === undefined || (expr === undefined && rule.when !== "")) continue;
    const speaker = { rule, expr, reads: expr === undefined ? nothing : readReads(expr), facets };
    if (speaksOnlyFirst(rule, facets)) {
      const candidates = earlier
        .filter((other) => mayCover(other, speaker))
        .slice(0, Math.min(proofsPerRule, proofsLeft));
      proofsLeft -= candidates.length;
      const cover = candidates.find(
        (other) => other.expr === undefined || impliesCondition(other.expr, expr ?? always),
      );
      if (cover !== undefined) {
        const message = `whenever this rule matches, ${quote(cover.rule.id)} has spoken before it on ${facets.join(", ")}`;
        faults.add({
          severity: "WARNING",
          path: `rules[${indexes.get(rule)}]`,
          rule: "unreachable",
          message,
        });
      }
    }
    if (isAlwaysOn(rule)) earlier.push(speaker);
  }
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

function kindsOf({ kinds }: Rule): readonly string[] {
  return kinds.length === 0 ? ["deposit"] : kinds;
}
