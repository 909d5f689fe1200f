import type { Edge, OutcomeEdge, Step } from "../decision.ts";
import type { RetryPolicy, RetryRule } from "../rules/snapshot.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";

/** All that decides which steps a plan has and where their outcomes lead; what they do at which PSP is another matter. */
export type PlanShape = {
  readonly policy: RetryPolicy;
  /** Most steps on any way through the plan, 1 to 8. */
  readonly most: number;
  /** PSPs that may be tried, at least 1. */
  readonly psps: number;
  /** A bit for each PSP, the first the lowest, at which a step-up is possible. */
  readonly stepUps: number;
  /** Whether no player is in session (MIT). */
  readonly isUnattended: boolean;
  readonly nowMs: number;
};

/** A step without its PSP. */
export type Place = {
  readonly number: number;
  readonly kind: Step["kind"];
  /** Which of the PSPs, from 0. */
  readonly psp: number;
  /** The earliest instant at which an edge lets it run; `undefined` is at once. */
  readonly notBeforeMs: number | undefined;
  readonly edges: readonly OutcomeEdge[];
};

/** A place as of instant 0, and which of its edges wait. */
type Timeless = { readonly place: Place; readonly waiting: readonly number[] };
/** A layout as of instant 0, and as of the instant at which it was last asked for: under load many plans are made in one ms. */
type Layout = { readonly atZero: readonly Timeless[]; nowMs: number; places: readonly Place[] };
const layouts = new WeakMap<RetryPolicy, Map<number, Layout>>();

/** The places of a plan, in order of their numbers. Shared, so nobody may write to them: the same shape at the same instant gives the same list. */
export function layOutPlan(shape: PlanShape): readonly Place[] {
  const { policy, nowMs } = shape;
  let known = layouts.get(policy);
  if (known === undefined) {
    known = new Map();
    layouts.set(policy, known);
  }
  const key = (((shape.stepUps << 4) | shape.psps) << 5) | (shape.most << 1) | (shape.isUnattended ? 1 : 0);
  let layout = known.get(key);
  if (layout === undefined) {
    const places = layOut({ ...shape, nowMs: 0 });
    layout = { atZero: places.map(findWaits), nowMs: 0, places };
    known.set(key, layout);
  }
  if (layout.nowMs !== nowMs) {
    layout.places = layout.atZero.map((timeless) => placeAt(timeless, nowMs));
    layout.nowMs = nowMs;
  }
  return layout.places;
}

function findWaits(place: Place): Timeless {
  return { place, waiting: place.edges.flatMap(({ edge }, at) => (waits(edge) ? [at] : [])) };
}

/** The place as of an instant; shared where nothing in it waits. */
function placeAt({ place, waiting }: Timeless, nowMs: number): Place {
  const { number, kind, psp, notBeforeMs } = place;
  if (notBeforeMs === undefined && waiting.length === 0) return place;
  const edges = place.edges.slice();
  for (const at of waiting) {
    const { outcomeClass, edge } = edges[at]!;
    if (waits(edge)) edges[at] = { outcomeClass, edge: { ...edge, notBeforeMs: nowMs + edge.notBeforeMs } };
  }
  return {
    number,
    kind,
    psp,
    notBeforeMs: notBeforeMs === undefined ? undefined : nowMs + notBeforeMs,
    edges,
  };
}

/** An edge with an instant in it. */
type Wait = Extract<Edge, { readonly notBeforeMs: number | undefined }> & { readonly notBeforeMs: number };

function waits(edge: Edge): edge is Wait {
  return "notBeforeMs" in edge && edge.notBeforeMs !== undefined;
}

/** A place while it is being led to others; 0 is nowhere. */
type Stop = {
  readonly number: number;
  readonly kind: Step["kind"];
  readonly psp: number;
  stepUp: number;
  next: number;
};

type Line = { readonly main: Stop; readonly stepUp: Stop | undefined };

function layOut(shape: PlanShape): readonly Place[] {
  const { policy, most } = shape;
  const psps = leadsOn(policy) ? Math.min(shape.psps, most) : 1;
  const stepUps = responds(policy, "STEP_UP") && !shape.isUnattended ? shape.stepUps : 0;
  const stops: Stop[] = [];
  const lines: Line[] = [];
  for (let psp = 0; psp < psps; psp++) {
    const main = addStop(stops, psp === 0 ? "FIRST" : "CASCADE", psp);
    const hasStepUp = (stepUps & (1 << psp)) !== 0 && psp + 2 <= most;
    const stepUp = hasStepUp ? addStop(stops, "STEP_UP", psp) : undefined;
    if (stepUp !== undefined) main.stepUp = stepUp.number;
    const before = lines.at(-1);
    if (before !== undefined) before.main.next = main.number;
    lines.push({ main, stepUp });
  }
  leadStepUpsOn(lines, most);
  const edges = stops.map((stop) => listEdges(stop, shape));
  const reached = findReached(edges);
  const numbers = new Map(reached.map((number, at) => [number, at + 1]));
  const kept = reached.map((number) => edges[number - 1]!.map((each) => renumber(each, numbers)));
  return reached.map((number, at) => {
    const { kind, psp } = stops[number - 1]!;
    const place = {
      number: at + 1,
      kind,
      psp,
      notBeforeMs: findEarliest(at + 1, kept),
      edges: Object.freeze(kept[at]!),
    };
    return Object.freeze(place);
  });
}

