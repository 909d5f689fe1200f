import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { Amounts } from "./amounts.ts";

const most = 2 ** 31 - 1;

describe("Amounts", () => {
  it("stand for themselves from 0 to the most that a word holds, and take nothing elsewhere", () => {
    const amounts = new Amounts();
    for (const amount of [0, 1, 3_500, most]) expect(amounts.write(amount)).toBe(amount);
    expect(amounts.bytes()).toBe(0);
  });

  it("come back exactly, whatever they are, and whatever was freed between", () => {
    const amount = fc.oneof(
      fc.nat({ max: most }),
      fc.constantFrom(most, most + 1, -1, -most - 1, 2 ** 32, 0.5, Number.MAX_SAFE_INTEGER),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ amount, isFreed: fc.boolean() })), (written) => {
        const amounts = new Amounts();
        const column = new Int32Array(written.length);
        for (const [at, each] of written.entries()) column[at] = amounts.write(each.amount);
        for (const [at, { isFreed }] of written.entries()) {
          if (!isFreed) continue;
          amounts.free(column[at]!);
          column[at] = amounts.write(written[at]!.amount);
        }
        for (const [at, each] of written.entries()) expect(amounts.read(column[at]!)).toBe(each.amount);
      }),
      { numRuns: countRuns(200) },
    );
  });

  it("take the place again that was freed", () => {
    const amounts = new Amounts();
    const first = amounts.write(most + 1);
    const bytes = amounts.bytes();
    for (let round = 0; round < 100_000; round++) amounts.free(amounts.write(-round - 1));
    expect(amounts.bytes()).toBe(bytes);
    expect(amounts.read(first)).toBe(most + 1);
  });
});
