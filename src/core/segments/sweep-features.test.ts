import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { History } from "../history/history.ts";
import { HistoryTable } from "../history/history-table.ts";
import { advanceMemory } from "./advance-memory.ts";
import { makePlayerInput } from "./player-input.ts";
import { type SegmentFlip, standBefore, sweepPlayer } from "./sweep.ts";
import { openMemory, openTimeline, type SweepFacts, type Timeline } from "./timeline.ts";

/** Midnight in Paris at the end of the day on which clocks went on: a day, a week and a month end near. */
const baseMs = Date.parse("2026-05-31T22:00:00.000Z");
const fromMs = baseMs - 250;
const toMs = baseMs + 250;

type EventSpec = {
  readonly type: string;
  readonly atMs: number;
  readonly amount: number;
  readonly game: string;
};

const eventTypes = [
  "bet",
  "payment_approved",
  "bonus_offered",
  "bonus_accepted",
  "session_start",
  "session_end",
];
const event: fc.Arbitrary<EventSpec> = fc.record({
  type: fc.constantFrom(...eventTypes),
  atMs: fc.integer({ min: fromMs - 150, max: toMs - 50 }),
  amount: fc.integer({ min: 0, max: 400 }),
  game: fc.constantFrom("a", "b", "c"),
});

function makeHistory(events: readonly EventSpec[]): History | undefined {
  const table = new HistoryTable();
  const number = table.open("m", { kind: "player", id: "p" });
  for (const [id, { type, atMs, amount, game }] of events.entries()) {
    const hasAmount = type === "bet" || type === "payment_approved";
    const label = {
      type,
      currency: hasAmount ? "EUR" : "",
      values: new Map(type === "bet" ? [["game", game]] : []),
      wides: type.startsWith("session") ? ["session"] : [],
    };
    const wides = type.startsWith("session") ? [Number.NaN] : [];
    table.place(
      number,
      { id: id + 1, atMs, amountMinor: hasAmount ? amount : 0, label, wides },
      { isPaymentFact: false },
    );
  }
  return table.view(number);
}

const ms = fc.integer({ min: 1, max: 300 }).map((n) => `${n}ms`);
const window = fc.oneof(
  ms.map((rolling) => ({ rolling })),
  fc.tuple(ms, ms).map(([rolling, offset]) => ({ rolling, offset })),
  fc.record({
    calendar: fc.record({
      period: fc.constantFrom("DAY", "WEEK", "MONTH"),
      zone: fc.constantFrom("Europe/Paris", "UTC"),
      back: fc.integer({ min: 0, max: 1 }),
    }),
  }),
  fc.constant({ last: 2 }),
  fc.constant({ session: true }),
  fc.constant({ lifetime: true }),
);
const money = { events: ["bet", "payment_approved"], of: "amount", currency: "EUR" };
const aggregate = fc.oneof(
  window.map((each) => ({ function: "COUNT", events: ["bet"], window: each })),
  window.map((each) => ({
    function: "COUNT",
    events: ["bet", "payment_approved"],
    where: 'event.currency == "EUR" && event.amount_minor > 200',
    window: each,
  })),
  window.map((each) => ({ function: "DISTINCT", events: ["bet"], of: "game", window: each })),
  fc
    .tuple(fc.constantFrom("SUM", "AVG", "MIN", "MAX", "STDDEV", "FIRST", "LAST"), window)
    .map(([how, each]) => ({ function: how, ...money, window: each })),
  fc
    .tuple(window, ms)
    .map(([each, half_life]) => ({ function: "DECAYED_SUM", ...money, half_life, window: each })),
  window.map((each) => ({
    function: "RATIO",
    events: ["bet", "payment_approved"],
    hit: 'event.currency == "EUR" && event.amount_minor > 100',
    min_samples: 2,
    window: each,
  })),
  window.map((each) => ({ function: "STREAK", events: ["bet"], hit: 'event.game == "a"', window: each })),
  fc.tuple(window, ms).map(([each, answer_within]) => ({
    function: "UNANSWERED",
    events: ["bonus_offered"],
    answers: ["bonus_accepted"],
    answer_within,
    window: each,
  })),
  window.map((each) => ({ function: "LONGEST_SESSION", events: ["session_start"], window: each })),
  window.map((each) => ({ function: "MEDIAN_GAP", events: ["bet"], window: each })),
  window.map((each) => ({ function: "MAX", events: ["bet"], of: "at", window: each })),
);

const sign = fc.constantFrom("<", "<=", ">", ">=", "==", "!=");
const feature = fc.constantFrom("feature.f0", "feature.f1", "feature.f2");
const leaf = fc.oneof(
  fc.tuple(feature, sign, fc.integer({ min: 0, max: 3 })).map(([f, how, n]) => `double(${f}) ${how} ${n}.0`),
  fc.tuple(feature, sign, fc.integer({ min: 0, max: 4 })).map(([f, how, n]) => `${f} ${how} ${n}`),
  fc
    .tuple(feature, sign, fc.integer({ min: 50, max: 700 }))
    .map(([f, how, n]) => `double(${f}) ${how} ${n}.0`),
  fc.tuple(feature, feature).map(([f, g]) => `double(${f}) > double(${g})`),
  feature.map((f) => `has(${f})`),
  fc.tuple(sign, fc.integer({ min: 1, max: 300 })).map(([how, n]) => `feature.both ${how} ${n}.0`),
  fc.integer({ min: 1, max: 300 }).map((n) => `silent(feature.latest, duration("${n}ms"))`),
  fc.integer({ min: 1, max: 300 }).map((n) => `now - feature.latest > duration("${n}ms")`),
);
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}) && (${b})`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}) || (${b})`),
    tie("node").map((a) => `!(${a})`),
  ),
})).node;

