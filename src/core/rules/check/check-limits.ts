import {
  type Limit,
  Limit_Breach,
  Limit_Counted,
  Limit_CountedAt,
  Limit_Measure,
  Limit_Subject,
  Rule_Class,
  Rule_OnUnknown,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote, suggest } from "../../cel/faults.ts";
import { effectsByClass } from "../effects-by-class.ts";
import { placeLimits } from "../packs.ts";
import { type RuleClass, ruleClasses } from "../rule-class.ts";
import { checkPurposes } from "./check-declarations.ts";
import { checkActions } from "./check-effects.ts";
import type { CheckInput } from "./check-input.ts";
import { findUnrated, warnUnrated } from "./check-rates.ts";
import { checkSpan } from "./check-rules.ts";
import { checkThresholdList } from "./check-thresholds.ts";
import { checkWindow } from "./check-window.ts";
import { checkId, checkKinds, checkReason, checkSize, checkText, descriptionMax, keyMax } from "./values.ts";

const limitsMax = 256;
const distinctNames = ["card", "device", "ip", "player", "method"];
/** The subject that has one value of each of these alone. */
const subjectOfDistinct: Readonly<Record<string, Limit_Subject>> = {
  card: Limit_Subject.CARD,
  device: Limit_Subject.DEVICE,
  ip: Limit_Subject.IP,
  player: Limit_Subject.PLAYER,
};

const breachClasses: ReadonlyMap<Limit_Breach, readonly Rule_Class[]> = new Map([
  [Limit_Breach.REVIEW, [Rule_Class.SAFER_GAMBLING, Rule_Class.RISK]],
  [Limit_Breach.STEP_UP, [Rule_Class.REGULATORY, Rule_Class.SAFER_GAMBLING, Rule_Class.RISK]],
]);

/** Checks the section `limits`, but for the conditions. */
export function checkLimits(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (!checkSize(faults, "limits", ruleSet.limits.length, limitsMax)) return;
  const seen = new Map<string, string>();
  const rules = new Map(ruleSet.rules.map(({ id }, index) => [id, `rules[${index}].id`]));
  for (const [index, limit] of ruleSet.limits.entries()) {
    const path = `limits[${index}]`;
    checkId(faults, `${path}.id`, limit.id, seen);
    // An override lifts rules and limits by id alike.
    const rule = rules.get(limit.id);
    if (rule !== undefined)
      faults.error(`${path}.id`, "duplicate-id", `${quote(limit.id)} is the id of ${rule} already`);
    checkLimit(input, limit, path);
  }
}

/** Checks a limit of the section or of a pack, but for its id and conditions. */
export function checkLimit(input: CheckInput, limit: Limit, path: string, isPacked = false): void {
  const { faults } = input;
  checkText(faults, `${path}.description`, limit.description, descriptionMax);
  checkKinds(faults, `${path}.kinds`, limit.kinds);
  checkPurposes(faults, `${path}.purposes`, limit.purposes);
  checkReason(faults, `${path}.reason`, limit.reason);
  checkText(faults, `${path}.player_message_key`, limit.playerMessageKey, keyMax);
  checkSpan(input, limit, path, { noun: "limit", isPacked });
  checkMeasure(input, limit, path);
  checkSubject(input, limit, path);
  if (limit.window === undefined)
    faults.error(`${path}.window`, "missing", "a limit needs its window: rolling or calendar");
  else checkWindow(faults, `${path}.window`, limit.window, "limit");
  checkThresholdList(input, limit, `${path}.thresholds`);
  checkClass(input, limit, path);
}

/** Whether a limit is of sums of money. */
function isSum({ measure }: Pick<Limit, "measure">): boolean {
  return measure === Limit_Measure.GROSS || measure === Limit_Measure.NET;
}

function checkMeasure({ faults }: CheckInput, limit: Limit, path: string): void {
  const { measure, counted, distinctOf, netFloorNone, countedAt } = limit;
  const isDistinct = measure === Limit_Measure.DISTINCT;
  if (measure === Limit_Measure.MEASURE_UNSPECIFIED)
    faults.error(`${path}.measure`, "missing", "say what is measured: COUNT, GROSS, NET or DISTINCT");
  const countsPayments = counted === Limit_Counted.COUNTED_UNSPECIFIED || counted === Limit_Counted.PAYMENTS;
  if (isSum(limit) && !countsPayments)
    faults.error(`${path}.counted`, "not-for-measure", "sums are of payments");
  if (countedAt === Limit_CountedAt.CLEARED && !countsPayments)
    faults.error(`${path}.counted_at`, "not-for-measure", "only payments clear, authorisations do not");
  if (netFloorNone && measure !== Limit_Measure.NET)
    faults.error(`${path}.net_floor_none`, "not-for-measure", "only NET can be negative");
  if (!isDistinct && distinctOf !== "")
    faults.error(`${path}.distinct_of`, "not-for-measure", "only DISTINCT counts different values");
  else if (isDistinct && distinctOf === "")
    faults.error(
      `${path}.distinct_of`,
      "missing",
      `say different values of what: ${distinctNames.join(", ")}`,
    );
  else if (isDistinct && !distinctNames.includes(distinctOf)) {
    const message = `${quote(distinctOf)} is none of ${distinctNames.join(", ")}${suggest(distinctOf, distinctNames)}`;
    faults.error(`${path}.distinct_of`, "unknown-value", message);
  }
}

