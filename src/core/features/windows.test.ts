import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findNaivePeriod } from "../../../test/helpers/naive-aggregate.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { CalendarPeriod, CalendarSpec } from "./feature.ts";
import { endOfPeriod, findSpan, startOfPeriod } from "./windows.ts";

const calendar = (period: CalendarPeriod, zone: string, more: Partial<CalendarSpec> = {}): CalendarSpec => ({
  kind: "calendar",
  period,
  zone,
  weekStart: 1,
  anchorDay: 0,
  back: 0,
  ...more,
});

const period = (at: string, spec: CalendarSpec): string[] =>
  [startOfPeriod(Date.parse(at), spec), endOfPeriod(Date.parse(at), spec)].map((ms) =>
    new Date(ms).toISOString().replace(":00.000Z", "Z"),
  );

describe("SEMANTICS 5.9: calendar windows", () => {
  test.each<[string, string, CalendarSpec, [string, string]]>([
    [
      "a day of 23 hours",
      "2026-03-29T12:00Z",
      calendar("DAY", "Europe/Copenhagen"),
      ["2026-03-28T23:00Z", "2026-03-29T22:00Z"],
    ],
    [
      "a day of 25 hours",
      "2026-10-25T12:00Z",
      calendar("DAY", "Europe/Copenhagen"),
      ["2026-10-24T22:00Z", "2026-10-25T23:00Z"],
    ],
    [
      "a day whose midnight does not exist",
      "2018-11-04T12:00Z",
      calendar("DAY", "America/Sao_Paulo"),
      ["2018-11-04T03:00Z", "2018-11-05T02:00Z"],
    ],
    [
      "a day whose first midnight is followed by the day before once more",
      "2009-11-01T02:45Z",
      calendar("DAY", "America/St_Johns"),
      ["2009-11-01T02:30Z", "2009-11-02T03:30Z"],
    ],
    [
      "the day before a day that was left out",
      "2011-12-30T09:59Z",
      calendar("DAY", "Pacific/Apia"),
      ["2011-12-29T10:00Z", "2011-12-30T10:00Z"],
    ],
    [
      "the last ms of a week",
      "2026-11-22T22:59:59.999Z",
      calendar("WEEK", "Europe/Copenhagen"),
      ["2026-11-15T23:00Z", "2026-11-22T23:00Z"],
    ],
    [
      "the first ms of a week",
      "2026-11-22T23:00Z",
      calendar("WEEK", "Europe/Copenhagen"),
      ["2026-11-22T23:00Z", "2026-11-29T23:00Z"],
    ],
    [
      "a week from Sunday on",
      "2026-11-22T12:00Z",
      calendar("WEEK", "UTC", { weekStart: 7 }),
      ["2026-11-22T00:00Z", "2026-11-29T00:00Z"],
    ],
    [
      "a month across a change of clocks",
      "2026-10-31T12:00Z",
      calendar("MONTH", "Europe/Berlin"),
      ["2026-09-30T22:00Z", "2026-10-31T23:00Z"],
    ],
    [
      "the month before January",
      "2026-01-31T12:00Z",
      calendar("MONTH", "UTC", { back: 1 }),
      ["2025-12-01T00:00Z", "2026-01-01T00:00Z"],
    ],
    [
      "the month before the month of a longer one's last day",
      "2026-03-31T12:00Z",
      calendar("MONTH", "UTC", { back: 1 }),
      ["2026-02-01T00:00Z", "2026-03-01T00:00Z"],
    ],
    [
      "four weeks",
      "2026-11-22T12:00Z",
      calendar("FOUR_WEEKS", "UTC", { anchorDay: Date.parse("2026-11-02") / 86_400_000 }),
      ["2026-11-02T00:00Z", "2026-11-30T00:00Z"],
    ],
    [
      "four weeks before their anchor",
      "2026-11-01T23:59Z",
      calendar("FOUR_WEEKS", "UTC", { anchorDay: Date.parse("2026-11-02") / 86_400_000 }),
      ["2026-10-05T00:00Z", "2026-11-02T00:00Z"],
    ],
  ])("%s", (_, at, spec, want) => {
    expect(period(at, spec)).toEqual(want);
  });

  test("agree with the calendar of the platform at every instant", () => {
    const zones = [
      "UTC",
      "Europe/Copenhagen",
      "America/St_Johns",
      "America/Sao_Paulo",
      "Africa/Cairo",
      "Asia/Kathmandu",
    ];
    const edges = [
      "2009-11-01T02:31Z",
      "2018-11-04T03:00Z",
      "2026-03-29T01:00Z",
      "2026-10-25T01:00Z",
      "2026-04-23T22:00Z",
      "2026-03-01T00:00Z",
    ].map((text) => Date.parse(text));
    const hourMs = 3_600_000;
    const instant = fc
      .tuple(fc.constantFrom(...edges), fc.integer({ min: -60, max: 60 }), fc.integer({ min: -1, max: 1 }))
      .map(([edgeMs, hours, ms]) => edgeMs + (hours * hourMs) / 2 + ms);
    const spec = fc.record({
      kind: fc.constant("calendar" as const),
      period: fc.constantFrom<CalendarPeriod>("DAY", "WEEK", "MONTH", "FOUR_WEEKS"),
      zone: fc.constantFrom(...zones),
      weekStart: fc.integer({ min: 1, max: 7 }),
      anchorDay: fc.integer({ min: -40, max: 40 }),
      back: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(spec, fc.array(instant, { minLength: 1, maxLength: 4 }), (each, instants) => {
        for (const nowMs of instants) {
          const want = findNaivePeriod(nowMs, each);
          expect([startOfPeriod(nowMs, each), endOfPeriod(nowMs, each)]).toEqual(want);
        }
      }),
      { numRuns: countRuns(150) },
    );
  });
});

describe("SEMANTICS 5.9: spans", () => {
  test("a rolling window ends at now less its offset, and is open at its start", () => {
    expect(findSpan(1_000, { kind: "rolling", spanMs: 100, offsetMs: 10 })).toEqual({
      afterMs: 890,
      throughMs: 990,
    });
  });

  test("the current period reaches up to now, an earlier one up to its end", () => {
    const noonMs = Date.parse("2026-11-22T12:00Z");
    const midnightMs = Date.parse("2026-11-22T00:00Z");
    expect(findSpan(noonMs, calendar("DAY", "UTC"))).toEqual({ afterMs: midnightMs - 1, throughMs: noonMs });
    expect(findSpan(noonMs, calendar("DAY", "UTC", { back: 1 }))).toEqual({
      afterMs: midnightMs - 86_400_000 - 1,
      throughMs: midnightMs - 1,
    });
  });
});
