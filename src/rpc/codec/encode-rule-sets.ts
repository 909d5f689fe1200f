import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DocumentFault, DocumentFormat, RuleSetChange } from "../../core/rules/compilation.ts";
import { DocumentFault_Severity, type DocumentFaultSchema } from "../../gen/switchyard/v1/fault_pb.js";
import {
  Difference_Kind,
  type DifferenceSchema,
  Document_Format,
  type RuleSetVersionSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import type { StoredRuleSet } from "../../manage/rule-sets.ts";
import { encodeInstant } from "./time.ts";

export function encodeDocumentFault(fault: DocumentFault): MessageInitShape<typeof DocumentFaultSchema> {
  const { path, line, column, rule, message, id } = fault;
  return { severity: DocumentFault_Severity[fault.severity], path, line, column, rule, message, id };
}

export function encodeVersion(
  ruleSet: StoredRuleSet,
  activeVersion: number,
): MessageInitShape<typeof RuleSetVersionSchema> {
  const { hash, name, author, comment, ruleCount, sizeBytes } = ruleSet;
  return {
    version: BigInt(ruleSet.version),
    hash,
    name,
    author,
    comment,
    pushedAt: encodeInstant(ruleSet.pushedAtMs),
    active: ruleSet.version === activeVersion,
    ruleCount,
    sizeBytes,
  };
}

export function encodeChange(change: RuleSetChange): MessageInitShape<typeof DifferenceSchema> {
  const { section, id, loosens } = change;
  return {
    kind: Difference_Kind[change.kind],
    section,
    id,
    loosens,
    fields: change.fields.map((field) => ({ ...field })),
  };
}

export function encodeFormat(format: DocumentFormat): Document_Format {
  return Document_Format[format];
}

/** YAML where the format is not said; undefined where it is none that we know. */
export function decodeFormat(format: Document_Format): DocumentFormat | undefined {
  switch (format) {
    case Document_Format.FORMAT_UNSPECIFIED:
    case Document_Format.YAML:
      return "YAML";
    case Document_Format.JSON:
      return "JSON";
    case Document_Format.PROTOBUF:
      return "PROTOBUF";
    default:
      return undefined;
  }
}
