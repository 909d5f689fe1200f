import { existsSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BinRow, binRowsMax, readBinRows } from "./bin-row.ts";
import {
  type BinFacts,
  type BinTable,
  emptyBinTable,
  lookUpBin,
  readBinTable,
  unknownBin,
} from "./bin-table.ts";

const sampleText = readFileSync(new URL("../../../test/cases/bin/ranges.csv", import.meta.url), "utf8");
const realFile = new URL("../../../../shared/data/bin-ranges.csv", import.meta.url);
const header = "iin_start,iin_end,scheme,brand,type,prepaid,country,bank_name";

function tableOf(text: string): BinTable {
  const read = readBinTable(text);
  if (!read.ok) throw new Error(JSON.stringify(read.faults));
  return read.table;
}

/** The law read word by word, scanning all rows. */
function lookUpNaively(rows: readonly BinRow[], bin: string): BinFacts {
  const [low, high] = [Number(bin.padEnd(8, "0")), Number(bin.padEnd(8, "9"))];
  const spans = rows.map((row) => ({
    ...row,
    low8: Number(String(row.low).padStart(row.digits, "0").padEnd(8, "0")),
    high8: Number(String(row.high).padStart(row.digits, "0").padEnd(8, "9")),
  }));
  const around = spans.filter((row) => row.low8 <= low && row.high8 >= high);
  const longest = around.sort((a, b) => b.digits - a.digits)[0];
  if (longest === undefined) return unknownBin;
  const nested = spans.filter((row) => row.digits > longest.digits && row.high8 >= low && row.low8 <= high);
  const fields = Object.keys(unknownBin) as (keyof BinFacts)[];
  return Object.fromEntries(
    fields.map((field) => {
      const value = longest.facts[field];
      return [field, nested.every((row) => row.facts[field] === value) ? value : undefined];
    }),
  ) as BinFacts;
}

