import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { HistoryTable } from "../history/history-table.ts";
import type { StoredAttribute } from "../player.ts";
import { advanceMemory } from "./advance-memory.ts";
import { explainSegment } from "./explain.ts";
import { makePlayerInput } from "./player-input.ts";
import { standBefore, sweepPlayer } from "./sweep.ts";
import { openMemory, openTimeline, type SweepFacts } from "./timeline.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.parse("2026-03-27T12:00:00Z");

type Given = {
  readonly segments: readonly object[];
  readonly features?: readonly object[];
  readonly attributes?: Readonly<Record<string, Partial<StoredAttribute> & Pick<StoredAttribute, "value">>>;
  /** Types of events by ms after the start. */
  readonly events?: readonly (readonly [string, number])[];
  readonly coveredFromMs?: number;
};

function open({ segments, features = [], attributes = {}, events = [], coveredFromMs }: Given) {
  const document = {
    name: "test",
    psps: [{ id: "a", methods: ["card"] }],
    attributes: [
      { name: "tier", subject: "PLAYER", type: "STRING" },
      { name: "visits", subject: "PLAYER", type: "INT" },
      { name: "seen_at", subject: "PLAYER", type: "TIMESTAMP" },
    ],
    lists: [{ id: "chosen", values: ["p"] }],
    features,
    segments,
  };
  const timeline = openTimeline(compileForTest(JSON.stringify(document)));
  const table = new HistoryTable();
  const number = table.open("m", { kind: "player", id: "p" });
  for (const [id, [type, afterMs]] of events.entries()) {
    const label = { type, currency: "EUR", values: new Map(), wides: [] };
    table.place(
      number,
      { id: id + 1, atMs: startMs + afterMs, amountMinor: 1_000, label, wides: [] },
      { isPaymentFact: false },
    );
  }
  const stored = Object.entries(attributes).map(([name, given]): [string, StoredAttribute] => [
    name,
    { setAtMs: startMs, source: "test", ...given },
  ]);
  const facts: SweepFacts = {
    merchantId: "m",
    player: { playerId: "p", attributes: new Map(stored), restrictions: [] },
    history: table.view(number),
    coveredFromMs,
  };
  return { timeline, facts };
}

/** Flips as [segment, kind, ms after the start], the start being looked at. */
function listFlips(given: Given, untilMs: number): readonly (readonly [string, string, number])[] {
  const { timeline, facts } = open(given);
  const standing = standBefore(timeline);
  const swept = sweepPlayer(timeline, facts, {
    standing,
    nextMs: startMs,
    toMs: startMs + untilMs,
    looksMax: 10_000,
  });
  expect(swept.isDone).toBe(true);
  return swept.flips.map(({ segment, kind, atMs }) => [
    timeline.snapshot.segments[segment]!.id,
    kind,
    atMs - startMs,
  ]);
}

const deposits = (rolling: string) => ({
  id: "deposits",
  aggregate: { function: "COUNT", events: ["payment_approved"], window: { rolling } },
});
const three = [0, 10, 20].map((hour) => ["payment_approved", hour * hourMs] as const);

