/**
 * The plan of a payment: which steps there are and where each outcome leads (`SEMANTICS.md` 4, docs/plan.md).
 *
 * Steps stand in the order of their numbers and edges only lead to a higher number, so every plan ends. The PSPs follow each other as FIRST and
 * CASCADE; a STEP_UP stands behind the step that it repeats. No way through the plan has more steps than `max_attempts`: of what does not
 * fit, step-ups that would lead on to another PSP go first, for the issuer has then seen the player twice.
 */
import type { Edge, OutcomeEdge, Plan, Step, StepThreeDs } from "../decision.ts";
import { idempotencyKey } from "../hash.ts";
import type { Payment } from "../payment.ts";
import type { Psp, RetryPolicy, RetryRule } from "../rules/snapshot.ts";
import { expectShift, isChallenge, planStepUp, planThreeDs, type ThreeDsNeed } from "../sca/step-three-ds.ts";
import { makeAttemptId } from "./attempts.ts";
import { codeTableVersion } from "./code-table.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";

export type PlanInput = {
  readonly payment: Payment;
  readonly policy: RetryPolicy;
  /** PSPs to try, best first, with the account and the instrument to use. At least one. */
  readonly route: readonly PlannedPsp[];
  readonly threeDs: ThreeDsNeed;
  readonly issuerCountry: string | undefined;
  /** Attempts that the payment has left, at least 1. */
  readonly attemptsLeft: number;
  readonly nowMs: number;
};

export type PlannedPsp = { readonly psp: Psp; readonly mid: string; readonly instrument: string };

/** A step before it has edges. */
type Place = {
  readonly number: number;
  readonly kind: Step["kind"];
  readonly at: PlannedPsp;
  readonly threeDs: StepThreeDs;
  /** Numbers of the steps that a step-up and a cascade from here are; 0 where there is none. */
  stepUp: number;
  next: number;
};

/** Makes the plan: finite, forward only, at most 16 steps. */
export function planRetries(input: PlanInput): Plan {
  const validUntilMs = input.nowMs + input.policy.validForMs;
  const places = layOut(input);
  const earliest: number[] = [];
  const edges = places.map((place) => listEdges(place, input, validUntilMs, earliest));
  const steps = places.map((place, index) => makeStep(place, edges[index]!, input, earliest[place.number]));
  return { steps, validUntilMs, codeTableVersion };
}

function layOut({ payment, policy, route, threeDs, attemptsLeft }: PlanInput): readonly Place[] {
  const most = Math.min(policy.maxAttempts, attemptsLeft);
  const psps = leadsOn(policy) ? Math.min(route.length, most) : 1;
  const stepsUp = threeDs.applies && payment.initiator === "CIT" && responds(policy, "STEP_UP");
  const places: Place[] = [];
  const lines: { readonly main: Place; readonly stepUp: Place | undefined }[] = [];
  for (let index = 0; index < psps; index++) {
    const at = route[index]!;
    const main = addPlace(places, index === 0 ? "FIRST" : "CASCADE", at, planThreeDs(threeDs, at.psp));
    const canStepUp = stepsUp && at.psp.threeDs && !isChallenge(main.threeDs) && index + 2 <= most;
    const stepUp = canStepUp ? addPlace(places, "STEP_UP", at, planStepUp()) : undefined;
    if (stepUp !== undefined) main.stepUp = stepUp.number;
    const before = lines.at(-1);
    if (before !== undefined) before.main.next = main.number;
    lines.push({ main, stepUp });
  }
  leadStepUpsOn(lines, most);
  return places;
}

/** Lets as many step-ups lead on to the next PSP as the longest way through the plan has attempts to spare; the earlier first. */
function leadStepUpsOn(
  lines: readonly { readonly main: Place; readonly stepUp: Place | undefined }[],
  most: number,
): void {
  let spare = most - lines.length - (lines.at(-1)?.stepUp === undefined ? 0 : 1);
  for (const { main, stepUp } of lines) {
    if (spare <= 0) return;
    if (stepUp === undefined || main.next === 0) continue;
    stepUp.next = main.next;
    spare--;
  }
}

function addPlace(places: Place[], kind: Step["kind"], at: PlannedPsp, threeDs: StepThreeDs): Place {
  const place: Place = { number: places.length + 1, kind, at, threeDs, stepUp: 0, next: 0 };
  places.push(place);
  return place;
}

