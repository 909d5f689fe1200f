import { describe, expect, test } from "vitest";
import {
  createListedLabels,
  type ListedEvent,
  makeListedHistory,
} from "../../../test/helpers/listed-history.ts";
import type { SlotSource } from "../cel/environment.ts";
import type { Expr, Value } from "../cel/expr.ts";
import { hashWide } from "../history/hash-wide.ts";
import { reversedType } from "../history/history.ts";
import { buildFx } from "../money.ts";
import { buildAggregates } from "./aggregate.ts";
import type { AggregateSpec } from "./feature.ts";
import type { CurrentRow } from "./stream.ts";

const built = buildFx({ rates: [{ from: "GBP", to: "EUR", rate: "1.15" }] });
if (!built.ok) throw new Error("rates");
const { fx } = built;
const nowMs = Date.parse("2026-11-22T12:00Z");
const hourMs = 3_600_000;
const eventSlots: SlotSource[] = [{ kind: "event", name: "kind" }];
const isDeposit: Expr = {
  op: "compare",
  type: "bool",
  how: "eq",
  left: { op: "slot", type: "string", slot: 0 },
  right: { op: "const", type: "string", value: "deposit" },
};

function make(spec: Partial<AggregateSpec>): AggregateSpec {
  return {
    function: "COUNT",
    events: ["bet"],
    where: undefined,
    hit: undefined,
    of: { kind: "amount", currency: "EUR" },
    window: { kind: "lifetime" },
    minSamples: 1,
    halfLifeMs: hourMs,
    percent: 50,
    answers: [],
    answerKey: "",
    answerWithinMs: 0,
    includeCurrent: false,
    ...spec,
  };
}

const bet = (agoMs: number, amountMinor: number, currency = "EUR"): ListedEvent => ({
  type: "bet",
  atMs: nowMs - agoMs,
  amountMinor,
  currency,
});

function computeAll(
  specs: readonly Partial<AggregateSpec>[],
  events: readonly ListedEvent[] | undefined,
  current?: CurrentRow,
): { readonly values: readonly Value[]; readonly errors: number } {
  const values = new Array<Value>(specs.length).fill("nothing");
  const features = specs.map((spec, ordinal) => ({ ordinal, type: "int" as const, spec: make(spec) }));
  const compute = buildAggregates(features, { eventSlots, lists: [], fx });
  const history = events && makeListedHistory(events);
  const into = { values, errorBounds: new Float64Array(specs.length) };
  return { errors: compute({ history, current, nowMs }, into), values };
}

const computeOne = (spec: Partial<AggregateSpec>, events: readonly ListedEvent[]): Value =>
  computeAll([spec], events).values[0];

describe("SEMANTICS 5.9: an empty window", () => {
  test.each([
    ["without a history", undefined],
    ["without events in it", [bet(2 * hourMs, 1)]],
  ])("%s counts 0 where counting has a meaning and is missing elsewhere", (_, events) => {
    const functions: [AggregateSpec["function"], Value][] = [
      ["COUNT", 0],
      ["SUM", 0],
      ["DISTINCT", 0],
      ["STREAK", 0],
      ["DECAYED_SUM", 0],
      ["UNANSWERED", 0],
      ["FOLLOWED", 0],
      ...(["AVG", "MIN", "MAX", "STDDEV", "RATIO", "FIRST", "LAST", "PERCENTILE", "MODE"] as const).map(
        (name) => [name, undefined] as [AggregateSpec["function"], Value],
      ),
      ["MEDIAN_GAP", undefined],
      ["LONGEST_SESSION", undefined],
      ["WILSON_LOWER", undefined],
    ];
    const window = { kind: "rolling", spanMs: hourMs, offsetMs: 0 } as const;
    const specs = functions.map(([name]) => ({ function: name, window, hit: isDeposit }));
    expect(computeAll(specs, events).values).toEqual(functions.map(([, value]) => value));
  });
});