describe("what flips by time alone", () => {
  test("a count falls when the event that it needs leaves, at exactly its instant and the window", () => {
    const segments = [
      { id: "two", when: "feature.deposits >= 2" },
      { id: "few", when: "feature.deposits <= 1" },
    ];
    expect(listFlips({ segments, features: [deposits("7d")], events: three }, 30 * dayMs)).toEqual([
      ["few", "ENTER", 0],
      ["few", "EXIT", 10 * hourMs],
      ["two", "ENTER", 10 * hourMs],
      ["few", "ENTER", 10 * hourMs + 7 * dayMs],
      ["two", "EXIT", 10 * hourMs + 7 * dayMs],
    ]);
  });

  test("looks at a count only when it can flip", () => {
    const { timeline, facts } = open({
      segments: [{ id: "many", when: "feature.deposits >= 2" }],
      features: [deposits("7d")],
      events: [...Array(50).keys()].map((hour) => ["payment_approved", hour * hourMs] as const),
    });
    const from = {
      standing: standBefore(timeline),
      nextMs: startMs,
      toMs: startMs + 30 * dayMs,
      looksMax: 1_000,
    };
    // 50 events, and the 49th leaving; the 48 before it leave unseen.
    expect(sweepPlayer(timeline, facts, from).looks).toBe(51);
  });

  test("the local day on which clocks go on has 23 hours", () => {
    const segments = [{ id: "sunday", when: 'local_weekday(now, "Europe/Berlin") == 7' }];
    const sundayMs = Date.parse("2026-03-28T23:00:00Z") - startMs;
    expect(listFlips({ segments }, 4 * dayMs)).toEqual([
      ["sunday", "ENTER", sundayMs],
      ["sunday", "EXIT", sundayMs + 23 * hourMs],
    ]);
  });

  test("a calendar day ends at midnight where it is counted, also across a change of the clock", () => {
    const features = [
      {
        id: "today",
        aggregate: {
          function: "COUNT",
          events: ["bet"],
          window: { calendar: { period: "DAY", zone: "Europe/Berlin" } },
        },
      },
    ];
    const sundayMs = Date.parse("2026-03-28T23:00:00Z") - startMs;
    const segments = [{ id: "played", when: "feature.today > 0" }];
    expect(listFlips({ segments, features, events: [["bet", sundayMs]] }, 30 * dayMs)).toEqual([
      ["played", "ENTER", sundayMs],
      ["played", "EXIT", sundayMs + 23 * hourMs],
    ]);
  });

  test("a player grows older at midnight in UTC", () => {
    const birth_date = { value: Date.parse("2008-02-29T00:00:00Z"), setAtMs: startMs - 60 * dayMs };
    const segments = [{ id: "adult", when: "player.age >= 19" }];
    expect(listFlips({ segments, attributes: { birth_date } }, 800 * dayMs)).toEqual([
      ["adult", "ENTER", Date.parse("2027-03-01T00:00:00Z") - startMs],
    ]);
  });

  test("an attribute is unknown from the end of its TTL on, and before it was set", () => {
    const tier = { value: "gold", setAtMs: startMs + 5, ttlMs: 100 };
    const segments = [{ id: "gold", when: 'player.tier == "gold"' }];
    expect(listFlips({ segments, attributes: { tier } }, dayMs)).toEqual([
      ["gold", "ENTER", 5],
      ["gold", "EXIT", 105],
    ]);
  });

  test("a decayed sum passes a bound when it has lost enough weight", () => {
    const features = [
      {
        id: "weight",
        aggregate: {
          function: "DECAYED_SUM",
          events: ["bet"],
          of: "amount",
          currency: "EUR",
          half_life: "10d",
        },
      },
    ];
    const segments = [{ id: "heavy", when: "feature.weight > 250.0" }];
    expect(listFlips({ segments, features, events: [["bet", 0]] }, 50 * dayMs)).toEqual([
      ["heavy", "ENTER", 0],
      ["heavy", "EXIT", 20 * dayMs],
    ]);
  });

  test("an offer is unanswered when the time to answer it has passed", () => {
    const features = [
      {
        id: "skipped",
        aggregate: {
          function: "UNANSWERED",
          events: ["bonus_offered"],
          answers: ["bonus_accepted"],
          answer_within: "24h",
        },
      },
    ];
    const segments = [{ id: "bored", when: "feature.skipped >= 1" }];
    expect(listFlips({ segments, features, events: [["bonus_offered", 0]] }, 50 * dayMs)).toEqual([
      ["bored", "ENTER", 24 * hourMs],
    ]);
  });

  test("nobody is in a segment that is warming, nor out for long when it is warm", () => {
    const given = {
      segments: [
        { id: "quiet", when: "feature.deposits == 0" },
        { id: "busy", when: "feature.deposits >= 1", dwell_min: "1h" },
        { id: "chosen", when: "feature.deposits >= 9", include_list: "chosen" },
      ],
      features: [deposits("7d")],
      events: [["payment_approved", 0]] as const,
      coveredFromMs: startMs - 5 * dayMs,
    };
    expect(listFlips(given, 30 * dayMs)).toEqual([
      ["chosen", "ENTER", 0],
      ["busy", "ENTER", 2 * dayMs],
      ["busy", "EXIT", 7 * dayMs],
      ["quiet", "ENTER", 7 * dayMs],
    ]);
  });

  test("goes on where it stopped", () => {
    const { timeline, facts } = open({
      segments: [{ id: "two", when: "feature.deposits >= 2", dwell_min: "8d" }],
      features: [deposits("7d")],
      events: three,
    });
    const toMs = startMs + 30 * dayMs;
    const whole = sweepPlayer(timeline, facts, {
      standing: standBefore(timeline),
      nextMs: startMs,
      toMs,
      looksMax: 1_000,
    });
    let from = { standing: standBefore(timeline), nextMs: startMs };
    const flips = [];
    for (;;) {
      const swept = sweepPlayer(timeline, facts, { ...from, toMs, looksMax: 1 });
      flips.push(...swept.flips);
      from = swept;
      if (swept.isDone) break;
    }
    expect(flips).toEqual(whole.flips);
    expect(from).toMatchObject({ standing: whole.standing, nextMs: whole.nextMs });
  });
});

