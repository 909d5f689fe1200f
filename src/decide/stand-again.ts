/**
 * The plan of a stored decision as it now stands: re-checked on current state, and in step with what the payment holds under limits (`SEMANTICS.md` 4.2,
 * 5.1). Where what was heard leaves no step to run, what is still held is let go; a plan that holds nothing runs no step any more, whatever else changes.
 */
import type { Decision, Edge } from "../core/decision.ts";
import type { Hold } from "../core/limits/limit.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Payment } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { cutPlan, type PlanCuts, type PlanStanding } from "../core/retry/standing.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { Breakers } from "./breakers.ts";
import { standPlan } from "./decide-with.ts";
import { giveBackUnused } from "./health.ts";
import type { ActiveRules, DecisionState } from "./judge.ts";
import { isLimited } from "./limits.ts";
import { recheckPlan } from "./recheck.ts";
import { openWorkspace } from "./workspace.ts";

type StandDeps = {
  readonly limits: Pick<LimitStore, "get" | "release">;
  readonly breakers?: Pick<Breakers, "giveBack" | "boardOf"> | undefined;
};

type Stored = {
  readonly decision: Decision;
  readonly revision: number;
  readonly attempts: readonly Attempt[];
};

type StandingCall = {
  readonly nowMs: number;
  readonly isNews: boolean;
  readonly durable: Promise<void> | undefined;
};

export type StandingAgain = {
  readonly plan: PlanStanding | undefined;
  /** Resolves when all is kept that the answer tells: what the caller was writing, and what was let go. Undefined where nothing is open. */
  readonly durable: Promise<void> | undefined;
};

/** `isNews`: whether the call told of an attempt what was not known; a repeat says nothing of steps that may be under way. `durable`: what the caller writes. */
export function standAgain(
  deps: StandDeps,
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  { decision, revision, attempts }: Stored,
  { nowMs, isNews, durable }: StandingCall,
): StandingAgain {
  const { merchantId, paymentId } = payment;
  const stand = (cuts: PlanCuts | undefined) => standPlan(decision, { attempts, revision, nowMs, cuts });
  const cuts = recheckPlan(rules, decision, payment, state, nowMs, attempts);
  giveBackUnused(deps.breakers, payment, decision, attempts, cuts);
  const plan = stand(cuts);
  if (plan === undefined || !hasBegun(decision, attempts)) return { plan, durable };
  const hold = deps.limits.get(merchantId, paymentId);
  if (runsOn(plan.next)) {
    const isBare = hold === undefined && isLimited(openWorkspace(rules.snapshot), state.player);
    return { plan: isBare ? stand(cutAll(decision, attempts, cuts)) : plan, durable };
  }
  if (!isNews || !isUnused(hold)) return { plan, durable };
  const released = deps.limits.release(merchantId, paymentId);
  return { plan, durable: Promise.all([durable, released]).then(() => {}) };
}

function runsOn({ action }: Edge): boolean {
  return action === "STEP" || action === "WAIT_UNTIL";
}

/** Whether any step of the plan was sent and heard of: before that it holds what it was decided with. */
function hasBegun({ plan }: Decision, attempts: readonly Attempt[]): boolean {
  return attempts.some((each) => plan?.steps.some(({ attemptId }) => attemptId === each.attemptId) === true);
}

/** Held for steps to come only: what is unknown or pending stays, and so does what a reviewer has. */
function isUnused(hold: Hold | undefined): boolean {
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
