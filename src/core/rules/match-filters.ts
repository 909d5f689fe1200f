import { rolloutBucket } from "../hash.ts";
import { openZone } from "../local-time.ts";
import type { Payment } from "../payment.ts";
import type { CompiledRule, WeeklyHours } from "./snapshot.ts";

/** Why a rule does not act although its condition holds. */
export type SkipReason = "kind" | "schedule" | "hours" | "rollout";

type Asked = Pick<Payment, "kind" | "merchantId" | "playerId">;

const minuteMs = 60_000;
const dayMinutes = 1_440;
const weekMinutes = 7 * dayMinutes;

/**
 * What keeps a matching rule from acting on this payment now (`SEMANTICS.md` 3.4 and 3.7); `undefined` where nothing does. Shadow mode keeps
 * it from nothing: a shadow rule is reported where it would act.
 */
export function findSkip(rule: CompiledRule, payment: Asked, nowMs: number): SkipReason | undefined {
  if (!rule.kinds.includes(payment.kind)) return "kind";
  if (rule.fromMs !== undefined && nowMs < rule.fromMs) return "schedule";
  if (rule.untilMs !== undefined && nowMs >= rule.untilMs) return "schedule";
  if (rule.hours !== undefined && !isWithinHours(rule.hours, nowMs)) return "hours";
  if (rule.rollout !== undefined && !isRolledOut(rule, rule.rollout, payment)) return "rollout";
  return undefined;
}

function isRolledOut(
  rule: CompiledRule,
  { shareBps, salt }: NonNullable<CompiledRule["rollout"]>,
  { merchantId, playerId }: Asked,
): boolean {
  return rolloutBucket(merchantId, salt === "" ? rule.id : salt, playerId) < shareBps;
}

function isWithinHours({ zone, spans }: WeeklyHours, nowMs: number): boolean {
  const minute = minuteOfWeek(nowMs + openZone(zone).offsetMs(nowMs));
  return spans.some(
    ({ fromMinute, untilMinute }) =>
      (fromMinute <= minute && minute < untilMinute) ||
      // A span that began late on Sunday reaches into Monday.
      minute + weekMinutes < untilMinute,
  );
}

/** Minutes since Monday 00:00 of a local instant in ms. Day 0 of the epoch was a Thursday. */
function minuteOfWeek(localMs: number): number {
  const minutes = Math.floor(localMs / minuteMs) + 3 * dayMinutes;
  return ((minutes % weekMinutes) + weekMinutes) % weekMinutes;
}
