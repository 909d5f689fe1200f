import { describe, expect, test } from "vitest";
import { compileForTest, sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { defaultBreakerPolicy } from "../../breakers/breaker-policy.ts";
import { houseScaPolicy } from "../../sca/default-policy.ts";
import { defaultPspSca } from "../../sca/sca-policy.ts";
import type { RuleSnapshot } from "../snapshot.ts";
import { judgeDocument } from "./compile.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const head = "psps: [{ id: a, methods: [card] }]\n";

function hashOf(text: string): string {
  const document = new TextEncoder().encode(text);
  const { compilation } = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  expect(compilation.faults).toEqual([]);
  return compilation.hash;
}

function policyOf({ retryPolicies }: RuleSnapshot, id: string) {
  const policy = retryPolicies.get(id);
  if (policy === undefined) throw new Error(`there is no policy ${id}`);
  return policy;
}

test("a rule set that says nothing of outcomes leaves them to the house", () => {
  const { responseCodes, schemeCaps, scaPolicy, breakerPolicy, psps } = compileForTest(head);
  expect({ responseCodes, schemeCaps, scaPolicy, breakerPolicy }).toEqual({ responseCodes: [] });
  expect(psps[0]).toMatchObject({
    sca: defaultPspSca,
    idempotent: true,
    timeoutMs: minuteMs,
    maintenance: [],
  });
});

describe("a PSP", () => {
  test("says how it behaves", () => {
    const { psps } = compileForTest(`
psps:
  - id: a
    methods: [card]
    idempotent: false
    timeout: 5s
    sca: { fraud_rate_bps: 5.5, exemptions: [tra, low_value], takes_proof: true, three_ds_version: 2.1.0 }
    maintenance:
      - { from: 2026-03-02T02:00:00Z, until: 2026-03-02T03:00:00Z }
      - { from: 2026-03-01T02:00:00Z, until: 2026-03-01T03:00:00.5Z }
  - { id: b, methods: [card], sca: { fraud_rate_bps: 0 } }
`);
    expect(psps[0]).toMatchObject({
      idempotent: false,
      timeoutMs: 5_000,
      sca: {
        fraudRateBps: 5.5,
        exemptions: ["low_value", "tra"],
        takesProof: true,
        threeDsVersion: "2.1.0",
      },
      maintenance: [
        { fromMs: Date.UTC(2026, 2, 1, 2), untilMs: Date.UTC(2026, 2, 1, 3, 0, 0, 500) },
        { fromMs: Date.UTC(2026, 2, 2, 2), untilMs: Date.UTC(2026, 2, 2, 3) },
      ],
    });
    // A rate of 0 is the best there is, and not the same as none.
    expect(psps[1]!.sca).toEqual({ ...defaultPspSca, fraudRateBps: 0 });
  });

  test("has the same hash whether defaults are written out or not", () => {
    const written =
      "idempotent: true, timeout: 1m, sca: { exemptions: [trusted_beneficiary, recurring, tra, low_value], three_ds_version: 2.2.0 }";
    expect(hashOf(`psps: [{ id: a, methods: [card], ${written} }]`)).toBe(hashOf(head));
    expect(hashOf("psps: [{ id: a, methods: [card], timeout: 61s }]")).not.toBe(hashOf(head));
  });
});

describe("a retry policy", () => {
  const text = `${head}
segments: [{ id: b-risky, when: player.age < 25 }, { id: a-harmed, when: player.age < 21 }]
retry_policies:
  - { id: guarded, player_declines: 4, single_try: [b-risky, a-harmed] }
  - { id: long, player_declines: 9, player_window: 7d }
  - { id: plain }
`;
  test("bounds declines of players, and names who gets one attempt", () => {
    const snapshot = compileForTest(text);
    expect(policyOf(snapshot, "guarded")).toMatchObject({
      playerDeclines: { count: 4, windowMs: dayMs },
      singleTry: [0, 1],
    });
    expect(snapshot.segments.map(({ id }) => id)).toEqual(["a-harmed", "b-risky"]);
    expect(policyOf(snapshot, "long").playerDeclines).toEqual({ count: 9, windowMs: 7 * dayMs });
    expect(policyOf(snapshot, "plain")).toMatchObject({ playerDeclines: undefined, singleTry: [] });
  });

  test("has the same hash whether the window is written out or not", () => {
    expect(hashOf(text.replace("player_declines: 4", "player_declines: 4, player_window: 24h"))).toBe(
      hashOf(text),
    );
  });
});

describe("response codes", () => {
  test("say what an answer means, for whom and when", () => {
    const { responseCodes } = compileForTest(`${head}
response_codes:
  - { psp: a, psp_code: D-17, outcome: DATA, fields: [cvv], attribution: ATTRIBUTION_PLAYER, meaning: wrong code }
  - { code: "05", outcome: WAIT, wait: 2h, from: 2026-01-01T00:00:00Z, until: 2026-02-01T00:00:00Z }
  - { scheme: mastercard, advice_code: "21", outcome: HARD, block: AGREEMENT, alert: true }
  - { code: "57", outcome: HARD, block: CARD_AMOUNT, block_for: 3d, attribution: ATTRIBUTION_ISSUER }
`);
    const plain = {
      attribution: undefined,
      waitMs: 0,
      fields: [],
      block: undefined,
      alert: false,
      meaning: "",
      origin: "",
    };
    expect(responseCodes).toEqual([
      {
        ...plain,
        code: "05",
        outcomeClass: "WAIT",
        waitMs: 2 * hourMs,
        fromMs: testNowMs,
        untilMs: Date.UTC(2026, 1),
      },
      {
        ...plain,
        code: "57",
        outcomeClass: "HARD",
        attribution: "ISSUER",
        block: { what: "card_amount", forMs: 3 * dayMs },
      },
      {
        ...plain,
        scheme: "mastercard",
        adviceCode: "21",
        outcomeClass: "HARD",
        block: { what: "agreement", forMs: undefined },
        alert: true,
      },
      {
        ...plain,
        psp: "a",
        pspCode: "D-17",
        outcomeClass: "DATA",
        fields: ["cvv"],
        attribution: "PLAYER",
        meaning: "wrong code",
      },
    ]);
  });

  test("may follow each other in time, and have no order", () => {
    const early = '{ code: "05", outcome: GENERIC, until: 2026-06-01T00:00:00Z }';
    const late = '{ code: "05", outcome: HARD, from: 2026-06-01T00:00:00Z }';
    expect(hashOf(`${head}response_codes: [${early}, ${late}]`)).toBe(
      hashOf(`${head}response_codes: [${late}, ${early}]`),
    );
  });

  test("that contradict an entry before the last one are found too", () => {
    const entries = [
      '{ code: "05", outcome: GENERIC, from: 2026-01-01T00:00:00Z, until: 2026-09-01T00:00:00Z }',
      '{ code: "05", outcome: GENERIC, from: 2026-02-01T00:00:00Z, until: 2026-03-01T00:00:00Z }',
      '{ code: "05", outcome: HARD, from: 2026-04-01T00:00:00Z, until: 2026-05-01T00:00:00Z }',
    ];
    const document = new TextEncoder().encode(`${head}response_codes: [${entries.join(", ")}]`);
    const { compilation } = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
    expect(compilation.faults.map(({ rule, path }) => `${rule} ${path}`)).toEqual([
      "code-shadowed response_codes[1]",
      "code-conflict response_codes[2]",
    ]);
  });
});

test("scheme caps begin again with an approval unless they say otherwise", () => {
  const { schemeCaps } = compileForTest(`${head}
scheme_caps:
  - { id: b, scheme: visa, window: 30d, key: CARD_AMOUNT, declines: 15, from: 2026-01-01T00:00:00Z }
  - { id: a, scheme: jcb, window: 1m, key: CARD, declines: 3, reset_on_approval: false }
`);
  expect(schemeCaps).toEqual([
    {
      id: "a",
      scheme: "jcb",
      windowMs: minuteMs,
      key: "CARD",
      declines: 3,
      resetOnApproval: false,
      fromMs: undefined,
    },
    {
      id: "b",
      scheme: "visa",
      windowMs: 30 * dayMs,
      key: "CARD_AMOUNT",
      declines: 15,
      resetOnApproval: true,
      fromMs: testNowMs,
    },
  ]);
});

describe("an SCA policy", () => {
  test("is taken as it is written, groups of countries resolved", () => {
    const { scaPolicy } = compileForTest(`${head}
sca_policy:
  zones: [{ id: UK, countries: [UK] }, { id: EEA, countries: [EEA, MC] }]
  treated_as_one: [UK, EEA]
  low_value:
    - { zone: UK, amount: { minor_units: 2500, currency_code: GBP }, cumulative: { minor_units: 8500, currency_code: GBP }, count: 5, from: 2021-01-01T00:00:00Z }
  tra: [{ zone: EEA, amount: { minor_units: 10000, currency_code: EUR }, fraud_rate_bps: 13 }]
  mandates: [{ country: JP, fundings: [credit], domestic_only: true, from: 2025-04-01T00:00:00Z }]
  exemption_order: [tra, low_value]
  high_risk_score: 700
`);
    expect(scaPolicy).toMatchObject({
      treatedAsOne: ["EEA", "UK"],
      lowValue: [
        {
          zone: "UK",
          amount: { minorUnits: 2_500, currencyCode: "GBP" },
          cumulative: { minorUnits: 8_500, currencyCode: "GBP" },
          count: 5,
          fromMs: Date.UTC(2021, 0),
        },
      ],
      tra: [
        {
          zone: "EEA",
          amount: { minorUnits: 10_000, currencyCode: "EUR" },
          fraudRateBps: 13,
          fromMs: undefined,
        },
      ],
      mandates: [{ country: "JP", fundings: ["credit"], domesticOnly: true, fromMs: Date.UTC(2025, 3) }],
      exemptionOrder: ["tra", "low_value"],
      highRiskScore: 700,
    });
    expect(scaPolicy!.zones.map(({ id }) => id)).toEqual(["EEA", "UK"]);
    expect(scaPolicy!.zones[0]!.countries).toEqual(expect.arrayContaining(["MC", "NO", "FR"]));
    expect(scaPolicy!.zones[1]!.countries).toEqual(["GB"]);
  });

  test("takes the parts that it does not name from the house, as far as they are about its zones", () => {
    const { highRiskScore: _, ...parts } = houseScaPolicy;
    expect(compileForTest(`${head}sca_policy: {}`).scaPolicy).toEqual({ ...parts, highRiskScore: undefined });
    const { scaPolicy } = compileForTest(`${head}sca_policy: { zones: [{ id: EEA, countries: [EEA] }] }`);
    expect(scaPolicy!.treatedAsOne).toEqual([]);
    expect(new Set([...scaPolicy!.lowValue, ...scaPolicy!.tra].map(({ zone }) => zone))).toEqual(
      new Set(["EEA"]),
    );
    expect(scaPolicy!.mandates).toEqual(houseScaPolicy.mandates);
  });

  test("has no order but that of exemptions", () => {
    const write = (zones: string, fundings: string, order: string) =>
      `${head}sca_policy: { zones: [${zones}], mandates: [{ country: JP, fundings: [${fundings}] }], exemption_order: [${order}] }`;
    const [a, b] = ["{ id: A, countries: [DK, SE] }", "{ id: B, countries: [GB] }"];
    const first = hashOf(write(`${a}, ${b}`, "credit, debit, prepaid, charge", "tra, low_value"));
    const second = hashOf(write(`${b}, ${a.replace("DK, SE", "SE, DK")}`, "", "tra, low_value"));
    expect(second).toBe(first);
    expect(hashOf(write(`${a}, ${b}`, "", "low_value, tra"))).not.toBe(first);
  });
});

describe("a breaker policy", () => {
  test("takes what it does not say from the house", () => {
    expect(compileForTest(`${head}breaker_policy: {}`).breakerPolicy).toEqual(defaultBreakerPolicy);
  });

  test("is taken as it is written", () => {
    const { breakerPolicy } = compileForTest(`${head}
segments: [{ id: vip, when: player.age > 40 }, { id: high, when: player.age > 30 }]
breaker_policy:
  window: 2m
  calls_max: 100
  calls_min: 10
  failure_share: 1
  timeouts_in_row: 3
  open_for: 10s
  probes_max: 2
  close_after: 4
  per_method: true
  all_down: LEAST_BAD
  probe_amount_max: { minor_units: 5000, currency_code: GBP }
  never_probe: [vip, high]
  normal_share: 0.9
  broken_share: 0.2
`);
    expect(breakerPolicy).toEqual({
      windowMs: 2 * minuteMs,
      callsMax: 100,
      callsMin: 10,
      failureShare: 1,
      timeoutsInRow: 3,
      openForMs: 10_000,
      probesMax: 2,
      closeAfter: 4,
      perMethod: true,
      allDown: "LEAST_BAD",
      probeAmountMax: { minorUnits: 5_000, currencyCode: "GBP" },
      neverProbe: [0, 1],
      normalShare: 0.9,
      brokenShare: 0.2,
    });
  });

  test("has the same hash whether defaults are written out or not", () => {
    const written =
      "window: 60s, calls_max: 50, failure_share: 0.5, open_for: 30s, all_down: REFUSE, probe_amount_max: { minor_units: 20000, currency_code: EUR }";
    expect(hashOf(`${head}breaker_policy: { ${written} }`)).toBe(hashOf(`${head}breaker_policy: {}`));
    expect(hashOf(`${head}breaker_policy: {}`)).not.toBe(hashOf(head));
  });
});
