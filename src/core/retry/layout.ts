import type { Edge, OutcomeEdge, Step } from "../decision.ts";
import type { Payment } from "../payment.ts";
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
  /** A bit for each PSP at which the step runs 3DS anyway. */
  readonly authenticated: number;
  /** A bit for each PSP that takes the proof of a 3DS that was run elsewhere. */
  readonly proofs: number;
  /** Who starts the payment: with MIT nobody is there, with MOTO nobody can authenticate. */
  readonly initiator: Payment["initiator"];
  /** Whether no attempt is to follow another by itself. */
  readonly isSingle: boolean;
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
/** Far more shapes than a rule set makes. */
const layoutsMax = 4_096;

/** The places of a plan, in order of their numbers. Shared, so nobody may write to them: the same shape at the same instant gives the same list. */
export function layOutPlan(shape: PlanShape): readonly Place[] {
  const { policy, nowMs } = shape;
  let known = layouts.get(policy);
  if (known === undefined) {
    known = new Map();
    layouts.set(policy, known);
  }
  const key = keyOf(shape);
  let layout = known.get(key);
  if (layout === undefined) {
    const places = layOut({ ...shape, nowMs: 0 });
    layout = { atZero: places.map(findWaits), nowMs: 0, places };
    if (known.size >= layoutsMax) known.clear();
    known.set(key, layout);
  }
  if (layout.nowMs !== nowMs) {
    layout.places = layout.atZero.map((timeless) => placeAt(timeless, nowMs));
    layout.nowMs = nowMs;
  }
  return layout.places;
}

/** All of a shape but its policy and instant in 34 bits: of PSPs beyond the most attempts nothing shows. */
function keyOf({ most, psps, stepUps, authenticated, proofs, initiator, isSingle }: PlanShape): number {
  const shown = Math.min(psps, most);
  const mask = (1 << shown) - 1;
  const bits = ((stepUps & mask) << 16) | ((authenticated & mask) << 8) | (proofs & mask);
  const who = initiator === "CIT" ? 0 : initiator === "MIT" ? 1 : 2;
  return ((bits * 16 + shown) * 16 + most) * 8 + who * 2 + (isSingle ? 1 : 0);
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

function layOut(whole: PlanShape): readonly Place[] {
  const shape = whole.isSingle ? { ...whole, most: 1 } : whole;
  const { policy, most } = shape;
  const psps = leadsOn(policy) ? Math.min(shape.psps, most) : 1;
  const stepUps = responds(policy, "STEP_UP") && shape.initiator === "CIT" ? shape.stepUps : 0;
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
  leadStepUpsOn(lines, most, shape.proofs);
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

/**
 * Lets as many step-ups lead on to the next PSP as the longest way through the plan has attempts to spare; the earlier first. Only where that takes the
 * proof: nobody is to be challenged a second time in silence.
 */
function leadStepUpsOn(lines: readonly Line[], most: number, proofs: number): void {
  let spare = most - lines.length - (lines.at(-1)?.stepUp === undefined ? 0 : 1);
  for (const { main, stepUp } of lines) {
    if (spare <= 0) return;
    if (stepUp === undefined || main.next === 0 || (proofs & (1 << (main.psp + 1))) === 0) continue;
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
  const { policy, initiator, isSingle, nowMs } = shape;
  // Whatever a policy says: what nobody knows is asked for.
  if (outcomeClass === "UNKNOWN" || outcomeClass === "PENDING") return statusCheck;
  if (outcomeClass === "APPROVED") return done;
  const rule = policy.rules[outcomeClass];
  const { response } = rule;
  if (
    initiator !== "CIT" &&
    (outcomeClass === "SCA" || (response === "STEP_UP" && outcomeClass !== "GENERIC"))
  )
    return newCit;
  if (isSingle && goesOn.has(response)) return initiator === "MIT" ? stop : otherMethod;
  const notBeforeMs = rule.waitMs > 0 ? nowMs + rule.waitMs : undefined;
  const edge = respond(outcomeClass, rule, from, shape, notBeforeMs);
  return initiator === "MIT" ? withoutPlayer(edge) : edge;
}

/** What would have an attempt follow, or ask for one. */
const goesOn: ReadonlySet<RetryRule["response"]> = new Set([
  "NEXT_PSP",
  "STEP_UP",
  "CHANGE_DATA",
  "LOWER_AMOUNT",
  "ASK_AGAIN",
]);

function respond(
  outcomeClass: OutcomeClass,
  rule: RetryRule,
  from: Stop,
  shape: PlanShape,
  notBeforeMs: number | undefined,
): Edge {
  const validUntilMs = shape.nowMs + shape.policy.validForMs;
  const lead = (step: number): Edge => leadTo(step, notBeforeMs, validUntilMs);
  switch (rule.response) {
    case "DONE":
      return done;
    case "NEXT_PSP":
      return lead(findNext(outcomeClass, from, shape));
    case "STEP_UP":
      if (outcomeClass !== "GENERIC") return lead(from.stepUp);
      return lead(hasRun3ds(from, shape) ? findNext(outcomeClass, from, shape) : from.stepUp);
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

/** Whether the step authenticates, or there is no way to, so that another try with 3DS is no other try. */
function hasRun3ds({ kind, psp, stepUp }: Stop, { authenticated }: PlanShape): boolean {
  return kind === "STEP_UP" || stepUp === 0 || (authenticated & (1 << psp)) !== 0;
}

/**
 * The next PSP; 0 where there is none to go to. A vague decline and an issuer that is down are tried once more and no further (`DOMAIN.md` 1.6): so
 * they lead on from the first PSP only, and a vague one not from a step-up that may itself be that one more try.
 */
function findNext(outcomeClass: OutcomeClass, from: Stop, { authenticated }: PlanShape): number {
  if (outcomeClass !== "GENERIC" && outcomeClass !== "ISSUER_DOWN") return from.next;
  if (from.psp > 0) return 0;
  return from.kind === "STEP_UP" && (authenticated & 1) === 0 ? 0 : from.next;
}

/** Nobody is there to change data, choose a method or take a lower amount. */
function withoutPlayer(edge: Edge): Edge {
  switch (edge.action) {
    case "CHANGE_DATA":
      return newCit;
    case "LOWER_AMOUNT":
      return { action: "ASK_AGAIN", notBeforeMs: edge.notBeforeMs };
    case "OTHER_METHOD":
      return stop;
    default:
      return edge;
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
