import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ListKind } from "./cel/environment.ts";
import type { MembershipList } from "./cel/expr.ts";
import { type EncodedList, encodeList, listBuffers, listValuesMax, openList } from "./lists.ts";

function encode(kind: ListKind, values: readonly string[]): EncodedList {
  const encoded = encodeList({ kind, values });
  if (!encoded.ok) throw new Error(JSON.stringify(encoded.faults));
  return encoded.list;
}

function open(kind: ListKind, ...values: readonly string[]): MembershipList {
  return openList(encode(kind, values));
}

describe("a list of strings", () => {
  const list = open("STRING", "DK", "dk", "Ærø", "💶", "a\0b", "__proto__");

  it.each(["DK", "dk", "Ærø", "💶", "a\0b", "__proto__"])("holds %j", (value) => {
    expect(list.has(value)).toBe(true);
  });

  it.each(["", "D", "DKK", "Dk", "ÆRØ", "💷", "a", "constructor"])("does not hold %j", (value) => {
    expect(list.has(value)).toBe(false);
  });

  it("holds nothing when it is empty", () => {
    expect(open("STRING").has("DK")).toBe(false);
    expect(open("STRING").has("")).toBe(false);
  });

  it("answers like a set", () => {
    const value = fc.string({ unit: fc.constantFrom("a", "b", "é", "💶"), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.uniqueArray(value, { maxLength: 200 }), fc.array(value), (values, asked) => {
        const set = new Set(values);
        const { has } = open("STRING", ...values);
        for (const one of [...values, ...asked]) expect(has(one)).toBe(set.has(one));
      }),
    );
  });

  it("holds a hundred thousand values and not their neighbours", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => `player-${i * 2}`);
    const large = openList(encode("STRING", values));
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) if (large.has(`player-${i}`) !== (i % 2 === 0)) wrong++;
    expect(wrong).toBe(0);
  });
});

describe("a list of BINs", () => {
  const list = open("BIN", "457104", "4571051", "45710635", "000000");

  it.each([
    ["an entry of 6 digits", "457104"],
    ["8 digits that begin with an entry of 6", "45710435"],
    ["an entry of 7 digits", "4571051"],
    ["8 digits that begin with an entry of 7", "45710516"],
    ["an entry of 8 digits", "45710635"],
    ["an entry of zeros", "00000012"],
  ])("holds %s", (_, bin) => {
    expect(list.has(bin)).toBe(true);
  });

  it.each([
    ["6 digits that are only the beginning of an entry", "457105"],
    ["8 digits beside an entry of 8", "45710636"],
    ["other digits", "999999"],
    ["5 digits", "45710"],
    ["zeros too few", "00000"],
    ["letters", "45710x"],
    ["a character behind 9 that would carry into an entry", "4571062?"],
    ["nothing", ""],
  ])("does not hold %s", (_, bin) => {
    expect(list.has(bin)).toBe(false);
  });

  it("answers as if each entry were compared with the beginning", () => {
    const bin = fc
      .tuple(fc.nat(400), fc.constantFrom(6, 7, 8))
      .map(([n, digits]) => String(45710300 + n).slice(0, digits));
    const value = fc.oneof(bin, fc.string({ unit: fc.constantFrom("4", "5", "7", ":", "x"), maxLength: 9 }));
    fc.assert(
      fc.property(
        fc.uniqueArray(bin, { maxLength: 40 }),
        fc.array(value, { minLength: 20 }),
        (bins, asked) => {
          const { has } = open("BIN", ...bins);
          for (const one of asked) expect(has(one)).toBe(bins.some((entry) => one.startsWith(entry)));
        },
      ),
    );
  });
});

describe("encodeList", () => {
  it.each<[string, ListKind, string[], string, string]>([
    ["an empty value", "STRING", ["a", ""], "values[1]", "empty"],
    ["a value of 129 characters", "STRING", ["x".repeat(129)], "values[0]", "too-long"],
    ["a value given twice", "STRING", ["a", "b", "a"], "values[2]", "duplicate"],
    ["a BIN given twice", "BIN", ["457104", "457104"], "values[1]", "duplicate"],
    ["a BIN of 5 digits", "BIN", ["45710"], "values[0]", "bin"],
    ["a BIN of 9 digits", "BIN", ["457104351"], "values[0]", "bin"],
    ["a BIN with a letter", "BIN", ["45710x"], "values[0]", "bin"],
    ["a BIN with a blank", "BIN", ["457104 "], "values[0]", "bin"],
  ])("refuses %s", (_, kind, values, path, rule) => {
    expect(encodeList({ kind, values })).toMatchObject({ ok: false, faults: [{ path, rule }] });
  });

  it("accepts a value of 128 characters", () => {
    const value = "x".repeat(128);
    expect(open("STRING", value).has(value)).toBe(true);
  });

  it("never repeats a card number that stands where a BIN should", () => {
    const encoded = encodeList({ kind: "BIN", values: ["4111111111111111"] });
    expect(JSON.stringify(encoded)).not.toContain("411111111");
  });

  it("stops at a hundred faults, and before too many values", () => {
    const values = new Array<string>(150).fill("");
    const encoded = encodeList({ kind: "STRING", values });
    expect(!encoded.ok && encoded.faults).toHaveLength(100);
    const tooMany = new Array<string>(listValuesMax + 1).fill("a");
    expect(encodeList({ kind: "STRING", values: tooMany })).toMatchObject({ faults: [{ rule: "too-many" }] });
  });

  it.each<[ListKind, string]>([
    ["STRING", "DK"],
    ["BIN", "457104"],
  ])("hands a list of kind %s over without a copy", (kind, value) => {
    const list = encode(kind, [value]);
    const received = structuredClone(list, { transfer: listBuffers(list) });
    expect(list.slots.length).toBe(0);
    expect(openList(received).has(value)).toBe(true);
  });
});
