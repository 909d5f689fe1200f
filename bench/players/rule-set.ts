/** The rule set of the bench: 30 windowed features, each read by a rule, 5 limits of players and 3 segments, one of which ends by time alone. */

const windows = ["1h", "24h", "7d", "30d", "60d"] as const;
const measures = [
  { name: "deposits", aggregate: { function: "COUNT", events: ["payment_approved"] }, above: 400 },
  {
    name: "deposited",
    aggregate: { function: "SUM", events: ["payment_approved"], currency: "USD" },
    above: 2_000_000,
  },
  {
    name: "greatest_deposit",
    aggregate: { function: "MAX", events: ["payment_approved"], currency: "USD" },
    above: 1_000_000,
  },
  { name: "declines", aggregate: { function: "COUNT", events: ["payment_declined"] }, above: 40 },
  {
    name: "staked",
    aggregate: { function: "SUM", events: ["stake_moved"], currency: "USD" },
    above: 3_000_000,
  },
  {
    name: "withdrawn",
    aggregate: { function: "SUM", events: ["withdrawal_paid"], currency: "USD" },
    above: 1_500_000,
  },
] as const;

/** What a feature of the bench is: which events of which window are put together how. */
export type MeasuredFeature = {
  readonly id: string;
  readonly function: "COUNT" | "SUM" | "MAX";
  readonly type: string;
  readonly windowMs: number;
};

export const measuredFeatures: readonly MeasuredFeature[] = measures.flatMap(({ name, aggregate }) =>
  windows.map((window) => ({
    id: `${name}_${window}`,
    function: aggregate.function,
    type: aggregate.events[0],
    windowMs: Number.parseInt(window, 10) * (window.endsWith("h") ? 3_600_000 : 86_400_000),
  })),
);

const money = (minorUnits: number) => ({ minor_units: minorUnits, currency_code: "USD" });
const ofDeposits = { class: "REGULATORY", counts: 'event.kind == "deposit"', on_unknown: "APPLY" };

const document = {
  name: "Bench of players",
  psps: [
    { id: "north", methods: ["card"], currencies: ["USD"], acquirer_country: "US", fees: [{ bps: 250 }] },
    { id: "south", methods: ["card"], currencies: ["USD"], acquirer_country: "US", fees: [{ bps: 210 }] },
  ],
  event_types: [
    {
      name: "stake_moved",
      description: "From the wallet to the operator, to play with.",
      has_amount: true,
      attributes: [{ name: "result", type: "STRING", values: ["APPROVED", "DECLINED"] }],
    },
  ],
  features: measures.flatMap(({ name, aggregate }) =>
    windows.map((window) => ({
      id: `${name}_${window}`,
      aggregate: { ...aggregate, events: [...aggregate.events], window: { rolling: window } },
    })),
  ),
  segments: [
    { id: "regular", when: "feature.deposits_30d >= 3" },
    { id: "high-value", when: "feature.deposited_60d >= 500000" },
    { id: "in-trouble", when: "feature.declines_24h >= 5", purposes: ["RG"] },
  ],
  limits: [
    {
      ...ofDeposits,
      id: "day",
      measure: "GROSS",
      window: { rolling: "24h" },
      thresholds: [{ amount: money(50_000_000) }],
    },
    {
      ...ofDeposits,
      id: "week",
      measure: "GROSS",
      window: { rolling: "7d" },
      thresholds: [{ amount: money(100_000_000) }],
    },
    {
      ...ofDeposits,
      id: "month",
      measure: "GROSS",
      window: { calendar: { period: "MONTH", zone: "America/New_York" } },
      thresholds: [{ amount: money(200_000_000) }],
    },
    {
      ...ofDeposits,
      id: "deposits-hour",
      class: "RISK",
      measure: "COUNT",
      window: { rolling: "1h" },
      thresholds: [{ count: 100 }],
    },
    {
      ...ofDeposits,
      id: "deposits-week",
      class: "RISK",
      measure: "COUNT",
      window: { rolling: "7d" },
      thresholds: [{ count: 10_000 }],
    },
  ],
  rules: [
    ...measures.flatMap(({ name, above }) =>
      windows.map((window) => ({
        id: `much-${name}-${window}`.replaceAll("_", "-"),
        class: "RISK",
        when: `feature.${name}_${window} > ${above}`,
        effects: { three_ds: { level: "REQUIRE" } },
      })),
    ),
    {
      id: "regulars",
      class: "SEGMENT",
      when: 'segment("regular")',
      effects: { strategy: { least_cost: {} } },
    },
    { id: "default-route", class: "DEFAULT", effects: { strategy: { least_cost: {} } } },
  ],
};

export const ruleSetText = JSON.stringify(document);
