import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Player, StoredAttribute } from "../player.ts";
import { type SegmentFlip, standBefore, sweepPlayer } from "./sweep.ts";
import { openTimeline, type SweepFacts, type Timeline } from "./timeline.ts";

/** The second before clocks in Paris jump from 2 to 3, so that hours, days of the week elsewhere and a change of the clock are near. */
const baseMs = Date.parse("2026-03-29T00:59:59.800Z");
const spanMs = 400;

const duration = fc.integer({ min: 1, max: 350 }).map((ms) => `duration("${ms}ms")`);
const instant = fc.oneof(
  fc.constantFrom("player.since", "player.last_at"),
  fc.integer({ min: -50, max: 450 }).map((ms) => `timestamp("${new Date(baseMs + ms).toISOString()}")`),
);
const sign = fc.constantFrom("<", "<=", ">", ">=", "==", "!=");
const zone = fc.constantFrom("Europe/Paris", "UTC", "Asia/Kathmandu");

const leaf = fc.oneof(
  fc
    .tuple(fc.constantFrom("silent", "within"), instant, duration)
    .map(([how, at, long]) => `${how}(${at}, ${long})`),
  fc.tuple(instant, sign, duration).map(([at, how, long]) => `now - ${at} ${how} ${long}`),
  fc.tuple(instant, sign, duration).map(([at, how, long]) => `now + ${long} ${how} ${at} + ${long}`),
  fc.tuple(instant, sign).map(([at, how]) => `now ${how} ${at}`),
  fc
    .tuple(instant, sign, fc.integer({ min: -1, max: 1 }))
    .map(([at, how, n]) => `int(now) - int(${at}) ${how} ${n}`),
  fc.tuple(instant, instant, duration).map(([a, b, long]) => `(now - ${a}) - (${b} - now) > ${long}`),
  fc.tuple(sign, fc.integer({ min: 0, max: 5 })).map(([how, n]) => `player.points ${how} ${n}`),
  fc
    .tuple(zone, sign, fc.integer({ min: 0, max: 6 }))
    .map(([z, how, n]) => `local_hour(now, "${z}") ${how} ${n}`),
  fc.tuple(zone, instant, duration).map(([z, at, long]) => `local_hour(${at} + ${long}, "${z}") == 3`),
  fc.tuple(zone, duration).map(([z, long]) => `local_hour(now - ${long}, "${z}") in [1, 3, 6]`),
  zone.map((z) => `local_weekday(now, "${z}") == 7`),
  fc.tuple(instant, duration).map(([at, long]) => `(now > ${at} ? now - ${at} : duration("0s")) < ${long}`),
  fc
    .tuple(instant, fc.integer({ min: 1, max: 5 }))
    .map(([at, n]) => `double(int(now) - int(${at})) * 2.5 < ${n}.0`),
  fc
    .tuple(instant, duration)
    .map(([at, long]) => `["a", "b"].exists(x, x == player.tier && now - ${at} > ${long})`),
  fc.constantFrom("has(player.tier)", 'player.tier == "a"', "has(player.points)"),
);

const condition: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}) && (${b})`),
    fc.tuple(tie("node"), tie("node"), tie("node")).map(([a, b, c]) => `(${a}) || (${b}) || (${c})`),
    tie("node").map((a) => `!(${a})`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a}) == (${b})`),
  ),
})).node;

const near = fc.integer({ min: -60, max: 300 }).map((ms) => baseMs + ms);
const attribute = <T extends StoredAttribute["value"]>(value: fc.Arbitrary<T>) =>
  fc.record(
    {
      value,
      setAtMs: near,
      ttlMs: fc.integer({ min: 1, max: 200 }),
      source: fc.constant("test"),
    },
    { requiredKeys: ["value", "setAtMs", "source"] },
  );
const player: fc.Arbitrary<Player> = fc
  .record(
    {
      since: attribute(near),
      last_at: attribute(near),
      points: attribute(fc.integer({ min: 0, max: 5 })),
      tier: attribute(fc.constantFrom("a", "b")),
    },
    { requiredKeys: [] },
  )
  .map((attributes) => ({
    playerId: "p",
    attributes: new Map(Object.entries(attributes) as [string, StoredAttribute][]),
    restrictions: [],
  }));

const declared = [
  { name: "since", type: "TIMESTAMP" },
  { name: "last_at", type: "TIMESTAMP" },
  { name: "points", type: "INT" },
  { name: "tier", type: "STRING" },
].map((each) => ({ ...each, subject: "PLAYER" }));

function compile(segments: readonly object[]): Timeline {
  return openTimeline(
    compileForTest(
      JSON.stringify({
        name: "test",
        attributes: declared,
        segments,
        psps: [{ id: "a", methods: ["card"] }],
      }),
    ),
  );
}

/** Random conditions are sometimes refused, as they can never hold. */
function compileIfPossible(segments: readonly object[]): Timeline | undefined {
  try {
    return compile(segments);
  } catch (refusal) {
    if (String(refusal).includes("never-holds")) return undefined;
    throw refusal;
  }
}

/** The flips by looking at every single millisecond. */
function stepThrough(
  timeline: Timeline,
  facts: SweepFacts,
  fromMs: number,
  toMs: number,
): readonly SegmentFlip[] {
  const sinceMs = standBefore(timeline).sinceMs.slice();
  const flips: SegmentFlip[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs++) {
    const wasIn = timeline.tracked.map((segment) => !Number.isNaN(sinceMs[segment]!));
    const judged = timeline.look(facts, atMs, sinceMs);
    for (const [place, segment] of timeline.tracked.entries()) {
      const isIn = judged.isMember(segment);
      if (isIn === wasIn[place] || !judged.isKnown(segment)) continue;
      flips.push({ segment, kind: isIn ? "ENTER" : "EXIT", atMs });
      sinceMs[segment] = isIn ? atMs : Number.NaN;
    }
  }
  return flips;
}

describe("sweeping a player through time", () => {
  test("finds every flip that looking at each millisecond finds, and none beside it", () => {
    fc.assert(
      fc.property(fc.tuple(condition, condition), player, ([first, second], who) => {
        const timeline = compileIfPossible([
          { id: "a", when: first },
          { id: "b", when: second },
          { id: "c", when: 'segment("a") && !segment("b")' },
        ]);
        fc.pre(timeline !== undefined);
        const facts: SweepFacts = { merchantId: "m", player: who, history: undefined };
        const fromMs = baseMs - 100;
        const toMs = baseMs + spanMs;
        const swept = sweepPlayer(timeline, facts, {
          standing: standBefore(timeline),
          nextMs: fromMs,
          toMs,
          looksMax: 10_000,
        });
        expect(swept.isDone).toBe(true);
        expect(swept.flips).toEqual(stepThrough(timeline, facts, fromMs, toMs));
        expect(swept.nextMs).toBeGreaterThan(toMs);
      }),
      { numRuns: countRuns(100) },
    );
  });
});
