import { describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../../test/helpers/compile.ts";
import type { Frame, Value } from "../../cel/expr.ts";
import { buildPredicate } from "../../cel/predicate.ts";
import type { LimitSpec } from "../../limits/limit.ts";
import type { RuleSnapshot } from "../snapshot.ts";

const dayMs = 86_400_000;
const head = "psps: [{ id: a, methods: [card] }]\n";

function limitOf({ limits }: RuleSnapshot, id: string): LimitSpec {
  const found = limits.find((limit) => limit.id === id);
  if (found === undefined) throw new Error(`there is no limit ${id}`);
  return found;
}

/** A frame with values of fields by path. */
function fillFrame(snapshot: RuleSnapshot, values: Readonly<Record<string, Value>>): Frame {
  const frame: Frame = {
    values: snapshot.slots.map((source) => (source.kind === "field" ? values[source.path] : undefined)),
    segments: new Uint8Array(snapshot.segments.length),
    lists: snapshot.lists,
    locals: [],
    nowMs: testNowMs,
    evalErrors: 0,
  };
  snapshot.matchSegments(frame);
  return frame;
}

describe("limits of a snapshot", () => {
  const snapshot = compileForTest(`${head}
segments:
  - { id: b-vip, when: player.age > 40 }
  - { id: a-young, when: player.age < 25 }
limits:
  - id: plain
    class: RISK
    measure: COUNT
    window: { rolling: 24h }
    thresholds: [{ count: 5 }]
  - id: full
    class: SAFER_GAMBLING
    kinds: [withdrawal, deposit]
    subject: KEY
    key: payment.method
    measure: DISTINCT
    distinct_of: card
    counted: AUTHORISATIONS
    counts: event.kind == "deposit" && event.funding != "prepaid"
    applies: payment.method == "card"
    window: { calendar: { period: WEEK, zone: Europe/Berlin, week_start: SUN } }
    thresholds: [{ segment: b-vip, count: 9 }, { segment: a-young, count: 2 }, { count: 3 }]
    breach: REVIEW
    on_unknown: APPLY
    reason: TOO_MANY_CARDS
    player_message_key: cards.many
    actions: [{ kind: LIMIT_PROMPT, key: k }]
    from: 2026-02-01T00:00:00Z
    until: 2027-02-01T00:00:00Z
  - id: net
    class: DEFAULT
    measure: NET
    counted_at: CLEARED
    net_floor_none: true
    window: { calendar: { period: FOUR_WEEKS, zone: Europe/Madrid, anchor: "2026-01-06" } }
    thresholds: [{ amount: { minor_units: 100, currency_code: EUR } }]
  - { id: of-psp, class: DEFAULT, subject: MID, measure: COUNT, window: { calendar: { period: DAY } }, thresholds: [{ count: 1 }] }
`);

  test("stand in order of id", () => {
    expect(snapshot.limits.map(({ id }) => id)).toEqual(["full", "net", "of-psp", "plain"]);
  });

  test("hold the defaults of the contract where they say nothing", () => {
    expect(limitOf(snapshot, "plain")).toEqual({
      id: "plain",
      ruleClass: "RISK",
      kinds: ["deposit"],
      subject: "player",
      key: undefined,
      measure: "COUNT",
      counted: "PAYMENTS",
      distinctOf: undefined,
      counts: undefined,
      applies: undefined,
      window: { kind: "rolling", spanMs: dayMs, offsetMs: 0 },
      thresholds: [{ segment: undefined, value: 5 }],
      currency: "",
      breach: "DENY",
      closesOnUnknown: false,
      countedAt: "DECIDED",
      netFloorNone: false,
      reason: "LIMIT_EXCEEDED",
      playerMessageKey: "",
      purposes: ["fraud"],
      actions: [],
      fromMs: undefined,
      untilMs: undefined,
    });
    expect(limitOf(snapshot, "of-psp")).toMatchObject({
      subject: "mid",
      breach: "EXCLUDE_PSP",
      purposes: ["payments"],
      window: { period: "DAY", zone: "UTC" },
    });
  });

  test("hold all that they say", () => {
    expect(limitOf(snapshot, "full")).toMatchObject({
      ruleClass: "SAFER_GAMBLING",
      kinds: ["deposit", "withdrawal"],
      subject: "key",
      key: { op: "slot", type: "string" },
      measure: "DISTINCT",
      distinctOf: "card",
      counted: "AUTHORISATIONS",
      counts: { op: "and" },
      applies: { op: "compare" },
      window: { kind: "calendar", period: "WEEK", zone: "Europe/Berlin", weekStart: 7 },
      // Ordinals of segments in order of id, thresholds in the order written.
      thresholds: [
        { segment: 1, value: 9 },
        { segment: 0, value: 2 },
        { segment: undefined, value: 3 },
      ],
      breach: "REVIEW",
      closesOnUnknown: true,
      reason: "TOO_MANY_CARDS",
      playerMessageKey: "cards.many",
      purposes: ["rg"],
      actions: [{ kind: "LIMIT_PROMPT", key: "k" }],
      fromMs: Date.UTC(2026, 1, 1),
      untilMs: Date.UTC(2027, 1, 1),
    });
    expect(limitOf(snapshot, "net")).toMatchObject({
      currency: "EUR",
      thresholds: [{ segment: undefined, value: 100 }],
      countedAt: "CLEARED",
      netFloorNone: true,
      window: { period: "FOUR_WEEKS", anchorDay: Date.UTC(2026, 0, 6) / dayMs },
    });
  });

  test("count by conditions over events", () => {
    const names = snapshot.eventSlots.map((source) => ("name" in source ? source.name : ""));
    const counts = buildPredicate(limitOf(snapshot, "full").counts!);
    const ask = (values: Readonly<Record<string, Value>>) =>
      counts({ ...fillFrame(snapshot, {}), values: names.map((name) => values[name]) });
    expect(ask({ kind: "deposit", funding: "debit" })).toBe(true);
    expect(ask({ kind: "deposit", funding: "prepaid" })).toBe(false);
    expect(ask({ kind: "deposit" })).toBeUndefined();
  });
});

describe("packs of a snapshot", () => {
  const text = `${head}
policy_packs:
  - id: gb
    jurisdiction: GB
    physical: true
    from: 2026-02-01T00:00:00Z
    until: 2026-12-01T00:00:00Z
    zone: Europe/London
    week_start: SUN
    limit_increase_wait: 36h
    confirm_after_wait: true
    limits:
      - id: weekly
        class: SAFER_GAMBLING
        on_unknown: APPLY
        measure: GROSS
        window: { calendar: { period: WEEK } }
        thresholds: [{ amount: { minor_units: 100, currency_code: EUR } }]
        applies: payment.method == "card"
        from: 2026-03-01T00:00:00Z
        until: 2027-01-01T00:00:00Z
      - id: own-zone
        class: REGULATORY
        on_unknown: SKIP
        measure: COUNT
        window: { calendar: { period: WEEK, zone: Europe/Paris, week_start: TUE } }
        thresholds: [{ count: 1 }]
    rules:
      - { id: z-all, class: REGULATORY, on_unknown: SKIP, effects: { deny: {} }, from: 2026-01-15T00:00:00Z }
      - { id: card, class: SAFER_GAMBLING, on_unknown: APPLY, when: card.funding == "credit" && payment.method == "card", effects: { deny: {} } }
  - { id: de, jurisdiction: DE }
rules:
  - { id: own, class: REGULATORY, priority: -1, on_unknown: SKIP, effects: { deny: {} } }
`;
  const snapshot = compileForTest(text);
  const packFromMs = Date.UTC(2026, 1, 1);
  const packUntilMs = Date.UTC(2026, 11, 1);

  test("say when and where they hold, and how long players wait", () => {
    expect(snapshot.packs).toEqual([
      {
        id: "de",
        jurisdiction: "DE",
        physical: false,
        fromMs: undefined,
        untilMs: undefined,
        zone: "UTC",
        weekStart: 1,
        limitIncreaseWaitMs: dayMs,
        confirmAfterWait: false,
        limits: [],
      },
      {
        id: "gb",
        jurisdiction: "GB",
        physical: true,
        fromMs: packFromMs,
        untilMs: packUntilMs,
        zone: "Europe/London",
        weekStart: 7,
        limitIncreaseWaitMs: 1.5 * dayMs,
        confirmAfterWait: true,
        limits: ["gb.own-zone", "gb.weekly"],
      },
    ]);
  });

  test("give their rules and limits their name, and cut them to when they are in force", () => {
    expect(snapshot.rules.map(({ id, fromMs, untilMs }) => [id, fromMs, untilMs])).toEqual([
      ["gb.z-all", packFromMs, packUntilMs],
      ["own", undefined, undefined],
      ["gb.card", packFromMs, packUntilMs],
    ]);
    expect(snapshot.ruleOrdinals.get("gb.card")).toBe(2);
    expect(limitOf(snapshot, "gb.weekly")).toMatchObject({
      fromMs: Date.UTC(2026, 2, 1),
      untilMs: packUntilMs,
      window: { zone: "Europe/London", weekStart: 7 },
    });
    expect(limitOf(snapshot, "gb.own-zone").window).toMatchObject({ zone: "Europe/Paris", weekStart: 2 });
  });

  const cases: readonly { name: string; values: Readonly<Record<string, Value>>; want: string }[] = [
    { name: "home", values: { "context.jurisdictions": ["GB"] }, want: "gb.z-all own gb.card+" },
    {
      name: "abroad",
      values: { "context.jurisdictions": ["SE"], "context.physical_country": "SE" },
      want: "own",
    },
    {
      name: "a visit",
      values: { "context.jurisdictions": ["SE"], "context.physical_country": "GB" },
      want: "gb.z-all own gb.card+",
    },
    { name: "a country that is not known", values: {}, want: "own gb.card?" },
    {
      name: "a country that is not known, far away",
      values: { "context.physical_country": "SE" },
      want: "own gb.card?",
    },
  ];
  test.each(cases)("hold for $name as their jurisdiction says", ({ values, want }) => {
    const card = { "card.funding_strict": "credit", "payment.method": "card" };
    const matches = { ordinals: new Int32Array(3), flags: new Uint8Array(3) };
    const frame = fillFrame(snapshot, { ...card, ...values });
    const found = snapshot.matchRules(frame, matches);
    const ids = [...matches.ordinals.subarray(0, found)].map((ordinal, at) => {
      const { id } = snapshot.rules[ordinal]!;
      return id === "gb.card" ? `${id}${matches.flags[at] === 0 ? "+" : "?"}` : id;
    });
    expect(ids.join(" ")).toBe(want);
    const applies = buildPredicate(limitOf(snapshot, "gb.weekly").applies!)(frame);
    expect(applies).toBe(want.includes("+") ? true : want.includes("?") ? undefined : false);
  });

  test("are one document with their defaults written out", () => {
    const written = text
      .replace("{ period: WEEK }", "{ period: WEEK, zone: Europe/London, week_start: SUN }")
      .replace(
        "jurisdiction: DE }",
        'jurisdiction: DE, zone: UTC, week_start: MON, limit_increase_wait: "86400s" }',
      );
    expect(written).not.toBe(text);
    expect(compileForTest(written).hash).toBe(snapshot.hash);
  });
});

describe("models of a snapshot", () => {
  const inputs = "inputs: [z_last, a_count]";
  const snapshot = compileForTest(`${head}
features:
  - { id: a_count, aggregate: { function: COUNT, events: [payment_approved] } }
  - { id: z_last, aggregate: { function: RATIO, events: [payment_approved], hit: event.kind == "deposit" } }
  - { id: score, model: z-linear }
models:
  - { id: z-linear, model_version: v7, ${inputs}, sigmoid: false, logistic: { intercept: 1, weights: [{ input: a_count, weight: 2 }, { input: z_last, weight: -4, missing: 0.5 }] } }
  - { id: a-trees, ${inputs}, base_score: 0.25, sigmoid: false, xgboost_json: '[{ "nodeid": 0, "leaf": 0.5 }]' }
`);
  const ask = (model: number, ...values: readonly number[]) =>
    snapshot.models[model]!.evaluate(Float64Array.from(values));

  test("stand in order of id, their inputs in the order of their columns", () => {
    expect(snapshot.models.map(({ id, version, inputs }) => [id, version, inputs])).toEqual([
      ["a-trees", "", 2],
      ["z-linear", "v7", 2],
    ]);
    const score = snapshot.features.find(({ id }) => id === "score");
    expect(score).toMatchObject({ type: "double", how: { kind: "model", model: 1, inputs: [2, 0] } });
  });

  test("are asked as they were written", () => {
    expect(ask(1, 0.5, 3)).toBe(5);
    expect(ask(1, Number.NaN, 3)).toBe(7.5);
    expect(ask(1, 0.5, Number.NaN)).toBeUndefined();
    expect(ask(0, 0, 0)).toBe(0.75);
  });
});
