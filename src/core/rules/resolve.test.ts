import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Facet } from "../decision.ts";
import { buildFx, convertMinor } from "../money.ts";
import { type PspsFacet, resolvePsps } from "./facets/psps.ts";
import { resolveRules } from "./resolve.ts";
import { type RuleClass, ruleClasses } from "./rule-class.ts";
import {
  type Action,
  actionKinds,
  type CompiledRule,
  type Effects,
  type ThreeDsLevel,
  threeDsLevels,
} from "./snapshot.ts";
import { facetBits, type Speaker, speakOverride, speakRule } from "./speaker.ts";

const built = buildFx({ rates: [{ from: "GBP", to: "EUR", rate: "1.15" }] });
if (!built.ok) throw new Error("rates");
const { fx } = built;
const pspCount = 4;

/** A rule or an override, as people would write it down. */
type Spoken = {
  readonly id: string;
  readonly ruleClass: RuleClass;
  readonly priority: number;
  readonly matchUnknown: boolean;
  readonly effects: Effects;
};

const pspList = fc.subarray([0, 1, 2, 3], { minLength: 1 });
const may = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 3 });
const ids = Array.from({ length: 8 }, (_, at) => `r${at}`);
const action: fc.Arbitrary<Action> = fc.record({
  kind: fc.constantFrom(...actionKinds),
  key: fc.constantFrom("a", "b"),
});

const effectsOf = (ruleClass: RuleClass): fc.Arbitrary<Effects> =>
  fc
    .record({
      deny: may(fc.record({ retryAfterMs: fc.constantFrom(1000, 2000) }, { requiredKeys: [] })),
      review: may(fc.constant(true as const)),
      excludePsps: may(pspList),
      requirePsps: may(pspList),
      amountCap: may(
        fc.record({
          minorUnits: fc.integer({ min: 1, max: 40 }),
          currencyCode: fc.constantFrom("EUR", "GBP", "USD"),
        }),
      ),
      threeDs: may(fc.record({ level: fc.constantFrom(...threeDsLevels) })),
      score: may(fc.integer({ min: 0, max: 700 })),
      actions: may(fc.array(action, { minLength: 1, maxLength: 3 })),
      allow: may(fc.subarray(ids, { minLength: 1, maxLength: 3 })),
    })
    .map((all) => keepAllowed(all, ruleClass));

/** What the whitelist of SEMANTICS.md 3.1 leaves of effects. */
function keepAllowed(all: Record<string, unknown>, ruleClass: RuleClass): Effects {
  const law: Record<string, readonly RuleClass[]> = {
    deny: ["REGULATORY", "SAFER_GAMBLING", "OVERRIDE", "RISK"],
    review: ["SAFER_GAMBLING", "OVERRIDE", "RISK"],
    excludePsps: ["REGULATORY", "SAFER_GAMBLING", "OVERRIDE", "RISK", "EXPERIMENT", "SEGMENT"],
    requirePsps: ["REGULATORY", "SAFER_GAMBLING", "OVERRIDE", "RISK", "EXPERIMENT", "SEGMENT"],
    amountCap: ["REGULATORY", "SAFER_GAMBLING", "RISK"],
    threeDs: ruleClasses,
    score: ["RISK"],
    actions: ["REGULATORY", "SAFER_GAMBLING", "OVERRIDE", "RISK", "EXPERIMENT", "SEGMENT"],
    allow: ["OVERRIDE"],
  };
  const entries = Object.entries(all).filter(
    ([name, value]) => value !== undefined && law[name]!.includes(ruleClass),
  );
  return Object.fromEntries(entries) as Effects;
}

const spoken = (id: string): fc.Arbitrary<Spoken> =>
  fc.constantFrom(...ruleClasses).chain((ruleClass) =>
    fc.record({
      id: fc.constant(id),
      ruleClass: fc.constant(ruleClass),
      priority: fc.integer({ min: 0, max: 2 }),
      matchUnknown: fc.boolean(),
      effects: effectsOf(ruleClass),
    }),
  );

