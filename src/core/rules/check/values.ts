import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { Money } from "../../../gen/switchyard/v1/payment_pb.js";
import { normaliseScheme } from "../../card-scheme.ts";
import { quote, suggest } from "../../cel/faults.ts";
import { isCountry } from "../../iso3166.ts";
import { exponentOf } from "../../iso4217.ts";
import type { FaultList } from "../document/fault.ts";
import type { FaultRule } from "./fault-rules.ts";

/** Lengths of text, in UTF-16 units. */
export const nameMax = 128;
export const keyMax = 128;
export const descriptionMax = 4_096;

const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const methodPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const reasonPattern = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Whether the text can be an id. */
export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** The id of an entry: there, of the right shape, and the first of its section. */
export function checkId(faults: FaultList, path: string, id: string, seen: Map<string, string>): void {
  if (id === "") {
    faults.error(path, "missing", "every entry of this section needs its id");
    return;
  }
  if (!isId(id)) {
    faults.error(
      path,
      "bad-id",
      `${quote(id)} is no id: 1 to 64 letters, digits, dots, dashes or underscores, the first a letter or digit`,
    );
    return;
  }
  const first = seen.get(id);
  if (first === undefined) seen.set(id, path);
  else faults.error(path, "duplicate-id", `${quote(id)} is the id of ${first} already`);
}

/** Text for people or for other systems; line breaks only where it is long. */
export function checkText(faults: FaultList, path: string, text: string, max: number): void {
  if (text.length > max)
    faults.error(path, "too-long", `${text.length} characters; at most ${max} are allowed`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  const control = max === descriptionMax ? /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/ : /[\0-\x1f\x7f]/;
  if (control.test(text)) faults.error(path, "control-character", "the text holds a control character");
}

/** Text that must be there. */
export function checkRequired(faults: FaultList, path: string, text: string, max: number): void {
  if (text === "") faults.error(path, "missing", "this field must be set");
  else checkText(faults, path, text, max);
}

/** The length of a list. Returns false where it is too long to be looked at. */
export function checkSize(faults: FaultList, path: string, count: number, max: number): boolean {
  if (count <= max) return true;
  faults.error(path, "too-many", `${count} entries; at most ${max} are allowed`);
  return false;
}

/** Each element by `check`, and none of them twice. */
export function checkSet<T extends string | number>(
  faults: FaultList,
  list: { readonly path: string; readonly values: readonly T[]; readonly max: number },
  check: (path: string, value: T) => void,
): void {
  const { path, values, max } = list;
  if (!checkSize(faults, path, values.length, max)) return;
  const seen = new Set<T>();
  for (const [index, value] of values.entries()) {
    const at = `${path}[${index}]`;
    if (seen.has(value)) faults.error(at, "duplicate", `${quote(String(value))} is in this list already`);
    else check(at, value);
    seen.add(value);
  }
}

export function checkCurrency(faults: FaultList, path: string, code: string): void {
  if (code === "") faults.error(path, "missing", "this field must be set");
  else if (exponentOf(code) === undefined)
    faults.error(path, "currency", `${quote(code)} is no current ISO 4217 code`);
}

export function checkCountry(faults: FaultList, path: string, code: string): void {
  if (isCountry(code)) return;
  const advice = code === "UK" ? " (the United Kingdom is GB)" : "";
  faults.error(path, "country", `${quote(code)} is no ISO 3166-1 alpha-2 code${advice}`);
}

export function checkMethod(faults: FaultList, path: string, name: string): void {
  if (methodPattern.test(name)) return;
  faults.error(
    path,
    "bad-name",
    `${quote(name)} is no name of a method or scheme: lower case letters, digits, dots, dashes, underscores`,
  );
}

/** A card scheme by its one name. */
export function checkScheme(faults: FaultList, path: string, name: string): void {
  const canonical = normaliseScheme(name);
  if (canonical === name && methodPattern.test(name)) return;
  const advice = canonical === undefined || canonical === name ? "" : ` (write ${canonical})`;
  faults.error(path, "bad-name", `${quote(name)} is no scheme as the house names them${advice}`);
}

export function checkReason(faults: FaultList, path: string, code: string): void {
  if (code === "" || reasonPattern.test(code)) return;
  faults.error(
    path,
    "bad-name",
    `${quote(code)} is no reason code: capitals, digits and underscores, at most 64`,
  );
}

export function checkKinds(faults: FaultList, path: string, kinds: readonly string[]): void {
  checkSet(faults, { path, values: kinds, max: 2 }, (at, kind) => {
    if (kind === "deposit" || kind === "withdrawal") return;
    const known = suggest(kind, ["deposit", "withdrawal"]);
    faults.error(at, "bad-kind", `${quote(kind)} is no kind of payment${known}`);
  });
}

export function checkRange(
  faults: FaultList,
  path: string,
  value: number,
  [min, max]: readonly [number, number],
): void {
  if (value >= min && value <= max) return;
  faults.error(path, "out-of-range", `${value} is not from ${min} to ${max}`);
}

/** An amount of money, positive unless zero is allowed. */
export function checkMoney(faults: FaultList, path: string, money: Money, allowsZero = false): void {
  checkCurrency(faults, `${path}.currency_code`, money.currencyCode);
  const { minorUnits } = money;
  if (minorUnits > BigInt(Number.MAX_SAFE_INTEGER)) {
    faults.error(`${path}.minor_units`, "out-of-range", "amounts are at most 2^53 - 1 minor units");
  } else if (minorUnits < 0n || (minorUnits === 0n && !allowsZero)) {
    faults.error(`${path}.minor_units`, "positive", "the amount must be greater than 0");
  }
}

/** A duration of whole milliseconds from `min` to `max` ms. */
export function checkDuration(
  faults: FaultList,
  path: string,
  duration: Duration,
  bounds: { readonly min: number; readonly max: number; readonly said: string },
): void {
  if (duration.nanos % 1_000_000 !== 0) {
    faults.error(path, "too-precise", "durations are whole milliseconds");
    return;
  }
  const ms = Number(duration.seconds) * 1000 + duration.nanos / 1_000_000;
  if (ms < bounds.min || ms > bounds.max) faults.error(path, "out-of-range", `this must be ${bounds.said}`);
}

/** Instants of the years 1 to 9999, which is what RFC 3339 can say. */
const instantSecondsMin = -62_135_596_800n;
const instantSecondsMax = 253_402_300_799n;

export function checkInstant(faults: FaultList, path: string, instant: Timestamp): void {
  const { seconds, nanos } = instant;
  if (seconds < instantSecondsMin || seconds > instantSecondsMax || nanos < 0 || nanos > 999_999_999) {
    faults.error(path, "out-of-range", "instants are of the years 1 to 9999");
  } else if (nanos % 1_000_000 !== 0) {
    faults.error(path, "too-precise", "instants are whole milliseconds");
  }
}

/** A name of something that another section declares. */
export function checkReference(
  faults: FaultList,
  path: string,
  id: string,
  target: {
    readonly ids: { readonly has: (id: string) => boolean; readonly keys: () => Iterable<string> };
    readonly rule: FaultRule;
    readonly noun: string;
  },
): void {
  if (target.ids.has(id)) return;
  const known = suggest(id, target.ids.keys());
  faults.error(path, target.rule, `there is no ${target.noun} ${quote(id)}${known}`);
}
