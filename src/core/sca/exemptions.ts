import { convertMinor, type FxRates } from "../money.ts";
import type { Money, Payment } from "../payment.ts";
import type { Psp } from "../rules/snapshot.ts";
import type { LowValueUse } from "./low-value.ts";
import type { PolicyNow } from "./policy-now.ts";
import { type ExemptionKind, exemptionKinds } from "./sca-policy.ts";

/** What exemptions are judged by, beside the PSP. */
export type ExemptionCase = {
  readonly payment: Payment;
  readonly policy: PolicyNow;
  readonly fx: FxRates;
  /** What the card has used since its last authentication, in a currency; undefined where nobody knows the card. */
  readonly lowValueUse: (currency: string) => LowValueUse | undefined;
};

/**
 * The exemption to ask for at this PSP, whose acquirer is in `zone`: the one that the rules name if it holds, else the first that holds in the order of the
 * policy; undefined where none does. Only those that the PSP takes.
 */
export function findExemption(
  asked: ExemptionCase,
  psp: Psp,
  zone: string,
  named: string | undefined,
): ExemptionKind | undefined {
  if (named !== undefined) {
    const wanted = named.toLowerCase();
    const first = exemptionKinds.find((kind) => kind === wanted);
    if (first !== undefined && holds(first, asked, psp, zone)) return first;
  }
  for (const kind of asked.policy.exemptionOrder) if (holds(kind, asked, psp, zone)) return kind;
  return undefined;
}

function holds(kind: ExemptionKind, asked: ExemptionCase, psp: Psp, zone: string): boolean {
  if (!psp.sca.exemptions.includes(kind)) return false;
  switch (kind) {
    case "low_value":
      return isLowValue(asked, zone);
    case "tra":
      return isWithinTier(asked, psp, zone);
    case "recurring":
      return asked.payment.recurring === true;
    case "trusted_beneficiary":
      return asked.payment.trustedBeneficiary === true;
  }
}

/** The amount itself, and count and sum since the last authentication with this payment; all are inclusive. */
function isLowValue({ payment, policy, fx, lowValueUse }: ExemptionCase, zone: string): boolean {
  const threshold = policy.lowValueFor(zone, payment.currency);
  if (threshold === undefined || !isUpTo(payment, threshold.amount, fx)) return false;
  const { currencyCode, minorUnits } = threshold.cumulative;
  const amountMinor = convert(payment, currencyCode, fx);
  const use = lowValueUse(currencyCode);
  if (amountMinor === undefined || use?.sumMinor === undefined) return false;
  return use.count + 1 <= threshold.count && use.sumMinor + amountMinor <= minorUnits;
}

function isWithinTier({ payment, policy, fx }: ExemptionCase, { sca }: Psp, zone: string): boolean {
  const { fraudRateBps } = sca;
  if (fraudRateBps === undefined) return false;
  for (const tier of policy.tiersFor(zone, payment.currency))
    if (fraudRateBps <= tier.fraudRateBps && isUpTo(payment, tier.amount, fx)) return true;
  return false;
}

function isUpTo(payment: Payment, most: Money, fx: FxRates): boolean {
  const amountMinor = convert(payment, most.currencyCode, fx);
  return amountMinor !== undefined && amountMinor <= most.minorUnits;
}

function convert({ amountMinor, currency }: Payment, to: string, fx: FxRates): number | undefined {
  return amountMinor === undefined ? undefined : convertMinor(fx, { amountMinor, from: currency, to });
}
