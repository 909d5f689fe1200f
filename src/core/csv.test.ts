import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseCsv } from "./csv.ts";

function fieldsOf(text: string): readonly (readonly string[])[] {
  const parsed = parseCsv(text);
  if (!parsed.ok) throw new Error(parsed.fault.message);
  return parsed.records.map((record) => record.fields);
}

describe("parseCsv", () => {
  it.each([
    [
      "plain fields",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CRLF and no line end at the end",
      "a,b\r\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["blank fields", ",b,\n", [["", "b", ""]]],
    ["a comma in quotes", '"BANK OF AMERICA, N.A.",US\n', [["BANK OF AMERICA, N.A.", "US"]]],
    ["doubled quotes", '"the ""big"" one"\n', [['the "big" one']]],
    ["an empty field in quotes", '"",x\n', [["", "x"]]],
    ["a line break in quotes", '"a\nb",c\nd\n', [["a\nb", "c"], ["d"]]],
    ["a byte order mark and empty lines", "\ufeffa\n\n\nb\n", [["a"], ["b"]]],
    ["nothing", "", []],
  ])("reads %s", (_, text, want) => {
    expect(fieldsOf(text)).toEqual(want);
  });

  it("numbers the lines on which records begin", () => {
    const parsed = parseCsv('a\n"b\nb",c\n\nd\n');
    expect(parsed.ok && parsed.records.map((record) => record.line)).toEqual([1, 2, 5]);
  });

  it.each([
    ["a quote inside a bare field", 'a\nb"c\n', 2],
    ["text behind a closing quote", '"a"b\n', 1],
    ["a quote that is never closed", 'a\nb\n"c\nd', 3],
  ])("refuses %s", (_, text, line) => {
    expect(parseCsv(text)).toMatchObject({ ok: false, fault: { line, rule: "quotes" } });
  });

  it("reads back whatever was written with quotes", () => {
    const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " "), maxLength: 8 });
    const record = fc.array(field, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (records) => {
        const lines = records.map((fields) =>
          fields.map((text) => `"${text.replaceAll('"', '""')}"`).join(","),
        );
        expect(fieldsOf(lines.join("\r\n"))).toEqual(records);
      }),
    );
  });
});