const world = fc.record({
  rules: fc.integer({ min: 0, max: 8 }).chain((count) => fc.tuple(...ids.slice(0, count).map(spoken))),
  shuffle: fc.integer(),
  amountMinor: fc.integer({ min: 1, max: 50 }),
  approved: fc.subarray(ids, { maxLength: 2 }),
  usable: fc.array(fc.boolean(), { minLength: pspCount, maxLength: pspCount }),
  restriction: fc.option(fc.constant("SELF_EXCLUSION/here"), { nil: undefined, freq: 8 }),
});

const thresholds = { reviewFrom: 300, denyFrom: 900 };

function speak(rule: Spoken): Speaker {
  const { id, priority, effects } = rule;
  if (rule.ruleClass === "OVERRIDE") {
    return speakOverride({ id, priority, effects } as Parameters<typeof speakOverride>[0]);
  }
  const compiled: CompiledRule = {
    ...rule,
    kinds: ["deposit"],
    fromMs: undefined,
    untilMs: undefined,
    hours: undefined,
    rollout: undefined,
    shadow: false,
    purposes: ["payments"],
    reason: `REASON_${id}`,
    reasonUnknown: "",
    playerMessageKey: "",
  };
  return speakRule(compiled, 0);
}

/** What is compared: the answer on every facet, by plain words. */
type Answer = {
  readonly verdict: string;
  readonly speaking: readonly string[];
  readonly retryAfterMs: number | undefined;
  readonly score: number;
  readonly cap: number | undefined;
  readonly threeDs: ThreeDsLevel;
  readonly actions: readonly string[];
  readonly removed: readonly string[];
  readonly psps: readonly number[];
  readonly conflict: boolean;
};

function answerOf(rules: readonly Spoken[], given: World): Answer {
  const speakers = rules.map(speak);
  const resolved = resolveRules(speakers, {
    riskThresholds: thresholds,
    fx,
    payment: { currency: "EUR", amountMinor: given.amountMinor },
    approvedReviews: given.approved,
    marketingStop: given.restriction,
  });
  const removals = { excluded: new Uint8Array(pspCount), unrequired: new Uint8Array(pspCount) };
  const facet: PspsFacet = resolvePsps(resolved.speakers, (psp) => given.usable[psp]!, removals);
  return {
    verdict: resolved.verdict,
    speaking: resolved.reasons.map(({ code, sourceId }) => `${code} ${sourceId}`).sort(),
    retryAfterMs: resolved.retryAfterMs,
    score: resolved.riskScore,
    cap: resolved.cap.maxMinor,
    threeDs: resolved.threeDs.wish.level,
    actions: resolved.actions.map(({ kind, key }) => `${kind} ${key}`),
    removed: resolved.removedActions.map(({ kind, key }) => `${kind} ${key}`),
    psps: [0, 1, 2, 3].filter((psp) => removals.excluded[psp] === 0 && removals.unrequired[psp] === 0),
    conflict: facet.conflict !== undefined,
  };
}

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

