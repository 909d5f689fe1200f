import { greatestMinorWithin } from "../../amount-bound.ts";
import { type FxRates, formatMoney } from "../../money.ts";
import type { Reason } from "../../reason.ts";
import { lose, makeSpeakerReason, rank, type Speaker, stands, win } from "../speaker.ts";

/** The smallest amount cap. */
export type Cap = {
  /** The greatest amount that it lets through, in minor units of the payment's currency; `undefined` where no cap speaks. */
  readonly maxMinor: number | undefined;
  /** Why the amount is denied; `undefined` where it is not. */
  readonly denial: Reason | undefined;
};

export const noCap: Cap = { maxMinor: undefined, denial: undefined };

/**
 * *Cap: the smallest; above it DENY `AMOUNT_CAP` stating it* (`SEMANTICS.md` 3.2). An amount is never lowered in silence.
 *
 * A cap in another currency converts through the rule set's rates. Without a rate nobody knows whether it holds: of classes 1-2 it then denies
 * `FX_MISSING`, of RISK only where the rule says `on_unknown: apply`. An `FX_MISSING` of a stronger class is told before an `AMOUNT_CAP`.
 */
export function resolveCap(
  speakers: readonly Speaker[],
  payment: { readonly currency: string; readonly amountMinor?: number },
  fx: FxRates,
): Cap {
  let maxMinor: number | undefined;
  let smallest: Speaker | undefined;
  let unconverted: Speaker | undefined;
  for (const speaker of speakers) {
    if (!stands(speaker, "cap")) continue;
    const most = greatestMinorWithin(fx, speaker.effects.amountCap!, payment.currency);
    if (most === undefined) {
      if (closesOnUnknown(speaker)) unconverted ??= speaker;
    } else if (maxMinor === undefined || most < maxMinor) {
      maxMinor = most;
      smallest = speaker;
    }
  }
  noteCaps(speakers, smallest, payment.currency, fx);
  return { maxMinor, denial: findDenial({ maxMinor, smallest, unconverted }, payment) };
}

function closesOnUnknown(speaker: Speaker): boolean {
  return rank(speaker) <= 2 || speaker.rule?.matchUnknown === true;
}

function findDenial(
  found: {
    readonly maxMinor: number | undefined;
    readonly smallest: Speaker | undefined;
    readonly unconverted: Speaker | undefined;
  },
  { currency, amountMinor }: { readonly currency: string; readonly amountMinor?: number },
): Reason | undefined {
  const { maxMinor, smallest, unconverted } = found;
  const isAbove = maxMinor !== undefined && amountMinor !== undefined && amountMinor > maxMinor;
  if (unconverted !== undefined && (!isAbove || rank(unconverted) < rank(smallest!))) {
    const { currencyCode } = unconverted.effects.amountCap!;
    return makeSpeakerReason(unconverted, "FX_MISSING", `no rate from ${currency} to ${currencyCode}`);
  }
  if (!isAbove) return undefined;
  const amount = formatMoney({ minorUnits: amountMinor, currencyCode: currency });
  const cap = formatMoney({ minorUnits: maxMinor, currencyCode: currency });
  return makeSpeakerReason(smallest!, "AMOUNT_CAP", `${amount} is above the cap of ${cap}`);
}

function noteCaps(
  speakers: readonly Speaker[],
  smallest: Speaker | undefined,
  currency: string,
  fx: FxRates,
): void {
  for (const speaker of speakers) {
    if (!stands(speaker, "cap")) continue;
    const cap = speaker.effects.amountCap!;
    const converts = cap.currencyCode === currency || fx.ratio(currency, cap.currencyCode) !== undefined;
    if (speaker === smallest || (!converts && closesOnUnknown(speaker))) win(speaker, "cap");
    else if (converts) lose(speaker, "cap", smallest!.id, "a smaller cap stands");
    else lose(speaker, "cap", "fx_rates", `no rate from ${currency} to ${cap.currencyCode}`);
  }
}
