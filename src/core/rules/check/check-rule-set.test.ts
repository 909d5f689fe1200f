import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { judgeDocument } from "../compile/compile.ts";

type Json = Readonly<Record<string, unknown>>;

/** `rule path` of every fault of a minimal document with these sections. */
function findFaults(sections: Json): readonly string[] {
  const document = { psps: [{ id: "a", methods: ["card"] }], ...sections };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { compilation } = judgeDocument({ document: bytes, format: "JSON", nowMs: testNowMs, sha256 });
  return compilation.faults.map(({ rule, path }) => `${rule} ${path}`);
}

const rule = (more: Json): Json => ({
  rules: [{ id: "r", class: "SEGMENT", effects: { retry_policy: "default" }, ...more }],
});
const risk = (effects: Json): Json => rule({ class: "RISK", effects });
const policy = (more: Json): Json => ({ retry_policies: [{ id: "p", ...more }] });
const money = (minorUnits: string) => ({ minor_units: minorUnits, currency_code: "EUR" });
const repeat = (count: number, make: (n: number) => unknown) =>
  Array.from({ length: count }, (_, n) => make(n));
const untilMs = (ms: number) => new Date(ms).toISOString();

describe("limits, on both sides", () => {
  const limits: readonly { name: string; inside: Json; beyond: Json; fault: string }[] = [
    {
      name: "ids of 64",
      inside: rule({ id: "i".repeat(64) }),
      beyond: rule({ id: "i".repeat(65) }),
      fault: "bad-id rules[0].id",
    },
    {
      name: "names of 128",
      inside: { name: "n".repeat(128) },
      beyond: { name: "n".repeat(129) },
      fault: "too-long name",
    },
    {
      name: "descriptions of 4,096",
      inside: { description: "d".repeat(4_096) },
      beyond: { description: "d".repeat(4_097) },
      fault: "too-long description",
    },
    {
      name: "scores of 1,000",
      inside: risk({ score: 1_000 }),
      beyond: risk({ score: 1_001 }),
      fault: "out-of-range rules[0].effects.score",
    },
    {
      name: "rollouts of 10,000",
      inside: rule({ rollout: { share_bps: 10_000 } }),
      beyond: rule({ rollout: { share_bps: -1 } }),
      fault: "out-of-range rules[0].rollout.share_bps",
    },
    {
      name: "until after the push",
      inside: rule({ until: untilMs(testNowMs + 1) }),
      beyond: rule({ until: untilMs(testNowMs) }),
      fault: "until-in-past rules[0].until",
    },
    {
      name: "8 attempts",
      inside: policy({ max_attempts: 8 }),
      beyond: policy({ max_attempts: 9 }),
      fault: "out-of-range retry_policies[0].max_attempts",
    },
    {
      name: "plans from 1 minute",
      inside: policy({ valid_for: "1m" }),
      beyond: policy({ valid_for: "59s" }),
      fault: "out-of-range retry_policies[0].valid_for",
    },
    {
      name: "plans to 24 hours",
      inside: policy({ valid_for: "24h" }),
      beyond: policy({ valid_for: "86400.001s" }),
      fault: "out-of-range retry_policies[0].valid_for",
    },
    {
      name: "amounts of 1",
      inside: risk({ amount_cap: money("1") }),
      beyond: risk({ amount_cap: money("0") }),
      fault: "positive rules[0].effects.amount_cap.minor_units",
    },
    {
      name: "16 actions",
      inside: risk({ actions: repeat(16, (n) => ({ kind: "NUDGE", key: `k${n}` })) }),
      beyond: risk({ actions: repeat(17, (n) => ({ kind: "NUDGE", key: `k${n}` })) }),
      fault: "too-many rules[0].effects.actions",
    },
    {
      name: "256 PSPs",
      inside: { psps: repeat(256, (n) => ({ id: `p${n}`, methods: ["card"] })) },
      beyond: { psps: repeat(257, (n) => ({ id: `p${n}`, methods: ["card"] })) },
      fault: "too-many psps",
    },
    {
      name: "256 attributes",
      inside: { attributes: repeat(256, (n) => ({ name: `a${n}`, subject: "PAYMENT", type: "INT" })) },
      beyond: { attributes: repeat(257, (n) => ({ name: `a${n}`, subject: "PAYMENT", type: "INT" })) },
      fault: "too-many attributes",
    },
    {
      name: "32 spans",
      inside: rule({ hours: { zone: "UTC", spans: repeat(32, () => ({ from: "00:00", until: "24:00" })) } }),
      beyond: rule({ hours: { zone: "UTC", spans: repeat(33, () => ({ from: "00:00", until: "24:00" })) } }),
      fault: "too-many rules[0].hours.spans",
    },
    {
      name: "12 decimals",
      inside: { fx_rates: [{ from: "EUR", to: "SEK", rate: "1.123456789012" }] },
      beyond: { fx_rates: [{ from: "EUR", to: "SEK", rate: "1.1234567890123" }] },
      fault: "decimal fx_rates[0].rate",
    },
    {
      name: "thresholds in order",
      inside: { risk_thresholds: { review_from: 5, deny_from: 6 } },
      beyond: { risk_thresholds: { review_from: 6, deny_from: 6 } },
      fault: "thresholds risk_thresholds",
    },
    {
      name: "thresholds of 1,000",
      inside: { risk_thresholds: { deny_from: 1_000 } },
      beyond: { risk_thresholds: { deny_from: 1_001 } },
      fault: "out-of-range risk_thresholds.deny_from",
    },
  ];
  test.each(limits)("$name", ({ inside, beyond, fault }) => {
    expect(findFaults(inside)).toEqual([]);
    expect(findFaults(beyond)).toEqual([fault]);
  });
});

