/**
 * The plan of a payment: which steps there are and where each outcome leads (`SEMANTICS.md` 4, docs/plan.md).
 *
 * Steps stand in the order of their numbers and edges only lead to a higher number, so every plan ends. The PSPs follow each other as FIRST and
 * CASCADE; a STEP_UP stands behind the step that it repeats. No way through the plan has more steps than `max_attempts`: of what does not
 * fit, step-ups that would lead on to another PSP go first, for the issuer has then seen the player twice.
 */
import type { Plan, Step, StepThreeDs } from "../decision.ts";
import { idempotencyKey } from "../hash.ts";
import type { Payment } from "../payment.ts";
import type { Psp, RetryPolicy } from "../rules/snapshot.ts";
import { expectShift, isChallenge, planStepUp, planThreeDs, type ThreeDsNeed } from "../sca/step-three-ds.ts";
import { makeAttemptId } from "./attempts.ts";
import { layOutPlan, type Place, type PlanShape } from "./layout.ts";

export type PlanInput = {
  readonly payment: Payment;
  readonly policy: RetryPolicy;
  /** PSPs to try, best first, with the account and the instrument to use. At least one. */
  readonly route: readonly PlannedPsp[];
  readonly threeDs: ThreeDsNeed;
  /** Attempts that the payment has left, at least 1. */
  readonly attemptsLeft: number;
  /** Whether no attempt is to follow another by itself: the retry budget of the player is used up, or harm is feared. */
  readonly isSingle: boolean;
  /** Name of the table by which answers are classified. */
  readonly codeTableVersion: string;
  readonly nowMs: number;
};

export type PlannedPsp = { readonly psp: Psp; readonly mid: string; readonly instrument: string };

/** Most attempts that a policy allows. */
const attemptsMax = 8;

/** Makes the plan: finite, forward only, at most 15 steps. */
export function planRetries(input: PlanInput): Plan {
  const { payment, policy, route, threeDs, nowMs } = input;
  const places = layOutPlan({
    policy,
    most: Math.min(policy.maxAttempts, input.attemptsLeft, attemptsMax),
    psps: Math.min(route.length, attemptsMax),
    ...readRoute(route, threeDs),
    initiator: payment.initiator,
    isSingle: input.isSingle,
    nowMs,
  });
  const steps: Step[] = new Array(places.length);
  for (let at = 0; at < places.length; at++) steps[at] = makeStep(places[at]!, input);
  return { steps, validUntilMs: nowMs + policy.validForMs, codeTableVersion: input.codeTableVersion };
}

/** Bits for each PSP: whether there is something to step up to, whether its step runs 3DS anyway, whether it takes the proof of others. */
function readRoute(
  route: readonly PlannedPsp[],
  threeDs: ThreeDsNeed,
): Pick<PlanShape, "stepUps" | "authenticated" | "proofs"> {
  let stepUps = 0;
  let authenticated = 0;
  let proofs = 0;
  for (let at = 0; at < Math.min(route.length, attemptsMax); at++) {
    const { psp } = route[at]!;
    if (psp.sca.takesProof) proofs |= 1 << at;
    if (!threeDs.applies || !psp.threeDs) continue;
    const does = planThreeDs(threeDs, psp);
    if (does.requirement === "THREE_DS") authenticated |= 1 << at;
    if (!isChallenge(does)) stepUps |= 1 << at;
  }
  return { stepUps, authenticated, proofs };
}

function makeStep(place: Place, { payment, route, threeDs }: PlanInput): Step {
  const { merchantId, paymentId, revision } = payment;
  const { number, kind } = place;
  const { psp, mid, instrument } = route[place.psp]!;
  const does: StepThreeDs = kind === "STEP_UP" ? planStepUp() : planThreeDs(threeDs, psp);
  const attemptId = makeAttemptId({ revision, number, psp: psp.id });
  return {
    number,
    kind,
    psp: psp.id,
    mid,
    instrument,
    threeDs: does,
    liabilityShift: expectShift(does, threeDs),
    attemptId,
    idempotencyKey: idempotencyKey({ merchantId, paymentId, revision, attemptId, psp: psp.id }),
    notBeforeMs: place.notBeforeMs,
    edges: place.edges,
    timeoutMs: psp.timeoutMs,
    mayResend: psp.idempotent,
  };
}
