import { fromBinary } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { type RuleSet, RuleSetSchema } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { DocumentFormat } from "../compilation.ts";
import type { FaultList } from "./fault.ts";
import { createLocator, type Locator } from "./locate.ts";
import type { DocNode } from "./node.ts";
import { readJson } from "./read-json.ts";
import { readMessage } from "./read-message.ts";
import { readYaml } from "./read-yaml.ts";

/** The largest document. */
export const documentBytesMax = 32 * 1024 * 1024;

/** What a document says, as far as it could be read, and where; a document in protobuf has no locator. */
export type ReadDocument = { readonly ruleSet: RuleSet | undefined; readonly locator: Locator | undefined };

/**
 * Reads the bytes of a document as the message RuleSet.
 *
 * Fails:  with located faults in the list; `ruleSet` is then undefined or lacks what was wrong. Never throws on data.
 */
export function readDocument(bytes: Uint8Array, format: DocumentFormat, faults: FaultList): ReadDocument {
  if (bytes.length > documentBytesMax) {
    faults.error("", "too-large", `${bytes.length} bytes; at most ${documentBytesMax} are allowed`);
    return { ruleSet: undefined, locator: undefined };
  }
  if (format === "PROTOBUF") return { ruleSet: readBinary(bytes, faults), locator: undefined };
  const text = decodeText(bytes);
  if (text === undefined) return refuseBytes(bytes, faults);
  const tree: DocNode | undefined = format === "JSON" ? readJson(text, faults) : readYaml(text, faults);
  const locator = createLocator(text, tree);
  return { ruleSet: tree && (readMessage(RuleSetSchema, tree, faults) as RuleSet), locator };
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function refuseBytes(bytes: Uint8Array, faults: FaultList): ReadDocument {
  const badAt = findBadByte(bytes);
  const before = new TextDecoder().decode(bytes.subarray(0, badAt));
  faults.error("", "not-utf8", `the document is not UTF-8 from byte ${badAt} on`, before.length);
  return { ruleSet: undefined, locator: createLocator(before, undefined) };
}

/** Offset of the first byte that ends up as U+FFFD without being one: bisects by prefixes, which may end inside a character. */
function findBadByte(bytes: Uint8Array): number {
  let low = 0;
  let high = bytes.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (isPrefixOfText(bytes.subarray(0, middle))) low = middle;
    else high = middle;
  }
  return low;
}

function isPrefixOfText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function readBinary(bytes: Uint8Array, faults: FaultList): RuleSet | undefined {
  try {
    const ruleSet = fromBinary(RuleSetSchema, bytes);
    findUnknown(reflect(RuleSetSchema, ruleSet), "", faults);
    return ruleSet;
  } catch (error) {
    const why = error instanceof Error ? error.message : "malformed";
    faults.error("", "syntax", `this is no message RuleSet: ${why.slice(0, 200)}`);
    return undefined;
  }
}

/** What the binary form lets through and the others do not: fields and enum numbers that the schema does not know. */
function findUnknown(message: ReflectMessage, path: string, faults: FaultList): void {
  for (const { no } of message.getUnknown() ?? []) {
    faults.error(path, "unknown-field", `there is no field number ${no} here`);
  }
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const at = path === "" ? field.name : `${path}.${field.name}`;
    if (field.fieldKind === "message") findUnknown(message.get(field), at, faults);
    else if (field.fieldKind === "enum") checkEnumNumber(field.enum, message.get(field), at, faults);
    else if (field.fieldKind === "list" && field.listKind !== "scalar") {
      for (const [index, item] of [...message.get(field)].entries()) {
        if (field.listKind === "message") findUnknown(item as ReflectMessage, `${at}[${index}]`, faults);
        else checkEnumNumber(field.enum, item as number, `${at}[${index}]`, faults);
      }
    }
  }
}

function checkEnumNumber(
  schema: { readonly values: readonly { readonly number: number }[] },
  value: number,
  path: string,
  faults: FaultList,
): void {
  if (schema.values.some(({ number }) => number === value)) return;
  faults.error(path, "unknown-value", `there is no value with number ${value} here`);
}
