/** How PSPs stand, as routing and the re-check of plans ask: maintenance and breakers. */

import { holdsLease, settleBreaker } from "../core/breakers/breaker.ts";
import type { BreakerPolicy } from "../core/breakers/breaker-policy.ts";
import { policyOf } from "../core/breakers/policy-of.ts";
import type { Decision, Step } from "../core/decision.ts";
import { makeReason } from "../core/make-reason.ts";
import { convertMinor } from "../core/money.ts";
import type { Payment } from "../core/payment.ts";
import type { Reason } from "../core/reason.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import type { PlanCuts } from "../core/retry/standing.ts";
import { allWell, findMaintenance, type Health, type PspHealth } from "../core/routing/health.ts";
import type { RoutingCase } from "../core/routing/routing-case.ts";
import type { Psp } from "../core/rules/snapshot.ts";
import {
  askBreakers,
  type BreakerBoard,
  type Breakers,
  concerns,
  giveBackSteps,
  nameAttempt,
  type OpenBreaker,
  type Probe,
} from "./breakers.ts";
import type { DecisionState, Judgement } from "./judge.ts";

/** How PSPs stand for a payment. Nothing is leased: whoever routes by it asks for the lease once the plan is made. */
export function readHealth(
  judgement: Judgement,
  routingCase: RoutingCase,
  { breakers }: Pick<DecisionState, "breakers">,
): Health {
  const { workspace, facts } = judgement;
  if (breakers === undefined && !workspace.hasMaintenance) return allWell;
  const { nowMs, payment } = facts;
  const policy = policyOf(workspace.snapshot);
  let canProbe: boolean | undefined;
  const readBreakers = (board: BreakerBoard, psp: Psp): PspHealth | undefined => {
    const asks = {
      psp: psp.id,
      method: routingCase.method,
      needsThreeDs: routingCase.needsThreeDs(psp),
      nowMs,
    };
    const { blocking, tried } = askBreakers(board, policy, asks);
    if (blocking !== undefined) return blocked(blocking, isLenient(blocking, payment.mode, nowMs), nowMs);
    if (tried === undefined || payment.mode === "CASHIER") return undefined;
    canProbe ??= mayTry(judgement, policy);
    if (!canProbe) return { kind: "breaker", detail: notTried, failureShare: tried.breaker.failureShare };
    return { kind: "probe", detail: onlyFirst, isOverdue: isOverdue(tried, policy, nowMs) };
  };
  return {
    of: (psp) => {
      const window = psp.maintenance.length === 0 ? undefined : findMaintenance(psp, nowMs);
      if (window !== undefined) return { kind: "maintenance", detail: describeWindow(window) };
      return breakers === undefined ? undefined : readBreakers(breakers, psp);
    },
    // Nobody knows what became of a payout for as long as it takes, so none goes where it is likely to fail.
    usesLeastBad: policy.allDown === "LEAST_BAD" && payment.kind === "deposit",
  };
}

const notTried =
  "half-open: tried with deposits of players that are small enough, and of nobody who is never to try";
const onlyFirst = "half-open: tried as the first step only";

/** The cashier asks before anything is chosen and leases nothing: what may be tried soon is shown. */
function isLenient({ breaker }: OpenBreaker, mode: string, nowMs: number): boolean {
  return mode === "CASHIER" && settleBreaker(breaker, nowMs).phase === "HALF_OPEN";
}

function blocked(open: OpenBreaker, isShown: boolean, nowMs: number): PspHealth | undefined {
  if (isShown) return undefined;
  return { kind: "breaker", detail: describeOpen(open, nowMs), failureShare: open.breaker.failureShare };
}

/** Whether the payment may try a PSP: never one that the merchant starts, a payout, a high amount, or of a player who never does. */
function mayTry({ workspace, facts }: Judgement, { probeAmountMax, neverProbe }: BreakerPolicy): boolean {
  const { payment } = facts;
  if (payment.initiator === "MIT" || payment.kind !== "deposit") return false;
  if (payment.amountMinor === undefined) return false;
  const { minorUnits, currencyCode: to } = probeAmountMax;
  const asked = { amountMinor: payment.amountMinor, from: payment.currency, to };
  const amountMinor = convertMinor(workspace.snapshot.fx, asked);
  if (amountMinor === undefined || amountMinor >= minorUnits) return false;
  // Unknown is not in (`SEMANTICS.md` 2.1): else nobody would try where a segment reads what is known of few.
  return neverProbe.every((segment) => workspace.frame.segments[segment] !== 1);
}

