import {
  type Rule,
  Rule_Class,
  Rule_OnUnknown,
  type WeeklyHours,
  WeeklyHours_Day,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { isTimeZone } from "../../local-time.ts";
import { tighteningEffects } from "../effects-by-class.ts";
import { toMs } from "../names.ts";
import { type RuleClass, ruleClasses } from "../rule-class.ts";
import { checkPurposes } from "./check-declarations.ts";
import { checkEffects, listEffects } from "./check-effects.ts";
import type { CheckInput } from "./check-input.ts";
import {
  checkId,
  checkInstant,
  checkKinds,
  checkRange,
  checkReason,
  checkSet,
  checkSize,
  checkText,
  descriptionMax,
  isId,
  keyMax,
} from "./values.ts";

const rulesMax = 20_000;
const spansMax = 32;
const zoneMax = 64;
const bpsMax = 10_000;

/** Checks the section `rules`, but for the conditions. */
export function checkRules(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (!checkSize(faults, "rules", ruleSet.rules.length, rulesMax)) return;
  const seen = new Map<string, string>();
  for (const [index, rule] of ruleSet.rules.entries()) {
    const path = `rules[${index}]`;
    checkId(faults, `${path}.id`, rule.id, seen);
    checkRule(input, rule, path);
  }
}

/** Checks a rule of the section or of a pack, but for its id and condition. */
export function checkRule(input: CheckInput, rule: Rule, path: string, isPacked = false): void {
  const { faults } = input;
  checkText(faults, `${path}.description`, rule.description, descriptionMax);
  checkKinds(faults, `${path}.kinds`, rule.kinds);
  checkPurposes(faults, `${path}.purposes`, rule.purposes);
  checkReason(faults, `${path}.reason`, rule.reason);
  checkReason(faults, `${path}.reason_unknown`, rule.reasonUnknown);
  checkText(faults, `${path}.player_message_key`, rule.playerMessageKey, keyMax);
  checkSpan(input, rule, path, { noun: "rule", isPacked });
  checkSchedule(input, rule, path);
  checkClass(input, rule, path);
}

/** The class of a rule by its name; undefined where it has none. */
function classOf(rule: Rule): RuleClass | undefined {
  return ruleClasses[rule.class - 1];
}

function checkClass(input: CheckInput, rule: Rule, path: string): void {
  const { faults } = input;
  const ruleClass = classOf(rule);
  if (ruleClass === undefined) {
    faults.error(`${path}.class`, "missing", "say of which class the rule is");
    return;
  }
  if (rule.class === Rule_Class.OVERRIDE) {
    faults.error(
      `${path}.class`,
      "class-override",
      "overrides live outside rule sets: put them with OverrideService",
    );
    return;
  }
  if (rule.effects === undefined) faults.error(`${path}.effects`, "no-effect", "a rule needs an effect");
  else checkEffects({ ...input, effects: rule.effects, path: `${path}.effects`, ruleClass });
  checkOnUnknown(input, rule, path, ruleClass);
  if (ruleClass !== "REGULATORY" && ruleClass !== "SAFER_GAMBLING") return;
  if (rule.rollout !== undefined)
    faults.error(`${path}.rollout`, "rollout-not-allowed", `${ruleClass} holds for all players`);
  if (rule.hours !== undefined)
    faults.error(`${path}.hours`, "hours-not-allowed", `${ruleClass} holds at all hours`);
}

function checkOnUnknown({ faults }: CheckInput, rule: Rule, path: string, ruleClass: RuleClass): void {
  const isSaid = rule.onUnknown !== Rule_OnUnknown.ON_UNKNOWN_UNSPECIFIED;
  if (ruleClass === "REGULATORY" || ruleClass === "SAFER_GAMBLING") {
    const tightening =
      rule.effects === undefined
        ? []
        : listEffects(rule.effects).filter((name) => tighteningEffects.includes(name));
    if (!isSaid && tightening.length > 0) {
      const message = `say what unknown does to ${tightening.join(", ")}: on_unknown APPLY or SKIP`;
      faults.error(`${path}.on_unknown`, "on-unknown-missing", message);
    }
  } else if (isSaid && ruleClass !== "RISK") {
    faults.error(`${path}.on_unknown`, "on-unknown-not-allowed", `${ruleClass} never matches on unknown`);
  }
}

/** When something is active: it ends after it begins, and has not ended, unless it is law or a fact, of which what was in force stays for replays. */
export function checkSpan(
  { faults, nowMs }: CheckInput,
  { from, until }: Pick<Rule, "from" | "until">,
  path: string,
  {
    noun,
    isPacked,
  }: { readonly noun: "rule" | "limit" | "pack" | "entry" | "maintenance"; readonly isPacked: boolean },
): void {
  if (from !== undefined) checkInstant(faults, `${path}.from`, from);
  if (until === undefined) return;
  checkInstant(faults, `${path}.until`, until);
  const untilMs = toMs(until);
  if (from !== undefined && untilMs <= toMs(from)) {
    faults.error(`${path}.until`, "until-not-after-from", `the ${noun} ends before it begins`);
  } else if (untilMs <= nowMs && !isPacked) {
    faults.error(`${path}.until`, "until-in-past", `the ${noun} has ended already`);
  }
}

function checkSchedule(input: CheckInput, rule: Rule, path: string): void {
  const { faults } = input;
  const { hours, rollout } = rule;
  if (hours !== undefined) checkHours(input, hours, `${path}.hours`);
  if (rollout === undefined) return;
  checkRange(faults, `${path}.rollout.share_bps`, rollout.shareBps, [0, bpsMax]);
  if (rollout.salt !== "" && !isId(rollout.salt)) {
    faults.error(
      `${path}.rollout.salt`,
      "bad-id",
      `${quote(rollout.salt)} is no salt: salts are written as ids`,
    );
  }
}

function checkHours({ faults }: CheckInput, hours: WeeklyHours, path: string): void {
  const { zone, spans } = hours;
  if (zone === "") faults.error(`${path}.zone`, "missing", "hours need their zone");
  else if (zone.length > zoneMax || !isTimeZone(zone)) {
    faults.error(`${path}.zone`, "bad-zone", `${quote(zone)} is no zone such as Europe/Berlin`);
  }
  if (spans.length === 0) faults.error(`${path}.spans`, "missing", "hours need a span");
  if (!checkSize(faults, `${path}.spans`, spans.length, spansMax)) return;
  for (const [index, span] of spans.entries()) {
    const at = `${path}.spans[${index}]`;
    checkSet(faults, { path: `${at}.days`, values: span.days, max: 7 }, (place, day) => {
      if (day === WeeklyHours_Day.DAY_UNSPECIFIED) faults.error(place, "unknown-value", "this must be a day");
    });
    if (!/^(?:[01]\d|2[0-3]):[0-5]\d$/.test(span.from)) {
      faults.error(`${at}.from`, "bad-time", `${quote(span.from)} is no time from 00:00 to 23:59`);
    }
    if (!/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.test(span.until)) {
      faults.error(`${at}.until`, "bad-time", `${quote(span.until)} is no time from 00:00 to 24:00`);
    }
  }
}
