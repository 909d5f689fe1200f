import type { Value } from "../cel/expr.ts";
import { readInstant } from "../instant.ts";
import type { AttributeInput } from "../payment.ts";
import type { AttributeInfo } from "../rules/snapshot.ts";

/**
 * An attribute as conditions see it: held against its declaration. Timestamps become ms since the epoch (parts of a ms are cut off).
 *
 * Fails: with the broken rule, `type` or `declared-value`.
 */
export function readAttribute(
  info: AttributeInfo,
  input: AttributeInput,
): { readonly value: Exclude<Value, undefined> } | { readonly rule: string; readonly message: string } {
  const value = convert(info, input);
  if (value === undefined) return { rule: "type", message: `${info.name} must be ${typeNames[info.type]}` };
  if (info.values.length === 0) return { value };
  const texts = Array.isArray(value) ? value : [value];
  const stranger = texts.find((text) => !info.values.includes(String(text)));
  if (stranger === undefined) return { value };
  return { rule: "declared-value", message: `${info.name} must be one of ${info.values.join(", ")}` };
}

const typeNames: Readonly<Record<AttributeInfo["type"], string>> = {
  BOOL: "true or false",
  INT: "an integer within 2^53",
  DOUBLE: "a finite number",
  STRING: "text",
  TIMESTAMP: "an RFC 3339 timestamp such as 2026-01-31T12:00:00Z",
  STRING_LIST: "a list of texts",
};

function convert({ type }: AttributeInfo, input: AttributeInput): Value {
  switch (type) {
    case "BOOL":
      return typeof input === "boolean" ? input : undefined;
    case "INT":
      return typeof input === "number" && Number.isSafeInteger(input) ? input : undefined;
    case "DOUBLE":
      return typeof input === "number" && Number.isFinite(input) ? input : undefined;
    case "STRING":
      return typeof input === "string" ? input : undefined;
    case "TIMESTAMP":
      return typeof input === "string" ? readTimestamp(input) : undefined;
    case "STRING_LIST":
      return typeof input === "object" ? input : undefined;
  }
}

function readTimestamp(text: string): number | undefined {
  const instant = readInstant(text);
  return instant && instant.seconds * 1000 + Math.floor(instant.nanos / 1_000_000);
}
