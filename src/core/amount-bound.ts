import type { FxRates } from "./money.ts";
import type { Money } from "./payment.ts";

/**
 * The greatest amount in another currency that, converted into the bound's, is not above it: so what the cashier shows and what a payment is
 * held against are one number.
 *
 * Units: minor units of `currency`. Conversions round half up, as everywhere; the answer is exact whatever the rates.
 * Fails: undefined where no rate leads from `currency` to the bound's.
 */
export function greatestMinorWithin(fx: FxRates, bound: Money, currency: string): number | undefined {
  if (bound.currencyCode === currency) return bound.minorUnits;
  const ratio = fx.ratio(currency, bound.currencyCode);
  if (ratio === undefined) return undefined;
  // round(m * n / d) <= b  is  m < d * (2b + 1) / 2n.
  const over = ratio.denominator * (2n * BigInt(bound.minorUnits) + 1n);
  const by = 2n * ratio.numerator;
  const most = (over + by - 1n) / by - 1n;
  return most > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(most);
}
