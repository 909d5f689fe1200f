import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../test/helpers/property-runs.ts";
import { currencyCodes, exponentOf } from "../core/iso4217.ts";
import { formatMoney } from "../core/money.ts";
import { parseMajorUnits, parseMinorUnits, parseMoney } from "./amount.ts";

describe("amounts in major units", () => {
  test.each([
    { text: "20.6", exponent: 2, minorUnits: 2060 },
    { text: "20", exponent: 2, minorUnits: 2000 },
    { text: "0.01", exponent: 2, minorUnits: 1 },
    { text: "100", exponent: 0, minorUnits: 100 },
    { text: "5.125", exponent: 3, minorUnits: 5125 },
    { text: "007.5", exponent: 2, minorUnits: 750 },
    { text: "90071992547409.91", exponent: 2, minorUnits: Number.MAX_SAFE_INTEGER },
    // 1.15 * 100 is 114.99999999999999 as a float.
    { text: "1.15", exponent: 2, minorUnits: 115 },
  ])("$text with $exponent decimals is $minorUnits", ({ text, exponent, minorUnits }) => {
    expect(parseMajorUnits(text, exponent)).toEqual({ ok: true, minorUnits });
  });

  test.each([
    { text: "50.000", exponent: 2, rule: "exponent" },
    { text: "100.0", exponent: 0, rule: "exponent" },
    { text: "90071992547409.92", exponent: 2, rule: "safe-integer" },
    { text: "9999999999999999", exponent: 4, rule: "safe-integer" },
    ...[
      "",
      "-5",
      "+5",
      "5.",
      ".5",
      "1e3",
      "1,000",
      "0x10",
      " 5",
      "5 ",
      "NaN",
      "Infinity",
      "٥",
      "12345678901234567",
    ].map((text) => ({ text, exponent: 2, rule: "decimal" })),
  ])("$text with $exponent decimals is refused: $rule", ({ text, exponent, rule }) => {
    expect(parseMajorUnits(text, exponent)).toMatchObject({ ok: false, rule });
  });

  test("whatever is written out is read back", () => {
    const amount = fc.record({
      minorUnits: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      currencyCode: fc.constantFrom(...currencyCodes),
    });
    fc.assert(
      fc.property(amount, (money) => {
        const text = formatMoney(money);
        const [code, number] = text.split(" ") as [string, string];
        expect(parseMoney(text)).toEqual({ ok: true, money });
        expect(parseMoney(`${number} ${code}`)).toEqual({ ok: true, money });
      }),
      { numRuns: countRuns(5_000) },
    );
  });

  test("reading agrees with whole numbers of arbitrary size", () => {
    const digits = (max: number) => fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: max });
    fc.assert(
      fc.property(digits(16), digits(5), fc.integer({ min: 0, max: 4 }), (whole, decimals, exponent) => {
        const text = decimals === "" ? whole : `${whole}.${decimals}`;
        const parsed = parseMajorUnits(text, exponent);
        const isRight = whole !== "" && decimals.length <= exponent;
        const minor = isRight ? BigInt(whole + decimals.padEnd(exponent, "0")) : undefined;
        if (minor === undefined || minor > BigInt(Number.MAX_SAFE_INTEGER)) expect(parsed.ok).toBe(false);
        else expect(parsed).toEqual({ ok: true, minorUnits: Number(minor) });
      }),
      { numRuns: countRuns(5_000) },
    );
  });
});

describe("amounts with their currency", () => {
  test.each(["50.00 EUR", "EUR 50.00", "50.00EUR", " 50 EUR "])("%s is fifty euros", (text) => {
    expect(parseMoney(text)).toEqual({ ok: true, money: { minorUnits: 5000, currencyCode: "EUR" } });
  });

  test.each([
    { text: "50.00", rule: "money" },
    { text: "50.00 eur", rule: "money" },
    { text: "50.00 EUR EUR", rule: "money" },
    { text: "50.00 XXX", rule: "iso-4217" },
    { text: "100.5 JPY", rule: "exponent" },
  ])("$text is refused: $rule", ({ text, rule }) => {
    expect(parseMoney(text)).toMatchObject({ ok: false, rule });
  });

  test("every currency has an exponent that the reader respects", () => {
    for (const code of currencyCodes) {
      const exponent = exponentOf(code)!;
      expect(parseMoney(`1.${"0".repeat(exponent + 1)} ${code}`)).toMatchObject({
        ok: false,
        rule: "exponent",
      });
    }
  });
});

test("minor units are whole numbers", () => {
  expect(parseMinorUnits("5000")).toEqual({ ok: true, minorUnits: 5000 });
  expect(parseMinorUnits("50.00")).toMatchObject({ ok: false, rule: "integer" });
  expect(parseMinorUnits("9007199254740992")).toMatchObject({ ok: false, rule: "safe-integer" });
});
