import fc from "fast-check";
import { expect, test } from "vitest";
import { countRuns } from "../../test/helpers/property-runs.ts";
import { greatestMinorWithin } from "./amount-bound.ts";
import { buildFx, convertMinor } from "./money.ts";

test("the greatest amount converts to no more than the bound, and one more does", () => {
  const rate = fc.integer({ min: 1, max: 5_000_000 }).map((n) => (n / 10_000).toFixed(4));
  const bound = fc.integer({ min: 0, max: 1_000_000_000 });
  const currency = fc.constantFrom("EUR", "JPY", "KWD");
  fc.assert(
    fc.property(rate, bound, currency, (text, minorUnits, from) => {
      const built = buildFx({ rates: [{ from, to: "GBP", rate: text }] });
      if (!built.ok) return;
      const most = greatestMinorWithin(built.fx, { minorUnits, currencyCode: "GBP" }, from)!;
      const convert = (amountMinor: number): number =>
        convertMinor(built.fx, { amountMinor, from, to: "GBP" })!;
      expect(convert(most)).toBeLessThanOrEqual(minorUnits);
      expect(convert(most + 1)).toBeGreaterThan(minorUnits);
    }),
    { numRuns: countRuns(2_000) },
  );
});

test("a bound in the same currency is itself, and without a rate there is none", () => {
  const built = buildFx({ rates: [] });
  if (!built.ok) throw new Error("rates");
  expect(greatestMinorWithin(built.fx, { minorUnits: 7, currencyCode: "EUR" }, "EUR")).toBe(7);
  expect(greatestMinorWithin(built.fx, { minorUnits: 7, currencyCode: "EUR" }, "USD")).toBeUndefined();
});
