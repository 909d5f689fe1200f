import { describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../test/helpers/compile.ts";
import { type ListedEvent, makeListedHistory } from "../../../test/helpers/listed-history.ts";
import { unknownBin } from "../bin/bin-table.ts";
import type { Value } from "../cel/expr.ts";
import { eventTypes } from "../events/event-types.ts";
import type { Payment } from "../payment.ts";
import { readFeatureValues } from "./frame-reader.ts";
import { markers } from "./markers.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const nowMs = testNowMs + 60 * dayMs + 12 * hourMs;

const snapshot = compileForTest(
  JSON.stringify({
    psps: [{ id: "alpha", methods: ["card"] }],
    features: [...markers.keys()].map((id) => ({ id, marker: id })),
  }),
);

const payment = {
  playerId: "p",
  currency: "EUR",
  amountMinor: 100,
  kind: "deposit",
  mode: "CASHIER",
  riskSignals: [],
  attributes: new Map(),
} as unknown as Payment;

/** What a marker says of a player with these events. */
function read(id: string, events: readonly ListedEvent[]): Value {
  for (const { type } of events) expect(eventTypes.has(type), type).toBe(true);
  const player = { playerId: "p", attributes: new Map(), restrictions: [] };
  const input = { payment, player, bin: unknownBin, licence: undefined, nowMs };
  const values = readFeatureValues(snapshot, { ...input, history: makeListedHistory(events) });
  return values.find((feature) => feature.id === id)!.value;
}

/** Events at these times before now, in ms. */
type Make = (agoMs: number) => ListedEvent;

const plain =
  (type: string, values: ListedEvent["values"] = {}): Make =>
  (agoMs) => ({ type, atMs: nowMs - agoMs, values });
const money =
  (type: string, amountMinor: number): Make =>
  (agoMs) => ({ type, atMs: nowMs - agoMs, amountMinor, currency: "EUR" });
const fact =
  (type: string, method = "card", amountMinor = 1_000): Make =>
  (agoMs) => ({ ...money(type, amountMinor)(agoMs), values: { kind: "deposit", method } });

const approved = fact("payment_approved");
const attempted = fact("payment_attempted");
const declined = fact("payment_declined");

/** So many events, an hour apart, the newest this long ago. */
function repeat(count: number, make: Make, agoMs = hourMs): ListedEvent[] {
  return Array.from({ length: count }, (_, at) => make(agoMs + at * hourMs));
}

/** So many pairs, the second event `afterMs` after the first. */
function follow(count: number, first: Make, second: Make, afterMs: number): ListedEvent[] {
  return [...repeat(count, first), ...repeat(count, second, hourMs - afterMs)];
}

const before = 8 * dayMs;
const bet = (amountMinor: number): Make => money("bet", amountMinor);
const lost = repeat(2, bet(500), 3 * hourMs);
const won = repeat(1, money("win", 90_000), 4 * hourMs);
/** 00:30 in Berlin, this many days ago. */
const midnight = (daysAgo: number): number => daysAgo * dayMs + 12.5 * hourMs;
const escalating = [
  ...repeat(3, bet(500), 2 * dayMs),
  ...Array.from({ length: 5 }, (_, at) => bet(1_000)(at * minuteMs)),
];
const night = (count: number): ListedEvent[] =>
  Array.from({ length: count }, (_, at) => plain("session_start")(midnight(1) - at * minuteMs));
const daytime = (count: number): ListedEvent[] =>
  Array.from({ length: count }, (_, at) => plain("session_start")(at * minuteMs));
const reset = (count: number, afterMs: number): ListedEvent[] =>
  Array.from({ length: count }, (_, at) => [
    plain("limit_reached")(midnight(at + 1) + 5 * hourMs),
    attempted(midnight(at + 1) - afterMs),
  ]).flat();

type Story = readonly [
  name: string,
  marker: string,
  marked: readonly ListedEvent[],
  not: readonly ListedEvent[],
];

const stories: readonly Story[] = [
  [
    "twice as many deposits as before",
    "deposit_spike",
    [...repeat(8, approved, before), ...repeat(4, approved)],
    [...repeat(8, approved, before), ...repeat(3, approved)],
  ],
  [
    "twice the sum of before",
    "deposit_spike",
    [...repeat(8, approved, before), fact("payment_approved", "card", 4_000)(hourMs)],
    [...repeat(8, approved, before), fact("payment_approved", "card", 3_999)(hourMs)],
  ],
  [
    "deposits within 10 minutes of declines",
    "chasing_losses",
    follow(3, declined, attempted, 10 * minuteMs - 1),
    follow(3, declined, attempted, 10 * minuteMs),
  ],
  [
    "a deposit after a big loss",
    "chasing_losses",
    [...repeat(1, bet(2_800), before), ...follow(1, bet(300), attempted, minuteMs)],
    [...repeat(1, bet(2_800), before), ...follow(1, bet(299), attempted, minuteMs)],
  ],
  ["five declines in a day", "repeated_declines", repeat(5, declined), repeat(5, declined, 20 * hourMs)],
  [
    "a third method",
    "more_methods",
    ["card", "wallet", "bank"].map((method) => fact("payment_approved", method)(hourMs)),
    [hourMs, before].flatMap((agoMs) =>
      ["card", "wallet", "bank"].map((method) => fact("payment_approved", method)(agoMs)),
    ),
  ],
  [
    "two cancelled withdrawals",
    "cancelled_withdrawals",
    repeat(2, money("withdrawal_cancelled", 100)),
    repeat(1, money("withdrawal_cancelled", 100)),
  ],
  [
    "a raised limit, and one tried to switch off",
    "limits_loosened",
    [money("deposit_limit_raised", 100)(hourMs), plain("limit_off_attempted")(dayMs)],
    [money("deposit_limit_raised", 100)(hourMs), money("deposit_limit_lowered", 100)(dayMs)],
  ],
  ["half of all play at night", "night_play", [...night(10), ...daytime(10)], [...night(9), ...daytime(11)]],
  ["too little play to tell", "night_play", [...night(20)], [...night(19)]],
  [
    "an open session of four hours",
    "long_session",
    [plain("session_start")(4 * hourMs)],
    [plain("session_start")(4 * hourMs - 1)],
  ],
  ["stakes doubled at a loss", "stake_escalation", escalating, [...escalating, ...won]],
  [
    "a second time-out",
    "repeated_time_outs",
    repeat(2, plain("time_out_set")),
    [plain("time_out_set")(hourMs), plain("time_out_set")(90 * dayMs)],
  ],
  [
    "a bonus asked for after a loss",
    "bonus_after_loss",
    [...lost, plain("bonus_requested")(3 * hourMs - minuteMs)],
    [...lost, ...won, plain("bonus_requested")(3 * hourMs - minuteMs)],
  ],
  [
    "a deposit after a failed check",
    "deposit_after_failed_check",
    follow(1, plain("affordability_checked", { result: "failed" }), approved, minuteMs),
    follow(1, plain("affordability_checked", { result: "passed" }), approved, minuteMs),
  ],
  [
    "deposits as soon as limits begin anew",
    "deposit_at_limit_reset",
    reset(2, 29 * minuteMs),
    reset(2, 31 * minuteMs),
  ],
];

describe("markers of harm", () => {
  test.each(stories)("%s (%s)", (_, id, marked, unmarked) => {
    expect(read(id, marked)).toBe(true);
    expect(read(id, unmarked)).toBe(false);
  });

  test("all have a story, and none marks a player of whom nothing is known", () => {
    expect(new Set(stories.map(([, id]) => id))).toEqual(new Set(markers.keys()));
    for (const id of markers.keys()) expect(read(id, []), id).toBe(false);
  });

  test("that compare amounts are unknown where an amount has no rate", () => {
    const foreign = { ...bet(2_800)(hourMs), currency: "SEK" };
    expect(read("bonus_after_loss", [foreign, plain("bonus_requested")(hourMs - minuteMs)])).toBeUndefined();
  });
});
