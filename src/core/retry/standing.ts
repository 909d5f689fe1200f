/**
 * The plan as it now stands: what reports and the state of the world have made of a plan that itself never changes (`SEMANTICS.md` 4.2).
 */
import type { Edge, OutcomeEdge, Plan, Step } from "../decision.ts";
import type { Reason } from "../reason.ts";
import { narrowEdge } from "./answered.ts";
import { type Attempt, isApproved, isCharged, isOpen } from "./attempts.ts";
import type { OutcomeClass } from "./outcome-class.ts";

export type PlanStanding = {
  /** Steps that were not cut; no edge leads to one that was. */
  readonly steps: readonly Step[];
  readonly validUntilMs: number;
  /** Empty where there was no plan. */
  readonly codeTableVersion: string;
  readonly next: Edge;
  readonly attempts: readonly Attempt[];
  readonly cut: readonly Reason[];
};

/** Steps that may no longer run. */
export type PlanCuts = {
  readonly numbers: ReadonlySet<number>;
  readonly reasons: readonly Reason[];
  /** Whether nothing may run any more, so that the payment stops instead of going elsewhere. */
  readonly isDenied: boolean;
  /** Those of them that wait for a word on the steps before them: whoever comes there has to ask again. */
  readonly heldBack?: ReadonlySet<number>;
};

const noCuts: PlanCuts = { numbers: new Set(), reasons: [], isDenied: false };

const done: Edge = { action: "DONE" };
const voidFirst: Edge = { action: "VOID_FIRST" };
const otherMethod: Edge = { action: "OTHER_METHOD" };
const stop: Edge = { action: "STOP" };

/**
 * Cuts the steps for which there is a reason: those that were sent already stay, for what was sent cannot be unsent.
 *
 * `reasonOf` says why a step may no longer run; `denial` why none may.
 */
export function cutPlan(
  { steps }: Plan,
  attempts: readonly Attempt[],
  reasons: { readonly denial: Reason | undefined; readonly reasonOf: (step: Step) => Reason | undefined },
): PlanCuts {
  const numbers = new Set<number>();
  const told = new Map<string, Reason>();
  const { denial } = reasons;
  if (denial !== undefined) told.set(`${denial.code} ${denial.sourceId}`, denial);
  for (const step of steps) {
    if (attempts.some(({ attemptId }) => attemptId === step.attemptId)) continue;
    const reason = denial ?? reasons.reasonOf(step);
    if (reason === undefined) continue;
    numbers.add(step.number);
    told.set(`${reason.code} ${reason.sourceId}`, reason);
  }
  return { numbers, reasons: [...told.values()], isDenied: denial !== undefined };
}

/** The same cuts, and steps that are held back for a reason until more is heard. */
export function holdBack(cuts: PlanCuts | undefined, numbers: ReadonlySet<number>, reason: Reason): PlanCuts {
  const { numbers: cut, reasons, isDenied } = cuts ?? noCuts;
  return { numbers: cut.union(numbers), reasons: [...reasons, reason], isDenied, heldBack: numbers };
}

export type AdvanceInput = {
  /** All attempts of the payment, of earlier revisions too. */
  readonly attempts: readonly Attempt[];
  readonly revision: number;
  readonly decidedAtMs: number;
  readonly nowMs: number;
  readonly cuts: PlanCuts | undefined;
};

/**
 * Says what is to be done now.
 *
 * In this order: two approvals are one too many, so void first; an attempt of which nobody knows must be asked for, and forbids all else;
 * an approval is the end; then the edge of the furthest step that was sent, narrowed to what its answer leaves; then the first step. A report that comes late or twice so
 * changes nothing that is further on. A step that may run no more once the plan is no longer valid is `ASK_AGAIN`.
 */
