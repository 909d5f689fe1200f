import { describe, expect, it } from "vitest";
import { currencyCodes, exponentOf } from "./iso4217.ts";

describe("exponentOf", () => {
  it.each([
    ["EUR", 2],
    ["USD", 2],
    ["JPY", 0],
    ["ISK", 0],
    ["KWD", 3],
    ["TND", 3],
    ["CLF", 4],
    ["MGA", 2],
  ])("gives %s %d decimals", (code, exponent) => {
    expect(exponentOf(code)).toBe(exponent);
  });

  it.each([
    ["withdrawn", "HRK"],
    ["without a minor unit", "XAU"],
    ["for testing", "XTS"],
    ["in lower case", "eur"],
    ["empty", ""],
    ["a name of Object.prototype", "constructor"],
  ])("knows no currency that is %s", (_, code) => {
    expect(exponentOf(code)).toBeUndefined();
  });

  it("lists each currency once, and few besides the two-decimal ones", () => {
    expect(currencyCodes).toHaveLength(165);
    expect(new Set(currencyCodes).size).toBe(165);
    expect(currencyCodes.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true);
    const counts = [0, 1, 2, 3, 4].map((n) => currencyCodes.filter((code) => exponentOf(code) === n).length);
    expect(counts).toEqual([17, 0, 139, 7, 2]);
  });
});
