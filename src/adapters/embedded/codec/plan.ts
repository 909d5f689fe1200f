import type { Edge, OutcomeEdge, Plan, Step, StepThreeDs } from "../../../core/decision.ts";
import { type OutcomeClass, outcomeClasses } from "../../../core/retry/outcome-class.ts";
import type { Row } from "./pack.ts";

/**
 * Edges make up most of a plan and most of them are one of a few: an edge that has nothing to say but its action, or a step, is one character.
 * Numbers of actions belong to version 1 of the layout: append only.
 */
const plainActions = ["DONE", "STATUS_CHECK", "VOID_FIRST", "OTHER_METHOD", "NEW_CIT", "STOP"] as const;
const plainCodes: ReadonlyMap<string, number> = new Map(plainActions.map((action, at) => [action, at]));
const plainEdges: readonly Edge[] = plainActions.map((action) => ({ action }));
/** Characters from here on are `STEP n`. */
const stepCodeBase = 32;
const stepMax = 94;
/** The character for an edge that is written out beside. */
const otherCode = 31;
const usualOrder: readonly OutcomeClass[] = outcomeClasses.slice(0, 13);

export function writePlan(plan: Plan | undefined): Row | undefined {
  return plan && [plan.steps.map(writeStep), plan.validUntilMs, plan.codeTableVersion];
}

export function readPlan(row: Row | undefined): Plan | undefined {
  if (row === undefined) return undefined;
  const [steps, validUntilMs, codeTableVersion] = row as [Row[], number, string];
  return { steps: steps.map(readStep), validUntilMs, codeTableVersion };
}

function writeStep(step: Step): Row {
  const { edges, threeDs } = step;
  return [
    step.number,
    step.kind,
    step.psp,
    step.mid,
    step.instrument,
    threeDs.requirement,
    "challengeIndicator" in threeDs ? threeDs.challengeIndicator : undefined,
    "exemption" in threeDs ? threeDs.exemption : undefined,
    step.liabilityShift,
    step.attemptId,
    step.idempotencyKey,
    step.notBeforeMs,
    isUsual(edges) ? undefined : edges.map(({ outcomeClass }) => outcomeClass),
    ...writeEdges(edges),
  ];
}

function readStep(row: Row): Step {
  const [number, kind, psp, mid, instrument, requirement, challengeIndicator, exemption] = row as [
    number,
    Step["kind"],
    string,
    string,
    string,
    StepThreeDs["requirement"],
    string | undefined,
    string | undefined,
  ];
  const [liabilityShift, attemptId, idempotencyKey, notBeforeMs, classes, codes, ...others] = row.slice(
    8,
  ) as [
    Step["liabilityShift"],
    string,
    string,
    number | undefined,
    readonly OutcomeClass[] | undefined,
    string,
    ...Row[],
  ];
  const threeDs = readThreeDs(requirement, challengeIndicator, exemption);
  return {
    number,
    kind,
    psp,
    mid,
    instrument,
    threeDs,
    liabilityShift,
    attemptId,
    idempotencyKey,
    notBeforeMs,
    edges: readEdges(classes ?? usualOrder, codes, others),
  };
}

function readThreeDs(
  requirement: StepThreeDs["requirement"],
  challengeIndicator: string | undefined,
  exemption: string | undefined,
): StepThreeDs {
  switch (requirement) {
    case "THREE_DS":
      return { requirement, challengeIndicator: challengeIndicator! };
    case "EXEMPTION":
      return { requirement, exemption: exemption! };
    case "NONE":
    case "OUT_OF_SCOPE":
    case "NOT_APPLICABLE":
      return { requirement };
  }
}

function isUsual(edges: readonly OutcomeEdge[]): boolean {
  if (edges.length !== usualOrder.length) return false;
  for (let at = 0; at < edges.length; at++) if (edges[at]!.outcomeClass !== usualOrder[at]) return false;
  return true;
}

/** The characters, then one row for each edge that no character can say. */
function writeEdges(edges: readonly OutcomeEdge[]): [string, ...Row[]] {
  let codes = "";
  const others: Row[] = [];
  for (const { edge } of edges) {
    const code = edgeCode(edge);
    if (code === otherCode) others.push(writeEdge(edge));
    codes += String.fromCharCode(code);
  }
  return [codes, ...others];
}

function edgeCode(edge: Edge): number {
  const { action } = edge;
  if (action === "STEP") {
    return Number.isInteger(edge.step) && edge.step >= 0 && edge.step <= stepMax
      ? stepCodeBase + edge.step
      : otherCode;
  }
  return plainCodes.get(action) ?? otherCode;
}

function readEdges(classes: readonly OutcomeClass[], codes: string, others: readonly Row[]): OutcomeEdge[] {
  let next = 0;
  return classes.map((outcomeClass, at) => {
    const code = codes.charCodeAt(at);
    if (code === otherCode) return { outcomeClass, edge: readEdge(others[next++]!) };
    const edge: Edge =
      code >= stepCodeBase ? { action: "STEP", step: code - stepCodeBase } : plainEdges[code]!;
    return { outcomeClass, edge };
  });
}

function writeEdge(edge: Edge): Row {
  switch (edge.action) {
    case "STEP":
      return [edge.action, edge.step];
    case "WAIT_UNTIL":
      return [edge.action, edge.step, edge.notBeforeMs];
    case "CHANGE_DATA":
      return [edge.action, edge.fields];
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      return [edge.action, edge.notBeforeMs];
    default:
      return [edge.action];
  }
}

function readEdge(row: Row): Edge {
  const action = row[0] as Edge["action"];
  switch (action) {
    case "STEP":
      return { action, step: row[1] as number };
    case "WAIT_UNTIL":
      return { action, step: row[1] as number, notBeforeMs: row[2] as number };
    case "CHANGE_DATA":
      return { action, fields: row[1] as string[] };
    case "LOWER_AMOUNT":
    case "ASK_AGAIN":
      return { action, notBeforeMs: row[1] as number | undefined };
    default:
      return { action };
  }
}