describe("lookUpBin", () => {
  const table = tableOf(sampleText);
  const dankort = { scheme: "visa", brand: "Visa/Dankort", funding: "debit", prepaid: undefined };

  it.each<[string, string, Partial<BinFacts>]>([
    ["a row of 8 digits", "45710435", { ...dankort, issuer: "Nordea", issuerCountry: "DK" } as BinFacts],
    ["its neighbour at another bank", "45710440", { issuer: "Danske Bank" }],
    ["the first of a range", "45710429", { issuer: "Danske Bank" }],
    ["the last of a range", "45710430", { issuer: "Danske Bank" }],
    ["a BIN behind a range", "45710431", unknownBin],
    ["6 digits over rows of 8 alone, though all agree", "457104", unknownBin],
    ["7 digits that a range only reaches into", "4571043", unknownBin],
    [
      "8 digits that only the row of 6 holds",
      "45710599",
      { brand: undefined, issuer: "Sparekassen Eksempel" },
    ],
    [
      "a blank under a longer row that knows",
      "457105",
      { brand: undefined, funding: "debit", issuer: undefined },
    ],
    ["7 digits over a nested row that differs elsewhere", "4571051", { issuer: "Sparekassen Eksempel" }],
    ["7 digits over the nested row that differs", "4571053", { issuer: undefined, issuerCountry: "DK" }],
    ["6 digits over a nested range of other funding", "516700", { funding: undefined, issuerCountry: "FR" }],
    ["7 digits that a longer range fills", "5167001", { funding: "credit" }],
    [
      "7 digits over a nested row whose funding is blank",
      "5167002",
      { funding: undefined, scheme: "mastercard" },
    ],
    ["8 digits of a row whose funding is blank", "51670025", { funding: undefined, scheme: "mastercard" }],
    ["a range of 6 digits, by 8", "43237299", { funding: "debit", issuerCountry: "US" }],
    ["a comma in the name of a bank", "400390", { issuer: "BANK OF EXAMPLES, N.A. (USA)" }],
    ["a prepaid card", "434521", { prepaid: true, funding: "debit" }],
    ["a range of 7 digits, its scheme in other words", "62000040", { scheme: "unionpay", prepaid: false }],
    ["the BIN behind it", "62000050", unknownBin],
    ["the lowest BIN", "000000", unknownBin],
    ["the highest BIN", "99999999", unknownBin],
    ["5 digits", "45710", unknownBin],
    ["9 digits", "457104350", unknownBin],
    ["letters", "4571o435", unknownBin],
    ["the character behind 9, which would carry", "4571043:", unknownBin],
    ["nothing", "", unknownBin],
  ])("answers %s", (_, bin, want) => {
    expect(lookUpBin(table, bin)).toMatchObject(want);
  });

  it("knows nothing without rows", () => {
    expect(lookUpBin(emptyBinTable, "45710435")).toEqual(unknownBin);
    expect(lookUpBin(tableOf(header), "45710435")).toEqual(unknownBin);
  });

  const cell = (...values: string[]) => fc.constantFrom("", ...values);
  const record = fc
    .record({
      digits: fc.constantFrom(6, 7, 8, 8),
      low: fc.nat(2999),
      span: fc.constantFrom(0, 0, 1, 5, 120),
      scheme: cell("visa", "mastercard"),
      type: cell("credit", "debit"),
      country: cell("DK", "FR"),
    })
    .map(({ digits, low, span, scheme, type, country }) => {
      // All rows crowd into the 30 BINs of 6 digits from 999970 on, the last of all included.
      const start = 99_997_000 + low;
      const end = Math.min(start + span, 99_999_999);
      const cut = (n: number): string => String(n).slice(0, digits);
      return { digits, start: cut(start), end: cut(end), rest: `${scheme},,${type},,${country},` };
    });
  const asked = fc
    .tuple(fc.nat(2999), fc.constantFrom(6, 7, 8))
    .map(([n, digits]) => String(99_997_000 + n).slice(0, digits));

  it("equals a scan of all rows", () => {
    let known = 0;
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 60 }),
        fc.array(asked, { minLength: 20 }),
        (records, bins) => {
          const apart: typeof records = [];
          for (const one of records) {
            const meets = (other: typeof one): boolean =>
              other.digits === one.digits && other.start <= one.end && one.start <= other.end;
            if (!apart.some(meets)) apart.push(one);
          }
          const text = [header, ...apart.map((one) => `${one.start},${one.end},${one.rest}`)].join("\n");
          const { rows } = readBinRows(text);
          const random = tableOf(text);
          for (const bin of [...bins, ...apart.flatMap((one) => [one.start, one.end])]) {
            const want = lookUpNaively(rows, bin);
            if (want.scheme !== undefined) known++;
            expect(lookUpBin(random, bin)).toEqual(want);
          }
        },
      ),
      { numRuns: 200 },
    );
    expect(known).toBeGreaterThan(500);
  });

  it("equals a scan of all rows on the real table", ({ skip }) => {
    if (!existsSync(realFile))
      skip("the real BIN ranges are not on this machine (../shared/data/bin-ranges.csv)");
    const text = readFileSync(realFile, "utf8");
    const { rows } = readBinRows(text);
    const real = tableOf(text);
    expect(real.rows).toBe(5805);
    for (let i = 0; i < rows.length; i += 40) {
      const start = String(rows[i]!.low);
      for (const bin of [start, start.slice(0, 6), start.padEnd(8, "5")]) {
        expect(lookUpBin(real, bin)).toEqual(lookUpNaively(rows, bin));
      }
    }
    expect(lookUpBin(real, "45710435")).toMatchObject({
      issuer: "Nordea",
      funding: "debit",
      issuerCountry: "DK",
    });
    expect(lookUpBin(real, "45710440")).toMatchObject({ issuer: "Danske Bank", funding: "debit" });
    expect(lookUpBin(real, "457104")).toEqual(unknownBin);
    expect(lookUpBin(real, "457105")).toMatchObject({
      brand: undefined,
      issuer: undefined,
      funding: "debit",
    });
    expect(lookUpBin(real, "45710516").brand).toBe("Visa/Dankort");
  });
});

