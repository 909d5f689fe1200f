/**
 * Lists of a rule set for `in_list`, as flat arrays: made once where the rule set is compiled, handed over without a copy, asked at once.
 *
 * Source: `DESIGN.md` 4.1 and 4.2.
 */
import type { ListKind } from "./cel/environment.ts";
import type { MembershipList } from "./cel/expr.ts";

/**
 * A list as a hash table with open addressing (linear probing, at most half full, its size a power of two).
 *
 * `STRING`: a slot is a pair, 0 where it is empty, else 1 + the number of its value, and its hash; value n is `units[starts[n] .. starts[n + 1])`,
 * in UTF-16. With the hash at hand, a slot that another value took is passed without a look at its text.
 * `BIN`: a slot is 0 where it is empty, else the digits of the BIN with a 1 in front, as a number.
 */
export type EncodedList =
  | {
      readonly kind: "STRING";
      readonly count: number;
      readonly slots: Int32Array<ArrayBuffer>;
      readonly starts: Int32Array<ArrayBuffer>;
      readonly units: Uint16Array<ArrayBuffer>;
    }
  | { readonly kind: "BIN"; readonly count: number; readonly slots: Int32Array<ArrayBuffer> };

/** What is wrong with a value; `path` is relative to the list, such as `values[3]`. */
export type ListFault = { readonly path: string; readonly rule: string; readonly message: string };

export const listValuesMax = 2_000_000;
const listValueLengthMax = 128;
const faultsMax = 100;

/**
 * Turns the values of a list into flat arrays.
 *
 * Shapes: at most 2,000,000 values, none twice, in any order. STRING: 1 to 128 UTF-16 units each; BIN: 6 to 8 digits each.
 * Fails: with the first 100 faults, each naming the value and the broken rule.
 */
export function encodeList(source: {
  readonly kind: ListKind;
  readonly values: readonly string[];
}):
  | { readonly ok: true; readonly list: EncodedList }
  | { readonly ok: false; readonly faults: readonly ListFault[] } {
  const { kind, values } = source;
  if (values.length > listValuesMax) {
    const message = `${values.length} values; at most ${listValuesMax} are allowed`;
    return { ok: false, faults: [{ path: "values", rule: "too-many", message }] };
  }
  const faults: ListFault[] = [];
  const check = kind === "BIN" ? checkBin : checkText;
  for (let i = 0; i < values.length && faults.length < faultsMax; i++) {
    const fault = check(values[i]!);
    if (fault !== undefined) faults.push({ path: `values[${i}]`, ...fault });
  }
  if (faults.length > 0) return { ok: false, faults };

  const list = kind === "BIN" ? encodeBins(values, faults) : encodeTexts(values, faults);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, list };
}

/** The memory of a list, for handing it to another thread without a copy. */
export function listBuffers(list: EncodedList): ArrayBuffer[] {
  return list.kind === "BIN"
    ? [list.slots.buffer]
    : [list.slots.buffer, list.starts.buffer, list.units.buffer];
}

/** Makes a list ready to be asked, in constant time whatever its size; a question allocates nothing. */
export function openList(list: EncodedList): MembershipList {
  switch (list.kind) {
    case "STRING":
      return { has: (value) => list.slots[findText(list, value, hashText(value))] !== 0 };
    case "BIN":
      return { has: (value) => hasPrefix(list.slots, value) };
  }
}

type TextList = Extract<EncodedList, { kind: "STRING" }>;

function encodeTexts(values: readonly string[], faults: ListFault[]): TextList {
  let unitCount = 0;
  for (const value of values) unitCount += value.length;
  const list: TextList = {
    kind: "STRING",
    count: values.length,
    slots: new Int32Array(tableSize(values.length) * 2),
    starts: new Int32Array(values.length + 1),
    units: new Uint16Array(unitCount),
  };
  let end = 0;
  for (let i = 0; i < values.length && faults.length < faultsMax; i++) {
    const value = values[i]!;
    for (let at = 0; at < value.length; at++) list.units[end++] = value.charCodeAt(at);
    list.starts[i + 1] = end;
    const hash = hashText(value);
    const slot = findText(list, value, hash);
    if (list.slots[slot] === 0) {
      list.slots[slot] = i + 1;
      list.slots[slot + 1] = hash;
    } else {
      faults.push(duplicateOf(i, list.slots[slot]! - 1));
    }
  }
  return list;
}

/** Where the pair stands that holds the value, or else the empty one where it would be. */
function findText({ slots, starts, units }: TextList, value: string, hash: number): number {
  const mask = slots.length - 1;
  for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
    const entry = slots[slot]!;
    if (entry === 0) return slot;
    if (slots[slot + 1] !== hash) continue;
    if (isSameText(units, starts[entry - 1]!, starts[entry]!, value)) return slot;
  }
}

function isSameText(units: Uint16Array, start: number, end: number, value: string): boolean {
  if (end - start !== value.length) return false;
  for (let at = 0; at < value.length; at++) {
    if (units[start + at] !== value.charCodeAt(at)) return false;
  }
  return true;
}

function hashText(value: string): number {
  let hash = value.length;
  for (let at = 0; at < value.length; at++) hash = Math.imul(hash ^ value.charCodeAt(at), 0x9e3779b1);
  return mix(hash);
}

function encodeBins(values: readonly string[], faults: ListFault[]): EncodedList {
  const slots = new Int32Array(tableSize(values.length));
  for (let i = 0; i < values.length && faults.length < faultsMax; i++) {
    const value = values[i]!;
    const key = Number(`1${value}`);
    const slot = findBin(slots, key);
    if (slots[slot] === 0) slots[slot] = key;
    else faults.push(duplicateOf(i, values.indexOf(value)));
  }
  return { kind: "BIN", count: values.length, slots };
}

function hasPrefix(slots: Int32Array, value: string): boolean {
  const length = Math.min(value.length, 8);
  let key = 1;
  for (let at = 0; at < length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return false;
    key = key * 10 + digit;
    if (at >= 5 && slots[findBin(slots, key)] === key) return true;
  }
  return false;
}

/** The slot that holds the key, or else the empty one where it would be. */
function findBin(slots: Int32Array, key: number): number {
  const mask = slots.length - 1;
  let slot = mix(key) & mask;
  while (slots[slot] !== 0 && slots[slot] !== key) slot = (slot + 1) & mask;
  return slot;
}

/** Spreads all bits into the low ones, which choose the slot. */
function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function tableSize(count: number): number {
  let size = 1;
  while (size < count * 2) size *= 2;
  // One slot at least stays empty, for the search of an absent value to end.
  return Math.max(size, 2);
}

type ValueFault = { readonly rule: string; readonly message: string };

function checkText(value: string): ValueFault | undefined {
  if (value.length === 0) return { rule: "empty", message: "a value must not be empty" };
  if (value.length <= listValueLengthMax) return undefined;
  return {
    rule: "too-long",
    message: `${value.length} characters; at most ${listValueLengthMax} are allowed`,
  };
}

function checkBin(value: string): ValueFault | undefined {
  if (/^[0-9]{6,8}$/.test(value)) return undefined;
  // Cut, since it may be long, or a card number.
  return {
    rule: "bin",
    message: `"${value.slice(0, 8)}${value.length > 8 ? "..." : ""}" is not 6 to 8 digits`,
  };
}

function duplicateOf(index: number, first: number): ListFault {
  const message = `the same value already stands in values[${first}]`;
  return { path: `values[${index}]`, rule: "duplicate", message };
}
