/**
 * What the answer to an attempt says beyond its class (`DOMAIN.md` 1.2-1.6). The edges of a plan are laid out per class, before anybody has answered; the
 * answer's own code, wait and fields may only narrow where an edge leads, but for the one way that it opens itself: a step-up that stands in the plan.
 */
import type { Edge, Step } from "../decision.ts";
import type { Attempt } from "./attempts.ts";

export type Answered = {
  readonly step: Step;
  readonly attempt: Attempt;
  /** All attempts of the payment. */
  readonly attempts: readonly Attempt[];
  /** All steps of the plan, in order of number. */
  readonly steps: readonly Step[];
};

const otherMethod: Edge = { action: "OTHER_METHOD" };
const stop: Edge = { action: "STOP" };

/** Somebody else may have the card, or its holder has revoked: nobody is asked for anything. */
const endingCodes: ReadonlySet<string> = new Set(["04", "07", "33", "34", "41", "43", "R0", "R1", "R3"]);
/** To be talked over with the issuer: nothing goes by itself. */
const referralCodes: ReadonlySet<string> = new Set(["01", "02"]);
const suspectedFraud = "59";
const securityViolation = "63";
/** Declines of the amount, so that a lower one may go. */
const fundsCodes: ReadonlySet<string> = new Set(["51", "61"]);
/** Times that data may be entered again (`DOMAIN.md` 1.6). */
const reentriesMax = 2;

/** Narrows an edge, which counts its waits from the outcome already. */
export function narrowEdge(edge: Edge, answered: Answered): Edge {
  const { attempt } = answered;
  switch (attempt.outcomeClass) {
    case "HARD":
      return endingCodes.has(attempt.code ?? "") && edge.action === "OTHER_METHOD" ? stop : edge;
    case "DATA":
      return narrowData(edge, answered);
    case "GENERIC":
      return narrowVague(onceMore(edge, answered), answered);
    case "ISSUER_DOWN":
      return wait(onceMore(edge, answered), attempt);
    case "WAIT":
      return narrowWait(edge, attempt);
    case "TECH_NOT_PROCESSED":
      return wait(narrowFailure(edge, answered), attempt);
    default:
      return wait(edge, attempt);
  }
}

function narrowData(edge: Edge, { step, attempt, attempts, steps }: Answered): Edge {
  if (edge.action !== "CHANGE_DATA") return edge;
  if (attempt.code === securityViolation) {
    const stepUp = findStepUp(step, steps);
    return stepUp === undefined ? stop : { action: "STEP", step: stepUp.number };
  }
  const entries = attempts.filter(({ outcomeClass }) => outcomeClass === "DATA").length;
  if (entries > reentriesMax) return otherMethod;
  const fields = attempt.fields ?? [];
  return fields.length === 0 ? edge : { action: "CHANGE_DATA", fields };
}

/** Such an answer is worth one more try, on whichever way the plan came here (`DOMAIN.md` 1.6). */
function onceMore(edge: Edge, { attempt, attempts }: Answered): Edge {
  if (!leadsOn(edge)) return edge;
  const isAgain = attempts.some(
    (each) =>
      each !== attempt && each.revision === attempt.revision && each.outcomeClass === attempt.outcomeClass,
  );
  return isAgain ? otherMethod : edge;
}

function narrowVague(edge: Edge, { step, attempt, steps }: Answered): Edge {
  if (!leadsOn(edge)) return edge;
  const code = attempt.code ?? "";
  if (referralCodes.has(code)) return otherMethod;
  if (code !== suspectedFraud) return wait(edge, attempt);
  return edge.step === findStepUp(step, steps)?.number ? edge : otherMethod;
}

/** Not before the instant that the answer names; a lower amount helps only where funds or limits lacked. */
function narrowWait(edge: Edge, attempt: Attempt): Edge {
  if (edge.action !== "LOWER_AMOUNT" && edge.action !== "ASK_AGAIN") return wait(edge, attempt);
  const { code, waitUntilMs } = attempt;
  const notBeforeMs = waitUntilMs ?? edge.notBeforeMs;
  const isOfFunds = code === undefined || fundsCodes.has(code);
  if (edge.action === "ASK_AGAIN" || isOfFunds) return { ...edge, notBeforeMs };
  return notBeforeMs === undefined ? otherMethod : { action: "OTHER_METHOD", notBeforeMs };
}

/** An account that is set up wrongly is worth one other PSP; where that one's is as well, the fault is in what we send. */
function narrowFailure(edge: Edge, { attempt, attempts }: Answered): Edge {
  if (attempt.attribution !== "CONFIG" || !leadsOn(edge)) return edge;
  const isAgain = attempts.some(
    (each) => each !== attempt && each.revision === attempt.revision && each.attribution === "CONFIG",
  );
  return isAgain ? otherMethod : edge;
}

/** The later of the plan's wait and the answer's. */
function wait(edge: Edge, { waitUntilMs }: Attempt): Edge {
  if (waitUntilMs === undefined || !leadsOn(edge)) return edge;
  const { step } = edge;
  const plannedMs = edge.action === "WAIT_UNTIL" ? edge.notBeforeMs : Number.NEGATIVE_INFINITY;
  return { action: "WAIT_UNTIL", step, notBeforeMs: Math.max(plannedMs, waitUntilMs) };
}

function leadsOn(edge: Edge): edge is Extract<Edge, { readonly step: number }> {
  return edge.action === "STEP" || edge.action === "WAIT_UNTIL";
}

/** The step-up behind a step. */
function findStepUp({ number, psp, kind }: Step, steps: readonly Step[]): Step | undefined {
  if (kind === "STEP_UP") return undefined;
  const next = steps[number];
  return next?.kind === "STEP_UP" && next.psp === psp ? next : undefined;
}
