/**
 * Amounts of money and their conversion: integer minor units of ISO 4217 currencies, never a float.
 *
 * Source: `DESIGN.md` 2, `SEMANTICS.md` 2.2 and 5.8.
 */
import { hash128 } from "./hash.ts";
import { exponentOf } from "./iso4217.ts";
import type { Money } from "./payment.ts";

/** One exchange rate: 1 major unit of `from` buys `rate` major units of `to`. `rate` is a decimal string such as `"0.8612"`. */
export type FxRate = { readonly from: string; readonly to: string; readonly rate: string };

/** What is wrong with one rate. `path` is relative to the rule set's `fx_rates`, such as `rates[3].rate`. */
export type FxFault = { readonly path: string; readonly rule: string; readonly message: string };

/** Checked rates, ready to convert with. */
export type FxRates = {
  /** Hash of the rates and the base, whatever their order: stored with every amount that was converted. */
  readonly version: string;
  /** The exact ratio of minor units from one currency to another; undefined where no rate leads there. */
  readonly ratio: (from: string, to: string) => MinorRatio | undefined;
};

/** Minor units of one currency per minor unit of another as a reduced fraction; the numbers are there where both are safe integers. */
type MinorRatio = {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly small: { readonly numerator: number; readonly denominator: number } | undefined;
};

export const fxRatesMax = 10_000;
const decimalPattern = /^(0|[1-9]\d{0,11})(\.\d{1,12})?$/;

/**
 * Checks the rates and makes them ready.
 *
 * A pair converts by its own rate; else by the inverse of the opposite rate; else through `base`, where both halves have a rate or an inverse.
 * All of it is exact arithmetic on fractions, so a conversion rounds once, at the end.
 *
 * Shapes: at most 10,000 rates, one per ordered pair. Rates are positive, with at most 12 digits before and 12 after the point.
 * Fails: with all faults, each naming the rate and the broken rule.
 */
export function buildFx(source: {
  readonly rates: readonly FxRate[];
  readonly base?: string | undefined;
}):
  | { readonly ok: true; readonly fx: FxRates }
  | { readonly ok: false; readonly faults: readonly FxFault[] } {
  const faults = checkRates(source);
  if (faults.length > 0) return { ok: false, faults };

  const direct = new Map<string, Fraction>();
  for (const { from, to, rate } of source.rates) direct.set(pairKey(from, to), parseRate(rate));
  // Only pairs of real currencies are remembered, so no caller can make the memory grow without bound.
  const known = new Map<string, Map<string, MinorRatio | undefined>>();
  const ratio = (from: string, to: string): MinorRatio | undefined => {
    const row = known.get(from);
    const ready = row?.get(to);
    if (ready !== undefined || row?.has(to)) return ready;
    if (exponentOf(from) === undefined || exponentOf(to) === undefined) return undefined;
    const found = toMinorRatio(findRate(direct, from, to, source.base), from, to);
    if (row === undefined) known.set(from, new Map([[to, found]]));
    else row.set(to, found);
    return found;
  };
  return { ok: true, fx: { version: versionOf(source), ratio } };
}

/**
 * The amount in another currency, rounded half up to whole minor units (a negative amount rounds like its positive twin, so what is taken
 * back equals what was given).
 *
 * Units: minor units of `from` in, of `to` out; JPY has 0 decimals, KWD 3. The amount is a safe integer.
 * Fails: undefined where no rate leads from one to the other, or where the result is beyond 2^53.
 */
export function convertMinor(
  fx: FxRates,
  wanted: { readonly amountMinor: number; readonly from: string; readonly to: string },
): number | undefined {
  const { amountMinor, from, to } = wanted;
  if (from === to) return amountMinor;
  const ratio = fx.ratio(from, to);
  if (ratio === undefined) return undefined;

  const size = Math.abs(amountMinor);
  const converted = multiplySmall(size, ratio) ?? multiplyExactly(size, ratio);
  if (converted > Number.MAX_SAFE_INTEGER) return undefined;
  return amountMinor < 0 && converted > 0 ? -converted : converted;
}

/** The amount as people read it: `EUR 50.00`, `JPY 10000`, `KWD 12.345`; an unknown currency as `5000 minor units of ABC`. */
export function formatMoney({ minorUnits, currencyCode }: Money): string {
  const exponent = exponentOf(currencyCode);
  if (exponent === undefined) return `${minorUnits} minor units of ${currencyCode}`;
  const sign = minorUnits < 0 ? "-" : "";
  const digits = String(Math.abs(minorUnits)).padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const decimals = exponent === 0 ? "" : `.${digits.slice(point)}`;
  return `${currencyCode} ${sign}${digits.slice(0, point)}${decimals}`;
}

/** Plain numbers where the product is exact; undefined where it may not be. */
function multiplySmall(size: number, { small }: MinorRatio): number | undefined {
  if (small === undefined) return undefined;
  const product = size * small.numerator;
  if (product > Number.MAX_SAFE_INTEGER) return undefined;
  const rest = product % small.denominator;
  const floor = (product - rest) / small.denominator;
  return rest >= small.denominator - rest ? floor + 1 : floor;
}