/** SEMANTICS.md 3.2 and 3.3, sentence by sentence, with sets and filters and without a thought for speed. */
function readLaw(given: World): Answer {
  const place = (rule: Spoken): number => ruleClasses.indexOf(rule.ruleClass) + 1;
  const inOrder = [...given.rules].sort(
    (a, b) => place(a) - place(b) || b.priority - a.priority || Number(a.id.slice(1)) - Number(b.id.slice(1)),
  );
  // Allow names the rules that it lifts; it lifts class 4 only.
  const allowed = new Set(inOrder.flatMap(({ effects }) => effects.allow ?? []));
  const isLifted = (rule: Spoken): boolean => place(rule) === 4 && allowed.has(rule.id);
  const standing = inOrder.filter((rule) => !isLifted(rule));

  // Cap: the smallest, in the payment's currency.
  const capped = standing.filter(({ effects }) => effects.amountCap !== undefined);
  const isAbove = (rule: Spoken, amountMinor: number): boolean | undefined => {
    const { minorUnits, currencyCode } = rule.effects.amountCap!;
    const converted = convertMinor(fx, { amountMinor, from: "EUR", to: currencyCode });
    return converted === undefined ? undefined : converted > minorUnits;
  };
  const greatest = (rule: Spoken): number => {
    let most = 0;
    while (isAbove(rule, most + 1) === false) most++;
    return most;
  };
  const known = capped.filter((rule) => isAbove(rule, 1) !== undefined);
  const cap = known.length === 0 ? undefined : Math.min(...known.map(greatest));
  const capRule = known.find((rule) => greatest(rule) === cap);
  const blind = capped.find(
    (rule) => isAbove(rule, 1) === undefined && (place(rule) <= 2 || rule.matchUnknown),
  );
  const overCap = cap !== undefined && given.amountMinor > cap;
  let capReason: string | undefined;
  if (overCap && (blind === undefined || place(capRule!) <= place(blind)))
    capReason = `AMOUNT_CAP ${capRule!.id}`;
  else if (blind !== undefined) capReason = `FX_MISSING ${blind.id}`;

  // Score: summed 0-1000 against the thresholds, as RISK.
  const sum = standing.reduce((total, { effects }) => total + (effects.score ?? 0), 0);
  const score = sum > 1000 ? 1000 : sum;
  const scoreSays = score >= thresholds.denyFrom ? "DENY" : score >= thresholds.reviewFrom ? "REVIEW" : "";

  // Deny/review: the severest, after lifts; a reviewer lifts the RISK reviews that were reported.
  const says = (rule: Spoken): string => {
    if (rule.effects.deny !== undefined) return "DENY";
    if (rule.effects.review === undefined) return "";
    return place(rule) === 4 && given.approved.includes(rule.id) ? "" : "REVIEW";
  };
  const voices = [...standing.map(says), scoreSays, capReason === undefined ? "" : "DENY"];
  const verdict = voices.includes("DENY") ? "DENY" : voices.includes("REVIEW") ? "REVIEW" : "APPROVE_ROUTE";
  const code = (rule: Spoken): string => (rule.ruleClass === "OVERRIDE" ? "OVERRIDE" : `REASON_${rule.id}`);
  const speaking = standing
    .filter((rule) => says(rule) === verdict)
    .map((rule) => `${code(rule)} ${rule.id}`);
  if (scoreSays === verdict) speaking.push("RISK_SCORE risk_thresholds");
  if (capReason !== undefined) speaking.push(capReason);
  const waits = standing
    .filter((rule) => says(rule) === "DENY")
    .map(({ effects }) => effects.deny!.retryAfterMs);
  const onlyRules = verdict === "DENY" && scoreSays !== "DENY" && capReason === undefined;
  const isTransient = onlyRules && waits.every((wait) => wait !== undefined);

  // 3DS: the strictest of the floor of 1, 2, 4 and the first preference of 3, 5, 6, 7.
  const wishes = standing.filter(({ effects }) => effects.threeDs !== undefined);
  const floors = wishes.filter((rule) => [1, 2, 4].includes(place(rule)));
  const preference = wishes.find((rule) => ![1, 2, 4].includes(place(rule)));
  const levels = [...floors, ...(preference ? [preference] : [])].map(
    ({ effects }) => effects.threeDs!.level,
  );
  const threeDs = threeDsLevels.find((level) => levels.includes(level)) ?? "NO_PREFERENCE";

  // Actions: a union, less what protection removes.
  const selling = ["OFFER", "REWARD", "NUDGE", "CRM_TRIGGER"];
  const protecting = ["COOL_OFF_PROMPT", "TIME_OUT", "LIMIT_PROMPT", "SUPPRESS_MARKETING"];
  const protects =
    given.restriction !== undefined ||
    inOrder.some(
      (rule) =>
        place(rule) <= 2 &&
        ((rule.effects.actions ?? []).some(({ kind }) => protecting.includes(kind)) ||
          (place(rule) === 2 && (rule.effects.deny !== undefined || rule.effects.review !== undefined))),
    );
  const all = inOrder.flatMap((rule) =>
    (rule.effects.actions ?? []).map(({ kind, key }) => ({
      text: `${kind} ${key}`,
      kind,
      isRemoved: protects && place(rule) > 2 && selling.includes(kind),
    })),
  );
  const list = (isRemoved: boolean): readonly string[] =>
    [...new Set(all.filter((each) => each.isRemoved === isRemoved).map(({ text }) => text))].sort((a, b) => {
      const kindOf = (text: string): number => actionKinds.indexOf(text.split(" ")[0] as Action["kind"]);
      return kindOf(a) - kindOf(b) || (a < b ? -1 : 1);
    });

  return {
    verdict,
    speaking: speaking.sort(),
    retryAfterMs: isTransient ? Math.max(...waits.map((wait) => wait!)) : undefined,
    score,
    cap,
    threeDs,
    actions: list(false),
    removed: list(true),
    ...readPsps(standing, place, given.usable),
  };
}