function checkSubject({ faults }: CheckInput, limit: Limit, path: string): void {
  const { measure, distinctOf, key } = limit;
  const subject = subjectOf(limit);
  if (subject === Limit_Subject.KEY && key === "")
    faults.error(`${path}.key`, "missing", "the subject KEY needs the key");
  if (subject !== Limit_Subject.KEY && key !== "")
    faults.error(`${path}.key`, "not-for-subject", "only the subject KEY has a key");
  if (measure === Limit_Measure.DISTINCT && subjectOfDistinct[distinctOf] === subject)
    faults.error(
      `${path}.distinct_of`,
      "not-for-subject",
      `each ${distinctOf} has one ${distinctOf}: count another`,
    );
  const hasNet = subject === Limit_Subject.PLAYER || subject === Limit_Subject.BRAND;
  if (measure === Limit_Measure.NET && !hasNet)
    faults.error(
      `${path}.measure`,
      "not-for-subject",
      "withdrawals are paid to players, so only PLAYER and BRAND have a NET",
    );
}

function checkClass({ faults }: CheckInput, limit: Limit, path: string): void {
  const ruleClass = ruleClasses[limit.class - 1];
  if (ruleClass === undefined) {
    faults.error(`${path}.class`, "missing", "say of which class the limit is");
    return;
  }
  if (ruleClass === "OVERRIDE") {
    const message = "overrides live outside rule sets: they replace thresholds with OverrideService";
    faults.error(`${path}.class`, "class-override", message);
    return;
  }
  if (ruleClass === "EXPERIMENT") {
    faults.error(`${path}.class`, "class-experiment", "a limit binds all players alike: no arm has its own");
    return;
  }
  checkBreach(faults, limit, path, ruleClass);
  checkUnknown(faults, limit, path, ruleClass);
  if (limit.actions.length === 0) return;
  const permission = effectsByClass.actions[ruleClass];
  if (permission === "-")
    faults.error(`${path}.actions`, "effect-not-allowed", `${ruleClass} may not use actions`);
  else checkActions({ faults, ruleClass }, limit.actions, `${path}.actions`, permission);
}

function checkBreach(faults: CheckInput["faults"], limit: Limit, path: string, ruleClass: RuleClass): void {
  const { breach } = limit;
  const subject = subjectOf(limit);
  const isOfPsp = subject === Limit_Subject.PSP || subject === Limit_Subject.MID;
  const name = Limit_Breach[breach];
  const isOpen = breach === Limit_Breach.BREACH_UNSPECIFIED || breach === Limit_Breach.NOTICE;
  if (isOfPsp && !isOpen && breach !== Limit_Breach.EXCLUDE_PSP) {
    const message = `${name} would stop the payment for one PSP: write EXCLUDE_PSP or NOTICE`;
    faults.error(`${path}.breach`, "breach-not-allowed", message);
  } else if (!isOfPsp && breach === Limit_Breach.EXCLUDE_PSP) {
    const message = "EXCLUDE_PSP is for the subjects PSP and MID";
    faults.error(`${path}.breach`, "breach-not-allowed", message);
  } else if (breachClasses.get(breach)?.includes(limit.class) === false) {
    faults.error(`${path}.breach`, "breach-not-allowed", `${ruleClass} may not use ${name}`);
  }
}

function checkUnknown(faults: CheckInput["faults"], limit: Limit, path: string, ruleClass: RuleClass): void {
  const isSaid = limit.onUnknown !== Rule_OnUnknown.ON_UNKNOWN_UNSPECIFIED;
  if (isSaid || (ruleClass !== "REGULATORY" && ruleClass !== "SAFER_GAMBLING")) return;
  const message = "say what unknown does: on_unknown APPLY closes, SKIP opens";
  faults.error(`${path}.on_unknown`, "on-unknown-missing", message);
}

function subjectOf({ subject }: Limit): Limit_Subject {
  return subject === Limit_Subject.SUBJECT_UNSPECIFIED ? Limit_Subject.PLAYER : subject;
}

/** Warns of sums in a currency that payments of some PSP cannot be converted to: the law denies those, other limits do not see them. */
export function checkLimitRates({ ruleSet, faults }: CheckInput): void {
  const unrated = findUnrated(ruleSet);
  for (const { entry, path } of placeLimits(ruleSet)) {
    const code = entry.thresholds[0]?.amount?.currencyCode;
    if (!isSum(entry) || code === undefined) continue;
    const effect = "payments in it that the limit holds up cannot be measured";
    warnUnrated(faults, `${path}.thresholds`, { lost: unrated(code), code, effect });
  }
}
