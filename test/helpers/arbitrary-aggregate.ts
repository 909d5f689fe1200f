/** Aggregates of every kind and streams of events around the edges of their windows, for property tests. */
import fc from "fast-check";
import type { SlotSource } from "../../src/core/cel/environment.ts";
import type { Expr } from "../../src/core/cel/expr.ts";
import type {
  AggregateFunction,
  AggregateOf,
  AggregateSpec,
  WindowSpec,
} from "../../src/core/features/feature.ts";
import { reversedType } from "../../src/core/history/history.ts";
import { hourAt, openZone } from "../../src/core/local-time.ts";
import { buildFx } from "../../src/core/money.ts";
import type { ListedEvent } from "./listed-history.ts";
import type { PlainCondition } from "./naive-aggregate.ts";

const zone = "Europe/Copenhagen";
const clock = openZone(zone);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
export const rates = { GBP: [115, 100], JPY: [5, 10] } as const;
const built = buildFx({
  rates: [
    { from: "GBP", to: "EUR", rate: "1.15" },
    // A yen is 100 minor units of a euro to 1 of its own: half a cent is 0.005 EUR.
    { from: "JPY", to: "EUR", rate: "0.005" },
  ],
});
if (!built.ok) throw new Error("rates");
export const { fx } = built;

export const eventSlots: SlotSource[] = ["type", "at", "amount_minor", "currency", "method", "weight"].map(
  (name) => ({
    kind: "event",
    name,
  }),
);
const slot = (name: string, type: "int" | "double" | "string" | "timestamp"): Expr => ({
  op: "slot",
  type,
  slot: eventSlots.findIndex((source) => source.kind === "event" && source.name === name),
});
const compare = (left: Expr, how: "eq" | "gt" | "lt", value: number | string): Expr => ({
  op: "compare",
  type: "bool",
  how,
  left,
  right: { op: "const", type: typeof value === "string" ? "string" : "int", value },
});

export type Condition = { readonly expr: Expr; readonly holds: PlainCondition };
const weightOf = ({ wides }: ListedEvent): number | undefined => wides?.weight;
const isCard: Condition = {
  expr: compare(slot("method", "string"), "eq", "card"),
  holds: ({ values }) => (values?.method === undefined ? undefined : values.method === "card"),
};
const isHeavy: Condition = {
  expr: compare(slot("weight", "int"), "gt", 3),
  holds: (event) => (weightOf(event) === undefined ? undefined : weightOf(event)! > 3),
};
const conditions: readonly Condition[] = [
  isCard,
  isHeavy,
  {
    expr: compare(slot("amount_minor", "int"), "gt", 500),
    holds: ({ currency, amountMinor }) => (currency === undefined ? undefined : amountMinor! > 500),
  },
  {
    expr: { op: "or", type: "bool", args: [isCard.expr, isHeavy.expr] },
    holds: (event) => isCard.holds(event) === true || isHeavy.holds(event) === true,
  },
  { expr: { op: "not", type: "bool", arg: isCard.expr }, holds: (event) => isCard.holds(event) === false },
  {
    expr: compare({ op: "localHour", type: "int", at: slot("at", "timestamp"), zone }, "lt", 6),
    holds: ({ atMs }) => hourAt(atMs, clock) < 6,
  },
  {
    expr: { op: "not", type: "bool", arg: { op: "has", type: "bool", slot: 5 } },
    holds: (event) => weightOf(event) === undefined,
  },
];

/** Around both changes of clocks, so that windows and days cross them. */
export const nows = ["2026-03-29T11:00Z", "2026-10-26T00:30Z", "2026-11-22T22:00Z"].map((text) =>
  Date.parse(text),
);
const windows: readonly WindowSpec[] = [
  { kind: "rolling", spanMs: dayMs, offsetMs: 0 },
  { kind: "rolling", spanMs: hourMs, offsetMs: 0 },
  { kind: "rolling", spanMs: 2 * dayMs, offsetMs: dayMs },
  { kind: "calendar", period: "DAY", zone, weekStart: 1, anchorDay: 0, back: 0 },
  { kind: "calendar", period: "DAY", zone, weekStart: 1, anchorDay: 0, back: 1 },
  { kind: "calendar", period: "WEEK", zone, weekStart: 1, anchorDay: 0, back: 0 },
  { kind: "last", count: 3 },
  { kind: "session" },
  { kind: "lifetime" },
];

