/**
 * The plan of a stored decision as it now stands: re-checked on current state, and in step with what the payment holds under limits (`SEMANTICS.md` 4.2,
 * 5.1) and against the caps of schemes (4.6): it shows no more steps than it holds. Where what was heard leaves no step to run, what is still held is let
 * go; a plan that holds nothing runs no step any more, whatever else changes.
 */
import type { BinTable } from "../core/bin/bin-table.ts";
import type { Decision, Edge } from "../core/decision.ts";
import { isForCapsOnly, keepUntold } from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Payment } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { countAhead, countSilent, findShare } from "../core/retry/in-flight.ts";
import { cutPlan, type PlanCuts, type PlanStanding } from "../core/retry/standing.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PaymentRecord, PaymentStore } from "../ports/payment-store.ts";
import type { Breakers } from "./breakers.ts";
import { holdBackBeyond, standPlan } from "./decide-with.ts";
import { giveBackUnused } from "./health.ts";
import { type HeldPayment, holdAttempts, plannedOf } from "./held-attempts.ts";
import type { ActiveRules, Scene } from "./judge.ts";
import type { Keeper } from "./keeper.ts";
import { isLimited } from "./limits.ts";
import { recheckPlan } from "./recheck.ts";

type StandDeps = {
  readonly payments: Pick<PaymentStore, "get">;
  readonly keeper: Pick<Keeper, "keep">;
  readonly limits: Pick<LimitStore, "get" | "hold" | "release">;
  readonly breakers?: Pick<Breakers, "giveBack" | "boardOf"> | undefined;
  readonly bins: BinTable;
};

/** The payment as it was decided last, with all that was heard of it. */
type Stored = Pick<PaymentRecord, "decision" | "payment" | "revision" | "attempts" | "earlier">;

type StandingCall = {
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
  scene: Scene,
  stored: Stored,
  call: StandingCall,
): StandingAgain {
  const { revision, attempts } = stored;
  const { payment, nowMs } = scene.facts;
  const { plan: checked, cuts, card } = recheckPlan(rules, scene, stored.decision, attempts);
  const isStricter = checked !== stored.decision.plan;
  const decision = isStricter ? { ...stored.decision, plan: checked } : stored.decision;
  const durable = isStricter ? join(call.durable, keepPlan(deps, payment, decision, nowMs)) : call.durable;
  const stand = (cuts: PlanCuts | undefined) => standPlan(decision, { attempts, revision, nowMs, cuts });
  giveBackUnused(deps.breakers, payment, decision, attempts, cuts);
  const plan = stand(cuts);
  if (plan === undefined) return { plan, durable };
  const found = deps.limits.get(payment.merchantId, payment.paymentId);
  const hold = found !== undefined && isForCapsOnly(found) ? undefined : found;
  const isBegun = hasBegun(decision, attempts);
  if (hold === undefined) {
    const isHeld = card.isCounted || (isBegun && isLimited(scene.workspace, scene.state.player));
    return { plan: isHeld && runsOn(plan.next) ? stand(cutAll(decision, attempts, cuts)) : plan, durable };
  }
  const silent = countSilent(decision.plan?.steps ?? [], attempts);
  const held = { ...stored, payment: stored.payment ?? payment, bins: deps.bins };
  const known = plannedOf(hold, revision);
  const shownCuts = card.isCounted
    ? holdBackBeyond(plan, card, findMost(card.free, known, silent), cuts)
    : cuts;
  const shown = shownCuts === cuts ? plan : stand(shownCuts)!;
  if (isBegun && call.isNews && hold.state === "HELD" && !runsOn(shown.next))
    return { plan: shown, durable: join(durable, letGo(deps, held, keepUntold(hold, nowMs), silent)) };
  if (!card.isCounted) return { plan: shown, durable };
  const planned = silent + countAhead(shown);
  const kept = holdAttempts(hold, held, attempts, call.isNews ? planned : Math.max(known, planned))!;
  const write = kept === hold ? undefined : deps.limits.hold(payment.merchantId, kept);
  return { plan: shown, durable: join(durable, write) };
}

/** Lets go of what is held where no step is left to run, but for attempts that were never told of. */
function letGo(
  { limits }: StandDeps,
  held: HeldPayment & Pick<Stored, "attempts">,
  untold: Hold,
  silent: number,
): Promise<void> {
  const { merchantId, paymentId } = held.payment;
  const kept = silent === 0 ? undefined : holdAttempts(untold, held, held.attempts, silent);
  return kept === undefined ? limits.release(merchantId, paymentId) : limits.hold(merchantId, kept);
}

/** Attempts that may be shown: what was shown already may be under way, so it is taken back only where others have used it up. */
function findMost(free: number, known: number, silent: number): number {
  const room = Math.max(0, free - silent);
  return Math.max(findShare(room), Math.min(room, known - silent));
}

/** Keeps the plan as it is now asked for, so that what is heard of its steps is held against what they did. */
function keepPlan(
  { payments, keeper, limits }: StandDeps,
  { merchantId, paymentId }: Payment,
  decision: Decision,
  nowMs: number,
): Promise<void> | undefined {
  const known = payments.get(merchantId, paymentId, nowMs);
  if (known?.state !== "answered") return undefined;
  const record = { ...known.record, decision };
  return keeper.keep(merchantId, { record, hold: limits.get(merchantId, paymentId), facts: [] });
}

function join(
  durable: Promise<void> | undefined,
  write: Promise<void> | undefined,
): Promise<void> | undefined {
  if (durable === undefined || write === undefined) return durable ?? write;
  return Promise.all([durable, write]).then(() => {});
}

function runsOn({ action }: Edge): boolean {
  return action === "STEP" || action === "WAIT_UNTIL";
}

/** Whether any step of the plan was sent and heard of: before that it holds what it was decided with. */
function hasBegun({ plan }: Decision, attempts: readonly Attempt[]): boolean {
  return attempts.some((each) => plan?.steps.some(({ attemptId }) => attemptId === each.attemptId) === true);
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
