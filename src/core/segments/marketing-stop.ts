import type { Expr, Value } from "../cel/expr.ts";
import { readReads } from "../cel/reads.ts";
import { findSkip } from "../rules/match-filters.ts";
import { isOfPlayer } from "../rules/player-sources.ts";
import type { CompiledRule, RuleSnapshot } from "../rules/snapshot.ts";

/** A live rule that suppresses marketing, of what is known without a payment. `condition` is absent where it always holds. */
export type MarketingStop = { readonly rule: CompiledRule; readonly condition: Expr | undefined };

/** How often a rule with hours of the week is looked at. */
const hoursLookMs = 15 * 60_000;

/**
 * The rules by which players must not be contacted: markers of harm work between payments too. Kinds of payment don't matter to them.
 *
 * Source: docs/memberships.md.
 */
export function listMarketingStops(
  snapshot: RuleSnapshot,
  intern: (expr: Expr) => Expr,
): readonly MarketingStop[] {
  const { slots, segments, rules } = snapshot;
  const isWithoutPayment = (condition: Expr): boolean => {
    const reads = readReads(condition);
    return (
      [...reads.slots].every((slot) => isOfPlayer(slots[slot]!)) &&
      [...reads.segments].every((segment) => !segments[segment]!.needsPayment)
    );
  };
  return rules.flatMap((rule, ordinal): MarketingStop[] => {
    if (rule.shadow || !suppressesMarketing(rule)) return [];
    const condition = snapshot.ruleCondition(ordinal);
    if (condition === undefined) return [{ rule, condition }];
    return isWithoutPayment(condition) ? [{ rule, condition: intern(condition) }] : [];
  });
}

function suppressesMarketing({ effects }: CompiledRule): boolean {
  return effects.actions?.some(({ kind }) => kind === "SUPPRESS_MARKETING") === true;
}

/** Whether a rule stops marketing to a player now. */
export function isStopping(
  { rule, condition }: MarketingStop,
  who: { readonly merchantId: string; readonly playerId: string },
  nowMs: number,
  evaluate: (expr: Expr) => Value,
): boolean {
  if (findSkip(rule, { ...who, kind: rule.kinds[0]! }, nowMs) !== undefined) return false;
  const truth = condition === undefined ? true : evaluate(condition);
  return truth === true || (truth === undefined && rule.matchUnknown);
}

/** A lower bound of the next instant at which that may change by the rule's own schedule. */
export function findNextOfSchedule(
  { rule: { fromMs, untilMs, hours } }: MarketingStop,
  nowMs: number,
): number {
  const bounds = [fromMs, untilMs].filter((atMs) => atMs !== undefined && atMs > nowMs) as number[];
  if (hours !== undefined) bounds.push((Math.floor(nowMs / hoursLookMs) + 1) * hoursLookMs);
  return Math.min(...bounds);
}