function multiplyExactly(size: number, { numerator, denominator }: MinorRatio): number {
  return Number((2n * BigInt(size) * numerator + denominator) / (2n * denominator));
}

type Fraction = { readonly numerator: bigint; readonly denominator: bigint };

function parseRate(text: string): Fraction {
  const point = text.indexOf(".");
  if (point < 0) return { numerator: BigInt(text), denominator: 1n };
  const decimals = text.length - point - 1;
  return {
    numerator: BigInt(text.slice(0, point) + text.slice(point + 1)),
    denominator: 10n ** BigInt(decimals),
  };
}

function findRate(
  direct: ReadonlyMap<string, Fraction>,
  from: string,
  to: string,
  base: string | undefined,
): Fraction | undefined {
  const straight = findStraightRate(direct, from, to);
  if (straight !== undefined || base === undefined) return straight;
  const first = findStraightRate(direct, from, base);
  const second = findStraightRate(direct, base, to);
  if (first === undefined || second === undefined) return undefined;
  return {
    numerator: first.numerator * second.numerator,
    denominator: first.denominator * second.denominator,
  };
}

function findStraightRate(
  direct: ReadonlyMap<string, Fraction>,
  from: string,
  to: string,
): Fraction | undefined {
  const rate = direct.get(pairKey(from, to));
  if (rate !== undefined) return rate;
  const opposite = direct.get(pairKey(to, from));
  return opposite && { numerator: opposite.denominator, denominator: opposite.numerator };
}

/** From a rate between major units to one between minor units, reduced. */
function toMinorRatio(rate: Fraction | undefined, from: string, to: string): MinorRatio | undefined {
  if (rate === undefined) return undefined;
  const numerator = rate.numerator * 10n ** BigInt(exponentOf(to)!);
  const denominator = rate.denominator * 10n ** BigInt(exponentOf(from)!);
  const divisor = greatestDivisor(numerator, denominator);
  const reduced = { numerator: numerator / divisor, denominator: denominator / divisor };
  const safeMax = BigInt(Number.MAX_SAFE_INTEGER);
  const isSmall = reduced.numerator <= safeMax && reduced.denominator <= safeMax;
  const small = isSmall
    ? { numerator: Number(reduced.numerator), denominator: Number(reduced.denominator) }
    : undefined;
  return { ...reduced, small };
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [large, small] = [a, b];
  while (small > 0n) [large, small] = [small, large % small];
  return large;
}

function pairKey(from: string, to: string): string {
  return `${from}>${to}`;
}

/** Equal for equal rates, however they are written (`1.10` and `1.1`) and ordered. */
function versionOf(source: {
  readonly rates: readonly FxRate[];
  readonly base?: string | undefined;
}): string {
  const lines = source.rates.map(({ from, to, rate }) => {
    const plain = rate.includes(".") ? rate.replace(/\.?0+$/, "") : rate;
    return `${pairKey(from, to)}=${plain}`;
  });
  return hash128(source.base ?? "", ...lines.sort());
}

function checkRates(source: {
  readonly rates: readonly FxRate[];
  readonly base?: string | undefined;
}): FxFault[] {
  const { rates, base } = source;
  if (rates.length > fxRatesMax) {
    const message = `${rates.length} rates; at most ${fxRatesMax} are allowed`;
    return [{ path: "rates", rule: "too-many", message }];
  }
  const faults: FxFault[] = [];
  if (base !== undefined) checkCurrency(faults, "base", base);
  const firstByPair = new Map<string, number>();
  for (const [i, rate] of rates.entries()) {
    const path = `rates[${i}]`;
    checkCurrency(faults, `${path}.from`, rate.from);
    checkCurrency(faults, `${path}.to`, rate.to);
    checkDecimal(faults, `${path}.rate`, rate.rate);
    if (rate.from === rate.to) {
      faults.push({ path, rule: "same-currency", message: `${rate.from} needs no rate to itself` });
    }
    const first = firstByPair.get(pairKey(rate.from, rate.to));
    if (first === undefined) firstByPair.set(pairKey(rate.from, rate.to), i);
    else {
      const message = `${rate.from} to ${rate.to} already has a rate in rates[${first}]`;
      faults.push({ path, rule: "duplicate", message });
    }
  }
  return faults;
}

function checkCurrency(faults: FxFault[], path: string, code: string): void {
  if (exponentOf(code) !== undefined) return;
  faults.push({ path, rule: "currency", message: `"${code}" is no current ISO 4217 code` });
}

function checkDecimal(faults: FxFault[], path: string, text: string): void {
  if (!decimalPattern.test(text)) {
    const message = `"${text}" is not a decimal with at most 12 digits before and 12 after the point`;
    faults.push({ path, rule: "decimal", message });
  } else if (!/[1-9]/.test(text)) {
    faults.push({ path, rule: "positive", message: `"${text}" is not positive` });
  }
}