/** Numbers of the steps that some outcome leads to, the first included, ascending: a policy may leave others without a way in. */
function findReached(edges: readonly (readonly OutcomeEdge[])[]): readonly number[] {
  const reached = new Set([1]);
  for (let number = 1; number <= edges.length; number++) {
    if (!reached.has(number)) continue;
    for (const { edge } of edges[number - 1]!) if ("step" in edge) reached.add(edge.step);
  }
  return [...reached].sort((a, b) => a - b);
}

function renumber({ outcomeClass, edge }: OutcomeEdge, numbers: ReadonlyMap<number, number>): OutcomeEdge {
  return { outcomeClass, edge: "step" in edge ? { ...edge, step: numbers.get(edge.step)! } : edge };
}

function addStop(stops: Stop[], kind: Step["kind"], psp: number): Stop {
  const stop: Stop = { number: stops.length + 1, kind, psp, stepUp: 0, next: 0 };
  stops.push(stop);
  return stop;
}

/** Lets as many step-ups lead on to the next PSP as the longest way through the plan has attempts to spare; the earlier first. */
function leadStepUpsOn(lines: readonly Line[], most: number): void {
  let spare = most - lines.length - (lines.at(-1)?.stepUp === undefined ? 0 : 1);
  for (const { main, stepUp } of lines) {
    if (spare <= 0) return;
    if (stepUp === undefined || main.next === 0) continue;
    stepUp.next = main.next;
    spare--;
  }
}

/** Whether any outcome leads to another PSP. A GENERIC that cannot step up goes on, too. */
function leadsOn(policy: RetryPolicy): boolean {
  return responds(policy, "NEXT_PSP") || policy.rules.GENERIC.response === "STEP_UP";
}

function responds({ rules }: RetryPolicy, response: RetryRule["response"]): boolean {
  for (const outcomeClass of outcomeClasses) if (rules[outcomeClass].response === response) return true;
  return false;
}

/** The least wait among the edges that lead here; none where one of them has no wait, or where none leads here. */
function findEarliest(number: number, edges: readonly (readonly OutcomeEdge[])[]): number | undefined {
  let earliest: number | undefined;
  for (const { edge } of edges.flat()) {
    if (edge.action === "STEP" && edge.step === number) return undefined;
    if (edge.action !== "WAIT_UNTIL" || edge.step !== number) continue;
    earliest = Math.min(earliest ?? edge.notBeforeMs, edge.notBeforeMs);
  }
  return earliest;
}

const done: Edge = { action: "DONE" };
const statusCheck: Edge = { action: "STATUS_CHECK" };
const otherMethod: Edge = { action: "OTHER_METHOD" };
const newCit: Edge = { action: "NEW_CIT" };
const stop: Edge = { action: "STOP" };

function listEdges(from: Stop, shape: PlanShape): OutcomeEdge[] {
  return outcomeClasses.map((outcomeClass) => ({ outcomeClass, edge: findEdge(outcomeClass, from, shape) }));
}

function findEdge(outcomeClass: OutcomeClass, from: Stop, shape: PlanShape): Edge {
  const { policy, isUnattended, nowMs } = shape;
  // Whatever a policy says: what nobody knows is asked for, and a player who is not there cannot authenticate.
  if (outcomeClass === "UNKNOWN" || outcomeClass === "PENDING") return statusCheck;
  if (outcomeClass === "APPROVED") return done;
  const rule = policy.rules[outcomeClass];
  if (isUnattended && (outcomeClass === "SCA" || rule.response === "STEP_UP")) return newCit;
  const notBeforeMs = rule.waitMs > 0 ? nowMs + rule.waitMs : undefined;
  const validUntilMs = nowMs + policy.validForMs;
  switch (rule.response) {
    case "DONE":
      return done;
    case "NEXT_PSP":
      return leadTo(from.next, notBeforeMs, validUntilMs);
    case "STEP_UP":
      if (from.stepUp > 0) return leadTo(from.stepUp, notBeforeMs, validUntilMs);
      return outcomeClass === "GENERIC" ? leadTo(from.next, notBeforeMs, validUntilMs) : otherMethod;
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
