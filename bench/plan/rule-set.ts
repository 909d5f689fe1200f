/** The rule set of the bench: 8 PSPs of three places with fraud rates of their own, three attempts a payment, and all that there is about codes, SCA and breakers. */

const places = [
  { acquirer_country: "IE", currencies: ["EUR", "GBP", "SEK"], bps: 120 },
  { acquirer_country: "GB", currencies: ["EUR", "GBP"], bps: 100 },
  { acquirer_country: "US", currencies: ["EUR", "USD"], bps: 250 },
  { acquirer_country: "NL", currencies: ["EUR"], bps: 110 },
] as const;

export const pspIds = Array.from({ length: 8 }, (_, number) => `psp-${number + 1}`);

const psps = pspIds.map((id, number) => {
  const { acquirer_country, currencies, bps } = places[number % places.length]!;
  return {
    id,
    methods: ["card"],
    currencies,
    acquirer_country,
    fees: [{ bps: bps + number }],
    sca: { fraud_rate_bps: number % 2 === 0 ? 5 : 12, takes_proof: number % 2 === 1 },
  };
});

const money = (minorUnits: number) => ({ minor_units: minorUnits, currency_code: "EUR" });

const document = {
  name: "Bench of plans",
  psps,
  response_codes: pspIds.map((psp) => ({
    psp,
    psp_code: "insufficient_balance",
    outcome: "WAIT",
    attribution: "ATTRIBUTION_ISSUER",
    wait: "86400s",
  })),
  breaker_policy: { per_method: true, never_probe: ["regular"], probe_amount_max: money(20_000) },
  fx_rates: [
    { from: "GBP", to: "EUR", rate: "1.15" },
    { from: "SEK", to: "EUR", rate: "0.088" },
    { from: "USD", to: "EUR", rate: "0.92" },
  ],
  features: [
    {
      id: "deposits_30d",
      aggregate: { function: "COUNT", events: ["payment_approved"], window: { rolling: "30d" } },
    },
  ],
  segments: [{ id: "regular", when: "feature.deposits_30d >= 20" }],
  retry_policies: [{ id: "default", max_attempts: 3, player_declines: 50, single_try: ["regular"] }],
  limits: [
    {
      id: "day",
      class: "REGULATORY",
      on_unknown: "APPLY",
      measure: "GROSS",
      window: { rolling: "24h" },
      thresholds: [{ amount: money(100_000_000) }],
    },
  ],
  rules: [{ id: "default-route", class: "DEFAULT", effects: { strategy: { least_cost: {} } } }],
};

export const ruleSetText = JSON.stringify(document);
