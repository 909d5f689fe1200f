/**
 * What the restrictions of a player forbid (`SEMANTICS.md` 3.6): nothing but their own end lifts them.
 *
 * | Restriction | Deposits | Withdrawals | Marketing |
 * |---|---|---|---|
 * | holds (`from <= now < until`) | denied | denied by a sanction only | suppressed |
 * | its source's word is older than `max_age`: unknown | denied, with a reason of its own | denied by a sanction only | suppressed |
 * | is over | open | open | suppressed until the player explicitly returned |
 * | the source says that nothing holds | open | open | open |
 */
import type { Purpose } from "./facts.ts";
import type { PaymentKind } from "./payment.ts";
import type { Restriction, RestrictionKind } from "./player.ts";
import type { Reason } from "./reason.ts";
import type { BuiltInCode } from "./reason-codes.ts";

/** Kinds in the order in which their reasons stand, with what their reasons may be used for. */
const purposesOfKind: Readonly<Record<RestrictionKind, readonly Purpose[]>> = {
  SANCTION: ["aml"],
  SELF_EXCLUSION: ["rg"],
  COURT_ORDER: ["rg"],
  TIME_OUT: ["rg"],
  OPERATOR_BLOCK: ["fraud"],
};

const kindOrder = Object.keys(purposesOfKind) as readonly RestrictionKind[];

const noReasons: readonly Reason[] = [];

/**
 * Why a payment of this kind may not be, in fixed order (kind, then source); empty where nothing forbids it.
 *
 * A restriction that holds and whose source was not asked for too long gives both reasons.
 */
export function judgeRestrictions(
  restrictions: readonly Restriction[],
  { kind, nowMs }: { readonly kind: PaymentKind; readonly nowMs: number },
): readonly Reason[] {
  if (restrictions.length === 0) return noReasons;
  const closing = restrictions
    .filter((each) => actsOn(each, kind) && (holds(each, nowMs) || isStale(each, nowMs)))
    .sort(byKindAndSource);
  return closing.flatMap((each) => {
    const reasons = holds(each, nowMs) ? [holdingReason(each)] : [];
    return isStale(each, nowMs) ? [...reasons, staleReason(each)] : reasons;
  });
}

/** The restriction that suppresses marketing: one that holds, is unknown, or is over without an explicit return. */
export function findMarketingStop(
  restrictions: readonly Restriction[],
  nowMs: number,
): Restriction | undefined {
  return restrictions.find((each) => {
    if (isStale(each, nowMs) || holds(each, nowMs)) return true;
    return !each.clear && each.fromMs <= nowMs && !each.returned;
  });
}

/** Whether marketing is suppressed by what is stored, whatever the hour: from the first restriction on until an explicit return. */
export function isMarketingSuppressed(restrictions: readonly Restriction[]): boolean {
  return restrictions.some(({ clear, returned }) => !clear && !returned);
}

/** Id by which reasons and losers name a restriction. */
export function restrictionId({ kind, source }: Restriction): string {
  return `${kind}/${source}`;
}

/** Only sanctions act on what a player is paid. */
function actsOn({ kind }: Restriction, payment: PaymentKind): boolean {
  return payment === "deposit" || kind === "SANCTION";
}

function holds({ clear, fromMs, untilMs }: Restriction, nowMs: number): boolean {
  return !clear && fromMs <= nowMs && (untilMs === undefined || nowMs < untilMs);
}

function isStale({ checkedAtMs, maxAgeMs }: Restriction, nowMs: number): boolean {
  return maxAgeMs !== undefined && nowMs - checkedAtMs > maxAgeMs;
}

function holdingReason(restriction: Restriction): Reason {
  const { kind, source, untilMs } = restriction;
  const end = untilMs === undefined ? "without end" : `until ${new Date(untilMs).toISOString()}`;
  return makeReason(restriction, kind, `${source} says so, ${end}`);
}

function staleReason(restriction: Restriction): Reason {
  const { kind, source, checkedAtMs } = restriction;
  const detail = `${source} was last asked about ${kind} at ${new Date(checkedAtMs).toISOString()}, too long ago`;
  return makeReason(restriction, "RESTRICTION_UNKNOWN", detail);
}

function makeReason(restriction: Restriction, code: BuiltInCode, detail: string): Reason {
  return {
    stage: "restriction",
    code,
    sourceId: restrictionId(restriction),
    detail,
    playerMessageKey: "payment.not_possible",
    purposes: purposesOfKind[restriction.kind],
  };
}

function byKindAndSource(a: Restriction, b: Restriction): number {
  const byKind = kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind);
  return byKind || (a.source < b.source ? -1 : a.source > b.source ? 1 : 0);
}
