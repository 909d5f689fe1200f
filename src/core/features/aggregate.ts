import type { SlotSource } from "../cel/environment.ts";
import type { MembershipList, Value } from "../cel/expr.ts";
import type { History } from "../history/history.ts";
import type { FxRates } from "../money.ts";
import {
  type AggregateFeature,
  type FoldUnit,
  type Group,
  planAggregates,
  type RelationUnit,
} from "./aggregate-plan.ts";
import type { WindowSpec } from "./feature.ts";
import type { Run } from "./folds.ts";
import { createEventFrame } from "./row-filter.ts";
import { findSession, hidesSession } from "./sessions.ts";
import { createGathered, type Gathered, reserveGathered, type Source } from "./stream.ts";
import { foldTiles, hidesRows } from "./tiles.ts";
import { findSpan, type Span } from "./windows.ts";

/** What aggregates are built in: slots of the rule set's conditions over events, its lists and its rates. */
export type AggregateContext = {
  readonly eventSlots: readonly SlotSource[];
  readonly lists: readonly MembershipList[];
  readonly fx: FxRates;
};

/** Where features go, by ordinal. `errorBounds`: by how much a value may be off, 0 where it is exact. */
export type FeatureValues = { readonly values: Value[]; readonly errorBounds: Float64Array };

/** Computes all aggregates of a subject at an instant; returns how many evaluation errors it met. */
export type ComputeAggregates = (source: Source, into: FeatureValues) => number;

/**
 * Builds the computation of aggregates: all at once, over one history at one instant.
 *
 * Rows that match are gathered once for all aggregates with the same filter and value, backwards from now to where the longest of their windows
 * begins; each aggregate then looks at its part. What a filter says of a label is found once, and rows are asked only for what labels do not
 * tell. Equal definitions are computed once.
 *
 * Units:  amounts in minor units of the currency that the aggregate names, rounded half up one by one; instants in ms since the epoch.
 * Fails:  a sum beyond 2^53 is missing and counted as an evaluation error; an amount without a rate leaves its features missing.
 * Source: the comments of `Aggregate` in `rule_set.proto`, `docs/features.md`; `SEMANTICS.md` 5.9.
 */
export function buildAggregates(
  features: readonly AggregateFeature[],
  { eventSlots, lists, fx }: AggregateContext,
): ComputeAggregates {
  const fresh = createGathered();
  const events = createEventFrame(eventSlots, lists);
  const { groups, relations, windows } = planAggregates(features, { events, fx });
  const spans = createSpans(windows);
  const run: Run = { nowMs: 0, evalErrors: 0, errorBound: 0 };
  let latest: History | undefined;

  return (source, into) => {
    const { history, nowMs } = source;
    // Whoever asks again about the very same history will go on to do so.
    const isSwept = history !== undefined && history === latest;
    latest = history;
    run.nowMs = nowMs;
    run.evalErrors = 0;
    let last = -1;
    let hasTiles = false;
    if (history !== undefined) {
      last = findLastRow(history, nowMs);
      reserveGathered(fresh, last - history.start + 2);
      hasTiles = history.tiles.length > 0;
    }
    openSpans(spans, history, last, nowMs);

    for (const group of groups) {
      const reach = findReach(group, spans);
      let gathered = isSwept ? group.swept.read(source, last, reach) : undefined;
      if (gathered === undefined) {
        gathered = fresh;
        group.stream.gather(fresh, source, last, reach);
      }
      for (const unit of group.units) {
        const { throughMs, afterMs } = spans.list[unit.window]!;
        const from = findUntil(gathered, 0, throughMs);
        const until = findUntil(gathered, from, afterMs);
        run.errorBound = 0;
        let value = unit.fold(gathered, from, until, run);
        if (hasTiles) {
          const rows = { gathered, from, until };
          value = settleTiles(value, { unit, group, history: history!, fx, spans, rows, run });
        }
        put(into, unit.ordinals, value, run.errorBound);
      }
    }
    for (const unit of relations) {
      const isHidden = hasTiles && hidesRelated(history!, unit, spans);
      put(
        into,
        unit.ordinals,
        isHidden ? undefined : relate(unit, source, last, spans.list[unit.window]!),
        0,
      );
    }
    return run.evalErrors;
  };
}

function put(
  { values, errorBounds }: FeatureValues,
  ordinals: readonly number[],
  value: Value,
  errorBound: number,
): void {
  for (const ordinal of ordinals) {
    values[ordinal] = value;
    errorBounds[ordinal] = errorBound;
  }
}

/** The spans of all windows at the instant of a run. */
type Spans = {
  readonly windows: readonly WindowSpec[];
  readonly list: { afterMs: number; throughMs: number }[];
  readonly hasSession: boolean;
  /** Whether nobody knows when the session began, as that was folded away. */
  isSessionHidden: boolean;
};