export function advancePlan(plan: Plan, input: AdvanceInput): PlanStanding {
  const { attempts, revision } = input;
  const cuts = input.cuts ?? noCuts;
  const hasOpenPast = attempts.some((attempt) => attempt.revision < revision && isOpen(attempt));
  return {
    // Nobody is to execute a step while an attempt of an earlier revision may still come to be approved.
    steps: hasOpenPast ? [] : dropSteps(plan.steps, cuts),
    validUntilMs: plan.validUntilMs,
    codeTableVersion: plan.codeTableVersion,
    next: findNext(plan, input, cuts),
    attempts,
    cut: hasOpenPast ? [...cuts.reasons, openReason(attempts.find(isOpen)!)] : cuts.reasons,
  };
}

/**
 * What is to be settled of earlier attempts where the answer has no plan of its own, because it denies or reviews: one approval too many, or an
 * outcome that nobody knows. Undefined where nothing is.
 */
export function settleAttempts(
  attempts: readonly Attempt[],
  { decidedAtMs, nowMs }: Pick<AdvanceInput, "decidedAtMs" | "nowMs">,
): PlanStanding | undefined {
  const next = findUnsettled(attempts, nowMs);
  if (next === undefined) return undefined;
  const open = attempts.find(isOpen);
  const cut = open === undefined ? [] : [openReason(open)];
  return { steps: [], validUntilMs: decidedAtMs, codeTableVersion: "", next, attempts, cut };
}

function findUnsettled(attempts: readonly Attempt[], nowMs: number): Edge | undefined {
  let approvals = 0;
  for (const attempt of attempts) if (isCharged(attempt)) approvals++;
  if (approvals > 1) return voidFirst;
  const open = attempts.find(isOpen);
  return open && { action: "STATUS_CHECK", notBeforeMs: findNextQuery(open, nowMs) };
}

const firstQueryMs = 2_000;
const queryGapMax = 3_600_000;

/** Queries at growing gaps: 2, 4, 8, ... seconds after the outcome went unknown, and once it is hours old every hour (`DOMAIN.md` 1.7). */
function findNextQuery({ atMs }: Attempt, nowMs: number): number {
  const agoMs = nowMs - atMs;
  if (agoMs >= queryGapMax) return atMs + Math.floor(agoMs / queryGapMax + 1) * queryGapMax;
  let gapMs = firstQueryMs;
  while (gapMs <= agoMs) gapMs *= 2;
  return atMs + Math.min(gapMs, queryGapMax);
}

function findNext(plan: Plan, input: AdvanceInput, cuts: PlanCuts): Edge {
  const { attempts, revision, nowMs } = input;
  if (attempts.length > 0) {
    const unsettled = findUnsettled(attempts, nowMs);
    if (unsettled !== undefined) return unsettled;
    if (attempts.some(isApproved)) return done;
    const last = findFurthest(plan.steps, attempts, revision);
    if (last !== undefined) return holdToValidity(findEdge(last, input, plan, cuts), plan, nowMs);
  }
  const first = plan.steps.find(({ number, kind }) => kind !== "STEP_UP" && !cuts.numbers.has(number));
  if (first === undefined) return cuts.isDenied ? stop : otherMethod;
  return holdToValidity({ action: "STEP", step: first.number }, plan, nowMs);
}

type Sent = { readonly step: Step; readonly attempt: Attempt };

function findFurthest(
  steps: readonly Step[],
  attempts: readonly Attempt[],
  revision: number,
): Sent | undefined {
  for (let at = steps.length - 1; at >= 0; at--) {
    const step = steps[at]!;
    const attempt = attempts.find((each) => each.revision === revision && each.attemptId === step.attemptId);
    if (attempt !== undefined) return { step, attempt };
  }
  return undefined;
}

