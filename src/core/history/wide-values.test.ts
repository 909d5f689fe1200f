import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { WideValues } from "./wide-values.ts";

/** Labels here are their own number of places. */
const countWides = (label: number): number => label;

describe("WideValues", () => {
  it("reads back what was written, and NaN where nothing was", () => {
    const values = fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), { maxLength: 40, size: "max" });
    fc.assert(
      fc.property(fc.array(values, { maxLength: 30 }), (rows) => {
        const wides = new WideValues(12, countWides);
        const references = rows.map((row) => wides.write(row));
        for (const [at, row] of rows.entries()) {
          const read = Array.from({ length: row.length + 3 }, (_, place) =>
            wides.read(references[at]!, row.length, place),
          );
          expect(read).toEqual([...row, Number.NaN, Number.NaN, Number.NaN]);
        }
      }),
      { numRuns: countRuns(200) },
    );
  });

  it("takes nothing for a row that has none", () => {
    const wides = new WideValues(12, countWides);
    expect(wides.write([])).toBe(0);
    expect(wides.write([Number.NaN, Number.NaN])).toBe(0);
    expect(wides.read(0, 2, 1)).toBeNaN();
    expect(wides.bytes()).toBe(0);
  });

  it("uses what was freed again, so that rewriting takes no more memory", () => {
    const wides = new WideValues(12, countWides);
    const rows = [
      [1, 2, 3],
      [Number.NaN, 5, Number.NaN, Number.NaN, 6, Number.NaN],
      Array.from({ length: 40 }, (_, place) => place),
    ];
    let references = rows.map((row) => wides.write(row));
    const bytes = wides.bytes();
    for (let round = 0; round < 1000; round++) {
      references.forEach((reference, at) => {
        wides.free(reference, rows[at]!.length);
      });
      references = rows.map((row) => wides.write(row));
    }
    expect(wides.bytes()).toBe(bytes);
    expect(wides.read(references[1]!, 6, 4)).toBe(6);
  });
});