function compile(
  aggregates: readonly object[],
  segments: readonly object[],
  lifecycles: readonly object[],
): Timeline {
  const document = {
    name: "test",
    psps: [{ id: "a", methods: ["card"] }],
    features: [
      ...aggregates.map((each, at) => ({ id: `f${at}`, aggregate: each })),
      { id: "both", derived: "double(feature.f0) * 2.0 + double(feature.f1)" },
      { id: "latest", aggregate: { function: "LAST", events: ["bet", "session_end"], of: "at" } },
    ],
    segments,
    lifecycles,
  };
  return openTimeline(compileForTest(JSON.stringify(document)));
}

/** Random conditions are sometimes refused: they can never hold, or compare what can't be. */
function compileIfPossible(
  aggregates: readonly object[],
  segments: readonly object[],
  lifecycles: readonly object[],
): Timeline | undefined {
  try {
    return compile(aggregates, segments, lifecycles);
  } catch (refusal) {
    if (/never-holds|type-mismatch/.test(String(refusal))) return undefined;
    throw refusal;
  }
}

function stepThrough(timeline: Timeline, facts: SweepFacts): readonly SegmentFlip[] {
  const { sinceMs } = standBefore(timeline);
  const flips: SegmentFlip[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs++) {
    const wasIn = timeline.tracked.map((segment) => !Number.isNaN(sinceMs[segment]!));
    // Another object each time, so that nothing is kept from one look to the next.
    const history = facts.history && { ...facts.history };
    const judged = timeline.look({ ...facts, history }, atMs, sinceMs);
    for (const [place, segment] of timeline.tracked.entries()) {
      const isIn = judged.isMember(segment);
      if (isIn === wasIn[place] || !judged.isKnown(segment)) continue;
      flips.push({ segment, kind: isIn ? "ENTER" : "EXIT", atMs });
      sinceMs[segment] = isIn ? atMs : Number.NaN;
    }
  }
  return flips;
}

describe("sweeping a player with a history", () => {
  test("finds every flip that looking at each millisecond finds, whatever the features, and so do decisions", () => {
    let flipped = 0;
    fc.assert(
      fc.property(
        fc.tuple(aggregate, aggregate, aggregate),
        fc.tuple(condition, condition),
        fc.array(event, { maxLength: 12 }),
        fc.integer({ min: fromMs, max: toMs }),
        (aggregates, [first, second], events, midwayMs) => {
          const timeline = compileIfPossible(
            aggregates,
            [
              { id: "a", when: first },
              { id: "b", when: second },
              { id: "c", when: `segment("a") && (${second})`, dwell_min: "40ms" },
              { id: "d", when: first, exit_when: second },
              { id: "e", when: '!segment("c") && segment("d")' },
              { id: "f", when: 'segment("slow.two") || segment("quick.one")' },
            ],
            [
              {
                id: "slow",
                states: [
                  { id: "one", when: first, dwell_min: "30ms" },
                  { id: "two", when: second },
                  { id: "three" },
                ],
              },
              {
                id: "quick",
                states: [
                  { id: "one", when: second },
                  { id: "two", when: 'segment("slow.one")' },
                  { id: "three" },
                ],
              },
            ],
          );
          fc.pre(timeline !== undefined);
          const player = { playerId: "p", attributes: new Map(), restrictions: [] };
          const facts: SweepFacts = { merchantId: "m", player, history: makeHistory(events) };
          const from = { standing: standBefore(timeline), nextMs: fromMs, toMs, looksMax: 10_000 };
          // What happened before counts as having happened at the start.
          const standing = { ...from.standing, atMs: fromMs - 1 };
          const swept = sweepPlayer(timeline, facts, { ...from, standing });
          const stepped = stepThrough(timeline, facts);
          expect(swept.flips).toEqual(stepped);
          expect(swept.isDone).toBe(true);
          for (const start of [
            { standing, nextMs: fromMs },
            { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY },
          ]) {
            const midway = sweepPlayer(timeline, facts, { ...from, ...start, toMs: midwayMs });
            const memory = openMemory(timeline.snapshot);
            const input = makePlayerInput(facts, midwayMs);
            const remembered = advanceMemory(memory, input, start, undefined)!;
            const again = advanceMemory(memory, input, remembered.kept, undefined)!;
            for (const segment of memory.tracked) {
              const isIn = Number.isNaN(midway.standing.sinceMs[segment]) ? 0 : 1;
              expect([remembered.truths[segment], again.truths[segment]]).toEqual([isIn, isIn]);
            }
          }
          flipped += stepped.length;
        },
      ),
      { numRuns: countRuns(50) },
    );
    expect(flipped).toBeGreaterThan(0);
  });
});
