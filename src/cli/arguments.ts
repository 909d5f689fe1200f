import { fromJson, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { type DurationSchema, type TimestampSchema, type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { encodeDuration, encodeInstant } from "../rpc/codec/time.ts";
import { usageFailure } from "./failure.ts";
import { parseInstant, parseSpan } from "./instant.ts";

/** A whole number from 0 of an option or operand. */
export function parseCount(name: string, text: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^[0-9]{1,16}$/.test(text) && value <= max) return value;
  throw usageFailure(`${name} must be a whole number from 0 to ${max}, not ${JSON.stringify(text)}`);
}

/** A whole number from 1. */
export function parsePositive(name: string, text: string, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^[0-9]{1,16}$/.test(text) && value >= 1 && value <= max) return value;
  throw usageFailure(`${name} must be a whole number from 1 to ${max}, not ${JSON.stringify(text)}`);
}

/** A span of time of an option, such as `30d`. */
export function readSpan(name: string, text: string): MessageInitShape<typeof DurationSchema> {
  const parsed = parseSpan(text);
  if (!parsed.ok) throw usageFailure(`${name} ${JSON.stringify(text)} ${parsed.message}`);
  return encodeDuration(parsed.ms);
}

/** The instant of an option as a timestamp. */
export function readInstant(name: string, text: string): MessageInitShape<typeof TimestampSchema> {
  const parsed = parseInstant(text);
  if (!parsed.ok) throw usageFailure(`${name} ${JSON.stringify(text)} ${parsed.message}`);
  return encodeInstant(parsed.ms);
}

/** `name=value`; the value is JSON where it parses (`3`, `true`, `["a"]`, `null`), else text. */
export function parseAssignment(option: string, text: string): readonly [name: string, value: Value] {
  const equals = text.indexOf("=");
  if (equals < 1) throw usageFailure(`${option} must be name=value, not ${JSON.stringify(text)}`);
  return [text.slice(0, equals), toValue(text.slice(equals + 1))];
}

function toValue(text: string): Value {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch {
    json = text;
  }
  return fromJson(ValueSchema, json);
}
