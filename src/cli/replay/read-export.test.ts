import { describe, expect, test } from "vitest";
import { readColumnMap } from "./column-map.ts";
import { generateExport } from "./corpus.ts";
import { type ExportResult, readExport } from "./read-export.ts";

const mapText = `merchant: m
time: { column: When, offset: "+00:00" }
payment_id: { row: r- }
player_id: { column: Who }
kind: { column: Type, values: { IN: deposit, OUT: withdrawal } }
method: { column: Type, values: { IN: card }, otherwise: wallet }
amount: { column: Amount }
currency: { column: Currency }
player_country: { column: Country, missing: [NA] }
card: { bin: { column: Bin } }
attributes:
  status: { column: Status }
  tries: { column: Tries, type: number }
  vip: { column: Vip, type: bool }
`;
const titles = "When,Who,Type,Amount,Currency,Country,Bin,Status,Tries,Vip";
const row = (changes: Readonly<Record<string, string>> = {}): string => {
  const cells: Record<string, string> = {
    When: "2020-01-01 10:00:00",
    Who: "ann",
    Type: "IN",
    Amount: "20.6",
    Currency: "USD",
    Country: "US",
    Bin: "411111",
    Status: "OK",
    Tries: "2",
    Vip: "true",
    ...changes,
  };
  return titles
    .split(",")
    .map((title) => cells[title])
    .join(",");
};

function read(lines: readonly string[], map = mapText): ExportResult {
  const parsed = readColumnMap(map, "map.yaml");
  if (!parsed.ok) throw new Error(parsed.faults.join("\n"));
  return readExport({ text: lines.join("\n"), file: "x.csv", map: parsed.map, locate: parsed.locate });
}

function readGood(lines: readonly string[]) {
  const result = read([titles, ...lines]);
  if (!result.ok) throw new Error(result.faults.join("\n"));
  return result.export;
}

