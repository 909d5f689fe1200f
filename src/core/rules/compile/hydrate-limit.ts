import {
  type Limit,
  Limit_Breach,
  Limit_Counted,
  Limit_CountedAt,
  Limit_Measure,
  Limit_Subject,
  type PolicyPack,
  Rule_OnUnknown,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Expr } from "../../cel/expr.ts";
import type { CalendarSpec, RollingSpec } from "../../features/feature.ts";
import type { SubjectKind } from "../../history/history.ts";
import type { DistinctOf, LimitBreach, LimitCounted, LimitMeasure, LimitSpec } from "../../limits/limit.ts";
import { readPurposes, toMs } from "../names.ts";
import { nameInPack } from "../packs.ts";
import { ruleClasses } from "../rule-class.ts";
import { actionKinds, type PackInfo } from "../snapshot.ts";
import { readWindow } from "../windows.ts";
import { readKinds } from "./hydrate-rule.ts";

/** The conditions of a limit. */
export type LimitConditions = Pick<LimitSpec, "key" | "counts" | "applies">;

/** A limit of a checked rule set in its normal form, as decisions use it; `segments` are ordinals by id. */
export function readLimit(
  limit: Limit,
  { key, counts, applies }: { readonly [Name in keyof LimitConditions]: Expr | undefined },
  segments: ReadonlyMap<string, number>,
): LimitSpec {
  const { id, distinctOf, thresholds, netFloorNone, reason, playerMessageKey, actions, from, until } = limit;
  const window = readWindow(limit.window);
  if (window.kind !== "rolling" && window.kind !== "calendar")
    throw new Error(
      `the window of the limit ${JSON.stringify(id)} is ${window.kind}, which the checks refuse`,
    );
  return {
    id,
    ruleClass: ruleClasses[limit.class - 1]!,
    kinds: readKinds(limit.kinds),
    subject: Limit_Subject[limit.subject].toLowerCase() as SubjectKind,
    key,
    measure: Limit_Measure[limit.measure] as LimitMeasure,
    counted: Limit_Counted[limit.counted] as LimitCounted,
    distinctOf: distinctOf === "" ? undefined : (distinctOf as DistinctOf),
    counts,
    applies,
    window: window satisfies RollingSpec | CalendarSpec,
    thresholds: thresholds.map(({ segment, amount, count }) => ({
      segment: segments.get(segment),
      value: Number(amount === undefined ? count : amount.minorUnits),
    })),
    currency: thresholds[0]?.amount?.currencyCode ?? "",
    breach: Limit_Breach[limit.breach] as LimitBreach,
    closesOnUnknown: limit.onUnknown === Rule_OnUnknown.APPLY,
    countedAt: limit.countedAt === Limit_CountedAt.CLEARED ? "CLEARED" : "DECIDED",
    netFloorNone,
    reason,
    playerMessageKey,
    purposes: readPurposes(limit.purposes),
    actions: actions.map(({ kind, key: actionKey }) => ({ kind: actionKinds[kind - 1]!, key: actionKey })),
    fromMs: from && toMs(from),
    untilMs: until && toMs(until),
  };
}

/** A pack of a checked rule set in its normal form, without its rules, and of its limits only the ids. */
export function readPack(pack: PolicyPack): PackInfo {
  const {
    id,
    jurisdiction,
    physical,
    from,
    until,
    zone,
    weekStart,
    limitIncreaseWait,
    confirmAfterWait,
    limits,
  } = pack;
  return {
    id,
    jurisdiction,
    physical,
    fromMs: from && toMs(from),
    untilMs: until && toMs(until),
    zone,
    weekStart,
    limitIncreaseWaitMs: limitIncreaseWait === undefined ? 0 : toMs(limitIncreaseWait),
    confirmAfterWait,
    limits: limits.map((limit) => nameInPack(id, limit.id)).sort(),
  };
}
