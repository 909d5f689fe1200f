import type { History } from "../history/history.ts";
import { dayAt, openZone, startOfDay, type ZoneClock } from "../local-time.ts";
import type { CalendarPeriod, CalendarSpec, RollingSpec } from "./feature.ts";

/** A span of time, `afterMs < t <= throughMs`, in integer ms since the epoch. */
export type Span = { readonly afterMs: number; readonly throughMs: number };

/** A period of a calendar, `startMs <= t < endMs`. */
export type Period = { readonly startMs: number; readonly endMs: number };

/** Finds the period of a calendar at an instant, `back` periods ago. */
type Calendar = (nowMs: number) => Period;

/** A period that was found, with the instants for which it is the answer. */
type Found = Period & { readonly fromMs: number; readonly untilMs: number };

/** Answers kept per calendar: who asks for now, for a flip ahead and for a past instant in turn finds them all. */
const foundMax = 4;

const calendars = new WeakMap<CalendarSpec, Calendar>();

/**
 * The start of the period that holds an instant, `back` periods earlier where the spec says so (`SEMANTICS.md` 5.9).
 *
 * Units: ms since the epoch, integers; the first existing instant of the local day.
 * Fails: throws a RangeError for an unknown zone, which the checker refuses.
 */
export function startOfPeriod(nowMs: number, spec: CalendarSpec): number {
  return openCalendar(spec)(nowMs).startMs;
}

/** The end (excluded) of the period that `startOfPeriod` starts: the start of the next one. */
export function endOfPeriod(nowMs: number, spec: CalendarSpec): number {
  return openCalendar(spec)(nowMs).endMs;
}

/** The span of a rolling or calendar window at an instant. A calendar period ends at its end, or at now where that is earlier. */
export function findSpan(nowMs: number, spec: RollingSpec | CalendarSpec): Span {
  if (spec.kind === "rolling") {
    const throughMs = nowMs - spec.offsetMs;
    return { afterMs: throughMs - spec.spanMs, throughMs };
  }
  const { startMs, endMs } = openCalendar(spec)(nowMs);
  return { afterMs: startMs - 1, throughMs: Math.min(endMs - 1, nowMs) };
}

/** The first row later than an instant, of whatever type; `history.end` where there is none. */
export function findFirstAfter({ atMs, start, end }: History, afterMs: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atMs[middle]! <= afterMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function openCalendar(spec: CalendarSpec): Calendar {
  let calendar = calendars.get(spec);
  if (calendar === undefined) {
    calendar = createCalendar(spec);
    calendars.set(spec, calendar);
  }
  return calendar;
}

function createCalendar(spec: CalendarSpec): Calendar {
  const clock = openZone(spec.zone);
  const found: Found[] = [];
  let latest: Found | undefined;
  return (nowMs) => {
    if (latest !== undefined && nowMs >= latest.fromMs && nowMs < latest.untilMs) return latest;
    latest = found.find(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
    if (latest === undefined) {
      latest = findPeriod(nowMs, spec, clock);
      if (found.length >= foundMax) found.shift();
      found.push(latest);
    }
    return latest;
  };
}

function findPeriod(nowMs: number, spec: CalendarSpec, clock: ZoneClock): Found {
  let today = dayAt(nowMs, clock);
  // Where clocks went back over midnight, the local date is yesterday's once more after today has begun.
  while (startOfDay(today + 1, clock) <= nowMs) today++;
  const first = firstDay(today, spec);
  const start = stepPeriods(first, spec.period, -spec.back);
  return {
    fromMs: startOfDay(first, clock),
    untilMs: startOfDay(stepPeriods(first, spec.period, 1), clock),
    startMs: startOfDay(start, clock),
    endMs: startOfDay(stepPeriods(start, spec.period, 1), clock),
  };
}

/** The first day of the period that holds a day; days are counted from 1970-01-01, a Thursday. */
function firstDay(day: number, { period, weekStart, anchorDay }: CalendarSpec): number {
  switch (period) {
    case "DAY":
      return day;
    case "WEEK":
      return day - floorMod(day + 3 - (weekStart - 1), 7);
    case "MONTH":
      return day - (dateOf(day).getUTCDate() - 1);
    case "FOUR_WEEKS":
      return day - floorMod(day - anchorDay, 28);
  }
}

/** The first day of the period so many periods later. */
function stepPeriods(first: number, period: CalendarPeriod, steps: number): number {
  switch (period) {
    case "DAY":
      return first + steps;
    case "WEEK":
      return first + 7 * steps;
    case "MONTH": {
      const date = dateOf(first);
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + steps, 1) / dayMs;
    }
    case "FOUR_WEEKS":
      return first + 28 * steps;
  }
}

const dayMs = 86_400_000;

function dateOf(day: number): Date {
  return new Date(day * dayMs);
}

function floorMod(value: number, modulus: number): number {
  const rest = value % modulus;
  return rest < 0 ? rest + modulus : rest;
}