function findEdge({ step, attempt }: Sent, input: AdvanceInput, plan: Plan, cuts: PlanCuts): Edge {
  // An attempt of which nobody knew and that was voided is as if it had never been processed.
  const isVoidedUnknown = attempt.voided === true && openClasses.has(attempt.outcomeClass);
  const stands = isVoidedUnknown ? "TECH_NOT_PROCESSED" : attempt.outcomeClass;
  const { edge } = step.edges.find(({ outcomeClass }) => outcomeClass === stands)!;
  const lateMs = Math.max(0, attempt.atMs - input.decidedAtMs);
  const narrowed = isVoidedUnknown
    ? postpone(edge, lateMs)
    : narrowEdge(postpone(edge, lateMs), { step, attempt, attempts: input.attempts, steps: plan.steps });
  return repoint(narrowed, plan.steps, cuts);
}

const openClasses: ReadonlySet<OutcomeClass> = new Set(["UNKNOWN", "PENDING"]);

/** The plan counts its waits from the decision; they run from the outcome. */
function postpone(edge: Edge, byMs: number): Edge {
  switch (edge.action) {
    case "WAIT_UNTIL":
      return { ...edge, notBeforeMs: edge.notBeforeMs + byMs };
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      return edge.notBeforeMs === undefined ? edge : { ...edge, notBeforeMs: edge.notBeforeMs + byMs };
    default:
      return edge;
  }
}

/** No step runs after `valid_until`; a wait that would end later is a question to ask again (`SEMANTICS.md` 4.2). */
function holdToValidity(edge: Edge, { validUntilMs }: Plan, nowMs: number): Edge {
  if (edge.action === "STEP" && nowMs > validUntilMs) return { action: "ASK_AGAIN", notBeforeMs: undefined };
  if (edge.action !== "WAIT_UNTIL") return edge;
  const runsAtMs = Math.max(edge.notBeforeMs, nowMs);
  return runsAtMs > validUntilMs ? { action: "ASK_AGAIN", notBeforeMs: edge.notBeforeMs } : edge;
}

function dropSteps(steps: readonly Step[], cuts: PlanCuts): readonly Step[] {
  if (cuts.numbers.size === 0 && !cuts.isDenied) return steps;
  const repointEdge = ({ outcomeClass, edge }: OutcomeEdge): OutcomeEdge => ({
    outcomeClass,
    edge: repoint(edge, steps, cuts),
  });
  return steps
    .filter(({ number }) => !cuts.numbers.has(number))
    .map((step) => ({ ...step, edges: step.edges.map(repointEdge) }));
}

/**
 * An edge to a cut step leads to the next PSP that is left, else to another method; a step-up that was cut has no substitute. To a step that is held
 * back it asks again. Where the payment is denied nothing leads on: nobody asks an excluded player for another card or a lower amount.
 */
function repoint(edge: Edge, steps: readonly Step[], { numbers, isDenied, heldBack }: PlanCuts): Edge {
  if (isDenied) return settles(edge) ? edge : stop;
  if ((edge.action !== "STEP" && edge.action !== "WAIT_UNTIL") || !numbers.has(edge.step)) return edge;
  if (heldBack?.has(edge.step)) return askAgain(edge);
  if (steps[edge.step - 1]!.kind === "STEP_UP") return otherMethod;
  const next = steps.find(
    ({ number, kind }) =>
      number > edge.step && kind === "CASCADE" && (!numbers.has(number) || heldBack?.has(number)),
  );
  if (next === undefined) return otherMethod;
  return heldBack?.has(next.number) ? askAgain(edge) : { ...edge, step: next.number };
}

function askAgain(edge: Edge): Edge {
  return { action: "ASK_AGAIN", notBeforeMs: edge.action === "WAIT_UNTIL" ? edge.notBeforeMs : undefined };
}

/** Whether it tells what became of an attempt, or asks, instead of trying again. */
function settles({ action }: Edge): boolean {
  return action === "DONE" || action === "STATUS_CHECK" || action === "VOID_FIRST";
}

function openReason({ attemptId, psp }: Attempt): Reason {
  return {
    stage: "request_state",
    code: "UNKNOWN_OUTCOME",
    sourceId: attemptId,
    detail: `nobody knows yet what became of attempt ${attemptId} at ${psp}`,
    playerMessageKey: "payment.in_progress",
    purposes: ["payments"],
  };
}
