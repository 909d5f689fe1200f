import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import { packRow, unpackRow } from "./pack.ts";

const number = fc.oneof(
  fc.integer({ min: -40, max: 70_000 }),
  fc.constantFrom(2 ** 32 - 1, 2 ** 32, -(2 ** 31), 0.5, NaN, Infinity, 1.7e12),
);
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom("é".repeat(48), "a".repeat(31), "a".repeat(32), "a".repeat(300), "ü".repeat(40_000)),
);
const row = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, number, text, fc.boolean(), fc.constant(undefined), tie("row")),
  row: fc.array(tie("value"), { maxLength: 20 }),
})).row as fc.Arbitrary<readonly unknown[]>;

describe("rows", () => {
  it("are read as they were written, and stay so when others are written after them", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const written = rows.map((each) => packRow(7, each));
        expect(written.map((bytes) => bytes[0])).toEqual(rows.map(() => 7));
        expect(written.map((bytes) => unpackRow(bytes))).toStrictEqual(rows);
      }),
      { numRuns: countRuns(100) },
    );
  });

  it.each([15, 16, 70_000])("may have %s members", (length) => {
    const members = Array.from({ length }, (_, at) => at);
    expect(unpackRow(packRow(1, members))).toEqual(members);
  });

  it("hold nothing but scalars and arrays", () => {
    expect(() => packRow(1, [{}])).toThrow(TypeError);
    expect(unpackRow(packRow(1, ["next"]))).toEqual(["next"]);
  });
});
