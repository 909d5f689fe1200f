import type { ReportFault } from "./flatten-trees.ts";

/** Text of a dump, in UTF-16 units; dumps are ASCII but for names, so these are its bytes. */
const dumpMax = 4 * 1_024 * 1_024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses the text of a dump; undefined after a fault. */
export function parseDump(text: string, fault: ReportFault): unknown {
  if (text.length > dumpMax) {
    return fault("", "model-too-large", `${text.length} characters; at most ${dumpMax} are allowed`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    // The parser quotes what it found, which may be long.
    return fault("", "bad-model", `the dump is not JSON: ${why.slice(0, 200)}`);
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A finite number; undefined after a fault. */
export function readNumber(value: unknown, place: string, fault: ReportFault): number | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return fault(place, "bad-model", `this must be a finite number, it is ${describe(value)}`);
}

/** What stands where something else is wanted, for an error message. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return JSON.stringify(value).slice(0, 64);
}
