import { describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../../test/helpers/compile.ts";
import { readReads } from "../../cel/reads.ts";
import { markers } from "../../features/markers.ts";
import { createOverrideCompiler } from "../compile-override.ts";

const head = "psps: [{ id: a, methods: [card] }]\n";

describe("features of a snapshot", () => {
  const snapshot = compileForTest(`${head}
event_types:
  - { name: spin, has_amount: true, attributes: [{ name: wheel, type: STRING, values: [red, blue] }, { name: speed, type: DOUBLE }] }
attributes: [{ name: level, subject: PLAYER, type: INT }]
features:
  - { id: z_deposits_7d, aggregate: { function: COUNT, events: [payment_approved], where: 'event.kind == "deposit" && local_hour(event.at, "Europe/Berlin") < 6', window: { rolling: 7d, offset: 1d } } }
  - { id: a_doubled, derived: feature.z_deposits_7d * 2 + player.level }
  - { id: red_share, aggregate: { function: RATIO, events: [spin], hit: event.wheel == "red" && event.speed > 1.5, min_samples: 5, window: { calendar: { period: WEEK, zone: Europe/Berlin, back: 1 } } } }
  - { id: last_at, aggregate: { function: LAST, events: [payment_approved, payment_declined], of: at } }
segments:
  - { id: doubles, when: feature.a_doubled > 3 }
`);

  test("stand in order of id with their types", () => {
    expect(snapshot.features.map(({ id, type }) => `${id} ${String(type)}`)).toEqual([
      "a_doubled int",
      "last_at timestamp",
      "red_share double",
      "z_deposits_7d int",
    ]);
    expect(snapshot.featureOrder).toEqual([3, 0, 1, 2]);
  });

  test("hold windows, filters and what is aggregated", () => {
    const [, lastAt, share, deposits] = snapshot.features;
    expect(deposits?.how).toMatchObject({
      kind: "aggregate",
      aggregate: {
        function: "COUNT",
        events: ["payment_approved"],
        where: { op: "and" },
        window: { kind: "rolling", spanMs: 7 * 86_400_000, offsetMs: 86_400_000 },
      },
    });
    expect(share?.how).toMatchObject({
      aggregate: { hit: { op: "and" }, minSamples: 5, window: { kind: "calendar", period: "WEEK", back: 1 } },
    });
    expect(lastAt?.how).toMatchObject({
      aggregate: { of: { kind: "at" }, window: { kind: "lifetime" } },
    });
    expect(snapshot.eventSlots).toEqual(
      ["kind", "at", "wheel", "speed"].map((name) => ({ kind: "event", name })),
    );
  });

  test("give segments their longest window", () => {
    expect(snapshot.segments[0]).toMatchObject({
      windowMsMax: 8 * 86_400_000,
      hasMemory: false,
      needsPayment: false,
    });
  });
});

describe("an override", () => {
  const snapshot = compileForTest(`${head}
features:
  - { id: bets, aggregate: { function: COUNT, events: [bet] } }
  - { id: losing, purposes: [RG], aggregate: { function: COUNT, events: [bet] } }
  - { id: lost, derived: feature.losing * 2 }
segments:
  - { id: left, when: feature.bets > 3, exit_when: feature.lost > 4 }
`);
  const compile = (when: string, segment: string, effects: object) =>
    createOverrideCompiler(snapshot).compile({
      id: "one",
      subject: segment === "" ? { kind: "everyone" } : { kind: "segment", id: segment },
      when,
      kinds: ["deposit"],
      fromMs: testNowMs,
      untilMs: testNowMs + 1000,
      priority: 0,
      author: "ann",
      reason: "why",
      effectsJson: JSON.stringify(effects),
    });
  const offer = { actions: [{ kind: "OFFER", key: "o" }] };

  test("reads features of the rule set", () => {
    expect(compile("feature.bets > 5 && feature.lost > 2", "", { review: {} }).ok).toBe(true);
    expect(compile("feature.bests > 5", "", { review: {} })).toMatchObject({
      ok: false,
      faults: [{ field: "when", rule: "unknown-name" }],
    });
  });

  test.each([
    ["feature.losing > 5", "", "feature.losing"],
    ["feature.lost > 5", "", "feature.losing, read by feature.lost"],
    ["", "left", 'feature.losing, read by feature.lost, read by the segment "left"'],
  ])("sells to nobody by what harm tells: %s %s", (when, segment, what) => {
    const result = compile(when, segment, offer);
    expect(result).toMatchObject({
      ok: false,
      faults: [
        { rule: "marketing-reads-protected", message: `a marketing action may not depend on ${what}` },
      ],
    });
  });
});

describe("a chain of features", () => {
  const chain = (length: number): string =>
    Array.from(
      { length },
      (_, n) => `  - { id: f${n}, derived: ${n === length - 1 ? "player.age" : `feature.f${n + 1} + 1`} }`,
    ).join("\n");

  test("of 16 is read from its end, one of 17 is refused", () => {
    const { features, featureOrder } = compileForTest(`${head}features:\n${chain(16)}`);
    expect(featureOrder.map((ordinal) => features[ordinal]!.id)).toEqual(
      Array.from({ length: 16 }, (_, n) => `f${15 - n}`),
    );
    expect(() => compileForTest(`${head}features:\n${chain(17)}`)).toThrow(/features-too-deep/);
    expect(() => compileForTest(`${head}features:\n${chain(400)}`)).toThrow(/features-too-deep/);
  });
});

describe("values of events", () => {
  const types = `${head}
event_types:
  - { name: spin, attributes: [{ name: wheel, type: STRING, values: [red] }, { name: hot, type: BOOL }, { name: due, type: TIMESTAMP }] }
  - { name: roll, attributes: [{ name: wheel, type: STRING, values: [blue] }, { name: dice, type: INT }] }
`;
  const compile = (where: string, events = "[spin, roll]") =>
    compileForTest(
      `${types}features:\n  - { id: f, aggregate: { function: COUNT, events: ${events}, where: '${where}' } }`,
    );

  test("are typed, and have the values that any of the types gives them", () => {
    expect(() => compile('event.wheel == "red" || event.wheel == "blue"')).not.toThrow();
    expect(() => compile('event.wheel == "green"')).toThrow(/enum|never|domain|value/);
    expect(() => compile('event.wheel == "blue"', "[spin]")).toThrow();
    expect(() => compile('event.type == "bet"')).toThrow();
    expect(() => compile("event.hot && event.due < event.at && event.dice > 3")).not.toThrow();
    expect(() => compile("event.dice > 3", "[spin]")).toThrow(/unknown-name/);
    expect(() => compile('event.currency == "EUR" && event.amount_minor > 3')).not.toThrow();
    expect(() => compile("now > event.at")).toThrow(/event-only/);
    expect(() => compile('segment("x")')).toThrow(/unknown-segment/);
    expect(() => compile('payment.amount_in("EUR") > 3')).toThrow(/event-only/);
  });

  test.each([
    ["COUNT, events: [bet]", "feature.f >= 0", "feature.f < 0"],
    ["DISTINCT, events: [payment_approved], of: card", "feature.f == 0", "feature.f == -1"],
    ["LAST, events: [spin, roll], of: wheel", 'feature.f == "blue"', 'feature.f == "green"'],
    ["MODE, events: [spin], of: wheel", 'feature.f == "red"', 'feature.f == "blue"'],
  ])("bound %s: %s may hold, %s never", (aggregate, may, never) => {
    const use = (when: string) =>
      compileForTest(
        `${types}features:\n  - { id: f, aggregate: { function: ${aggregate} } }\nsegments: [{ id: s, when: '${when}' }]`,
      );
    expect(() => use(may)).not.toThrow();
    expect(() => use(never)).toThrow(/never/);
  });

  test.each([
    ["COUNT, events: [bet]", "int"],
    ["SUM, events: [bet], currency: EUR", "int"],
    ["SUM, events: [roll], of: dice", "int"],
    ["AVG, events: [roll], of: dice", "double"],
    ["MIN, events: [spin], of: due", "timestamp"],
    ["FIRST, events: [spin], of: hot", "bool"],
    ["LAST, events: [spin], of: wheel", "string"],
    ["MODE, events: [spin], of: wheel", "string"],
    ["DISTINCT, events: [payment_approved], of: card", "int"],
    ["DISTINCT, events: [bet], of: local_day, zone: Europe/Berlin", "int"],
    ["PERCENTILE, events: [bet], currency: EUR, percent: 90", "int"],
    ["DECAYED_SUM, events: [bet], currency: EUR, half_life: 7d", "double"],
    [
      "UNANSWERED, events: [crm_contacted], answers: [crm_clicked], answer_key: campaign, answer_within: 1d",
      "int",
    ],
    [
      'FOLLOWED, events: [payment_declined], answers: [payment_approved], hit: event.method == "card", answer_within: 1h',
      "int",
    ],
    ["LONGEST_SESSION, events: [session_start, session_end]", "int"],
  ])("%s is of type %s", (aggregate, type) => {
    const { features } = compileForTest(
      `${types}features:\n  - { id: f, aggregate: { function: ${aggregate} } }`,
    );
    expect(features[0]?.type).toBe(type);
  });
});

describe("markers of harm", () => {
  const all = [...markers.keys()];
  const section = (ids: readonly string[]): string =>
    `features:\n${ids.map((id, n) => `  - { id: m${n}, marker: ${id} }`).join("\n")}\n`;
  const snapshot = compileForTest(head + section(all));

  test("are all right: bools for safer gambling, each after its parts", () => {
    const byId = new Map(snapshot.features.map((feature) => [feature.id, feature]));
    for (const [n, id] of all.entries()) {
      expect(byId.get(`m${n}`), id).toMatchObject({
        type: "bool",
        purposes: ["rg"],
        how: { kind: "derived" },
      });
    }
    const places = new Map(snapshot.featureOrder.map((ordinal, place) => [ordinal, place]));
    expect(places.size).toBe(snapshot.features.length);
    for (const [ordinal, { how }] of snapshot.features.entries()) {
      for (const slot of how.kind === "derived" ? readReads(how.expr).slots : []) {
        const source = snapshot.slots[slot]!;
        if (source.kind === "feature") expect(places.get(source.ordinal)).toBeLessThan(places.get(ordinal)!);
      }
    }
  });

  test("have parts that nobody else can name", () => {
    const parts = snapshot.features.map(({ id }) => id).filter((id) => id.includes("."));
    expect(parts).toContain("marker.chasing_losses.after_bet");
    expect(() =>
      compileForTest(
        `${head}${section(["chasing_losses"])}segments: [{ id: s, when: feature.marker.chasing_losses.after_bet > 1 }]`,
      ),
    ).toThrow(/unknown-name/);
  });

  test("are made of the same parts where one is used twice", () => {
    const once = compileForTest(head + section(["chasing_losses"]));
    const twice = compileForTest(head + section(["chasing_losses", "chasing_losses"]));
    expect(twice.features.length).toBe(once.features.length + 1);
  });

  test("never sell", () => {
    const rule =
      "rules: [{ id: r, class: SEGMENT, when: feature.m0, effects: { actions: [{ kind: OFFER }] } }]";
    expect(() => compileForTest(head + section(["night_play"]) + rule)).toThrow(/marketing-reads-protected/);
    const derived = "  - { id: night, derived: '!feature.m0' }\n";
    expect(() =>
      compileForTest(head + section(["night_play"]) + derived + rule.replace("m0", "night")),
    ).toThrow(/marketing-reads-protected/);
  });
});
