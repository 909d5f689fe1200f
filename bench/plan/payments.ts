import type { OutcomeReport } from "../../src/core/outcome-report.ts";
import type { Payment } from "../../src/core/payment.ts";
import type { Decided } from "../../src/decide/decided.ts";
import { flatten } from "../core/subject.ts";
import type { Random } from "../corpus/random.ts";
import { makePayment } from "../players/house.ts";

const countries = [
  { country: "DE", currency: "EUR", scheme: "visa" },
  { country: "GB", currency: "GBP", scheme: "mastercard" },
  { country: "FR", currency: "EUR", scheme: "mastercard" },
  { country: "SE", currency: "EUR", scheme: "visa" },
] as const;

/** A card deposit of 10 to 200 by a European. */
export function makePlanPayment(number: number, player: number): Payment {
  const { country, currency, scheme } = countries[player % countries.length]!;
  const shared = makePayment(number, player);
  return flatten({
    ...shared,
    paymentId: `planned-${number}`,
    amountMinor: 1_000 + 500 * (number % 38),
    currency,
    card: { ...shared.card, bin: "457104", scheme, funding: "debit", issuerCountry: country },
    playerCountry: country,
    ipCountry: country,
  });
}

/** What became of the first step: four of five approved, the others declined, with a technical failure now and then. */
export function makeOutcome({ payment, decision }: Decided, random: Random): readonly OutcomeReport[] {
  const step = decision.plan?.steps[0];
  if (step === undefined) return [];
  const told = {
    merchantId: payment.merchantId,
    paymentId: payment.paymentId,
    attemptId: step.attemptId,
    psp: step.psp,
    latencyMs: 400 + random.index(400),
  };
  if (random.chance(0.8)) return [{ ...told, result: "APPROVED", responseCode: "00" }];
  if (random.chance(0.1)) return [{ ...told, result: "DECLINED", failure: "CONNECT" }];
  const responseCode = random.chance(0.5) ? "05" : "51";
  return [{ ...told, result: "DECLINED", responseCode }];
}
