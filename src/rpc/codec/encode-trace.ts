import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConditionTrace } from "../../core/cel/explain.ts";
import type { Trace } from "../../decide/decided.ts";
import {
  type ConditionNodeSchema,
  ConditionTrace_Truth,
  type ConditionTraceSchema,
  type TraceSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import type { Door } from "../../wire/transport.ts";
import { encodeReason, findShown } from "./encode-decision.ts";

type Truth = ConditionTrace["truth"];
type TraceRead = Extract<ConditionTrace, { kind: "leaf" }>["reads"][number];

const conditionsMax = 1_000;
const winnersMax = 32;

const truths: Readonly<Record<Truth, ConditionTrace_Truth>> = {
  true: ConditionTrace_Truth.TRUE,
  false: ConditionTrace_Truth.FALSE,
  unknown: ConditionTrace_Truth.UNKNOWN,
};

/**
 * The trace as it leaves by a door: what is for safer gambling, anti-money-laundering or marketing is for admins (`SEMANTICS.md` 3.9). For
 * gateways that takes away the parts of a condition that reads such a fact, the detail of a PSP that such a rule took out, and the result of a
 * facet that such a rule decided.
 */
export function encodeTrace(trace: Trace, door: Door): MessageInitShape<typeof TraceSchema> {
  const shows = findShown(door);
  return {
    conditions: trace.conditions
      .filter(({ purposes }) => shows(purposes))
      .slice(0, conditionsMax)
      .map(
        ({ path, skipped, condition, reads }): MessageInitShape<typeof ConditionTraceSchema> => ({
          path,
          skipped,
          truth: condition === undefined ? ConditionTrace_Truth.TRUE : truths[condition.truth],
          ...(condition === undefined || !reads.every(shows)
            ? {}
            : { condition: encodeConditionNode(condition) }),
        }),
      ),
    psps: trace.psps.map(({ psp, removedBy, detail, purposes, rank, score }) => ({
      psp,
      removedBy,
      detail: shows(purposes) ? detail : "",
      rank,
      score: Object.fromEntries(score),
    })),
    facets: trace.facets.map(({ facet, winners, result }) => ({
      facet,
      winners: winners
        .filter(({ purposes }) => shows(purposes))
        .slice(0, winnersMax)
        .map(({ id }) => id),
      result: winners.every(({ purposes }) => shows(purposes)) ? result : "",
    })),
    facts: trace.facts
      .filter(({ purposes }) => shows(purposes))
      .map(({ name, value, source }) => ({ name, value, source })),
    reasons: door === "admin" ? trace.reasons.map(encodeReason) : [],
    notes: [...trace.notes],
  };
}

export function encodeConditionNode(node: ConditionTrace): MessageInitShape<typeof ConditionNodeSchema> {
  if (node.kind !== "leaf") {
    return { text: node.kind, truth: truths[node.truth], parts: node.parts.map(encodeConditionNode) };
  }
  return {
    text: node.text,
    truth: truths[node.truth],
    values: Object.fromEntries(node.reads.map((read) => [read.name, encodeRead(read)])),
  };
}

function encodeRead({ value, elementsHidden }: TraceRead): string {
  if (value === null) return "unknown";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return elementsHidden > 0 ? `${text} and ${elementsHidden} more` : text;
}
