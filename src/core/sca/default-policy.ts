import type { LowValue, Mandate, ScaPolicy, TraTier, Zone } from "./sca-policy.ts";

/** A fact of the house with where it is from. Letters and numbers are sources of `DOMAIN.md` 8; [gk] is general knowledge, unverified. */
type Sourced<T> = T & { readonly origin: string };

/** What counts where a rule set has no `sca_policy`: every entry says where it is from. */
type HouseScaPolicy = Omit<ScaPolicy, "zones" | "lowValue" | "tra" | "mandates"> & {
  readonly zones: readonly Sourced<Zone>[];
  readonly lowValue: readonly Sourced<LowValue>[];
  readonly tra: readonly Sourced<TraTier>[];
  readonly mandates: readonly Sourced<Mandate>[];
};

/** RTS 2018/389, Article 38: applies from 14 September 2019. */
const rtsFromMs = Date.UTC(2019, 8, 14);
/** End of the transition: from here on the United Kingdom has a standard and amounts of its own. */
const ukFromMs = Date.UTC(2021, 0, 1);

/**
 * SCA by the law of the house (docs/sca.md shows it in tables).
 *
 * Amounts are inclusive ("does not exceed"). Between EEA and UK both legs are in scope, as the acquirers treat it.
 * Source: `DOMAIN.md` 2.1, 2.3 and 6.
 */
export const houseScaPolicy: HouseScaPolicy = {
  zones: [
    {
      id: "EEA",
      countries: (
        "AT AX BE BG CY CZ DE DK EE ES FI FR GF GP GR HR HU IE IS IT LI LT LU LV MC MF MQ MT NL NO PL PT RE RO SE " +
        "SI SK YT"
      ).split(" "),
      fromMs: rtsFromMs,
      origin: "RTS 2018/389; territories by TFEU 349 and 355; Monaco with the EEA: D6",
    },
    { id: "UK", countries: ["GB"], fromMs: rtsFromMs, origin: "RTS 2018/389, then the UK SCA-RTS: D1" },
  ],
  treatedAsOne: ["EEA", "UK"],
  lowValue: [
    lowValue("EEA", "EUR", [3_000, 10_000, 5], rtsFromMs, "RTS Article 16: D4, D5"),
    lowValue(
      "UK",
      "EUR",
      [3_000, 10_000, 5],
      rtsFromMs,
      "RTS Article 16, until the transition ended: D4, D5",
    ),
    lowValue("UK", "GBP", [2_500, 8_500, 5], ukFromMs, "UK SCA-RTS Article 16: D1"),
  ],
  tra: [
    ...tiers(
      "EEA",
      "EUR",
      [10_000, 25_000, 50_000],
      rtsFromMs,
      "RTS Article 18 and its annex: D2; 1 bp [gk]",
    ),
    ...tiers(
      "UK",
      "EUR",
      [10_000, 25_000, 50_000],
      rtsFromMs,
      "RTS Article 18, until the transition ended: D2",
    ),
    ...tiers("UK", "GBP", [8_500, 22_000, 44_000], ukFromMs, "UK SCA-RTS Article 18 [gk]; converted: D12"),
  ],
  mandates: [
    {
      country: "IN",
      fundings: [],
      domesticOnly: true,
      fromMs: Date.UTC(2026, 3, 1),
      origin: "RBI directions 2025, two factors for all domestic digital payments: F1, F2",
    },
    {
      country: "JP",
      fundings: ["credit", "charge"],
      domesticOnly: false,
      fromMs: Date.UTC(2025, 3, 1),
      origin:
        "EMV 3DS for e-commerce credit cards by the end of March 2025, debit and prepaid excluded: F3, F4, F5",
    },
    {
      country: "BR",
      fundings: ["debit"],
      domesticOnly: false,
      fromMs: undefined,
      origin: "debit e-commerce needs the issuer's authentication: F6",
    },
  ],
  exemptionOrder: ["low_value", "tra", "recurring", "trusted_beneficiary"],
  highRiskScore: 500,
};

function lowValue(
  zone: string,
  currencyCode: string,
  [amount, cumulative, count]: readonly [number, number, number],
  fromMs: number,
  origin: string,
): Sourced<LowValue> {
  return {
    zone,
    amount: { minorUnits: amount, currencyCode },
    cumulative: { minorUnits: cumulative, currencyCode },
    count,
    fromMs,
    origin,
  };
}

/** Tiers at 13, 6 and 1 basis points, for cards. */
function tiers(
  zone: string,
  currencyCode: string,
  [at13, at6, at1]: readonly [number, number, number],
  fromMs: number,
  origin: string,
): readonly Sourced<TraTier>[] {
  const rates = [
    [13, at13],
    [6, at6],
    [1, at1],
  ] as const;
  return rates.map(([fraudRateBps, minorUnits]) => ({
    zone,
    amount: { minorUnits, currencyCode },
    fraudRateBps,
    fromMs,
    origin,
  }));
}
