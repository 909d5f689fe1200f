import { describe, expect, it } from "vitest";
import { findPatternFault, readDuration, readTimestamp } from "./constants.ts";

describe("a timestamp literal", () => {
  it.each([
    ["the epoch", "1970-01-01T00:00:00Z", 0],
    ["small letters", "1970-01-01t00:00:01z", 1_000],
    ["a fraction of three digits", "1970-01-01T00:00:00.007Z", 7],
    ["a fraction of one digit", "1970-01-01T00:00:00.5Z", 500],
    ["zeros behind the milliseconds", "1970-01-01T00:00:00.007000000Z", 7],
    ["east of Greenwich", "1970-01-01T02:00:00+02:00", 0],
    ["west of Greenwich", "1969-12-31T18:30:00-05:30", 0],
    ["a leap day", "2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["the first instant", "0001-01-01T00:00:00Z", -62_135_596_800_000],
    ["the last instant", "9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ])("reads %s", (_, text, ms) => {
    expect(readTimestamp(text)).toEqual({ ok: true, ms });
  });

  it.each([
    ["microseconds", "1970-01-01T00:00:00.000001Z"],
    ["a day that is not", "2026-02-29T00:00:00Z"],
    ["hour 24", "2026-01-01T24:00:00Z"],
    ["a leap second", "2016-12-31T23:59:60Z"],
    ["an offset of a day", "2026-01-01T00:00:00+24:00"],
    ["no zone", "2026-01-01T00:00:00"],
    ["a blank", "2026-01-01 00:00:00Z"],
    ["year 0", "0000-12-31T23:59:59Z"],
    ["before year 1 in UTC", "0001-01-01T00:00:00+01:00"],
    ["after year 9999 in UTC", "9999-12-31T23:59:59-01:00"],
    ["nothing", ""],
  ])("refuses %s", (_, text) => {
    expect(readTimestamp(text).ok).toBe(false);
  });
});

describe("a duration literal", () => {
  it.each([
    ["hours", "72h", 259_200_000],
    ["several units", "1h30m5s7ms", 5_405_007],
    ["a fraction", "1.5s", 1_500],
    ["a fraction without a whole", ".5s", 500],
    ["a fraction of milliseconds in nanoseconds", "1000000ns", 1],
    ["microseconds that make milliseconds", "2000us", 2],
    ["parts that make a millisecond together", "500us500us", 1],
    ["less than nothing", "-1h", -3_600_000],
    ["a plus", "+1s", 1_000],
    ["nothing at all", "0", 0],
    ["nothing below zero", "-0s", 0],
    ["the longest", "2562047h", 9_223_369_200_000],
  ])("reads %s", (_, text, ms) => {
    const read = readDuration(text);
    expect(read).toEqual({ ok: true, ms });
  });

  it.each([
    ["microseconds", "1us"],
    ["a third of a millisecond", "0.0003s"],
    ["days", "3d"],
    ["no unit", "5"],
    ["a blank", "1h 30m"],
    ["too long", "2562048h"],
    ["far too long", "999999999999999999h"],
    ["nothing", ""],
    ["a sign alone", "-"],
  ])("refuses %s", (_, text) => {
    expect(readDuration(text).ok).toBe(false);
  });
});

it("takes a pattern as RE2 does", () => {
  expect(findPatternFault("^4571(04|05)\\d+$")).toBeUndefined();
  expect(findPatternFault("(a)\\1")).toContain("invalid escape");
  expect(findPatternFault("^[a-z0-9._-]{1,64}@[a-z0-9-]{1,64}\\.com$")).toBeUndefined();
  expect(findPatternFault("(a|b|c){500}(d|e)")).toContain("1505 steps; at most 520");
});
