import type { Edge, OutcomeEdge, Plan, Step, StepThreeDs } from "../../../core/decision.ts";
import { type OutcomeClass, outcomeClasses } from "../../../core/retry/outcome-class.ts";
import type { Row } from "./pack.ts";
import {
  writeArray,
  writeCharacters,
  writeEach,
  writeFlag,
  writeNumber,
  writeText,
  writeUndefined,
  writeValue,
} from "./row-writer.ts";

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

export function writePlan(plan: Plan): void {
  writeArray(3);
  writeEach(plan.steps, writeStep);
  writeNumber(plan.validUntilMs);
  writeText(plan.codeTableVersion);
}

export function readPlan(row: Row | undefined): Plan | undefined {
  if (row === undefined) return undefined;
  const [steps, validUntilMs, codeTableVersion] = row as [Row[], number, string];
  return { steps: steps.map(readStep), validUntilMs, codeTableVersion };
}

/** What steps of before it was kept are taken to have had. */
const usualTimeoutMs = 60_000;

/** Before the edges that are written out, and after them. */
const stepFields = 14;
const fieldsAfter = 4;

function writeStep(step: Step): void {
  const { edges, threeDs } = step;
  const codes = edges.map(({ edge }) => edgeCode(edge));
  writeArray(stepFields + countOthers(codes) + fieldsAfter);
  writeNumber(step.number);
  writeText(step.kind);
  writeText(step.psp);
  writeText(step.mid);
  writeText(step.instrument);
  writeText(threeDs.requirement);
  writeText("challengeIndicator" in threeDs ? threeDs.challengeIndicator : undefined);
  writeText("exemption" in threeDs ? threeDs.exemption : undefined);
  writeText(step.liabilityShift);
  writeText(step.attemptId);
  writeText(step.idempotencyKey);
  writeNumber(step.notBeforeMs);
  if (isUsual(edges)) writeUndefined();
  else writeEach(edges, ({ outcomeClass }) => writeText(outcomeClass));
  writeCharacters(codes);
  for (let at = 0; at < codes.length; at++)
    if (codes[at] === otherCode) writeValue(rowOfEdge(edges[at]!.edge));
  writeText(threeDs.reason);
  writeFlag("useProof" in threeDs && threeDs.useProof);
  writeNumber(step.timeoutMs);
  writeFlag(step.mayResend);
}

function countOthers(codes: readonly number[]): number {
  let count = 0;
  for (const code of codes) if (code === otherCode) count++;
  return count;
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
  const after = stepFields + countOthers([...codes].map((code) => code.charCodeAt(0)));
  // These are absent in rows of before they were kept.
  const [reason = "", useProof = false, timeoutMs = usualTimeoutMs, mayResend = false] = row.slice(after) as [
    StepThreeDs["reason"]?,
    boolean?,
    number?,
    boolean?,
  ];
  const threeDs = readThreeDs({ requirement, challengeIndicator, exemption, reason, useProof });
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
    timeoutMs,
    mayResend,
  };
}

function readThreeDs({
  requirement,
  challengeIndicator,
  exemption,
  reason,
  useProof,
}: {
  readonly requirement: StepThreeDs["requirement"];
  readonly challengeIndicator: string | undefined;
  readonly exemption: string | undefined;
  readonly reason: StepThreeDs["reason"];
  readonly useProof: boolean;
}): StepThreeDs {
  switch (requirement) {
    case "THREE_DS":
      return { requirement, challengeIndicator: challengeIndicator!, reason, useProof };
    case "EXEMPTION":
      return { requirement, exemption: exemption!, reason };
    case "NONE":
    case "OUT_OF_SCOPE":
    case "NOT_APPLICABLE":
      return { requirement, reason };
  }
}

function isUsual(edges: readonly OutcomeEdge[]): boolean {
  if (edges.length !== usualOrder.length) return false;
  for (let at = 0; at < edges.length; at++) if (edges[at]!.outcomeClass !== usualOrder[at]) return false;
  return true;
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

function rowOfEdge(edge: Edge): Row {
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
