import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../../test/helpers/compile.ts";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import type { Frame, Value } from "../../cel/expr.ts";
import { buildPredicate } from "../../cel/predicate.ts";
import { nameSource } from "../environment.ts";
import type { RuleSnapshot } from "../snapshot.ts";

const head = `psps: [{ id: a, methods: [card] }]
attributes: [{ name: level, subject: PLAYER, type: INT }, { name: score, subject: PLAYER, type: INT }]
lists: [{ id: chosen, values: [p-in, p-both] }, { id: barred, values: [p-out, p-both] }]
features:
  - { id: deposits_7d, aggregate: { function: COUNT, events: [payment_approved], window: { rolling: 7d } } }
  - { id: weeks, aggregate: { function: COUNT, events: [bet], window: { calendar: { period: WEEK, back: 1 } } } }
  - { id: both, derived: feature.deposits_7d + feature.weeks }
`;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

type Given = Readonly<Record<string, Value>>;

function match(
  snapshot: RuleSnapshot,
  given: Given,
  more: Partial<Frame> = {},
): Readonly<Record<string, number>> {
  const frame = fill(snapshot, given, more);
  snapshot.matchSegments(frame);
  return Object.fromEntries(snapshot.segments.map(({ id }, ordinal) => [id, frame.segments[ordinal]!]));
}

function fill(snapshot: RuleSnapshot, given: Given, more: Partial<Frame> = {}): Frame {
  return {
    values: snapshot.slots.map((source) => given[nameSource(source)]),
    segments: new Uint8Array(snapshot.segments.length),
    lists: snapshot.lists,
    locals: [],
    nowMs: testNowMs,
    evalErrors: 0,
    ...more,
  };
}

function remember(
  snapshot: RuleSnapshot,
  truths: Readonly<Record<string, number>>,
): Pick<Frame, "remembered"> {
  return { remembered: Uint8Array.from(snapshot.segments, ({ id }) => truths[id] ?? 0) };
}

describe("a segment with lists", () => {
  const snapshot = compileForTest(`${head}
segments:
  - { id: listed, when: player.level > 3, include_list: chosen, exclude_list: barred }
  - { id: only, include_list: chosen }
  - { id: sticky, when: player.level > 3, dwell_min: 1h, include_list: chosen, exclude_list: barred }
`);
  test.each([
    ["p-in", 0, 1, 1],
    ["p-both", 0, 1, 1],
    ["p-out", 9, 0, 0],
    ["p", 9, 1, 0],
    ["p", 0, 0, 0],
  ])("%s of level %i: listed is %i, only is %i", (playerId, level, listed, only) => {
    const given = { "player.id": playerId, "player.level": level };
    expect(match(snapshot, given)).toMatchObject({ listed, only });
  });

  test("keeps to them whatever is remembered", () => {
    const of = (playerId: string, was: number) =>
      match(snapshot, { "player.id": playerId }, remember(snapshot, { sticky: was })).sticky;
    expect([of("p-in", 0), of("p-both", 0), of("p-out", 1), of("p", 1), of("p", 0)]).toEqual([1, 1, 0, 1, 0]);
  });

  test("tells which they are", () => {
    const [listed] = snapshot.segments;
    expect(snapshot.listIds[listed!.includeList!]).toBe("chosen");
    expect(snapshot.listIds[listed!.excludeList!]).toBe("barred");
  });
});

describe("a segment with a memory", () => {
  const snapshot = compileForTest(`${head}
segments:
  - { id: dwelling, when: player.level > 3, dwell_min: 48h }
  - { id: leaving, when: player.level > 3, exit_when: player.level < 2, exclude_list: barred }
  - { id: reader, when: '!segment("dwelling")' }
  - { id: plain, when: player.level > 3 }
`);
  const info = Object.fromEntries(snapshot.segments.map((segment) => [segment.id, segment]));

  test("says so", () => {
    expect(info.dwelling).toMatchObject({ hasMemory: true, dwellMinMs: 48 * hourMs, needsPayment: false });
    expect(info.leaving).toMatchObject({ hasMemory: true, dwellMinMs: 0 });
    expect(info.reader).toMatchObject({ hasMemory: false });
    expect(info.plain).toMatchObject({ hasMemory: false });
  });

  test("is unknown where nobody remembers", () => {
    const given = { "player.id": "p", "player.level": 9 };
    expect(match(snapshot, given)).toEqual({ dwelling: 2, leaving: 2, reader: 2, plain: 1 });
  });

  test("is what is remembered, for those that read it too", () => {
    const given = { "player.id": "p", "player.level": 9 };
    const remembered = remember(snapshot, { dwelling: 1, leaving: 0, plain: 0 });
    expect(match(snapshot, given, remembered)).toEqual({ dwelling: 1, leaving: 0, reader: 0, plain: 1 });
  });

  test("gives its exit, lists included, and none where none is said", () => {
    const exit = buildPredicate(snapshot.segmentExit(1)!);
    const leaves = (playerId: string, level: number): boolean | undefined =>
      exit(fill(snapshot, { "player.id": playerId, "player.level": level }));
    expect([leaves("p", 1), leaves("p", 3), leaves("p-out", 3)]).toEqual([true, false, true]);
    expect(snapshot.segmentExit(0)).toBeUndefined();
  });
});