describe("segments with a memory at a decision", () => {
  const given: Given = {
    segments: [{ id: "two", when: "feature.deposits >= 2", dwell_min: "8d" }],
    features: [deposits("7d")],
    events: three,
  };

  test("are remembered from what was kept, or from before everything", () => {
    const { timeline, facts } = open(given);
    const at = (afterMs: number) =>
      advanceMemory(timeline, makePlayerInput(facts, startMs + afterMs), undefined, undefined)?.truths;
    expect([at(10 * hourMs - 1), at(10 * hourMs)]).toEqual([Uint8Array.of(0), Uint8Array.of(1)]);
    const endMs = 10 * hourMs + 8 * dayMs;
    expect([at(endMs - 1), at(endMs)]).toEqual([Uint8Array.of(1), Uint8Array.of(0)]);
    const kept = sweepPlayer(timeline, facts, {
      standing: standBefore(timeline),
      nextMs: startMs,
      toMs: startMs + 3 * dayMs,
      looksMax: 100,
    });
    const later = (afterMs: number) =>
      advanceMemory(timeline, makePlayerInput(facts, startMs + afterMs), kept, undefined)?.truths;
    expect([later(endMs - 1), later(endMs)]).toEqual([Uint8Array.of(1), Uint8Array.of(0)]);
  });

  test("see lists of players in what they read, from the first event of any kind that some segment reads", () => {
    const { timeline, facts } = open({
      segments: [
        { id: "chosen", when: "player.visits > 1", include_list: "chosen" },
        { id: "paid", when: "feature.deposits >= 1" },
        { id: "stays", when: 'segment("chosen")', dwell_min: "8d" },
      ],
      features: [deposits("7d")],
      events: three,
    });
    const memory = openMemory(timeline.snapshot);
    expect(memory.tracked).toEqual([2]);
    const remembered = advanceMemory(memory, makePlayerInput(facts, startMs + dayMs), undefined, undefined);
    expect(remembered?.truths).toEqual(Uint8Array.of(0, 0, 1));
  });

  test("are nothing to remember where there are none", () => {
    const { timeline, facts } = open({ segments: [{ id: "a", when: "player.visits > 1" }] });
    expect(advanceMemory(timeline, makePlayerInput(facts, startMs), undefined, undefined)).toBeUndefined();
  });
});