describe("an export", () => {
  test("says with a decline which codes were answered, and with nothing else", () => {
    const map = `${mapText}outcome: { column: Status, values: { OK: APPROVED, NO: DECLINED } }
answer: { response_code: { column: Country, missing: [NA] }, psp_code: { column: Bin } }
`;
    const result = read([titles, row({ Status: "NO", Country: "51" }), row()], map);
    if (!result.ok) throw new Error(result.faults.join("\n"));
    const [declined, approved] = result.export.payments;
    expect(declined).toMatchObject({
      outcome: "DECLINED",
      answer: { responseCode: "51", pspCode: "411111" },
    });
    expect(approved).not.toHaveProperty("answer");
  });

  test("turns a row into a call", () => {
    expect(readGood([row()]).payments).toEqual([
      {
        row: 1,
        line: 2,
        timeMs: Date.parse("2020-01-01T10:00:00Z"),
        playerId: "ann",
        request: {
          merchantId: "m",
          paymentId: "r-1",
          playerId: "ann",
          kind: "deposit",
          method: "card",
          amount: { minorUnits: 2060n, currencyCode: "USD" },
          playerCountry: "US",
          card: { bin: "411111" },
          attributes: {
            status: { kind: { case: "stringValue", value: "OK" } },
            tries: { kind: { case: "numberValue", value: 2 } },
            vip: { kind: { case: "boolValue", value: true } },
          },
          decideAt: { seconds: 1_577_872_800n, nanos: 0 },
        },
      },
    ]);
  });

  test("takes the exponent of each row's currency", () => {
    const { payments } = readGood([
      row({ Currency: "JPY", Amount: "20" }),
      row({ Currency: "KWD", Amount: "1.5" }),
    ]);
    expect(payments.map(({ request }) => request.amount?.minorUnits)).toEqual([20n, 1500n]);
  });

  test("leaves out what is empty or stands for nothing", () => {
    const [payment] = readGood([row({ Country: "NA", Bin: "", Status: "" })]).payments;
    expect(payment?.request).not.toHaveProperty("playerCountry");
    expect(payment?.request).not.toHaveProperty("card");
    expect(payment?.request.attributes).not.toHaveProperty("status");
  });

  test("is replayed in order of time, then row, and keeps rows that repeat another one", () => {
    const { payments, rowCount } = readGood([
      row({ When: "2020-01-02 00:00:00" }),
      row({ Who: "bob" }),
      row({ Who: "cid" }),
      row({ Who: "cid" }),
      row({ When: "2019-01-01 00:00:00" }),
    ]);
    expect(rowCount).toBe(5);
    expect(payments.map(({ row: number }) => number)).toEqual([5, 2, 3, 4, 1]);
    expect(new Set(payments.map(({ request }) => request.paymentId)).size).toBe(5);
  });

  const bad = [
    {
      name: "a time that does not exist",
      changes: { When: "2020-02-30 10:00:00" },
      column: "When",
      rule: "calendar",
    },
    { name: "no player", changes: { Who: "" }, column: "Who", rule: "required" },
    {
      name: "a type that the map does not know",
      changes: { Type: "SIDE" },
      column: "Type",
      rule: "unmapped-value",
    },
    {
      name: "an amount with too many decimals",
      changes: { Amount: "20.605" },
      column: "Amount",
      rule: "exponent",
    },
    { name: "an amount of zero", changes: { Amount: "0.00" }, column: "Amount", rule: "positive" },
    { name: "a negative amount", changes: { Amount: "-1" }, column: "Amount", rule: "decimal" },
    { name: "an unknown currency", changes: { Currency: "DOG" }, column: "Amount", rule: "iso-4217" },
    { name: "a number that is none", changes: { Tries: "two" }, column: "Tries", rule: "number" },
    { name: "a truth value that is none", changes: { Vip: "yes" }, column: "Vip", rule: "bool" },
  ];
  test.each(bad)("names a row with $name, and decides the others", ({ changes, column, rule }) => {
    const result = readGood([row(), row(changes), row()]);
    expect(result.payments.map(({ row: number }) => number)).toEqual([1, 3]);
    expect(result.badRowCount).toBe(1);
    expect(result.faults).toMatchObject([{ line: 3, column, rule }]);
  });

  test("names a row with too few columns", () => {
    const result = readGood([row(), "a,b"]);
    expect(result.faults).toEqual([
      { line: 3, column: "", rule: "columns", message: "has 2 columns, the header has 10" },
    ]);
  });

  test("never repeats what looks like a card number", () => {
    const [fault] = readGood([row({ Amount: "4111111111111111.55" })]).faults;
    expect(fault).toMatchObject({ column: "Amount", rule: "safe-integer" });
    expect(fault?.message).not.toContain("1111");
    const [other] = readGood([row({ Type: "4111 1111 1111 1111" })]).faults;
    expect(other?.message).toContain("withheld");
    expect(other?.message).not.toContain("1111");
  });

  test("is refused where it lacks columns, each located in the map", () => {
    const result = read(["When,Who,Type,Amount,Currency,Country,Bin,Status,Tries"]);
    expect(result.ok ? [] : result.faults).toEqual([
      expect.stringMatching(
        /^map\.yaml:14:\d+ attributes\.vip\.column: x\.csv has no column "Vip", it has "When", /,
      ),
    ]);
  });

  test.each([
    { name: "empty", lines: [], fault: "x.csv: is empty, not even titles of columns" },
    { name: "with two columns of one name", lines: ["a,b,a"], fault: 'x.csv:1 two columns are called "a"' },
    {
      name: "with a quote that never closes",
      lines: [titles, '"a'],
      fault: "x.csv:2 quotes a quoted field is never closed",
    },
  ])("is refused when $name", ({ lines, fault }) => {
    const result = read(lines);
    expect(result.ok ? [] : result.faults).toEqual([fault]);
  });
});

describe("a generated export", () => {
  test("is the same for the same seed, and another for another", () => {
    const first = generateExport({ rows: 500, seed: 1 });
    expect(generateExport({ rows: 500, seed: 1 })).toBe(first);
    expect(generateExport({ rows: 500, seed: 2 })).not.toBe(first);
  });

  test("has what breaks naive readers: disorder, repeats, amounts with one decimal, unknown outcomes", () => {
    const [header, ...lines] = generateExport({ rows: 20_000, seed: 1 }).trimEnd().split("\n");
    expect(header).toBe("ReqTimeUTC,TransactionType,TransactionAmount,Status,AccountIdentifier");
    expect(lines).toHaveLength(20_000);
    expect(lines.some((line, i) => line === lines[i - 1])).toBe(true);
    expect(lines.some((line, i) => i > 0 && line < lines[i - 1]!)).toBe(true);
    const cells = lines.map((line) => line.split(","));
    expect(cells.every(([, , amount]) => /^[1-9]\d*(\.\d?[1-9])?$|^0\.\d?[1-9]$/.test(amount!))).toBe(true);
    expect(cells.some(([, , amount]) => /^\d+\.\d$/.test(amount!))).toBe(true);
    expect(new Set(cells.map(([, , , status]) => status))).toEqual(new Set(["APPROVED", "DECLINED", "NA"]));
    expect(new Set(cells.map(([, type]) => type)).size).toBe(4);
  });
});