/** Whether any outcome leads to another PSP. A GENERIC that cannot step up goes on, too. */
function leadsOn(policy: RetryPolicy): boolean {
  return responds(policy, "NEXT_PSP") || policy.rules.GENERIC.response === "STEP_UP";
}

function responds({ rules }: RetryPolicy, response: RetryRule["response"]): boolean {
  return outcomeClasses.some((outcomeClass) => rules[outcomeClass].response === response);
}

function makeStep(
  { number, kind, at, threeDs }: Place,
  edges: readonly OutcomeEdge[],
  { payment, issuerCountry }: PlanInput,
  notBeforeMs: number | undefined,
): Step {
  const { merchantId, paymentId, revision } = payment;
  const psp = at.psp.id;
  const attemptId = makeAttemptId({ merchantId, paymentId, revision, number, psp });
  return {
    number,
    kind,
    psp,
    mid: at.mid,
    instrument: at.instrument,
    threeDs,
    liabilityShift: expectShift(threeDs, issuerCountry),
    attemptId,
    idempotencyKey: idempotencyKey({ merchantId, paymentId, revision, attemptId, psp }),
    notBeforeMs: notBeforeMs === 0 ? undefined : notBeforeMs,
    edges,
  };
}

const done: Edge = { action: "DONE" };
const statusCheck: Edge = { action: "STATUS_CHECK" };
const otherMethod: Edge = { action: "OTHER_METHOD" };
const newCit: Edge = { action: "NEW_CIT" };
const stop: Edge = { action: "STOP" };

/** `earliest` collects, by number of a step, the least instant at which an edge lets it run; 0 is at once. */
function listEdges(
  place: Place,
  input: PlanInput,
  validUntilMs: number,
  earliest: number[],
): readonly OutcomeEdge[] {
  return outcomeClasses.map((outcomeClass) => {
    const edge = findEdge(outcomeClass, place, input, validUntilMs);
    if (edge.action === "STEP") earliest[edge.step] = 0;
    if (edge.action === "WAIT_UNTIL") {
      earliest[edge.step] = Math.min(earliest[edge.step] ?? edge.notBeforeMs, edge.notBeforeMs);
    }
    return { outcomeClass, edge };
  });
}

function findEdge(outcomeClass: OutcomeClass, place: Place, input: PlanInput, validUntilMs: number): Edge {
  const { payment, policy, nowMs } = input;
  // Whatever a policy says: what nobody knows is asked for, and a player who is not there cannot authenticate.
  if (outcomeClass === "UNKNOWN" || outcomeClass === "PENDING") return statusCheck;
  if (outcomeClass === "APPROVED") return done;
  const rule = policy.rules[outcomeClass];
  const isUnattended = payment.initiator === "MIT";
  if (isUnattended && (outcomeClass === "SCA" || rule.response === "STEP_UP")) return newCit;
  const notBeforeMs = rule.waitMs > 0 ? nowMs + rule.waitMs : undefined;
  switch (rule.response) {
    case "DONE":
      return done;
    case "NEXT_PSP":
      return leadTo(place.next, notBeforeMs, validUntilMs);
    case "STEP_UP": {
      if (place.stepUp > 0) return leadTo(place.stepUp, notBeforeMs, validUntilMs);
      return outcomeClass === "GENERIC" ? leadTo(place.next, notBeforeMs, validUntilMs) : otherMethod;
    }
    case "STATUS_CHECK":
      return statusCheck;
    case "CHANGE_DATA":
      return { action: "CHANGE_DATA", fields: rule.fields };
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      return { action: rule.response, notBeforeMs };
    case "OTHER_METHOD":
      return otherMethod;
    case "NEW_CIT":
      return newCit;
    case "STOP":
      return stop;
  }
}

/** To a step: at once, or after a wait that ends within the plan's validity; a longer wait means to ask again (`SEMANTICS.md` 4.2). */
function leadTo(step: number, notBeforeMs: number | undefined, validUntilMs: number): Edge {
  if (step === 0) return otherMethod;
  if (notBeforeMs === undefined) return { action: "STEP", step };
  return notBeforeMs <= validUntilMs
    ? { action: "WAIT_UNTIL", step, notBeforeMs }
    : { action: "ASK_AGAIN", notBeforeMs };
}
