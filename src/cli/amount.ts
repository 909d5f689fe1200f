import { exponentOf } from "../core/iso4217.ts";
import type { Money } from "../core/payment.ts";

export type Parsed<T> =
  | ({ readonly ok: true } & T)
  /** `rule` is the stable name of the broken rule, `message` completes a sentence that begins with the value's name. */
  | { readonly ok: false; readonly rule: string; readonly message: string };

const decimalPattern = /^([0-9]{1,16})(?:\.([0-9]{1,8}))?$/;

/**
 * Reads an amount in major units, such as `20.6`, exactly: never through a float.
 *
 * Units: out come integer minor units of a currency with `exponent` decimals: `20.6` with 2 is 2060, `20` with 0 is 20.
 * Fails: on signs, exponents, separators of thousands, more decimals than the currency has (even zeros: `50.000 EUR` may be fifty thousand),
 * and beyond 2^53 - 1.
 */
export function parseMajorUnits(text: string, exponent: number): Parsed<{ readonly minorUnits: number }> {
  const match = decimalPattern.exec(text);
  if (match === null) {
    return { ok: false, rule: "decimal", message: "is no plain decimal such as 50 or 50.00" };
  }
  const decimals = match[2] ?? "";
  if (decimals.length > exponent) {
    const message = `has ${decimals.length} decimals, its currency has ${exponent}`;
    return { ok: false, rule: "exponent", message };
  }
  return toSafeInteger(match[1]! + decimals.padEnd(exponent, "0"));
}

/** Reads an amount that is in minor units already: digits only. */
export function parseMinorUnits(text: string): Parsed<{ readonly minorUnits: number }> {
  if (/^[0-9]{1,16}$/.test(text)) return toSafeInteger(text);
  return { ok: false, rule: "integer", message: "is no whole number of minor units" };
}

/** Reads `50.00 EUR` or `EUR 50.00`. The currency is an ISO 4217 code in capitals. */
export function parseMoney(text: string): Parsed<{ readonly money: Money }> {
  const match = /^(?:([0-9.]+) *([A-Z]{3})|([A-Z]{3}) *([0-9.]+))$/.exec(text.trim());
  if (match === null) {
    return { ok: false, rule: "money", message: 'is no amount with its currency, such as "50.00 EUR"' };
  }
  const currencyCode = match[2] ?? match[3]!;
  const exponent = exponentOf(currencyCode);
  if (exponent === undefined)
    return { ok: false, rule: "iso-4217", message: `names ${currencyCode}, which is no ISO 4217 code` };
  const parsed = parseMajorUnits(match[1] ?? match[4]!, exponent);
  return parsed.ok ? { ok: true, money: { minorUnits: parsed.minorUnits, currencyCode } } : parsed;
}

function toSafeInteger(digits: string): Parsed<{ readonly minorUnits: number }> {
  const minorUnits = Number(digits);
  // A number that was rounded on the way in is never at or below the bound: 2^53 itself is exact.
  if (minorUnits <= Number.MAX_SAFE_INTEGER) return { ok: true, minorUnits };
  return { ok: false, rule: "safe-integer", message: "is beyond 2^53 - 1 minor units" };
}
