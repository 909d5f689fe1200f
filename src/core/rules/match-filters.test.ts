import { describe, expect, test } from "vitest";
import { rolloutBucket } from "../hash.ts";
import type { Payment } from "../payment.ts";
import { findSkip } from "./match-filters.ts";
import type { CompiledRule, WeeklyHours } from "./snapshot.ts";

const payment = { kind: "deposit", merchantId: "m", playerId: "player-1" } as Payment;
const rule = {
  id: "r",
  kinds: ["deposit"],
  fromMs: undefined,
  untilMs: undefined,
  hours: undefined,
  rollout: undefined,
} as unknown as CompiledRule;
const day = 1_440;
const hours = (fromMinute: number, untilMinute: number, zone = "UTC"): WeeklyHours => ({
  zone,
  spans: [{ fromMinute, untilMinute }],
});
/** A Monday. */
const mondayMs = Date.UTC(2026, 10, 16);
const at = (minute: number): number => mondayMs + minute * 60_000;

describe("what keeps a matching rule from acting", () => {
  test.each<{ name: string; rule: Partial<CompiledRule>; nowMs: number; skip: string | undefined }>([
    { name: "nothing", rule: {}, nowMs: at(0), skip: undefined },
    { name: "another kind", rule: { kinds: ["withdrawal"] }, nowMs: at(0), skip: "kind" },
    { name: "a ms before from", rule: { fromMs: at(1) }, nowMs: at(1) - 1, skip: "schedule" },
    { name: "at from", rule: { fromMs: at(1) }, nowMs: at(1), skip: undefined },
    { name: "a ms before until", rule: { untilMs: at(1) }, nowMs: at(1) - 1, skip: undefined },
    { name: "at until", rule: { untilMs: at(1) }, nowMs: at(1), skip: "schedule" },
    {
      name: "the first minute of its hours",
      rule: { hours: hours(60, 120) },
      nowMs: at(60),
      skip: undefined,
    },
    {
      name: "the minute before its hours",
      rule: { hours: hours(60, 120) },
      nowMs: at(60) - 1,
      skip: "hours",
    },
    {
      name: "the last ms of its hours",
      rule: { hours: hours(60, 120) },
      nowMs: at(120) - 1,
      skip: undefined,
    },
    { name: "the end of its hours", rule: { hours: hours(60, 120) }, nowMs: at(120), skip: "hours" },
    {
      name: "past the week's end",
      rule: { hours: hours(7 * day - 60, 7 * day + 60) },
      nowMs: at(59),
      skip: undefined,
    },
    {
      name: "behind the week's end",
      rule: { hours: hours(7 * day - 60, 7 * day + 60) },
      nowMs: at(60),
      skip: "hours",
    },
    {
      name: "Sunday before the week's end",
      rule: { hours: hours(7 * day - 60, 7 * day + 60) },
      nowMs: at(-1),
      skip: undefined,
    },
    {
      name: "hours in a zone",
      rule: { hours: hours(60, 120, "Europe/Berlin") },
      nowMs: at(0),
      skip: undefined,
    },
    {
      name: "before the epoch",
      rule: { hours: hours(0, day) },
      nowMs: Date.UTC(1969, 11, 29),
      skip: undefined,
    },
  ])("$name", ({ rule: parts, nowMs, skip }) => {
    expect(findSkip({ ...rule, ...parts }, payment, nowMs)).toBe(skip);
  });

  test.each([
    { name: "its salt", salt: "s", key: "s" },
    { name: "its id where it has no salt", salt: "", key: "r" },
  ])("a share is of the bucket by $name", ({ salt, key }) => {
    const bucket = rolloutBucket("m", key, "player-1");
    const skipAt = (shareBps: number) => findSkip({ ...rule, rollout: { shareBps, salt } }, payment, 0);
    expect(skipAt(bucket)).toBe("rollout");
    expect(skipAt(bucket + 1)).toBeUndefined();
  });
});