/** Where nobody whom it ranks first came for as long as it was open, it would never be known to work again. */
function isOverdue({ breaker }: OpenBreaker, { openForMs }: BreakerPolicy, nowMs: number): boolean {
  const { sinceMs } = settleBreaker(breaker, nowMs);
  return nowMs >= sinceMs! + openForMs;
}

function describeWindow({ untilMs }: { readonly untilMs: number }): string {
  return `in maintenance until ${new Date(untilMs).toISOString()}`;
}

function describeOpen({ kind, method, breaker }: OpenBreaker, nowMs: number): string {
  const { phase, reason, probeFromMs } = settleBreaker(breaker, nowMs);
  const of = kind === "psp" ? "" : kind === "method" ? ` of ${method}` : " of its 3DS";
  return phase === "OPEN"
    ? `breaker${of} open: ${reason}; next probe at ${new Date(probeFromMs).toISOString()}`
    : `breaker${of} half-open: only probes go, and no other may now`;
}

/** The probe that a decision makes; undefined where it makes none. */
export function findProbe(
  psps: readonly Psp[],
  routingCase: RoutingCase,
  { order, isProbe }: { readonly order: readonly number[]; readonly isProbe: boolean },
  { plan }: Pick<Decision, "plan">,
): Probe | undefined {
  const [first] = order;
  if (!isProbe || first === undefined || plan === undefined) return undefined;
  const psp = psps[first]!;
  if (plan.steps[0]?.psp !== psp.id) return undefined;
  return {
    paymentId: routingCase.paymentId,
    psp: psp.id,
    method: routingCase.method,
    needsThreeDs: routingCase.needsThreeDs(psp),
    attemptIds: plan.steps.filter((step) => step.psp === psp.id).map(({ attemptId }) => attemptId),
    expiresAtMs: plan.validUntilMs + psp.timeoutMs,
  };
}

/** Takes back what leases a payment holds for steps that it will not make: those that were cut, and those before the furthest that was sent. */
export function giveBackUnused(
  breakers: Pick<Breakers, "giveBack" | "boardOf"> | undefined,
  payment: Pick<Payment, "merchantId" | "paymentId">,
  { plan }: Pick<Decision, "plan">,
  attempts: readonly Pick<Attempt, "attemptId">[],
  cuts: PlanCuts | undefined,
): void {
  if (plan === undefined || breakers?.boardOf(payment.merchantId) === undefined) return;
  const isSent = ({ attemptId }: Step): boolean => attempts.some((each) => each.attemptId === attemptId);
  const furthest = plan.steps.findLast(isSent)?.number ?? 0;
  const unused = plan.steps.filter(
    (step) => !isSent(step) && (step.number < furthest || cuts?.numbers.has(step.number) === true),
  );
  giveBackSteps(breakers, payment, unused);
}

/** Says that the plan goes where it is likely to fail, because breakers leave nothing else. */
export function makeLeastBadReason({ id }: Psp): Reason {
  const detail = `the breakers of all PSPs are open; ${id} fails least`;
  return makeReason("informational", "LEAST_BAD_ROUTE", id, detail);
}

/** Why a planned step may not run now: its PSP is in maintenance, or a breaker is open and the step is no probe. */
export function findStepDown(
  { workspace, facts }: Judgement,
  { breakers }: Pick<DecisionState, "breakers">,
  step: Step,
  psp: Psp,
  stored: Decision,
): { readonly code: "PSP_MAINTENANCE" | "BREAKER_OPEN"; readonly detail: string } | undefined {
  const { nowMs, payment } = facts;
  const window = workspace.hasMaintenance ? findMaintenance(psp, nowMs) : undefined;
  if (window !== undefined)
    return { code: "PSP_MAINTENANCE", detail: `${psp.id} is ${describeWindow(window)}` };
  const isChosen = (): boolean =>
    stored.reasons.some(({ code, sourceId }) => code === "LEAST_BAD_ROUTE" && sourceId === psp.id);
  for (const open of breakers?.of(psp.id) ?? []) {
    if (!concerns(open, payment.method ?? "", false)) continue;
    const attempt = nameAttempt({ paymentId: payment.paymentId, attemptId: step.attemptId });
    if (holdsLease(settleBreaker(open.breaker, nowMs), attempt) || isChosen()) continue;
    return { code: "BREAKER_OPEN", detail: `${psp.id}: ${describeOpen(open, nowMs)}` };
  }
  return undefined;
}
