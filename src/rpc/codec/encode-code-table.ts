import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { ResponseCode } from "../../core/retry/answer.ts";
import type { CodeTable } from "../../core/retry/code-table.ts";
import {
  type CodeTableEntrySchema,
  type GetCodeTableResponse,
  GetCodeTableResponseSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import { Outcome_Class } from "../../gen/switchyard/v1/payment_pb.js";
import { encodeAttribution } from "./encode-attribution.ts";
import { encodeDuration, encodeInstant } from "./time.ts";

/** The table by which answers are classified. */
export function encodeCodeTable({ version, entries }: CodeTable): GetCodeTableResponse {
  return create(GetCodeTableResponseSchema, { version, entries: entries.map(encodeEntry) });
}

function encodeEntry(entry: ResponseCode): MessageInitShape<typeof CodeTableEntrySchema> {
  const { block, fromMs, untilMs, waitMs } = entry;
  return {
    psp: entry.psp ?? "",
    pspCode: entry.pspCode ?? "",
    scheme: entry.scheme ?? "",
    code: entry.code ?? "",
    adviceCode: entry.adviceCode ?? "",
    scaZoneOnly: entry.scaZoneOnly ?? false,
    informational: entry.informational ?? false,
    outcome: Outcome_Class[entry.outcomeClass],
    attribution: encodeAttribution(entry.attribution),
    ...(waitMs === 0 ? {} : { wait: encodeDuration(waitMs) }),
    fields: [...entry.fields],
    block: block?.what ?? "",
    ...(block?.forMs === undefined ? {} : { blockFor: encodeDuration(block.forMs) }),
    alert: entry.alert,
    ...(fromMs === undefined ? {} : { from: encodeInstant(fromMs) }),
    ...(untilMs === undefined ? {} : { until: encodeInstant(untilMs) }),
    meaning: entry.meaning,
    origin: entry.origin,
  };
}