/** Excludes add up; requires of 1-4 intersect, those of 5-7 narrow unless nothing usable is left; a force lifts 4-7, forbid wins. */
function readPsps(
  standing: readonly Spoken[],
  place: (rule: Spoken) => number,
  usable: readonly boolean[],
): { readonly psps: readonly number[]; readonly conflict: boolean } {
  const requires = standing.filter(({ effects }) => effects.requirePsps !== undefined);
  const isForced = requires.some((rule) => place(rule) === 3);
  const hard = requires.filter((rule) => place(rule) <= (isForced ? 3 : 4));
  const intersection = [0, 1, 2, 3].filter((psp) =>
    hard.every(({ effects }) => effects.requirePsps!.includes(psp)),
  );
  const isExcluded = (psp: number): boolean =>
    standing.some(
      (rule) =>
        rule.effects.excludePsps?.includes(psp) === true &&
        // A force lifts the excludes of 4-7 from what it leaves.
        !(isForced && place(rule) > 3 && intersection.includes(psp)),
    );
  let left = intersection.filter((psp) => !isExcluded(psp));
  if (!isForced) {
    for (const rule of requires.filter((each) => place(each) >= 5)) {
      const next = left.filter((psp) => rule.effects.requirePsps!.includes(psp));
      if (next.some((psp) => usable[psp])) left = next;
    }
  }
  return { psps: left, conflict: hard.length > 1 && intersection.length === 0 };
}

function shuffle(rules: readonly Spoken[], seed: number): readonly Spoken[] {
  const keyed = rules.map((rule, at) => ({
    rule,
    key: Math.imul(seed ^ (at * 2_654_435_761), 40_503) >>> 0,
  }));
  return keyed.sort((a, b) => a.key - b.key).map(({ rule }) => rule);
}

describe("who beats whom", () => {
  test("the facets read as the law is written, whatever the order in which rules come", () => {
    fc.assert(
      fc.property(world, (given) => {
        expect(answerOf(shuffle(given.rules, given.shuffle), given)).toEqual(readLaw(given));
      }),
      { numRuns: countRuns(100_000) },
    );
  });

  test("every facet on which a rule speaks is won or lost", () => {
    fc.assert(
      fc.property(world, (given) => {
        const speakers = given.rules.map(speak);
        const resolved = resolveRules(speakers, {
          riskThresholds: thresholds,
          fx,
          payment: { currency: "EUR", amountMinor: given.amountMinor },
          approvedReviews: given.approved,
          marketingStop: given.restriction,
        });
        const removals = { excluded: new Uint8Array(pspCount), unrequired: new Uint8Array(pspCount) };
        resolvePsps(resolved.speakers, (psp) => given.usable[psp]!, removals);
        for (const speaker of speakers) {
          const lost = new Set(speaker.lost.map(({ facet }) => facet));
          const unsaid = Object.entries(facetBits).filter(
            ([facet, bit]) =>
              (speaker.speaks & bit) !== 0 && (speaker.won & bit) === 0 && !lost.has(facet as Facet),
          );
          expect(unsaid, speaker.id).toEqual([]);
        }
      }),
      { numRuns: countRuns(10_000) },
    );
  });
});
