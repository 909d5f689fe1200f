import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readColumnMap } from "./column-map.ts";

const least = `time: { column: When }
payment_id: { row: r- }
player_id: { column: Who }
kind: { value: deposit }
method: { value: card }
amount: { column: Amount }
currency: { value: USD }
`;

function faultsOf(text: string): readonly string[] {
  const read = readColumnMap(text, "map.yaml");
  return read.ok ? [] : read.faults;
}

describe("a column map", () => {
  test("needs no more than the required keys", () => {
    const read = readColumnMap(least, "map.yaml");
    expect(read.ok && read.map).toEqual({
      merchant: "default",
      time: { column: "When", format: "iso", decide_at: true },
      payment_id: { row: "r-" },
      player_id: { column: "Who" },
      kind: { value: "deposit" },
      method: { value: "card" },
      amount: { column: "Amount", unit: "major" },
      currency: { value: "USD" },
    });
  });

  test("says where a key of it stands", () => {
    const read = readColumnMap(least, "map.yaml");
    expect(read.ok && read.locate(["player_id", "column"])).toBe("map.yaml:3:22");
  });

  test("of the samples is right", () => {
    const file = new URL("../../../samples/replay/sports-payments.yaml", import.meta.url);
    expect(faultsOf(readFileSync(file, "utf8"))).toEqual([]);
  });

  const wrong = [
    {
      name: "an unknown key",
      text: `${least}colour: red\n`,
      fault: /^map\.yaml:1:1 the map: .*colour/,
    },
    {
      name: "a missing key, told where it is missed",
      text: least.replace("player_id: { column: Who }\n", ""),
      fault: /^map\.yaml:1:1 player_id: /,
    },
    {
      name: "a source of neither kind",
      text: least.replace("{ value: card }", "{}"),
      fault: /^map\.yaml:5:9 method: needs either column or value$/,
    },
    {
      name: "a source of both kinds",
      text: least.replace("{ value: card }", "{ value: card, column: X }"),
      fault: /^map\.yaml:5:9 method: needs either column or value$/,
    },
    {
      name: "values without a column",
      text: least.replace("{ value: card }", "{ value: card, values: { a: b } }"),
      fault: /^map\.yaml:5:9 method: values and missing need a column$/,
    },
    {
      name: "otherwise without values",
      text: least.replace("{ value: card }", "{ column: M, otherwise: card }"),
      fault: /^map\.yaml:5:9 method: otherwise needs values$/,
    },
    {
      name: "an unknown kind",
      text: least.replace("{ value: deposit }", "{ column: K, values: { a: deposit, b: payout } }"),
      fault: /^map\.yaml:4:7 kind: "payout" is neither deposit nor withdrawal$/,
    },
    {
      name: "an unknown currency",
      text: least.replace("{ value: USD }", "{ value: usd }"),
      fault: /^map\.yaml:7:11 currency: "usd" is no ISO 4217 code$/,
    },
    {
      name: "an unknown time format",
      text: least.replace("{ column: When }", "{ column: When, format: excel }"),
      fault: /^map\.yaml:1:31 time\.format: /,
    },
    {
      name: "an offset that no clock has",
      text: least.replace("{ column: When }", "{ column: When, offset: '+25:00' }"),
      fault: /^map\.yaml:1:31 time\.offset: is no offset from UTC/,
    },
    {
      name: "a payment id from nowhere",
      text: least.replace("{ row: r- }", "{}"),
      fault: /^map\.yaml:2:13 payment_id: needs either column, or row/,
    },
    {
      name: "an attribute that no rule set could declare",
      text: `${least}attributes: { Bad-Name: { column: X } }\n`,
      fault: /^map\.yaml:8:\d+ attributes\.Bad-Name: /,
    },
    { name: "a key twice", text: `${least}currency: { value: EUR }\n`, fault: /^map\.yaml:8:1 .*unique/i },
    { name: "broken YAML", text: "a: [1\nb: 2", fault: /^map\.yaml:2:\d+ / },
    { name: "text that is no map", text: "just text", fault: /^map\.yaml:1:1 the map: / },
    { name: "aliases", text: `a: &x {}\nb: *x\n${least}`, fault: /^map\.yaml: / },
    { name: "an oversized text", text: "#".repeat(200_001), fault: /^map\.yaml: has more than 200000/ },
  ];
  test.each(wrong)("is refused for $name", ({ text, fault }) => {
    expect(faultsOf(text)[0]).toMatch(fault);
  });

  test("tells every fault at once", () => {
    const text = least.replace("{ value: card }", "{}").replace("{ value: USD }", "{ value: usd }");
    expect(faultsOf(text)).toHaveLength(2);
  });
});
