import type { Payment } from "../../src/core/payment.ts";
import type { Player } from "../../src/core/player.ts";
import { createRandom } from "../corpus/random.ts";

/** The tenant of the sample rule set in this bench. */
export const typicalMerchant = "default";

const dayMs = 86_400_000;
const countries = [
  ["DE", "EUR", "45710440", 1],
  ["SE", "SEK", "45710440", 10],
  ["DK", "DKK", "45710435", 10],
  ["GB", "GBP", "40000000", 1],
  ["FI", "EUR", "45710440", 1],
] as const;

/** Known players with the five features that the sample rule set reads: registration, tier, deposits, chargebacks, markers of harm. */
export function makeTypicalPlayers(count: number, nowMs: number): readonly Player[] {
  const random = createRandom(5);
  return Array.from({ length: count }, (_, number) => {
    const values = {
      registered_at: nowMs - (10 + random.index(900)) * dayMs,
      vip_tier: random.chance(0.95) ? "none" : "gold",
      approved_deposits: 3 + random.index(200),
      chargebacks: 0,
      harm_markers: random.chance(0.97) ? 0 : 1,
    };
    const attributes = Object.entries(values).map(
      ([name, value]) => [name, { value, setAtMs: nowMs - dayMs, source: "bench" }] as const,
    );
    return { playerId: `player-${number}`, attributes: new Map(attributes), restrictions: [] };
  });
}

/** A regular European's card deposit of EUR 10 to 200, by one of so many players. `number` makes its id. */
export function makeTypicalPayment(number: number, players: number): Payment {
  const [country, currency, bin, perEuro] = countries[number % countries.length]!;
  return {
    requestId: `request-${number}`,
    merchantId: typicalMerchant,
    paymentId: `payment-${number}`,
    revision: 0,
    playerId: `player-${number % players}`,
    brand: "aurora",
    kind: "deposit",
    amountMinor: (1000 + 500 * (number % 38)) * perEuro,
    currency,
    method: "card",
    card: {
      bin,
      issuerCountry: country,
      lastFour: "4242",
      fingerprint: `card-${number % players}`,
      credential: "PAN",
    },
    playerCountry: country,
    ipCountry: country,
    deviceId: `device-${number % players}`,
    ip: "10.1.2.3",
    initiator: "CIT",
    trustScore: 80,
    riskSignals: [],
    attributes: new Map([["channel", "web"]]),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  };
}
