/**
 * Who beats whom, facet by facet (`SEMANTICS.md` 3): the rules that match and the overrides that act go in, one answer per facet comes out,
 * and every speaker knows what it won and to whom it lost.
 *
 * | Facet | How it combines | Where |
 * |---|---|---|
 * | allow | lifts what the named RISK rules say | `facets/lifts.ts` |
 * | verdict, score | the severest; scores add up | `facets/verdict.ts` |
 * | cap | the smallest | `facets/cap.ts` |
 * | three_ds | the stricter of the floor and the first preference | `facets/three-ds.ts` |
 * | strategy, retry | the first that speaks | `facets/first-speaks.ts` |
 * | experience | the first per field; hidden methods add up | `facets/experience.ts` |
 * | actions | add up, less what protection removes | `facets/actions.ts` |
 * | exclude, require | add up; narrow | `facets/psps.ts`, once it is known which PSPs are eligible |
 */
import { type Facet, type FacetLoss, facets, type MatchedRule } from "../decision.ts";
import type { Payment } from "../payment.ts";
import { type ActionsFacet, noActions, resolveActions } from "./facets/actions.ts";
import { type Cap, noCap, resolveCap } from "./facets/cap.ts";
import { type ExperienceFacet, noExperience, resolveExperience } from "./facets/experience.ts";
import { findFirst } from "./facets/first-speaks.ts";
import { applyLifts } from "./facets/lifts.ts";
import { noWish, resolveThreeDs, type ThreeDsFacet } from "./facets/three-ds.ts";
import { resolveVerdict, type VerdictFacet } from "./facets/verdict.ts";
import { findSkip } from "./match-filters.ts";
import type { CompiledOverride } from "./override-set.ts";
import type { CompiledRule, Matches, RuleSnapshot, Strategy } from "./snapshot.ts";
import { facetBits, purposesOf, type Speaker, sortSpeakers, speakOverride, speakRule } from "./speaker.ts";

/** Every facet but those of PSPs. */
export type Resolution = VerdictFacet &
  ActionsFacet & {
    readonly speakers: readonly Speaker[];
    readonly cap: Cap;
    readonly threeDs: ThreeDsFacet;
    readonly strategy: Strategy | undefined;
    readonly strategyBy: Speaker | undefined;
    readonly retryPolicy: string | undefined;
    readonly experience: ExperienceFacet;
  };

export type ResolveContext = Pick<RuleSnapshot, "riskThresholds" | "fx"> & {
  readonly payment: Pick<Payment, "currency" | "amountMinor">;
  /** RISK reviews that a reviewer approved; empty where nobody did. */
  readonly approvedReviews: readonly string[];
  /** Id of the restriction that suppresses marketing, if one does. */
  readonly marketingStop: string | undefined;
};

/** Resolves all facets but those of PSPs. Sorts `speakers` into total order, so the order in which they come does not matter. */
export function resolveRules(speakers: Speaker[], context: ResolveContext): Resolution {
  sortSpeakers(speakers);
  applyLifts(speakers);
  let spoken = 0;
  for (const speaker of speakers) spoken |= speaker.speaks;
  const has = (facet: Facet): boolean => (spoken & facetBits[facet]) !== 0;
  const cap = has("cap") ? resolveCap(speakers, context.payment, context.fx) : noCap;
  const verdict = resolveVerdict(speakers, {
    riskThresholds: context.riskThresholds,
    approvedReviews: context.approvedReviews,
    capDenial: cap.denial,
  });
  const { actions, removedActions } = has("actions")
    ? resolveActions(speakers, context.marketingStop)
    : noActions;
  const strategyBy = has("strategy") ? findFirst(speakers, "strategy") : undefined;
  return {
    speakers,
    verdict: verdict.verdict,
    reasons: verdict.reasons,
    retryAfterMs: verdict.retryAfterMs,
    riskScore: verdict.riskScore,
    reviewedRules: verdict.reviewedRules,
    actions,
    removedActions,
    cap,
    threeDs: has("three_ds") ? resolveThreeDs(speakers) : noWish,
    strategy: strategyBy?.effects.strategy,
    strategyBy,
    retryPolicy: has("retry") ? findFirst(speakers, "retry")?.effects.retryPolicy : undefined,
    experience: has("experience") ? resolveExperience(speakers) : noExperience,
  };
}

