import type { Money as MoneyMessage } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  type Effects as EffectsMessage,
  type Rule,
  Rule_Mode,
  Rule_OnUnknown,
  type Strategy as StrategyMessage,
  type WeeklyHours as WeeklyHoursMessage,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Money, PaymentKind } from "../../payment.ts";
import { readPurposes, toMs } from "../names.ts";
import { ruleClasses } from "../rule-class.ts";
import {
  actionKinds,
  type CompiledRule,
  type Effects,
  type Strategy,
  threeDsLevels,
  type WeeklyHours,
} from "../snapshot.ts";

const dayMinutes = 1_440;

/** A rule of a checked rule set in its normal form, as decisions use it. */
export function readRule(rule: Rule, pspOrdinals: ReadonlyMap<string, number>): CompiledRule {
  const { id, priority, from, until, hours, rollout, reason, reasonUnknown, playerMessageKey } = rule;
  return {
    id,
    ruleClass: ruleClasses[rule.class - 1]!,
    priority,
    kinds: readKinds(rule.kinds),
    fromMs: from && toMs(from),
    untilMs: until && toMs(until),
    hours: hours && readHours(hours),
    rollout: rollout && { shareBps: rollout.shareBps, salt: rollout.salt },
    shadow: rule.mode === Rule_Mode.SHADOW,
    matchUnknown: rule.onUnknown === Rule_OnUnknown.APPLY,
    effects: rule.effects === undefined ? {} : readEffects(rule.effects, pspOrdinals),
    purposes: readPurposes(rule.purposes),
    reason,
    reasonUnknown,
    playerMessageKey,
  };
}

const kindsOfAll: readonly (readonly PaymentKind[])[] = [
  ["deposit"],
  ["withdrawal"],
  ["deposit", "withdrawal"],
];

/** Kinds in their order: one list, with one text, for all rules that have the same, so that a decision finds them in the cache. */
export function readKinds(kinds: readonly string[]): readonly PaymentKind[] {
  const shared = kindsOfAll.find(
    (each) => each.length === kinds.length && each.every((kind, at) => kind === kinds[at]),
  );
  return shared ?? (kinds as readonly PaymentKind[]);
}

/**
 * Effects of a rule or an override as decisions use them.
 *
 * Fails:  throws where they name a PSP without an ordinal; the checks refuse such effects.
 */
export function readEffects(effects: EffectsMessage, pspOrdinals: ReadonlyMap<string, number>): Effects {
  const {
    deny,
    review,
    excludePsps,
    requirePsps,
    amountCap,
    threeDs,
    strategy,
    retryPolicy,
    experience,
    actions,
  } = effects;
  const ordinals = (ids: readonly string[]) => ids.map((id) => ordinalOf(id, pspOrdinals));
  return {
    ...(deny && { deny: deny.retryAfter === undefined ? {} : { retryAfterMs: toMs(deny.retryAfter) } }),
    ...(review && { review: true as const }),
    ...(excludePsps.length > 0 && { excludePsps: ordinals(excludePsps) }),
    ...(requirePsps.length > 0 && { requirePsps: ordinals(requirePsps) }),
    ...(amountCap && { amountCap: readMoney(amountCap) }),
    ...(threeDs && {
      threeDs: {
        level: threeDsLevels[threeDs.level - 1]!,
        ...(threeDs.challengeIndicator !== "" && { challengeIndicator: threeDs.challengeIndicator }),
        ...(threeDs.exemption !== "" && { exemption: threeDs.exemption }),
      },
    }),
    ...(strategy && { strategy: readStrategy(strategy, ordinals) }),
    ...(retryPolicy !== "" && { retryPolicy }),
    ...(experience && {
      experience: {
        methodOrder: experience.methodOrder,
        hiddenMethods: experience.hiddenMethods,
        amounts: experience.amounts.map(readMoney),
        messageKeys: experience.messageKeys,
      },
    }),
    ...(actions.length > 0 && {
      actions: actions.map(({ kind, key }) => ({ kind: actionKinds[kind - 1]!, key })),
    }),
    ...(effects.score > 0 && { score: effects.score }),
    ...(effects.allow.length > 0 && { allow: effects.allow }),
    ...(effects.limitThresholds.length > 0 && {
      limitThresholds: effects.limitThresholds.map(({ limit, amount, count }) => ({
        limit,
        value: Number(amount === undefined ? count : amount.minorUnits),
        currency: amount?.currencyCode ?? "",
      })),
    }),
  };
}

/** Money of a checked rule set: exact to 2^53. */
export function readMoney({ minorUnits, currencyCode }: MoneyMessage): Money {
  return { minorUnits: Number(minorUnits), currencyCode };
}

function ordinalOf(id: string, pspOrdinals: ReadonlyMap<string, number>): number {
  const ordinal = pspOrdinals.get(id);
  if (ordinal === undefined)
    throw new Error(`effects name the PSP ${JSON.stringify(id)}, which the rule set does not have`);
  return ordinal;
}

function readStrategy(
  { id, how }: StrategyMessage,
  ordinals: (ids: readonly string[]) => readonly number[],
): Strategy {
  switch (how.case) {
    case "priority":
      return { kind: "priority", id, psps: ordinals(how.value.psps) };
    case "weighted": {
      const psps = ordinals(how.value.weights.map(({ psp }) => psp));
      return {
        kind: "weighted",
        id,
        weights: how.value.weights.map(({ weight }, index) => ({ psp: psps[index]!, weight })),
      };
    }
    case "leastCost":
      return { kind: "least_cost", id, psps: ordinals(how.value.psps) };
    case undefined:
      throw new Error("a strategy of a checked rule set says how");
  }
}

function readHours({ zone, spans }: WeeklyHoursMessage): WeeklyHours {
  return {
    zone,
    spans: spans.flatMap(({ days, from, until }) => {
      const start = readTime(from);
      const end = readTime(until);
      const length = end > start ? end - start : end + dayMinutes - start;
      const starts = days.length > 0 ? days : [1, 2, 3, 4, 5, 6, 7];
      return starts.map((day) => {
        const fromMinute = (day - 1) * dayMinutes + start;
        return { fromMinute, untilMinute: fromMinute + length };
      });
    }),
  };
}

function readTime(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
}