describe("a segment over windows", () => {
  const segments = `
segments:
  - { id: week, when: feature.deposits_7d > 2 }
  - { id: far, when: feature.both > 2 }
  - { id: through, when: 'segment("far") || player.level > 3' }
  - { id: plain, when: player.level > 3 }
  - { id: chosen, when: feature.deposits_7d > 2, include_list: chosen }
`;
  const snapshot = compileForTest(head + segments);
  const many = compileForTest(
    `${head + segments}${Array.from({ length: 64 }, (_, n) => `  - { id: more-${n}, when: player.score == ${n} }`).join("\n")}`,
  );
  const given = {
    "player.id": "p",
    "player.level": 9,
    "feature.deposits_7d": 3,
    "feature.both": 5,
  };
  const farMs = 2 * (7 * dayMs + hourMs);

  test("has the longest of them, through derived features and other segments", () => {
    const windows = Object.fromEntries(snapshot.segments.map(({ id, windowMsMax }) => [id, windowMsMax]));
    expect(windows).toEqual({ week: 7 * dayMs, far: farMs, through: farMs, plain: 0, chosen: 7 * dayMs });
  });

  test.each([
    { how: "one by one", rules: snapshot },
    { how: "through an index", rules: many },
  ])("warms until events cover it, $how", ({ rules }) => {
    const at = (coveredFromMs: number | undefined, playerId = "p") => {
      const more = coveredFromMs === undefined ? {} : { coveredFromMs };
      const { week, far, through, plain, chosen } = match(rules, { ...given, "player.id": playerId }, more);
      return [week, far, through, plain, chosen];
    };
    expect(at(undefined)).toEqual([1, 1, 1, 1, 1]);
    expect(at(testNowMs - farMs)).toEqual([1, 1, 1, 1, 1]);
    expect(at(testNowMs - farMs + 1)).toEqual([1, 2, 2, 1, 1]);
    expect(at(testNowMs - 7 * dayMs)).toEqual([1, 2, 2, 1, 1]);
    expect(at(testNowMs - 7 * dayMs + 1)).toEqual([2, 2, 2, 1, 2]);
    expect(at(testNowMs, "p-in")).toEqual([2, 2, 2, 1, 1]);
  });
});

describe("a lifecycle", () => {
  const stateIds = ["cold", "warm", "hot", "rest"];
  const snapshot = compileForTest(`${head}
lifecycles:
  - id: journey
    purposes: [MARKETING]
    states:
      - { id: cold, when: player.level > 3 }
      - { id: warm, when: player.score > 5 }
      - { id: hot, when: player.score > 2 || player.level == 0 }
      - { id: rest }
  - id: slow
    states: [{ id: a, when: player.level > 3, dwell_min: 1d }, { id: b }]
segments:
  - { id: reader, when: 'segment("journey.warm")' }
`);

  test("has its states as segments", () => {
    const [journey, slow] = snapshot.lifecycles;
    expect(journey?.states.map(({ id }) => id)).toEqual(stateIds);
    expect(journey?.states.map(({ segment }) => snapshot.segments[segment]?.id)).toEqual(
      stateIds.map((id) => `journey.${id}`),
    );
    expect(snapshot.segments[journey!.states[0]!.segment]).toMatchObject({
      purposes: ["marketing"],
      hasMemory: false,
    });
    const memories = slow?.states.map(({ segment }) => snapshot.segments[segment]!);
    expect(memories?.map(({ hasMemory, dwellMinMs }) => [hasMemory, dwellMinMs])).toEqual([
      [true, dayMs],
      [true, 0],
    ]);
  });

  const value = fc.option(fc.integer({ min: 0, max: 8 }), { nil: undefined });
  test("is in exactly one state, the first whose condition holds, where all is known", () => {
    const known = fc.record({
      "player.level": fc.integer({ min: 0, max: 8 }),
      "player.score": fc.integer({ min: 0, max: 8 }),
    });
    fc.assert(
      fc.property(known, (given) => {
        const truths = match(snapshot, given);
        const [level, score] = [given["player.level"], given["player.score"]];
        const first = level > 3 ? "cold" : score > 5 ? "warm" : score > 2 || level === 0 ? "hot" : "rest";
        expect(stateIds.filter((id) => truths[`journey.${id}`] === 1)).toEqual([first]);
        expect(stateIds.filter((id) => truths[`journey.${id}`] === 0)).toHaveLength(3);
        expect(truths.reader).toBe(truths["journey.warm"]);
      }),
      { numRuns: countRuns(200) },
    );
  });

  test("is never in two states, whatever is unknown", () => {
    fc.assert(
      fc.property(value, value, (level, score) => {
        const truths = match(snapshot, { "player.level": level, "player.score": score });
        const states = stateIds.map((id) => truths[`journey.${id}`]);
        expect(states.filter((truth) => truth === 1).length).toBeLessThanOrEqual(1);
        if (!states.includes(1)) expect(states).toContain(2);
      }),
      { numRuns: countRuns(200) },
    );
  });
});

test("a condition that only a payment can answer needs one, through other segments too", () => {
  const snapshot = compileForTest(`${head}
segments:
  - { id: paying, when: payment.method == "card" }
  - { id: reader, when: 'segment("paying") && player.level > 1' }
  - { id: stored, when: 'player.level > 1 && feature.both > 1 && local_hour(now, "Europe/Berlin") < 6' }
`);
  expect(snapshot.segments.map(({ id, needsPayment }) => [id, needsPayment])).toEqual([
    ["paying", true],
    ["reader", true],
    ["stored", false],
  ]);
});