describe("sums", () => {
  test("beyond 2^53 are missing and an evaluation error", () => {
    const half = 2 ** 52;
    const events = [bet(1, half), bet(2, half - 1)];
    expect(computeAll([{ function: "SUM" }], events)).toEqual({ values: [2 ** 53 - 1], errors: 0 });
    const over = computeAll([{ function: "SUM" }, { function: "AVG" }], [...events, bet(3, 1)]);
    expect(over).toEqual({ values: [undefined, undefined], errors: 2 });
  });

  test("are missing where an amount has no rate, and only those whose window holds it", () => {
    const events = [bet(hourMs / 2, 100), bet(2 * hourMs, 100, "SEK")];
    const windows = [1, 3].map(
      (hours) => ({ kind: "rolling", spanMs: hours * hourMs, offsetMs: 0 }) as const,
    );
    const specs = (["SUM", "MAX", "MIN", "DISTINCT", "PERCENTILE"] as const).flatMap((name) =>
      windows.map((window) => ({ function: name, window })),
    );
    const { values, errors } = computeAll(specs, events);
    expect(errors).toBe(0);
    expect(values.filter((_, at) => at % 2 === 0)).toEqual([100, 100, 100, 1, 100]);
    expect(values.filter((_, at) => at % 2 === 1)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("SEMANTICS 5.8: convert each amount by itself, half up", () => {
    // 1.15 and 1.15 are 1 and 1, together 2.30 would be 2; 3.45 is 3, 11.50 is 12.
    expect(computeOne({ function: "SUM" }, [bet(1, 1, "GBP"), bet(2, 1, "GBP")])).toBe(2);
    expect(computeOne({ function: "SUM" }, [bet(1, 10, "GBP"), bet(2, 10, "GBP")])).toBe(24);
  });
});

describe("rows", () => {
  test("that were taken back are seen by nothing, even by name", () => {
    const reversed = { ...bet(1, 100), type: reversedType };
    expect(computeOne({ events: ["bet", reversedType] }, [bet(2, 100), reversed])).toBe(1);
  });

  test("that lie ahead of now are not there yet", () => {
    expect(computeOne({}, [bet(0, 100), bet(-1, 100)])).toBe(1);
  });

  test("of labels that come up later are judged when they come", () => {
    const labels = createListedLabels();
    const compute = buildAggregates([{ ordinal: 0, type: "int", spec: make({ function: "SUM" }) }], {
      eventSlots,
      lists: [],
      fx,
    });
    const values: Value[] = [undefined];
    const into = { values, errorBounds: new Float64Array(1) };
    for (let batch = 1; batch <= 5; batch++) {
      const events = Array.from({ length: 40 * batch }, (_, at) => ({
        ...bet(at, 1),
        values: { game_type: `${at}` },
      }));
      compute({ history: makeListedHistory(events, { labels }), current: undefined, nowMs }, into);
      expect(values[0]).toBe(40 * batch);
    }
  });
});

test("the newest of different windows and numbers of rows are looked for apart", () => {
  const events = [1, 2, 3, 4].map((hours) => bet(hours * hourMs, hours));
  const rolling = (offsetMs: number) => ({ kind: "rolling", spanMs: 10 * hourMs, offsetMs }) as const;
  const specs: Partial<AggregateSpec>[] = [
    { function: "LAST", window: rolling(0) },
    { function: "LAST", window: rolling(2 * hourMs) },
    { function: "SUM", window: { kind: "last", count: 2 } },
    { function: "SUM", window: { kind: "last", count: 3 } },
    { function: "SUM", window: rolling(0) },
  ];
  expect(computeAll(specs, events).values).toEqual([1, 2, 3, 6, 10]);
});

describe("the payment at hand", () => {
  const current: CurrentRow = {
    label: {
      type: "payment_attempted",
      currency: "GBP",
      values: new Map([["kind", "deposit"]]),
      wides: ["ip"],
    },
    amountMinor: 100,
    readWide: () => hashWide("10.0.0.1"),
  };
  const attempts = { events: ["payment_attempted"], where: isDeposit };

  test("counts where an aggregate asks for it, with or without a history", () => {
    const specs = [
      attempts,
      { ...attempts, includeCurrent: true },
      { ...attempts, includeCurrent: true, function: "SUM" as const },
      { ...attempts, includeCurrent: true, events: ["payment_approved"] },
      { ...attempts, includeCurrent: true, window: { kind: "rolling", spanMs: 1, offsetMs: 1 } as const },
    ];
    expect(computeAll(specs, undefined, current).values).toEqual([0, 1, 115, 0, 0]);
    expect(computeAll(specs, [], current).values).toEqual([0, 1, 115, 0, 0]);
    expect(computeAll(specs, [], undefined).values).toEqual([0, 0, 0, 0, 0]);
  });

  test("is one value more only where it is a new one", () => {
    const of = { kind: "wide", name: "ip", isText: true } as const;
    const spec = { ...attempts, function: "DISTINCT" as const, of, includeCurrent: true };
    const attempt = (ip: string): ListedEvent => ({
      type: "payment_attempted",
      atMs: nowMs - 1,
      values: { kind: "deposit" },
      wides: { ip: hashWide(ip) },
    });
    expect(computeAll([spec], [attempt("10.0.0.1")], current).values).toEqual([1]);
    expect(computeAll([spec], [attempt("10.0.0.2")], current).values).toEqual([2]);
  });

  test("follows and answers what came before it", () => {
    const spec = {
      function: "FOLLOWED" as const,
      answers: ["payment_attempted"],
      hit: isDeposit,
      answerWithinMs: hourMs,
      includeCurrent: true,
    };
    const events = [bet(hourMs, 1), bet(hourMs - 1, 1), bet(0, 1)];
    expect(computeAll([spec], events, current).values).toEqual([2]);
    expect(computeAll([{ ...spec, includeCurrent: false }], events, current).values).toEqual([0]);
  });
});

describe("answers", () => {
  const offered = (agoMs: number, bonus: string): ListedEvent => ({
    type: "bonus_offered",
    atMs: nowMs - agoMs,
    wides: { bonus: hashWide(bonus) },
  });
  const accepted = (agoMs: number, bonus: string): ListedEvent => ({
    type: "bonus_accepted",
    atMs: nowMs - agoMs,
    values: { bonus },
  });
  const spec = {
    function: "UNANSWERED" as const,
    events: ["bonus_offered"],
    answers: ["bonus_accepted"],
    answerKey: "bonus",
    answerWithinMs: hourMs,
  };

  test.each<[string, readonly ListedEvent[], number]>([
    ["the time has not passed yet", [offered(hourMs - 1, "a")], 0],
    ["the time has just passed", [offered(hourMs, "a")], 1],
    ["an answer in the last ms", [offered(2 * hourMs, "a"), accepted(hourMs + 1, "a")], 0],
    ["an answer too late", [offered(2 * hourMs, "a"), accepted(hourMs, "a")], 1],
    ["an answer to something else", [offered(2 * hourMs, "a"), accepted(2 * hourMs - 1, "b")], 1],
    [
      "an answer at the same instant, before in order",
      [accepted(2 * hourMs, "a"), offered(2 * hourMs, "a")],
      0,
    ],
    ["an answer before", [accepted(2 * hourMs + 1, "a"), offered(2 * hourMs, "a")], 1],
    [
      "an event without the key",
      [{ type: "bonus_offered", atMs: nowMs - 2 * hourMs }, accepted(hourMs, "a")],
      1,
    ],
  ])("%s", (_, events, want) => {
    expect(computeOne(spec, events)).toBe(want);
  });

  test("an event does not follow itself, another of its kind does", () => {
    const self = { function: "FOLLOWED" as const, answers: ["bet"], answerWithinMs: 10 };
    expect(computeOne(self, [bet(100, 1)])).toBe(0);
    expect(computeOne(self, [bet(100, 1), bet(100, 1)])).toBe(2);
    expect(computeOne(self, [bet(100, 1), bet(91, 1)])).toBe(1);
    expect(computeOne(self, [bet(100, 1), bet(90, 1)])).toBe(0);
  });
});

describe("sessions", () => {
  const start = (agoMs: number, session?: string): ListedEvent => ({
    type: "session_start",
    atMs: nowMs - agoMs,
    ...(session && { wides: { session: hashWide(session) } }),
  });
  const end = (agoMs: number, session?: string): ListedEvent => ({
    ...start(agoMs, session),
    type: "session_end",
  });
  const longest = { function: "LONGEST_SESSION" as const, events: ["session_start"] };
  const inSession = { window: { kind: "session" } as const };

  test.each<[string, readonly ListedEvent[], number | undefined]>([
    ["an open one lasts up to now", [start(100)], 100],
    ["one with a name ends by its name", [start(100, "a"), start(90, "b"), end(50, "a"), end(45, "b")], 50],
    ["one without a name ends by the next end", [start(100), end(60), start(30), end(20)], 40],
    ["one without an end before a later one is not counted", [start(1_000, "a"), start(10, "b")], 10],
    ["one that began and ended at one instant has no length", [end(10, "a"), start(10, "a")], 0],
    ["an end without a start is nothing", [end(10, "a")], undefined],
  ])("%s", (_, events, want) => {
    expect(computeOne(longest, events)).toBe(want);
  });

  test("a window of a session holds what came from its start to its end", () => {
    expect(computeOne(inSession, [bet(101, 1), start(100), bet(100, 1), bet(50, 1), bet(0, 1)])).toBe(3);
    expect(computeOne(inSession, [start(100, "a"), bet(50, 1), end(50, "a"), bet(49, 1)])).toBe(1);
    expect(computeOne(inSession, [start(100, "a"), end(90, "b"), bet(50, 1)])).toBe(1);
    expect(computeOne(inSession, [bet(50, 1)])).toBe(0);
  });

  describe("whose start was folded away", () => {
    const labels = createListedLabels();
    const label = labels.intern(start(0));
    const sums = { count: 1, sumMinor: 0, minMinor: 0, maxMinor: 0 };
    const tile = { fromMs: nowMs - 200, untilMs: nowMs - 150, label, ...sums };
    const compute = (spec: Partial<AggregateSpec>, events: readonly ListedEvent[]): Value => {
      const history = makeListedHistory(events, { labels, tiles: [tile] });
      const values: Value[] = ["nothing"];
      const features = [{ ordinal: 0, type: "int" as const, spec: make(spec) }];
      const into = { values, errorBounds: new Float64Array(1) };
      buildAggregates(features, { eventSlots, lists: [], fx })({ history, current: undefined, nowMs }, into);
      return values[0];
    };
    const recent = { ...longest, window: { kind: "rolling", spanMs: 100, offsetMs: 0 } } as const;

    test("leave their window unknown", () => {
      expect(compute(inSession, [bet(10, 1)])).toBeUndefined();
      expect(compute(inSession, [start(20), bet(10, 1)])).toBe(1);
    });

    test("leave the longest unknown only where one of them may be it", () => {
      expect(compute(recent, [start(50, "a"), end(20, "a")])).toBe(30);
      expect(compute(recent, [start(50, "a"), end(20, "a"), end(10, "b")])).toBeUndefined();
      expect(compute(recent, [bet(10, 1)])).toBeUndefined();
    });
  });
});

test("what needs rows that were folded away is missing, what has all that it needs is not", () => {
  const labels = createListedLabels();
  const label = labels.intern(bet(0, 1));
  const tile = {
    fromMs: nowMs - 200,
    untilMs: nowMs - 150,
    label,
    count: 5,
    sumMinor: 5,
    minMinor: 1,
    maxMinor: 1,
  };
  const hit: Expr = { op: "const", type: "bool", value: true };
  const win = (agoMs: number): ListedEvent => ({ ...bet(agoMs, 1), type: "win" });
  const specs: Partial<AggregateSpec>[] = [
    { function: "SUM", events: ["win"] },
    { function: "STREAK", hit },
    { window: { kind: "last", count: 3 } },
    { window: { kind: "last", count: 2 } },
    { function: "LAST" },
    { function: "FIRST" },
  ];
  const history = makeListedHistory([bet(20, 7), bet(10, 8), win(1), win(2), win(3)], {
    labels,
    tiles: [tile],
  });
  const values = new Array<Value>(specs.length).fill("nothing");
  const features = specs.map((spec, ordinal) => ({ ordinal, type: "int" as const, spec: make(spec) }));
  const into = { values, errorBounds: new Float64Array(specs.length) };
  buildAggregates(features, { eventSlots, lists: [], fx })({ history, current: undefined, nowMs }, into);
  expect(values).toEqual([3, undefined, undefined, 2, 8, undefined]);
});

test("SEMANTICS 5.8: sums of tiles that are converted as a whole tell by how much that may be off", () => {
  const labels = createListedLabels();
  const label = labels.intern(bet(0, 10, "GBP"));
  // Two amounts of 10 are 12 each, and 20 together 23.
  const sums = { count: 2, sumMinor: 20, minMinor: 10, maxMinor: 10 };
  const tile = { fromMs: nowMs - 100, untilMs: nowMs - 50, label, ...sums };
  const values: Value[] = [undefined];
  const into = { values, errorBounds: new Float64Array(1) };
  const features = [{ ordinal: 0, type: "int" as const, spec: make({ function: "SUM" }) }];
  const history = makeListedHistory([], { labels, tiles: [tile] });
  buildAggregates(features, { eventSlots, lists: [], fx })({ history, current: undefined, nowMs }, into);
  expect(values[0]).toBe(23);
  expect(into.errorBounds[0]).toBe(1.5);
});

test("more different values than are told exactly come with a bound", () => {
  const events = Array.from({ length: 6_000 }, (_, at) => bet(at, at + 1));
  const values: Value[] = [undefined];
  const into = { values, errorBounds: new Float64Array(1) };
  const features = [{ ordinal: 0, type: "int" as const, spec: make({ function: "DISTINCT" }) }];
  const history = makeListedHistory(events);
  buildAggregates(features, { eventSlots, lists: [], fx })({ history, current: undefined, nowMs }, into);
  expect(into.errorBounds[0]).toBeGreaterThan(0);
  expect(Math.abs((values[0] as number) - 6_000)).toBeLessThanOrEqual(into.errorBounds[0]!);
});
