import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentOf } from "./iso4217.ts";
import { buildFx, convertMinor, type FxRate, type FxRates, formatMoney, fxRatesMax } from "./money.ts";

function fxOf(rates: readonly FxRate[], base?: string): FxRates {
  const built = buildFx({ rates, base });
  if (!built.ok) throw new Error(JSON.stringify(built.faults));
  return built.fx;
}

const fx = fxOf(
  [
    { from: "EUR", to: "USD", rate: "1.1" },
    { from: "EUR", to: "GBP", rate: "0.8612" },
    { from: "EUR", to: "JPY", rate: "162.5" },
    { from: "KWD", to: "EUR", rate: "2.999" },
    { from: "USD", to: "EUR", rate: "0.9" },
  ],
  "EUR",
);

describe("convertMinor", () => {
  it.each([
    ["by the direct rate", 5000, "EUR", "USD", 5500],
    ["by its own rate though the opposite has one too", 5500, "USD", "EUR", 4950],
    ["by the inverse where only the opposite has a rate", 8612, "GBP", "EUR", 10_000],
    ["to a currency without decimals", 100, "EUR", "JPY", 163],
    ["from a currency without decimals", 10_000, "JPY", "EUR", 6154],
    ["from a currency with three decimals", 12_345, "KWD", "EUR", 3702],
    ["to a currency with three decimals", 3702, "EUR", "KWD", 12_344],
    ["through the base, rounding once", 10_000, "GBP", "JPY", 18_869],
    ["within one currency", 7, "EUR", "EUR", 7],
    ["nothing", 0, "EUR", "USD", 0],
    ["a negative amount like its positive twin", -100, "EUR", "JPY", -163],
  ])("converts %s", (_, amountMinor, from, to, want) => {
    expect(convertMinor(fx, { amountMinor, from, to })).toBe(want);
  });

  it("rounds the half up and anything less down", () => {
    const halves = fxOf([
      { from: "EUR", to: "USD", rate: "0.5" },
      { from: "EUR", to: "GBP", rate: "0.499999999999" },
    ]);
    expect(convertMinor(halves, { amountMinor: 1, from: "EUR", to: "USD" })).toBe(1);
    expect(convertMinor(halves, { amountMinor: 3, from: "EUR", to: "USD" })).toBe(2);
    expect(convertMinor(halves, { amountMinor: 1, from: "EUR", to: "GBP" })).toBe(0);
  });

  it("is unknown where no rate leads from one currency to the other", () => {
    expect(convertMinor(fx, { amountMinor: 1, from: "EUR", to: "SEK" })).toBeUndefined();
    expect(convertMinor(fx, { amountMinor: 1, from: "EUR", to: "ABC" })).toBeUndefined();
    const withoutBase = fxOf([
      { from: "EUR", to: "USD", rate: "1.1" },
      { from: "EUR", to: "GBP", rate: "0.86" },
    ]);
    expect(convertMinor(withoutBase, { amountMinor: 1, from: "USD", to: "GBP" })).toBeUndefined();
  });

  it("is unknown where the result is beyond 2^53", () => {
    const steep = fxOf([{ from: "EUR", to: "IDR", rate: "999999999999" }]);
    const amountMinor = Number.MAX_SAFE_INTEGER;
    expect(convertMinor(steep, { amountMinor, from: "EUR", to: "IDR" })).toBeUndefined();
    expect(convertMinor(steep, { amountMinor: 9000, from: "EUR", to: "IDR" })).toBe(8_999_999_999_991_000);
  });

  const decimal = fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 24n - 1n }), fc.integer({ min: 0, max: 12 }))
    .filter(([digits, scale]) => digits < 10n ** BigInt(scale + 12))
    .map(([digits, scale]) => {
      const text = String(digits).padStart(scale + 1, "0");
      const at = text.length - scale;
      return { digits, scale, text: scale === 0 ? text : `${text.slice(0, at)}.${text.slice(at)}` };
    });
  const currency = fc.constantFrom("EUR", "JPY", "KWD", "CLF");

  it("equals the exact fraction, rounded half up, for all amounts and rates", () => {
    const amount = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -100_000, max: 100_000 }));
    fc.assert(
      fc.property(
        amount,
        decimal,
        currency,
        currency,
        fc.boolean(),
        (amountMinor, rate, from, to, inverse) => {
          if (from === to) return;
          const [one, other] = inverse ? [to, from] : [from, to];
          const got = convertMinor(fxOf([{ from: one, to: other, rate: rate.text }]), {
            amountMinor,
            from,
            to,
          });

          const rateTop = inverse ? 10n ** BigInt(rate.scale) : rate.digits;
          const rateBottom = inverse ? rate.digits : 10n ** BigInt(rate.scale);
          const size = amountMinor < 0 ? -BigInt(amountMinor) : BigInt(amountMinor);
          const top = size * rateTop * 10n ** BigInt(exponentOf(to)!);
          const bottom = rateBottom * 10n ** BigInt(exponentOf(from)!);
          const rounded = top / bottom + (2n * (top % bottom) >= bottom ? 1n : 0n);
          const want = rounded > 2n ** 53n - 1n ? undefined : Number(amountMinor < 0 ? -rounded : rounded);
          expect(got).toBe(want);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("buildFx", () => {
  it.each([
    ["an unknown currency", { from: "EUR", to: "ABC", rate: "1" }, "rates[0].to", "currency"],
    ["a withdrawn currency", { from: "HRK", to: "EUR", rate: "1" }, "rates[0].from", "currency"],
    ["a rate to itself", { from: "EUR", to: "EUR", rate: "1" }, "rates[0]", "same-currency"],
    ["a rate of zero", { from: "EUR", to: "USD", rate: "0.000" }, "rates[0].rate", "positive"],
    ["a negative rate", { from: "EUR", to: "USD", rate: "-1.1" }, "rates[0].rate", "decimal"],
    ["thirteen decimals", { from: "EUR", to: "USD", rate: "1.0000000000001" }, "rates[0].rate", "decimal"],
    ["an exponent", { from: "EUR", to: "USD", rate: "1e3" }, "rates[0].rate", "decimal"],
    ["a comma", { from: "EUR", to: "USD", rate: "1,1" }, "rates[0].rate", "decimal"],
    ["a leading zero", { from: "EUR", to: "USD", rate: "01.1" }, "rates[0].rate", "decimal"],
    ["a point without decimals", { from: "EUR", to: "USD", rate: "1." }, "rates[0].rate", "decimal"],
    ["an empty rate", { from: "EUR", to: "USD", rate: "" }, "rates[0].rate", "decimal"],
  ])("refuses %s", (_, rate, path, rule) => {
    expect(buildFx({ rates: [rate] })).toMatchObject({ ok: false, faults: [{ path, rule }] });
  });

  it("refuses a second rate for one pair, naming the first", () => {
    const rate = { from: "EUR", to: "USD", rate: "1.1" };
    const built = buildFx({ rates: [rate, { ...rate, rate: "1.2" }] });
    expect(built).toMatchObject({ ok: false, faults: [{ path: "rates[1]", rule: "duplicate" }] });
  });

  it("refuses an unknown base and too many rates", () => {
    expect(buildFx({ rates: [], base: "EURO" })).toMatchObject({ ok: false, faults: [{ path: "base" }] });
    const rates = new Array<FxRate>(fxRatesMax + 1).fill({ from: "EUR", to: "USD", rate: "1" });
    expect(buildFx({ rates })).toMatchObject({ ok: false, faults: [{ path: "rates", rule: "too-many" }] });
  });

  it("accepts twelve digits on either side of the point", () => {
    const edge = fxOf([{ from: "EUR", to: "USD", rate: "999999999999.999999999999" }]);
    expect(convertMinor(edge, { amountMinor: 1, from: "EUR", to: "USD" })).toBe(1_000_000_000_000);
  });

  it("gives equal rates one version, whatever their order and trailing zeros", () => {
    const a = { from: "EUR", to: "USD", rate: "1.10" };
    const b = { from: "EUR", to: "GBP", rate: "0.86" };
    const { version } = fxOf([a, b], "EUR");
    expect(fxOf([b, { ...a, rate: "1.1" }], "EUR").version).toBe(version);
    expect(fxOf([{ ...a, rate: "1.11" }, b], "EUR").version).not.toBe(version);
    expect(fxOf([a, b], "USD").version).not.toBe(version);
    expect(fxOf([{ ...a, rate: "10" }]).version).not.toBe(fxOf([{ ...a, rate: "1" }]).version);
  });
});

describe("formatMoney", () => {
  it.each([
    [5000, "EUR", "EUR 50.00"],
    [5, "EUR", "EUR 0.05"],
    [-5, "EUR", "EUR -0.05"],
    [10_000, "JPY", "JPY 10000"],
    [12_345, "KWD", "KWD 12.345"],
    [1, "CLF", "CLF 0.0001"],
    [5000, "ABC", "5000 minor units of ABC"],
  ])("writes %d %s as %s", (minorUnits, currencyCode, want) => {
    expect(formatMoney({ minorUnits, currencyCode })).toBe(want);
  });
});
