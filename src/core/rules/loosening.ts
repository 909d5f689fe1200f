import {
  type Effects,
  type Effects_ThreeDs,
  type Rule,
  Rule_Class,
  Rule_Mode,
  Rule_OnUnknown,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { firmnessOf } from "./challenge-indicator.ts";
import { toMs } from "./names.ts";
import { threeDsLevels } from "./snapshot.ts";

/** Whether a rule protects now: a LIVE one of REGULATORY or SAFER_GAMBLING. */
export function isProtecting(rule: Rule): boolean {
  return rule.mode !== Rule_Mode.SHADOW && isProtectiveClass(rule.class);
}

/**
 * Whether a protecting rule may hold less after a change, both in normal form: false only where it holds at least for the same payments and does at
 * least the same. What people are told (description, reasons, message, purposes) and the order among such rules, whose effects all add up,
 * do not matter.
 */
export function mayLoosen(before: Rule, after: Rule, conditionStands: boolean): boolean {
  const holdsWherever =
    isProtecting(after) &&
    after.class <= before.class &&
    (conditionStands || after.when === "") &&
    (after.onUnknown === Rule_OnUnknown.APPLY || before.onUnknown !== Rule_OnUnknown.APPLY) &&
    before.kinds.every((kind) => after.kinds.includes(kind)) &&
    startsAsEarly(before, after) &&
    endsAsLate(before, after);
  return !(holdsWherever && doesAtLeast(before.effects, after.effects));
}

function doesAtLeast(before: Effects | undefined, after: Effects | undefined): boolean {
  if (before === undefined) return true;
  if (after === undefined) return false;
  return (
    (before.deny === undefined || after.deny !== undefined) &&
    (before.review === undefined || after.review !== undefined || after.deny !== undefined) &&
    before.excludePsps.every((psp) => after.excludePsps.includes(psp)) &&
    requiresAtLeast(before.requirePsps, after.requirePsps) &&
    capsAtLeast(before.amountCap, after.amountCap) &&
    demandsAtLeast(before.threeDs, after.threeDs) &&
    before.actions.every(({ kind, key }) =>
      after.actions.some((action) => action.kind === kind && action.key === key),
    )
  );
}

function requiresAtLeast(before: readonly string[], after: readonly string[]): boolean {
  // An empty list requires nothing.
  return before.length === 0 || (after.length > 0 && after.every((psp) => before.includes(psp)));
}

function capsAtLeast(before: Effects["amountCap"], after: Effects["amountCap"]): boolean {
  if (before === undefined) return true;
  return (
    after !== undefined && after.currencyCode === before.currencyCode && after.minorUnits <= before.minorUnits
  );
}

function demandsAtLeast(before: Effects["threeDs"], after: Effects["threeDs"]): boolean {
  if (before === undefined) return true;
  if (after === undefined) return false;
  if (after.level === before.level) return after.challengeIndicator === before.challengeIndicator;
  // Levels are numbered from the strictest on; a stricter one may still ask for its challenge less firmly.
  return after.level < before.level && firmness(after) >= firmness(before);
}

function firmness({ level, challengeIndicator }: Effects_ThreeDs): number {
  return firmnessOf({ level: threeDsLevels[level - 1]!, challengeIndicator });
}

type Span = Pick<Rule, "from" | "until">;

export function startsAsEarly(before: Span, after: Span): boolean {
  return startOf(after) <= startOf(before);
}

export function endsAsLate(before: Span, after: Span): boolean {
  return endOf(after) >= endOf(before);
}

function startOf({ from }: Span): number {
  return from === undefined ? Number.NEGATIVE_INFINITY : toMs(from);
}

function endOf({ until }: Span): number {
  return until === undefined ? Number.POSITIVE_INFINITY : toMs(until);
}

/** Whether nothing may loosen rules of this class: REGULATORY or SAFER_GAMBLING. */
export function isProtectiveClass(ruleClass: Rule_Class): boolean {
  return ruleClass === Rule_Class.REGULATORY || ruleClass === Rule_Class.SAFER_GAMBLING;
}
