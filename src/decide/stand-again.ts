/**
 * The plan of a stored decision as it now stands: re-checked on current state, and in step with what the payment holds under limits (`SEMANTICS.md` 4.2,
 * 5.1) and against the caps of schemes (4.6): it shows no more steps than it holds. Where what was heard leaves no step to run, what is still held is let
 * go; a plan that holds nothing runs no step any more, whatever else changes.
 */
import type { BinTable } from "../core/bin/bin-table.ts";
import type { Decision, Edge } from "../core/decision.ts";
import { keepUntold } from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Payment } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { countAhead, countSilent, findShare } from "../core/retry/in-flight.ts";
import { cutPlan, type PlanCuts, type PlanStanding } from "../core/retry/standing.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PaymentRecord } from "../ports/payment-store.ts";
import type { Breakers } from "./breakers.ts";
import { holdBackBeyond, standPlan } from "./decide-with.ts";
import { giveBackUnused } from "./health.ts";
import { holdAttempts, isForCapsOnly, plannedOf } from "./held-attempts.ts";
import type { ActiveRules, DecisionState } from "./judge.ts";
import { isLimited } from "./limits.ts";
import { recheckPlan } from "./recheck.ts";
import { openWorkspace } from "./workspace.ts";

type StandDeps = {
  readonly limits: Pick<LimitStore, "get" | "hold" | "release">;
  readonly breakers?: Pick<Breakers, "giveBack" | "boardOf"> | undefined;
  readonly bins: BinTable;
};

/** The payment as it was decided last, with all that was heard of it. */
type Stored = Pick<PaymentRecord, "decision" | "payment" | "revision" | "attempts" | "earlier">;

type StandingCall = {
  readonly nowMs: number;
  readonly isNews: boolean;
  readonly durable: Promise<void> | undefined;
};

export type StandingAgain = {
  readonly plan: PlanStanding | undefined;
  /** Resolves when all is kept that the answer tells: what the caller was writing, and what was held or let go. Undefined where nothing is open. */
  readonly durable: Promise<void> | undefined;
};

/** `isNews`: whether the call told of an attempt what was not known; a repeat says nothing of steps that may be under way. `durable`: what the caller writes. */
export function standAgain(
  deps: StandDeps,
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  stored: Stored,
  { nowMs, isNews, durable }: StandingCall,
): StandingAgain {
  const { merchantId, paymentId } = payment;
  const { decision, revision, attempts } = stored;
  const { limits, breakers, bins } = deps;
  const stand = (cuts: PlanCuts | undefined) => standPlan(decision, { attempts, revision, nowMs, cuts });
  const { cuts, card } = recheckPlan(rules, decision, payment, state, nowMs, attempts);
  giveBackUnused(breakers, payment, decision, attempts, cuts);
  const plan = stand(cuts);
  if (plan === undefined) return { plan, durable };
  const found = limits.get(merchantId, paymentId);
  const hold = found !== undefined && isForCapsOnly(found) ? undefined : found;
  const isBegun = hasBegun(decision, attempts);
  if (hold === undefined && runsOn(plan.next)) {
    const isHeld = card.isCounted || (isBegun && isLimited(openWorkspace(rules.snapshot), state.player));
    return { plan: isHeld ? stand(cutAll(decision, attempts, cuts)) : plan, durable };
  }
  const held = { ...stored, payment: stored.payment ?? payment, bins };
  const silent = countSilent(decision.plan?.steps ?? [], attempts);
  if (isBegun && isNews && isUnused(hold) && !runsOn(plan.next)) {
    const kept = silent === 0 ? undefined : holdAttempts(keepUntold(hold, nowMs), held, attempts, silent);
    const write = kept === undefined ? limits.release(merchantId, paymentId) : limits.hold(merchantId, kept);
    return { plan, durable: join(durable, write) };
  }
  if (!card.isCounted || hold === undefined) return { plan, durable };
  const known = plannedOf(hold, revision);
  const room = Math.max(0, card.free - silent);
  // What was shown already may be under way, so it is taken back only where others have used it up.
  const most = Math.max(findShare(room), Math.min(room, known - silent));
  const shown = holdBackBeyond(plan, card, most, cuts);
  const promised = shown === cuts ? plan : stand(shown)!;
  const planned = silent + countAhead(promised);
  const kept = holdAttempts(hold, held, attempts, isNews ? planned : Math.max(known, planned));
  if (kept === undefined || kept === hold) return { plan: promised, durable };
  return { plan: promised, durable: join(durable, limits.hold(merchantId, kept)) };
}

function join(durable: Promise<void> | undefined, write: Promise<void>): Promise<void> {
  return Promise.all([durable, write]).then(() => {});
}

function runsOn({ action }: Edge): boolean {
  return action === "STEP" || action === "WAIT_UNTIL";
}

/** Whether any step of the plan was sent and heard of: before that it holds what it was decided with. */
function hasBegun({ plan }: Decision, attempts: readonly Attempt[]): boolean {
  return attempts.some((each) => plan?.steps.some(({ attemptId }) => attemptId === each.attemptId) === true);
}

/** Held for steps to come only: what is unknown or pending stays, and so does what a reviewer has. */
function isUnused(hold: Hold | undefined): hold is Hold {
  return hold?.state === "HELD";
}

function cutAll(
  { plan }: Decision,
  attempts: readonly Attempt[],
  cuts: PlanCuts | undefined,
): PlanCuts | undefined {
  if (plan === undefined) return cuts;
  const all = cutPlan(plan, attempts, { denial: undefined, reasonOf: () => holdReleased });
  return { ...all, reasons: [...(cuts?.reasons ?? []), ...all.reasons] };
}

const holdReleased = makeReason(
  "routing",
  "HOLD_RELEASED",
  "",
  "the payment holds nothing under limits any more: decide it at the next revision",
);