describe("all faults are told at once", () => {
  test("of every section, in order of place", () => {
    const faults = findFaults({
      name: "x".repeat(200),
      psps: [{ id: "a b", methods: ["card"], currencies: ["XXX"] }],
      segments: [{ id: "s", when: "payment.x" }],
      rules: [
        { id: "r", class: "RISK", when: 'segment("none")', effects: { exclude_psps: ["b"], strategy: {} } },
      ],
    });
    expect(faults).toEqual([
      "bad-id psps[0].id",
      "currency psps[0].currencies[0]",
      "too-long name",
      "unknown-name segments[0].when",
      "unknown-segment rules[0].when",
      "unknown-psp rules[0].effects.exclude_psps[0]",
      "effect-not-allowed rules[0].effects.strategy",
    ]);
  });

  test("a faulty entry causes no faults where it is named", () => {
    const sections = {
      lists: [{ id: "l", kind: "BIN", values: ["1"] }],
      segments: [{ id: "s", when: "payment.x" }],
      rules: [
        { id: "r", class: "RISK", when: 'segment("s") && in_list(card.bin, "l")', effects: { deny: {} } },
      ],
    };
    expect(findFaults(sections)).toEqual(["bin lists[0].values[0]", "unknown-name segments[0].when"]);
  });
});

describe("what unknown does", () => {
  test("may be left to RISK's default, and where a protective rule only acts", () => {
    expect(findFaults(risk({ deny: {} }))).toEqual([]);
    const acts = { class: "SAFER_GAMBLING", effects: { actions: [{ kind: "COOL_OFF_PROMPT" }] } };
    expect(findFaults(rule(acts))).toEqual([]);
  });

  const tightening = {
    deny: {},
    exclude_psps: ["a"],
    require_psps: ["a"],
    amount_cap: money("1"),
    three_ds: { level: "REQUIRE" },
  };
  test.each(Object.entries(tightening))("must be said of %s in REGULATORY", (name, value) => {
    const effects = { [name]: value };
    expect(findFaults(rule({ class: "REGULATORY", effects }))).toEqual([
      "on-unknown-missing rules[0].on_unknown",
    ]);
    expect(findFaults(rule({ class: "REGULATORY", effects, on_unknown: "SKIP" }))).toEqual([]);
  });
});

describe("marketing actions", () => {
  const attributes = [
    { name: "harm", subject: "PLAYER", type: "INT", purposes: ["RG"] },
    { name: "shared", subject: "PLAYER", type: "INT", purposes: ["RG", "MARKETING"] },
  ];
  const acting = (kind: string, when: string) => ({
    attributes,
    ...rule({ when, effects: { actions: [{ kind }] } }),
  });
  test("may not read what only safer gambling may, protective ones may", () => {
    const fault = ["marketing-reads-protected rules[0].when"];
    for (const kind of ["CRM_TRIGGER", "OFFER", "REWARD", "NUDGE"]) {
      expect(findFaults(acting(kind, "has(player.harm)"))).toEqual(fault);
    }
    expect(findFaults(acting("TIME_OUT", "player.harm > 1"))).toEqual([]);
    expect(findFaults(acting("OFFER", "player.shared > 1"))).toEqual([]);
  });

  test("may not read a segment of that purpose either", () => {
    const segments = [{ id: "s", when: "player.shared > 1", purposes: ["RG", "AML"] }];
    expect(findFaults({ ...acting("OFFER", 'segment("s")'), segments })).toEqual([
      "marketing-reads-protected rules[0].when",
    ]);
  });
});

describe("segments of segments", () => {
  const chain = (length: number) => ({
    segments: repeat(length, (n) => ({
      id: `s${n}`,
      when: n === 0 ? 'payment.method == "card"' : `segment("s${n - 1}")`,
    })),
  });
  test("make chains of 16, not of 17", () => {
    expect(findFaults(chain(16))).toEqual([]);
    expect(findFaults(chain(17))).toEqual(["segments-too-deep segments[16].when"]);
  });

  test("that read themselves are a circle, told once", () => {
    const segments = [
      { id: "a", when: 'segment("a") || segment("c")' },
      { id: "b", when: 'segment("c")' },
      { id: "c", when: 'payment.method == "card"' },
    ];
    expect(findFaults({ segments })).toEqual(["segment-cycle segments[0].when"]);
  });
});
