import type { AggregateSpec, CalendarSpec, RollingSpec } from "../features/feature.ts";
import { endOfPeriod, findFirstAfter, findSpan } from "../features/windows.ts";
import type { History, Labels } from "../history/history.ts";

/** When the value of an aggregate may change if no event comes. */
export type AggregateClock = {
  /** A lower bound of the next instant after `nowMs`; Infinity where it never will. */
  readonly next: (history: History | undefined, nowMs: number) => number;
  /** A lower bound of the instant at which so many of the events in the window have left it. For rolling windows. */
  readonly nextAfterLeaving: (history: History | undefined, nowMs: number, leaving: number) => number;
  /** Whether rows of this type are looked at. */
  readonly reads: (type: string) => boolean;
};

const never = Number.POSITIVE_INFINITY;

/**
 * Makes the clock of an aggregate. It looks at types of events and not at `where`, so that it may be too early, never too late.
 */
export function createAggregateClock(spec: AggregateSpec): AggregateClock {
  const types = new Set([...spec.events, ...spec.answers, ...typesOfWindow(spec)]);
  const finder = createRowFinder(types);
  const { window } = spec;
  const current: CalendarSpec | undefined = window.kind === "calendar" ? { ...window, back: 0 } : undefined;
  const byWindow = (history: History, nowMs: number): number => {
    switch (window.kind) {
      case "rolling":
        return Math.min(nextOfRows(history, nowMs, window, finder), nextOfTiles(history, nowMs, window));
      case "calendar": {
        const { afterMs } = findSpan(nowMs, window);
        const row = finder.firstAfter(history, afterMs);
        const isEmpty = (row === -1 || history.atMs[row]! > nowMs) && history.tiles.length === 0;
        return isEmpty ? never : endOfPeriod(nowMs, current!);
      }
      case "last":
      case "session":
      case "lifetime":
        return never;
    }
  };
  return {
    next: (history, nowMs) => {
      if (history === undefined) return never;
      const next = byWindow(history, nowMs);
      if (spec.function !== "UNANSWERED") return next;
      return Math.min(next, nextUnanswered(history, nowMs, spec.answerWithinMs, finder));
    },
    nextAfterLeaving: (history, nowMs, leaving) => {
      if (history === undefined || window.kind !== "rolling") return never;
      const { afterMs, throughMs } = findSpan(nowMs, window);
      let row = finder.firstAfter(history, afterMs);
      for (let left = leaving; row !== -1 && history.atMs[row]! <= throughMs; ) {
        left--;
        if (left === 0) return history.atMs[row]! + window.spanMs + window.offsetMs;
        row = finder.nextFrom(history, row + 1);
      }
      return never;
    },
    reads: (type) => types.has(type),
  };
}

function typesOfWindow({ window, function: how }: AggregateSpec): readonly string[] {
  return window.kind === "session" || how === "LONGEST_SESSION" ? ["session_start", "session_end"] : [];
}

/** The first row that leaves the window, or enters a window that ends before now. */
function nextOfRows(history: History, nowMs: number, window: RollingSpec, finder: RowFinder): number {
  const { afterMs, throughMs } = findSpan(nowMs, window);
  const leaving = finder.firstAfter(history, afterMs);
  if (leaving === -1) return never;
  const leavingAtMs = history.atMs[leaving]!;
  let nextMs = leavingAtMs <= throughMs ? leavingAtMs + window.offsetMs + window.spanMs : never;
  if (window.offsetMs > 0) {
    const entering = finder.firstAfter(history, throughMs);
    if (entering !== -1 && history.atMs[entering]! <= nowMs) {
      nextMs = Math.min(nextMs, history.atMs[entering]! + window.offsetMs);
    }
  }
  return nextMs;
}

/** Tiles come and go at their edges, whatever their label. */
function nextOfTiles({ tiles }: History, nowMs: number, { spanMs, offsetMs }: RollingSpec): number {
  let nextMs = never;
  for (const { fromMs, untilMs } of tiles) {
    for (const edgeMs of [fromMs, untilMs - 1, untilMs]) {
      for (const atMs of [edgeMs + offsetMs, edgeMs + offsetMs + spanMs]) {
        if (atMs > nowMs && atMs < nextMs) nextMs = atMs;
      }
    }
  }
  return nextMs;
}

/** The first event whose time to be answered ends. */
function nextUnanswered(history: History, nowMs: number, withinMs: number, finder: RowFinder): number {
  const row = finder.firstAfter(history, nowMs - withinMs - 1);
  if (row === -1 || history.atMs[row]! > nowMs) return never;
  const endMs = history.atMs[row]! + withinMs;
  return endMs > nowMs ? endMs : endMs + 1;
}

/** Finds rows of some types. Labels are judged once. */
type RowFinder = {
  /** The first row later than an instant; -1 where there is none. */
  readonly firstAfter: (history: History, afterMs: number) => number;
  /** The first row at or after a place; -1 where there is none. */
  readonly nextFrom: (history: History, row: number) => number;
};

function createRowFinder(types: ReadonlySet<string>): RowFinder {
  let labels: Labels | undefined;
  let verdicts: boolean[] = [];
  const nextFrom = (history: History, first: number): number => {
    if (history.labels !== labels) {
      labels = history.labels;
      verdicts = [];
    }
    for (let row = first; row < history.end; row++) {
      const label = history.label[row]!;
      verdicts[label] ??= types.has(history.labels.get(label).type);
      if (verdicts[label]) return row;
    }
    return -1;
  };
  return { nextFrom, firstAfter: (history, afterMs) => nextFrom(history, findFirstAfter(history, afterMs)) };
}
