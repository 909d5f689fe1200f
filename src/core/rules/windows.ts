import { Window_Calendar_Period, type Window as WindowMessage } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { CalendarPeriod, WindowSpec } from "../features/feature.ts";
import { toMs } from "./names.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** A calendar period at its longest: clocks are put back an hour in one of its days. */
const periodMs: Readonly<Record<CalendarPeriod, number>> = {
  DAY: dayMs + hourMs,
  WEEK: 7 * dayMs + hourMs,
  MONTH: 31 * dayMs + hourMs,
  FOUR_WEEKS: 28 * dayMs + hourMs,
};

/** What a calendar window takes where it does not say its own; ISO day of the week. */
export type CalendarDefaults = { readonly zone: string; readonly weekStart: number };

/** The defaults of features. */
export const calendarDefaults: CalendarDefaults = { zone: "UTC", weekStart: 1 };

/** A checked window, lifetime where there is none. */
export function readWindow(
  window: WindowMessage | undefined,
  { zone, weekStart }: CalendarDefaults = calendarDefaults,
): WindowSpec {
  const span = window?.span;
  switch (span?.case) {
    case "rolling": {
      const offsetMs = window?.offset === undefined ? 0 : toMs(window.offset);
      return { kind: "rolling", spanMs: toMs(span.value), offsetMs };
    }
    case "calendar": {
      const { period, zone: own, weekStart: ownStart, anchor, back } = span.value;
      return {
        kind: "calendar",
        period: Window_Calendar_Period[period] as CalendarPeriod,
        zone: own === "" ? zone : own,
        weekStart: ownStart === 0 ? weekStart : ownStart,
        anchorDay: anchor === "" ? 0 : (parseDay(anchor) ?? 0),
        back,
      };
    }
    case "last":
      return { kind: "last", count: span.value };
    case "session":
      return { kind: "session" };
    case "lifetime":
    case undefined:
      return { kind: "lifetime" };
  }
}

/** A day YYYY-MM-DD as days since 1970-01-01; undefined where there is no such day. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const atMs = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(atMs) || new Date(atMs).toISOString().slice(0, 10) !== text) return undefined;
  return atMs / dayMs;
}

/** How far back from now a window can reach, at most, in ms; 0 where that is not a matter of time. */
export function reachOf(window: WindowSpec): number {
  switch (window.kind) {
    case "rolling":
      return window.spanMs + window.offsetMs;
    case "calendar":
      return periodMs[window.period] * (window.back + 1);
    case "last":
    case "session":
    case "lifetime":
      return 0;
  }
}