describe("explaining a membership", () => {
  const features = [
    deposits("7d"),
    { id: "last_seen", aggregate: { function: "LAST", events: ["payment_approved", "bet"], of: "at" } },
  ];
  const lapsed = {
    id: "lapsed",
    when: 'feature.deposits >= 3 && silent(feature.last_seen, duration("72h"))',
  };
  const explain = (given: Given, afterMs: number, id = "lapsed") => {
    const { timeline, facts } = open(given);
    const segment = timeline.snapshot.segments.findIndex((each) => each.id === id);
    const atMs = startMs + afterMs;
    const { standing } = sweepPlayer(timeline, facts, {
      standing: standBefore(timeline),
      nextMs: startMs,
      toMs: atMs,
      looksMax: 1_000,
    });
    return explainSegment(timeline, facts, { segment, atMs, standing });
  };

  test("says what failed and by how much, the nearest first, and when it will flip", () => {
    const events = three.slice(0, 2);
    const explained = explain(
      { segments: [lapsed], features, events: [...events, ["bet", 20 * hourMs]] },
      91 * hourMs,
    );
    expect(explained).toMatchObject({
      truth: false,
      flipsAtMs: undefined,
      isWarming: false,
      memberSinceMs: undefined,
    });
    expect(explained.nearMisses).toEqual([
      { text: 'silent(feature.last_seen, duration("72h"))', value: "P2DT23H", wanted: "P3D", by: "PT1H" },
      { text: "feature.deposits >= 3", value: "2", wanted: "3", by: "1" },
    ]);
  });

  test("says when a player will enter, and when a member will leave", () => {
    const given = { segments: [lapsed], features, events: three };
    const before = explain(given, 91 * hourMs);
    expect(before.flipsAtMs).toBe(startMs + 92 * hourMs);
    expect(before.nearMisses).toHaveLength(1);
    const member = explain(given, 100 * hourMs);
    expect(member).toMatchObject({
      truth: true,
      nearMisses: [],
      flipsAtMs: startMs + 7 * dayMs,
      memberSinceMs: startMs + 92 * hourMs,
    });
  });

  test.each([
    { when: 'player.tier == "gold"', miss: { value: "silver", wanted: "gold", by: "" } },
    { when: 'player.tier in ["gold", "black"]', miss: { value: "silver", wanted: "gold, black", by: "" } },
    {
      when: '!(player.tier == "silver")',
      text: '!(player.tier == "silver")',
      miss: { value: "silver", wanted: "silver", by: "" },
    },
    { when: "player.visits > 7", miss: { value: "5", wanted: "7", by: "3" } },
    { when: "7 < player.visits", miss: { value: "5", wanted: "7", by: "3" } },
    {
      when: "!(player.visits <= 7)",
      text: "!(player.visits <= 7)",
      miss: { value: "5", wanted: "7", by: "3" },
    },
    { when: "has(player.seen_at)", miss: { value: "", wanted: "a value", by: "" } },
    { when: 'silent(player.seen_at, duration("1h"))', miss: { value: "", wanted: "PT1H", by: "" } },
    {
      when: 'player.seen_at > timestamp("2026-01-01T00:00:00Z")',
      miss: { value: "", wanted: "2026-01-01T00:00:00Z", by: "" },
    },
    { when: 'in_list(player.tier, "chosen")', miss: { value: "silver", wanted: "chosen", by: "" } },
    {
      when: 'now > timestamp("2026-03-27T12:00:01.500Z")',
      miss: { value: "2026-03-27T12:00:00Z", wanted: "2026-03-27T12:00:01.500Z", by: "PT1.501S" },
    },
  ])("names what it wanted of $when", ({ when, text, miss }) => {
    const attributes = { tier: { value: "silver" }, visits: { value: 5 } };
    const { nearMisses } = explain({ segments: [{ id: "it", when }], attributes }, 0, "it");
    expect(nearMisses).toEqual([
      { text: text ?? (when.startsWith("7") ? "7 < player.visits" : when), ...miss },
    ]);
  });

  test("looks into the segments that a segment reads", () => {
    const segments = [
      { id: "inner", when: "player.visits >= 6" },
      { id: "outer", when: 'segment("inner") && has(player.tier)' },
    ];
    const { nearMisses } = explain(
      { segments, attributes: { visits: { value: 5 }, tier: { value: "x" } } },
      0,
      "outer",
    );
    expect(nearMisses).toEqual([{ text: "player.visits >= 6", value: "5", wanted: "6", by: "1" }]);
  });

  test("tells that a segment is warming", () => {
    const explained = explain({ segments: [lapsed], features, events: three, coveredFromMs: startMs }, dayMs);
    expect(explained).toMatchObject({ truth: undefined, isWarming: true });
  });
});
