import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { quote } from "../../cel/faults.ts";
import { readInstant } from "../../instant.ts";
import type { FaultRule } from "../check/fault-rules.ts";
import { classifyPlain, type DocNode, describeNode } from "./node.ts";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rule: FaultRule; readonly message: string };

/** An integer of 32 bits, or one exact to 2^53, as a number or as quoted text (the protobuf JSON mapping has both). */
export function parseInteger(node: DocNode, bits: 32 | 53): Parsed<bigint> {
  const isNumber = node.kind === "scalar" && (node.style !== "plain" || classifyPlain(node.text) !== "text");
  if (!isNumber || !/^-?(?:0|[1-9]\d*)$/.test(node.text)) {
    const advice = "such as 5000 must stand here (no fraction, exponent or leading zero)";
    return {
      ok: false,
      rule: "wrong-type",
      message: `a decimal integer ${advice}, this is ${describeNode(node)}`,
    };
  }
  const limit = bits === 32 ? 2n ** 31n - 1n : 2n ** 53n - 1n;
  // No integer in range has more digits; a longer one need not be parsed.
  const value = node.text.length > 20 ? undefined : BigInt(node.text);
  if (value !== undefined && value <= limit && value >= -limit) return { ok: true, value };
  return { ok: false, rule: "out-of-range", message: `integers here are at most ${limit}, up or down` };
}

/** A finite decimal number, plain or as quoted text; what is closer to zero than any double is zero. */
export function parseDouble(node: DocNode): Parsed<number> {
  const isNumber =
    node.kind === "scalar" &&
    node.text.length <= 400 &&
    /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(node.text);
  if (!isNumber) {
    const message = `a decimal number such as 0.25 must stand here, this is ${describeNode(node)}`;
    return { ok: false, rule: "wrong-type", message };
  }
  const value = Number(node.text);
  if (Number.isFinite(value)) return { ok: true, value };
  return { ok: false, rule: "out-of-range", message: "the number is too large" };
}

/** RFC 3339, such as `2026-01-31T00:00:00Z` or `2026-01-31T01:00:00+01:00`. */
export function parseTimestamp(text: string): Parsed<Timestamp> {
  const instant = readInstant(text);
  if (instant !== undefined) {
    const { seconds, nanos } = instant;
    return { ok: true, value: create(TimestampSchema, { seconds: BigInt(seconds), nanos }) };
  }
  const message = `${quote(text)} is no instant by RFC 3339, such as 2026-01-31T00:00:00Z`;
  return { ok: false, rule: "not-an-instant", message };
}

const unitMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

/** Seconds as protobuf writes them (`900s`, `1.5s`), or whole milliseconds, minutes, hours or days of 24 hours: `15m`, `24h`, `7d`. */
export function parseDuration(text: string): Parsed<Duration> {
  const seconds = /^(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text);
  if (seconds !== null) {
    const [, whole = "0", fraction = ""] = seconds;
    return {
      ok: true,
      value: create(DurationSchema, { seconds: BigInt(whole), nanos: Number(fraction.padEnd(9, "0")) }),
    };
  }
  const counted = /^(\d{1,6})(ms|m|h|d)$/.exec(text);
  if (counted !== null) {
    const ms = Number(counted[1]) * (unitMs.get(counted[2]!) ?? 0);
    const value = create(DurationSchema, {
      seconds: BigInt(Math.floor(ms / 1000)),
      nanos: (ms % 1000) * 1_000_000,
    });
    return { ok: true, value };
  }
  const message = `${quote(text)} is no duration, such as 900s, 15m, 24h or 7d`;
  return { ok: false, rule: "not-a-duration", message };
}