function createSpans(windows: readonly WindowSpec[]): Spans {
  return {
    windows,
    list: windows.map(() => ({ afterMs: 0, throughMs: 0 })),
    hasSession: windows.some(({ kind }) => kind === "session"),
    isSessionHidden: false,
  };
}

function openSpans(spans: Spans, history: History | undefined, last: number, nowMs: number): void {
  const session = spans.hasSession ? findSession(history, last, nowMs) : undefined;
  spans.isSessionHidden = spans.hasSession && session === undefined && hidesSession(history);
  const { windows, list } = spans;
  for (let place = 0; place < windows.length; place++) {
    const { afterMs, throughMs } = openWindow(windows[place]!, session, nowMs);
    list[place]!.afterMs = afterMs;
    list[place]!.throughMs = throughMs;
  }
}

const emptySpan: Span = { afterMs: Number.POSITIVE_INFINITY, throughMs: Number.NEGATIVE_INFINITY };

function openWindow(window: WindowSpec, session: Span | undefined, nowMs: number): Span {
  switch (window.kind) {
    case "rolling":
    case "calendar":
      return findSpan(nowMs, window);
    case "session":
      return session ?? emptySpan;
    case "last":
    case "lifetime":
      return { afterMs: Number.NEGATIVE_INFINITY, throughMs: nowMs };
  }
}

/** The span that holds the windows of all units of a group. */
function findReach({ units }: Group, { list }: Spans): Span {
  let afterMs = Number.POSITIVE_INFINITY;
  let throughMs = Number.NEGATIVE_INFINITY;
  for (const { window } of units) {
    const span = list[window]!;
    if (span.afterMs < afterMs) afterMs = span.afterMs;
    if (span.throughMs > throughMs) throughMs = span.throughMs;
  }
  return { afterMs, throughMs };
}

/** The last row at or before an instant; `start - 1` where there is none. */
function findLastRow({ start, end, atMs }: History, nowMs: number): number {
  let [low, high] = [start, end];
  // Mostly nothing lies ahead of now.
  if (end === start || atMs[end - 1]! <= nowMs) return end - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (atMs[middle]! <= nowMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The place of the first row from `from` on that is at or before an instant; rows stand from new to old. */
function findUntil({ at, count }: Gathered, from: number, afterMs: number): number {
  if (count === from || at[count - 1]! > afterMs) return count;
  if (at[from]! <= afterMs) return from;
  let [low, high] = [from, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at[middle]! > afterMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function relate({ how }: RelationUnit, source: Source, last: number, span: Span): Value {
  return how.kind === "answered"
    ? how.count(source, last, span)
    : how.longest(source.history, last, span, source.nowMs);
}

/** Answers come after their events, so what was folded away after the window is folded away in it too. */
function hidesRelated(history: History, { stream, spec, window }: RelationUnit, spans: Spans): boolean {
  const { afterMs, throughMs } = spans.list[window]!;
  if (spans.isSessionHidden && spec.window.kind === "session") return true;
  return hidesRows(history, stream, afterMs + 1, throughMs);
}

type Settling = {
  readonly unit: FoldUnit;
  readonly group: Group;
  readonly history: History;
  readonly fx: FxRates;
  readonly spans: Spans;
  readonly rows: { readonly gathered: Gathered; readonly from: number; readonly until: number };
  readonly run: Run;
};

/** The value of a unit where older rows were folded away: as it is where none of them matters, else with tiles, else missing. */
function settleTiles(value: Value, settling: Settling): Value {
  const { unit, group, history, fx, spans, rows, run } = settling;
  const { spec } = unit;
  if (spans.isSessionHidden && spec.window.kind === "session") return undefined;
  const span = spans.list[unit.window]!;
  if (!hidesRows(history, group.stream, findOldestNeeded(value, settling), span.throughMs)) return value;
  if (spec.window.kind === "last") return undefined;
  const folded = foldTiles(spec, { history, stream: group.stream, fx }, rows, span);
  run.errorBound = folded.errorBound;
  return folded.value;
}

/** From which instant on rows have to be there for the value to be right. */
function findOldestNeeded(value: Value, { unit, spans, rows }: Settling): number {
  const { spec, window } = unit;
  const { gathered, from, until } = rows;
  const isFull = spec.window.kind === "last" && until - from === spec.window.count;
  const oldestMs = isFull ? gathered.at[until - 1]! : spans.list[window]!.afterMs + 1;
  if (spec.function === "LAST" && until > from && value !== undefined) return gathered.at[from]!;
  const streakEnd = from + Number(value);
  if (spec.function === "STREAK" && streakEnd < until) return gathered.at[streakEnd]!;
  return oldestMs;
}
