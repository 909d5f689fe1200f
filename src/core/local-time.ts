const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Spans kept per zone: a few past transitions and the current one. More would be a caller that walks through history. */
const spansMax = 16;

/** The offset of a zone from UTC, which holds for `fromMs <= t < untilMs`. */
type OffsetSpan = { readonly fromMs: number; readonly untilMs: number; readonly offsetMs: number };

/** A time zone with its offsets at hand. */
export type ZoneClock = {
  /** Offset of local time from UTC in ms (positive east of Greenwich) at an instant in ms since the epoch. */
  readonly offsetMs: (atMs: number) => number;
  /** The next instant after this one at which the offset changes; Infinity where none is known. */
  readonly nextTransitionMs: (atMs: number) => number;
};

/** Zones once opened: a closed set (the tz database), so the map cannot grow without bound. */
const clocks = new Map<string, ZoneClock>();

/**
 * Opens a zone, so that a caller that asks often need not look it up by name.
 *
 * Fails: throws a RangeError for a name that the tz database does not know; check with `isTimeZone` first.
 */
export function openZone(zone: string): ZoneClock {
  let clock = clocks.get(zone);
  if (clock === undefined) {
    readSpan(zone, 0);
    clock = createClock(zone);
    clocks.set(zone, clock);
  }
  return clock;
}

/** Whether this is a name of the tz database (`Europe/Copenhagen`, `UTC`) or a fixed offset (`+05:30`). */
export function isTimeZone(zone: string): boolean {
  try {
    openZone(zone);
    return true;
  } catch {
    return false;
  }
}

/** The hour of the local day, 0-23, at an instant in ms since the epoch. Throws a RangeError for an unknown zone. */
export function localHour(atMs: number, zone: string): number {
  return hourAt(atMs, openZone(zone));
}

/** The ISO day of the local week, 1 (Monday) to 7, at an instant in ms since the epoch. Throws a RangeError for an unknown zone. */
export function localWeekday(atMs: number, zone: string): number {
  return weekdayAt(atMs, openZone(zone));
}

/** The first instant after this one at which the local hour or the offset changes: up to then the hour stays as it is. */
export function hourEndAt(atMs: number, clock: ZoneClock): number {
  return endOfUnit(atMs, clock, hourMs);
}

/** The first instant after this one at which the local day or the offset changes: up to then the day of the week stays as it is. */
export function dayEndAt(atMs: number, clock: ZoneClock): number {
  return endOfUnit(atMs, clock, dayMs);
}

function endOfUnit(atMs: number, clock: ZoneClock, unitMs: number): number {
  const endMs = atMs + unitMs - floorMod(atMs + clock.offsetMs(atMs), unitMs);
  return Math.min(endMs, clock.nextTransitionMs(atMs));
}

/** As `localHour`, of a zone that is open already. */
export function hourAt(atMs: number, clock: ZoneClock): number {
  return Math.floor(floorMod(atMs + clock.offsetMs(atMs), dayMs) / hourMs);
}

/** As `localWeekday`, of a zone that is open already. */
export function weekdayAt(atMs: number, clock: ZoneClock): number {
  // Day 0 of the epoch was a Thursday, the fourth day of the ISO week.
  return floorMod(Math.floor((atMs + clock.offsetMs(atMs)) / dayMs) + 3, 7) + 1;
}

/** The number of the local day, counted from 1970-01-01, at an instant in ms since the epoch. */
export function dayAt(atMs: number, clock: ZoneClock): number {
  return Math.floor((atMs + clock.offsetMs(atMs)) / dayMs);
}

/**
 * The first existing instant of a local day (`SEMANTICS.md` 5.9), in ms since the epoch: midnight, or the end of the gap where clocks skip it; of
 * the two midnights where clocks go back over it, the first. A day that a zone left out starts where the next one does.
 */
export function startOfDay(day: number, clock: ZoneClock): number {
  const midnightMs = day * dayMs;
  // No zone was ever 16 hours off, so that local time is before midnight there.
  let fromMs = midnightMs - 16 * hourMs;
  for (;;) {
    const startMs = midnightMs - clock.offsetMs(fromMs);
    const untilMs = clock.nextTransitionMs(fromMs);
    if (startMs < untilMs) return Math.max(startMs, fromMs);
    fromMs = untilMs;
  }
}

function floorMod(value: number, modulus: number): number {
  const rest = value % modulus;
  return rest < 0 ? rest + modulus : rest;
}

function createClock(zone: string): ZoneClock {
  let current = readSpan(zone, 0);
  const spans = [current];
  const findCurrent = (atMs: number): OffsetSpan => {
    if (atMs < current.fromMs || atMs >= current.untilMs) {
      current = findSpan(spans, zone, atMs);
    }
    return current;
  };
  return {
    offsetMs: (atMs) => findCurrent(atMs).offsetMs,
    nextTransitionMs: (atMs) => findCurrent(atMs).untilMs,
  };
}

function findSpan(spans: OffsetSpan[], zone: string, atMs: number): OffsetSpan {
  const known = spans.find((span) => atMs >= span.fromMs && atMs < span.untilMs);
  if (known !== undefined) {
    return known;
  }
  const span = readSpan(zone, atMs);
  if (spans.length >= spansMax) {
    spans.shift();
  }
  spans.push(span);
  return span;
}

/** Reads the span around an instant from the platform's tz database: from its last transition up to its next. */
function readSpan(zone: string, atMs: number): OffsetSpan {
  const local = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(zone);
  // "previous" looks strictly before, so step on by the least step to find a transition at this very instant.
  const last = local.add({ nanoseconds: 1 }).getTimeZoneTransition("previous");
  const next = local.getTimeZoneTransition("next");
  return {
    fromMs: last?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    untilMs: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offsetMs: local.offsetNanoseconds / 1e6,
  };
}
