import { equals } from "@bufbuild/protobuf";
import {
  type Limit,
  Limit_Breach,
  type Limit_Threshold,
  type PolicyPack,
  type Rule,
  Rule_OnUnknown,
  WindowSchema,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { endsAsLate, isProtecting, isProtectiveClass, mayLoosen, startsAsEarly } from "./loosening.ts";
import { toMs } from "./names.ts";
import { nameInPack } from "./packs.ts";

/** Which conditions are, but for their writing, the same before and after. */
export type StandingConditions = {
  readonly ofRule: (ruleId: string) => boolean;
  readonly ofLimit: (limitId: string, name: "key" | "counts" | "applies") => boolean;
};

/** From the gentlest on; EXCLUDE_PSP is of other subjects. */
const breachOrder = [Limit_Breach.NOTICE, Limit_Breach.STEP_UP, Limit_Breach.REVIEW, Limit_Breach.DENY];

/** Whether a limit protects: one of REGULATORY or SAFER_GAMBLING. */
export function isProtectingLimit(limit: Limit): boolean {
  return isProtectiveClass(limit.class);
}

/**
 * Whether a protecting limit may hold less after a change, both in normal form: false only where it measures the same, for the same payments at least,
 * with no threshold raised. What people are told does not matter. `id` is its name among all limits, with that of its pack.
 */
export function mayLoosenLimit(
  before: Limit,
  after: Limit,
  standing: StandingConditions,
  id: string,
): boolean {
  const measuresSame =
    before.subject === after.subject &&
    before.measure === after.measure &&
    before.counted === after.counted &&
    before.distinctOf === after.distinctOf &&
    before.countedAt === after.countedAt &&
    standing.ofLimit(id, "key") &&
    standing.ofLimit(id, "counts") &&
    isSameWindow(before, after);
  const holdsWherever =
    isProtectingLimit(after) &&
    after.class <= before.class &&
    standing.ofLimit(id, "applies") &&
    (after.onUnknown === Rule_OnUnknown.APPLY || before.onUnknown !== Rule_OnUnknown.APPLY) &&
    before.kinds.every((kind) => after.kinds.includes(kind)) &&
    startsAsEarly(before, after) &&
    endsAsLate(before, after);
  const doesAtLeast =
    breaksAsHard(before.breach, after.breach) &&
    (before.netFloorNone || !after.netFloorNone) &&
    before.actions.every(({ kind, key }) =>
      after.actions.some((action) => action.kind === kind && action.key === key),
    ) &&
    allowNoMore(before.thresholds, after.thresholds);
  return !(measuresSame && holdsWherever && doesAtLeast);
}

/** Whether a pack may protect less after a change, both in normal form. */
export function mayLoosenPack(before: PolicyPack, after: PolicyPack, standing: StandingConditions): boolean {
  const rules = new Map(after.rules.map((rule): readonly [string, Rule] => [rule.id, rule]));
  const limits = new Map(after.limits.map((limit): readonly [string, Limit] => [limit.id, limit]));
  const holdsWherever =
    before.jurisdiction === after.jurisdiction &&
    (after.physical || !before.physical) &&
    startsAsEarly(before, after) &&
    endsAsLate(before, after);
  // Limits of players themselves have their periods in the zone of the pack.
  const waitsAsLong =
    before.zone === after.zone &&
    before.weekStart === after.weekStart &&
    waitOf(after) >= waitOf(before) &&
    (after.confirmAfterWait || !before.confirmAfterWait);
  const keepsRules = before.rules.filter(isProtecting).every((rule) => {
    const kept = rules.get(rule.id);
    return kept !== undefined && !mayLoosen(rule, kept, standing.ofRule(nameInPack(before.id, rule.id)));
  });
  const keepsLimits = before.limits.every((limit) => {
    const kept = limits.get(limit.id);
    return kept !== undefined && !mayLoosenLimit(limit, kept, standing, nameInPack(before.id, limit.id));
  });
  return !(holdsWherever && waitsAsLong && keepsRules && keepsLimits);
}

function isSameWindow({ window: before }: Limit, { window: after }: Limit): boolean {
  return before !== undefined && after !== undefined && equals(WindowSchema, before, after);
}

function breaksAsHard(before: Limit_Breach, after: Limit_Breach): boolean {
  const [was, is] = [breachOrder.indexOf(before), breachOrder.indexOf(after)];
  return before === after || (was >= 0 && is > was);
}

/** The same segments in the same order, each with the same amount or number or less. */
function allowNoMore(before: readonly Limit_Threshold[], after: readonly Limit_Threshold[]): boolean {
  return (
    before.length === after.length &&
    before.every((was, index) => {
      const is = after[index]!;
      return (
        was.segment === is.segment &&
        was.amount?.currencyCode === is.amount?.currencyCode &&
        (is.amount?.minorUnits ?? 0n) <= (was.amount?.minorUnits ?? 0n) &&
        is.count <= was.count
      );
    })
  );
}

function waitOf({ limitIncreaseWait }: PolicyPack): number {
  return limitIncreaseWait === undefined ? 0 : toMs(limitIncreaseWait);
}