const types = ["payment_attempted", "payment_approved", "bonus_offered"];
const amount: AggregateOf = { kind: "amount", currency: "EUR" };
const ofs: Readonly<Record<AggregateFunction, readonly AggregateOf[]>> = {
  COUNT: [amount],
  RATIO: [amount],
  STREAK: [amount],
  WILSON_LOWER: [amount],
  MEDIAN_GAP: [amount],
  UNANSWERED: [amount],
  FOLLOWED: [amount],
  LONGEST_SESSION: [amount],
  SUM: [amount, { kind: "wide", name: "weight", isText: false }, { kind: "plain", name: "level" }],
  AVG: [amount],
  MIN: [amount, { kind: "at" }],
  MAX: [amount, { kind: "wide", name: "weight", isText: false }],
  STDDEV: [amount],
  DECAYED_SUM: [amount],
  PERCENTILE: [amount, { kind: "plain", name: "level" }],
  DISTINCT: [
    { kind: "plain", name: "method" },
    { kind: "wide", name: "weight", isText: false },
    { kind: "localDay", zone },
    { kind: "localWeek", zone },
  ],
  FIRST: [amount, { kind: "plain", name: "method" }, { kind: "at" }],
  LAST: [amount, { kind: "plain", name: "method" }, { kind: "wide", name: "weight", isText: false }],
  MODE: [{ kind: "plain", name: "method" }],
};
const functions = Object.keys(ofs) as AggregateFunction[];

/** Ages that sit on the edges of the windows, and a ms beside them. */
const age = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(0, hourMs, dayMs, 3 * dayMs, 11 * hourMs, 12 * hourMs, 13 * hourMs, 25 * hourMs),
      fc.integer({ min: 0, max: 16 }).map((quarters) => quarters * 900_000),
      fc.integer({ min: 0, max: 100 * hourMs }),
    ),
    fc.integer({ min: -1, max: 1 }),
  )
  .map(([ageMs, ms]) => ageMs + ms);

/** Events at ages, so that the same ones can be tried at every now. */
export type Aged = Omit<ListedEvent, "atMs"> & { readonly ageMs: number };

export const event = fc
  .record({
    ageMs: age,
    type: fc.constantFrom(...types, reversedType),
    money: fc.option(
      fc.record({
        amountMinor: fc.integer({ min: 1, max: 1_000 }),
        currency: fc.constantFrom("EUR", "EUR", "GBP", "JPY", "XXX"),
      }),
    ),
    method: fc.option(fc.constantFrom("card", "wallet", "bank")),
    level: fc.option(fc.integer({ min: 1, max: 4 })),
    weight: fc.option(fc.integer({ min: 0, max: 6 })),
  })
  .map(
    ({ ageMs, type, money, method, level, weight }): Aged => ({
      ageMs,
      type,
      ...money,
      values: { ...(method && { method }), ...(level && { level }) },
      ...(weight !== null && { wides: { weight } }),
    }),
  );

/** Sessions with names of their own, some without an end. */
export const sessions = fc
  .array(fc.tuple(age, fc.option(fc.integer({ min: 0, max: 5 * hourMs }))), { maxLength: 4 })
  .map((pairs) =>
    pairs.flatMap(([ageMs, lengthMs], session): Aged[] => [
      { ageMs, type: "session_start", wides: { session } },
      ...(lengthMs === null ? [] : [{ ageMs: ageMs - lengthMs, type: "session_end", wides: { session } }]),
    ]),
  );

export type Definition = {
  readonly spec: AggregateSpec;
  readonly where: Condition | undefined;
  readonly hit: Condition | undefined;
};

export const definition: fc.Arbitrary<Definition> = fc
  .record({
    name: fc.constantFrom(...functions),
    pick: fc.nat(),
    events: fc.subarray(types, { minLength: 1 }),
    where: fc.option(fc.constantFrom(...conditions), { nil: undefined }),
    hit: fc.constantFrom(...conditions),
    window: fc.constantFrom(...windows),
    minSamples: fc.integer({ min: 1, max: 3 }),
    percent: fc.constantFrom(1, 50, 90, 100),
    answers: fc.subarray(types, { minLength: 1 }),
    answerKey: fc.constantFrom("", "method", "weight"),
    answerWithinMs: fc.constantFrom(1, hourMs, dayMs),
    includeCurrent: fc.boolean(),
  })
  .map(({ name, pick, where, hit, events, ...rest }) => {
    const isSession = name === "LONGEST_SESSION";
    const isRelation = isSession || name === "FOLLOWED" || name === "UNANSWERED";
    const wantsHit = ["RATIO", "WILSON_LOWER", "STREAK", "FOLLOWED"].includes(name);
    const spec: AggregateSpec = {
      ...rest,
      // These look at all of a window; the checker refuses them the others.
      window: isRelation && rest.window.kind === "last" ? { kind: "lifetime" } : rest.window,
      includeCurrent: isRelation ? false : rest.includeCurrent,
      function: name,
      events: isSession ? ["session_start"] : events,
      where: where?.expr,
      hit: wantsHit ? hit.expr : undefined,
      of: ofs[name][pick % ofs[name].length],
      halfLifeMs: dayMs,
    };
    return { spec, where, hit: wantsHit ? hit : undefined };
  });
