import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dayEndAt, hourEndAt, isTimeZone, localHour, localWeekday, openZone } from "./local-time.ts";

const zones = [
  "UTC",
  "Europe/Copenhagen",
  "America/New_York",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
];
/** Transitions of these zones, where an error of one step shows. */
const edges = [
  "2026-03-29T01:00Z",
  "2026-10-25T01:00Z",
  "2026-10-03T15:30Z",
  "2026-11-01T06:00Z",
  "2011-12-30T10:00Z",
].map((text) => Date.parse(text));
const instant = fc.oneof(
  fc.integer({ min: Date.parse("1970-01-01"), max: Date.parse("2040-01-01") }),
  fc.tuple(fc.constantFrom(...edges), fc.integer({ min: -3, max: 3 })).map(([edgeMs, off]) => edgeMs + off),
);

describe("localHour and localWeekday", () => {
  it("agree with Intl in any order of instants and zones", () => {
    const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const formats = new Map(
      zones.map((zone) => [
        zone,
        new Intl.DateTimeFormat("en-GB", {
          timeZone: zone,
          hour: "2-digit",
          hourCycle: "h23",
          weekday: "short",
        }),
      ]),
    );
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, atMs) => {
        const parts = formats.get(zone)!.formatToParts(atMs);
        const find = (type: string): string => parts.find((part) => part.type === type)!.value;
        expect(localHour(atMs, zone)).toBe(Number(find("hour")));
        expect(localWeekday(atMs, zone)).toBe(days.indexOf(find("weekday")) + 1);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["just before clocks go forward", "2026-03-29T00:59:59.999Z", "Europe/Copenhagen", 1],
    ["as clocks go forward", "2026-03-29T01:00:00.000Z", "Europe/Copenhagen", 3],
    ["just before clocks go back", "2026-10-25T00:59:59.999Z", "Europe/Copenhagen", 2],
    ["as clocks go back", "2026-10-25T01:00:00.000Z", "Europe/Copenhagen", 2],
    ["an hour after clocks went back", "2026-10-25T02:00:00.000Z", "Europe/Copenhagen", 3],
    [
      "a transition in the middle of a UTC hour, before",
      "2026-10-03T15:29:59.999Z",
      "Australia/Lord_Howe",
      1,
    ],
    ["a transition in the middle of a UTC hour, after", "2026-10-03T15:30:00.000Z", "Australia/Lord_Howe", 2],
    ["a quarter-hour offset", "2026-01-01T18:14:59.999Z", "Asia/Kathmandu", 23],
    ["before the epoch", "1969-12-31T23:59:59.999Z", "UTC", 23],
    ["a fixed offset", "2026-01-01T00:00:00.000Z", "+05:30", 5],
  ])("give the hour %s", (_name, instantText, zone, hour) => {
    expect(localHour(Date.parse(instantText), zone)).toBe(hour);
  });

  it.each([
    ["Monday", "2026-11-23T00:00:00Z", "UTC", 1],
    ["Sunday", "2026-11-22T23:59:59Z", "UTC", 7],
    ["Monday there while Sunday here", "2026-11-22T23:30:00Z", "Europe/Copenhagen", 1],
    ["a Wednesday before the epoch", "1969-12-31T12:00:00Z", "UTC", 3],
  ])("give the day: %s", (_name, instantText, zone, day) => {
    expect(localWeekday(Date.parse(instantText), zone)).toBe(day);
  });

  it("stay right after more spans than a zone keeps", () => {
    const clock = openZone("Europe/London");
    for (let year = 1980; year < 2030; year++) {
      expect(clock.offsetMs(Date.UTC(year, 0, 15))).toBe(0);
      expect(clock.offsetMs(Date.UTC(year, 6, 15))).toBe(3_600_000);
    }
    expect(clock.offsetMs(Date.UTC(1980, 6, 15))).toBe(3_600_000);
  });
});

describe("hourEndAt and dayEndAt", () => {
  it("are later than now, and nothing changes before them", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        instant,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (zone, atMs, share) => {
          const clock = openZone(zone);
          for (const [end, read] of [
            [hourEndAt, localHour],
            [dayEndAt, localWeekday],
          ] as const) {
            const endMs = end(atMs, clock);
            expect(endMs).toBeGreaterThan(atMs);
            const betweenMs = Math.floor(atMs + share * (endMs - 1 - atMs));
            expect([read(betweenMs, zone), read(endMs - 1, zone)]).toEqual([
              read(atMs, zone),
              read(atMs, zone),
            ]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("stop at a change of the clock", () => {
    const clock = openZone("Europe/Copenhagen");
    const changeMs = Date.parse("2026-03-29T01:00Z");
    expect(dayEndAt(changeMs - 1, clock)).toBe(changeMs);
    expect(dayEndAt(changeMs, clock)).toBe(Date.parse("2026-03-29T22:00Z"));
    expect(hourEndAt(changeMs, clock)).toBe(Date.parse("2026-03-29T02:00Z"));
  });
});

describe("isTimeZone", () => {
  it.each([
    ["Europe/Paris", true],
    ["UTC", true],
    ["+02:00", true],
    ["Europe/Atlantis", false],
    ["", false],
  ])("judges %o", (zone, want) => {
    expect(isTimeZone(zone)).toBe(want);
  });
});
