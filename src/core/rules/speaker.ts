import { type Facet, type FacetLoss, facets } from "../decision.ts";
import { isForGateways, type Purpose } from "../facts.ts";
import type { Reason, ReasonStage } from "../reason.ts";
import type { CompiledOverride } from "./override-set.ts";
import { type RuleClass, rankOf } from "./rule-class.ts";
import type { CompiledRule, Effects, Matches } from "./snapshot.ts";

/**
 * A rule or an override that speaks on a payment, and what became of each facet on which it spoke. Made anew for every decision: resolving
 * writes `lifted`, `won` and `lost`, nothing else.
 */
export type Speaker = {
  readonly id: string;
  readonly ruleClass: RuleClass;
  readonly priority: number;
  readonly effects: Effects;
  /** The facets on which it speaks, a bit each (`facetBits`). */
  readonly speaks: number;
  /** How it matched: 0 true, 1 through unknown, 2 through unknown after an evaluation error. */
  readonly flag: number;
  /** The rule that speaks; `undefined` for an override. */
  readonly rule: CompiledRule | undefined;
  /** Whether a named override lifts all that it says, actions apart. Only of RISK. */
  lifted: boolean;
  won: number;
  lost: readonly FacetLoss[];
};

/** One bit per facet. */
export const facetBits: Readonly<Record<Facet, number>> = Object.fromEntries(
  facets.map((facet, at) => [facet, 1 << at]),
) as Record<Facet, number>;

const noLosses: readonly FacetLoss[] = [];

/** A rule that matched, as it speaks; `flag` as `matchRules` gives it. */
export function speakRule(rule: CompiledRule, flag: Matches["flags"][number]): Speaker {
  const { id, ruleClass, priority, effects } = rule;
  const speaks = findFacets(effects);
  return { id, ruleClass, priority, effects, speaks, flag, rule, lifted: false, won: 0, lost: noLosses };
}

/** An override that acts, as it speaks. */
export function speakOverride({ id, priority, effects }: CompiledOverride): Speaker {
  return {
    id,
    ruleClass: "OVERRIDE",
    priority,
    effects,
    speaks: findFacets(effects),
    flag: 0,
    rule: undefined,
    lifted: false,
    won: 0,
    lost: noLosses,
  };
}

/** Notes that a speaker decided a facet or added to it. */
export function win(speaker: Speaker, facet: Facet): void {
  speaker.won |= facetBits[facet];
}

/** Notes that a speaker spoke on a facet in vain. */
export function lose(speaker: Speaker, facet: Facet, to: string, why: string): void {
  speaker.lost = [...speaker.lost, { facet, to, why }];
}

/** Whether it speaks on the facet and no named override has lifted what it says. */
export function stands(speaker: Speaker, facet: Facet): boolean {
  return (speaker.speaks & facetBits[facet]) !== 0 && !speaker.lifted;
}

/** 1 for REGULATORY to 7 for DEFAULT. */
export function rank(speaker: Speaker): number {
  return rankOf[speaker.ruleClass];
}

/** Sorts into total order (class, then priority, then id) in place. They nearly always are in order, so it looks before it moves. */
export function sortSpeakers(speakers: Speaker[]): void {
  for (let at = 1; at < speakers.length; at++) {
    if (compareSpeakers(speakers[at - 1]!, speakers[at]!) > 0) {
      speakers.sort(compareSpeakers);
      return;
    }
  }
}

function compareSpeakers(a: Speaker, b: Speaker): number {
  return rank(a) - rank(b) || b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

const stageOfClass: Readonly<Record<RuleClass, ReasonStage>> = {
  REGULATORY: "regulatory",
  SAFER_GAMBLING: "safer_gambling",
  OVERRIDE: "override",
  RISK: "risk",
  EXPERIMENT: "informational",
  SEGMENT: "informational",
  DEFAULT: "informational",
};

/** Of overrides, and of texts that name nobody else. */
const overridePurposes: readonly Purpose[] = ["payments"];

/** What reasons of the speaker may be used for. */
export function purposesOf(speaker: Speaker): readonly Purpose[] {
  return speaker.rule?.purposes ?? overridePurposes;
}

/** What a text that names all of them may be used for: where one of them is not for gateways, neither is the text. */
export function purposesOfAll(speakers: readonly Speaker[]): readonly Purpose[] {
  const hidden = speakers.map(purposesOf).filter((purposes) => !isForGateways(purposes));
  return hidden.length === 0 ? overridePurposes : [...new Set(hidden.flat())].sort();
}

/** A reason that names the speaker, at the stage of its class. */
export function makeSpeakerReason(speaker: Speaker, code: string, detail: string): Reason {
  return {
    stage: stageOfClass[speaker.ruleClass],
    code,
    ruleClass: speaker.ruleClass,
    sourceId: speaker.id,
    detail,
    playerMessageKey: speaker.rule?.playerMessageKey ?? "",
    purposes: purposesOf(speaker),
  };
}

/** The code of its verdict: a match through unknown carries its own (`SEMANTICS.md` 2.1). */
export function verdictCode({ rule, flag }: Speaker): string {
  if (rule === undefined) return "OVERRIDE";
  return flag === 0 ? rule.reason : rule.reasonUnknown;
}

function findFacets(effects: Effects): number {
  let bits = 0;
  if (effects.deny !== undefined || effects.review === true) bits |= facetBits.verdict;
  if (effects.excludePsps !== undefined) bits |= facetBits.exclude;
  if (effects.requirePsps !== undefined) bits |= facetBits.require;
  if (effects.amountCap !== undefined) bits |= facetBits.cap;
  if (effects.threeDs !== undefined) bits |= facetBits.three_ds;
  if (effects.strategy !== undefined) bits |= facetBits.strategy;
  if (effects.retryPolicy !== undefined) bits |= facetBits.retry;
  if (effects.experience !== undefined) bits |= facetBits.experience;
  if (effects.actions !== undefined) bits |= facetBits.actions;
  if (effects.score !== undefined) bits |= facetBits.score;
  return bits;
}
