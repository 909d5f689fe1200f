import type { Edge, OutcomeEdge, Plan, Step, StepThreeDs } from "../../../core/decision.ts";
import { type OutcomeClass, outcomeClasses } from "../../../core/retry/outcome-class.ts";
import {
  readEach,
  readFlag,
  readNumber,
  readOptionalNumber,
  readText,
  readTexts,
  readWord,
} from "./byte-reader.ts";
import { writeEach, writeFlag, writeNumber, writeText, writeTexts, writeWord } from "./byte-writer.ts";
import type { Whole } from "./pack.ts";

export function writePlan(plan: Whole<Plan, "steps" | "validUntilMs" | "codeTableVersion">): void {
  writeEach(plan.steps, writeStep);
  writeNumber(plan.validUntilMs);
  writeText(plan.codeTableVersion);
}

export function readPlan(): Plan {
  return { steps: readEach(readStep), validUntilMs: readNumber(), codeTableVersion: readText() };
}

type StepMember =
  | "number"
  | "kind"
  | "psp"
  | "mid"
  | "instrument"
  | "threeDs"
  | "liabilityShift"
  | "attemptId"
  | "idempotencyKey"
  | "notBeforeMs"
  | "edges"
  | "timeoutMs"
  | "mayResend";

function writeStep(step: Whole<Step, StepMember>): void {
  writeNumber(step.number);
  writeWord(step.kind);
  writeText(step.psp);
  writeText(step.mid);
  writeWord(step.instrument);
  writeThreeDs(step.threeDs);
  writeWord(step.liabilityShift);
  writeText(step.attemptId);
  writeText(step.idempotencyKey);
  writeNumber(step.notBeforeMs);
  writeEdges(step.edges);
  writeNumber(step.timeoutMs);
  writeFlag(step.mayResend);
}

function readStep(): Step {
  return {
    number: readNumber(),
    kind: readWord(),
    psp: readText(),
    mid: readText(),
    instrument: readWord(),
    threeDs: readThreeDs(),
    liabilityShift: readWord(),
    attemptId: readText(),
    idempotencyKey: readText(),
    notBeforeMs: readOptionalNumber(),
    edges: readEdges(),
    timeoutMs: readNumber(),
    mayResend: readFlag(),
  };
}

function writeThreeDs(threeDs: StepThreeDs): void {
  writeWord(threeDs.requirement);
  writeWord(threeDs.reason);
  switch (threeDs.requirement) {
    case "THREE_DS":
      writeText(threeDs.challengeIndicator);
      writeFlag(threeDs.useProof);
      return;
    case "EXEMPTION":
      writeWord(threeDs.exemption);
      return;
    case "NONE":
    case "OUT_OF_SCOPE":
    case "NOT_APPLICABLE":
  }
}

function readThreeDs(): StepThreeDs {
  const requirement = readWord<StepThreeDs["requirement"]>();
  const reason = readWord<StepThreeDs["reason"]>();
  switch (requirement) {
    case "THREE_DS":
      return { requirement, challengeIndicator: readText(), reason, useProof: readFlag() };
    case "EXEMPTION":
      return { requirement, exemption: readWord(), reason };
    case "NONE":
    case "OUT_OF_SCOPE":
    case "NOT_APPLICABLE":
      return { requirement, reason };
  }
}

/**
 * Edges make up most of a plan, and most of them are one of a few: each is one number of its class and of what to do, then what else there is to say. Numbers
 * of classes and actions are part of the layout: append only. Only plans as they now stand say when to query, or to use another method.
 */
const actions = [
  ...["DONE", "STATUS_CHECK", "VOID_FIRST", "OTHER_METHOD", "NEW_CIT", "STOP"],
  ...["STEP", "WAIT_UNTIL", "CHANGE_DATA", "LOWER_AMOUNT", "ASK_AGAIN"],
] as readonly Edge["action"][];
const actionNumbers: ReadonlyMap<Edge["action"], number> = new Map(actions.map((name, at) => [name, at]));
const classNumbers: ReadonlyMap<OutcomeClass, number> = new Map(outcomeClasses.map((name, at) => [name, at]));
/** Actions up to this one say no more than themselves. */
const lastPlainAction = 5;
/** Classes that there is room for. */
const classesMax = 16;
/** From here on what to do is a step, as far as its number is small. */
const stepBase = 11;
const shortStepMax = 200;

function writeEdges(edges: readonly OutcomeEdge[]): void {
  writeNumber(edges.length);
  for (let at = 0; at < edges.length; at++) {
    const { outcomeClass, edge } = edges[at]!;
    // Plans list them in this order.
    const classNumber = outcomeClasses[at] === outcomeClass ? at : classNumbers.get(outcomeClass)!;
    if (edge.action === "STEP" && edge.step >>> 0 === edge.step && edge.step <= shortStepMax)
      writeNumber((stepBase + edge.step) * classesMax + classNumber);
    else {
      writeNumber(actionNumbers.get(edge.action)! * classesMax + classNumber);
      writeRest(edge);
    }
  }
}

function writeRest(edge: Edge): void {
  switch (edge.action) {
    case "STEP":
      writeNumber(edge.step);
      return;
    case "WAIT_UNTIL":
      writeNumber(edge.step);
      writeNumber(edge.notBeforeMs);
      return;
    case "CHANGE_DATA":
      writeTexts(edge.fields);
      return;
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      writeNumber(edge.notBeforeMs);
      return;
    default:
  }
}

/** Edges that say no more than their number, by it: made once, and shared between plans. */
const plainEdges: (OutcomeEdge | undefined)[] = [];

function readEdges(): OutcomeEdge[] {
  const edges: OutcomeEdge[] = [];
  for (let left = readNumber(); left > 0; left--) {
    const number = readNumber();
    edges.push(plainEdges[number] ?? readEdge(number));
  }
  return edges;
}

function readEdge(number: number): OutcomeEdge {
  const outcomeClass = outcomeClasses[number % classesMax];
  if (outcomeClass === undefined)
    throw new RangeError(`no class of outcomes has number ${number % classesMax}`);
  const what = Math.floor(number / classesMax);
  const edge: Edge = what >= stepBase ? { action: "STEP", step: what - stepBase } : readRest(actions[what]!);
  const made: OutcomeEdge = { outcomeClass, edge };
  if (what >= stepBase || what <= lastPlainAction) plainEdges[number] = made;
  return made;
}

function readRest(action: Edge["action"]): Edge {
  switch (action) {
    case "STEP":
      return { action, step: readNumber() };
    case "WAIT_UNTIL":
      return { action, step: readNumber(), notBeforeMs: readNumber() };
    case "CHANGE_DATA":
      return { action, fields: readTexts() };
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      return { action, notBeforeMs: readOptionalNumber() };
    default:
      return { action };
  }
}