describe("readBinTable", () => {
  it("takes columns by name, whatever their order and company", () => {
    const text =
      "country,extra,iin_end,iin_start,prepaid,type,brand,scheme,bank_name\nDK,x,,457105,,Debit,,VISA,B\n";
    expect(lookUpBin(tableOf(text), "457105")).toMatchObject({
      funding: "debit",
      scheme: "visa",
      issuer: "B",
    });
  });

  it.each([
    ["letters in a BIN", "4571o5,,,,,,,", "iin_start", "digits"],
    ["a BIN of 5 digits", "45710,,,,,,,", "iin_start", "digits"],
    ["a BIN of 9 digits", "457105123,,,,,,,", "iin_start", "digits"],
    ["no BIN", ",,visa,,,,,", "iin_start", "digits"],
    ["letters in an end", "457105,4571o6,,,,,,", "iin_end", "digits"],
    ["an end of another length", "457105,45710599,,,,,,", "iin_end", "digits"],
    ["an end below the start", "457105,457104,,,,,,", "iin_end", "order"],
    ["an unknown type", "457105,,,,lottery,,,", "type", "one-of"],
    ["an unknown prepaid", "457105,,,,,maybe,,", "prepaid", "one-of"],
    ["a country of three letters", "457105,,,,,,DNK,", "country", "alpha-2"],
    ["a field too many", "457105,,,,,,,,", "", "field-count"],
    ["a field too few", "457105,,,,,,", "", "field-count"],
    ["an open quote", '457105,,,,,,,"B', "", "quotes"],
    ["an overlap of equal length", "457103,457104,,,debit,,,\n457104,,,,credit,,,", "iin_start", "overlap"],
  ])("refuses %s, naming line and column", (_, lines, column, rule) => {
    const read = readBinTable(`${header}\n400000,,,,,,,\n${lines}\n`);
    const line = rule === "overlap" ? 4 : 3;
    expect(read).toMatchObject({ ok: false, faults: [{ line, column, rule }] });
  });

  it("refuses a header that lacks a column or has one twice, and an empty file", () => {
    const rest = header.replace("country", "land");
    expect(readBinTable(rest)).toMatchObject({
      ok: false,
      faults: [{ line: 1, column: "country", rule: "required" }],
    });
    expect(readBinTable(`${header},type`)).toMatchObject({
      ok: false,
      faults: [{ column: "type", rule: "duplicate" }],
    });
    expect(readBinTable("")).toMatchObject({ ok: false });
  });

  it("reports all faults in order of the lines, at most 100", () => {
    const rows = Array.from({ length: 150 }, (_, i) => `${i},,,,,,,`);
    const read = readBinTable([header, "457104,,,,debit,,,", "457104,,,,credit,,,", ...rows].join("\n"));
    if (read.ok) throw new Error("should be refused");
    expect(read.faults).toHaveLength(100);
    expect(read.faults.slice(0, 2).map(({ line, rule }) => [line, rule])).toEqual([
      [3, "overlap"],
      [4, "digits"],
    ]);
  });

  it("refuses too many rows before it looks into them", () => {
    const read = readBinTable(`${header}\n${"x\n".repeat(binRowsMax + 1)}`);
    expect(read).toMatchObject({ ok: false, faults: [{ line: 1, rule: "too-many" }] });
  });

  it("only warns of rows that overlap and say the same", () => {
    const read = readBinTable(`${header}\n457103,457104,visa,,debit,,,\n457104,457105,Visa,,debit,,,\n`);
    expect(read).toMatchObject({ ok: true, warnings: [{ line: 3, rule: "duplicate" }] });
    if (read.ok) expect(lookUpBin(read.table, "457105").funding).toBe("debit");
  });
});