/** A rule in shadow mode that would act, with how it matched. */
export type Shadow = { readonly rule: CompiledRule; readonly flag: number };

/** Who speaks on a payment now, and which shadow rules would. Both in total order. */
export type Voices = { readonly speakers: Speaker[]; readonly shadows: readonly Shadow[] };

/**
 * Turns matches into speakers: kinds, schedule, hours, rollout and shadow mode are judged here, once for all facets.
 *
 * `found` is how many `matches` hold; `overrides` are those that act.
 */
export function collectVoices(
  rules: readonly CompiledRule[],
  { matches, found }: { readonly matches: Matches; readonly found: number },
  overrides: readonly CompiledOverride[],
  { payment, nowMs }: { readonly payment: Payment; readonly nowMs: number },
): Voices {
  const speakers: Speaker[] = [];
  let shadows: Shadow[] | undefined;
  for (let at = 0; at < found; at++) {
    const rule = rules[matches.ordinals[at]!]!;
    if (findSkip(rule, payment, nowMs) !== undefined) continue;
    const flag = matches.flags[at]!;
    if (!rule.shadow) {
      speakers.push(speakRule(rule, flag));
    } else {
      shadows ??= [];
      shadows.push({ rule, flag });
    }
  }
  for (const override of overrides) speakers.push(speakOverride(override));
  return { speakers, shadows: shadows ?? noShadows };
}

const noShadows: readonly Shadow[] = [];

/** Most matched rules that an answer lists (`SEMANTICS.md` 1.10). */
const listedMax = 32;

/** The matched rules as answers list them: strongest first, shadow rules at their place, and how many more there are. */
export function listMatchedRules(
  speakers: readonly Speaker[],
  shadows: readonly Shadow[],
): { readonly matchedRules: readonly MatchedRule[]; readonly matchedRulesOmitted: number } {
  const total = speakers.length + shadows.length;
  const listed =
    shadows.length === 0 ? speakers.slice(0, listedMax) : mergeShadows(speakers, shadows).slice(0, listedMax);
  return {
    matchedRules: listed.map((speaker) => describe(speaker)),
    matchedRulesOmitted: Math.max(0, total - listedMax),
  };
}

function mergeShadows(speakers: readonly Speaker[], shadows: readonly Shadow[]): readonly Speaker[] {
  const all = [...speakers, ...shadows.map(({ rule, flag }) => speakRule(rule, flag))];
  sortSpeakers(all);
  return all;
}

function describe(speaker: Speaker): MatchedRule {
  return {
    id: speaker.id,
    ruleClass: speaker.ruleClass,
    shadow: speaker.rule?.shadow ?? false,
    throughUnknown: speaker.flag !== 0,
    won: listFacets(speaker.won),
    lost: speaker.lost.length < 2 ? speaker.lost : speaker.lost.toSorted(byFacet),
    purposes: purposesOf(speaker),
  };
}

/** Sorted names by bits; at most 2^10 of them, each built once. */
const facetLists: (readonly Facet[] | undefined)[] = [];

function listFacets(bits: number): readonly Facet[] {
  let list = facetLists[bits];
  if (list === undefined) {
    list = Object.freeze(facets.filter((_, at) => (bits & (1 << at)) !== 0).sort());
    facetLists[bits] = list;
  }
  return list;
}

function byFacet(a: FacetLoss, b: FacetLoss): number {
  return a.facet < b.facet ? -1 : a.facet > b.facet ? 1 : a.to < b.to ? -1 : a.to > b.to ? 1 : 0;
}
