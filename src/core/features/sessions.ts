import type { History } from "../history/history.ts";
import type { AggregateSpec } from "./feature.ts";
import { createLabelCodes } from "./label-codes.ts";
import { buildRowFilter, type EventFrame, type RowView } from "./row-filter.ts";
import type { Span } from "./windows.ts";

const startType = "session_start";
const endType = "session_end";
export const sessionTypes: readonly string[] = [startType, endType];
const isStart = 1;
const isEnd = 2;

/** Longest time in ms of a session that ends in the span; undefined where none does. */
export type LongestSession = (
  history: History | undefined,
  last: number,
  span: Span,
  nowMs: number,
) => number | undefined;

const kinds = createLabelCodes(({ type }) => (type === startType ? isStart : type === endType ? isEnd : 0));

/**
 * The newest session: from its `session_start` to its `session_end`, or to now while it is open. Undefined where there is none among the rows
 * up to row `last`.
 */
export function findSession(history: History | undefined, last: number, nowMs: number): Span | undefined {
  if (history === undefined) return undefined;
  const { start, atMs, label, labels } = history;
  let row = last;
  while (row >= start && kinds.of(labels, label[row]!) !== isStart) row--;
  if (row < start) return undefined;
  const startMs = atMs[row]!;
  const session = readSession(history, row);
  // Rows of one instant have no order that means anything: the end of a session by name may stand before its start.
  let first = row;
  while (first > start && atMs[first - 1] === startMs) first--;
  for (let next = first; next <= last; next++) {
    if (kinds.of(labels, label[next]!) !== isEnd) continue;
    const end = readSession(history, next);
    const isSame = session === end && session !== unnamed;
    if (isSame || (next > row && (session === unnamed || end === unnamed))) {
      return { afterMs: startMs - 1, throughMs: atMs[next]! };
    }
  }
  return { afterMs: startMs - 1, throughMs: nowMs };
}

/** Whether a start of a session was folded away. */
export function hidesSession(history: History | undefined): boolean {
  return history?.tiles.some(({ label }) => history.labels.get(label).type === startType) ?? false;
}

/**
 * Builds LONGEST_SESSION: a `session_start` that matches and the `session_end` of the same session; where either names no session, the next
 * end. A session belongs to the window in which it ends, an open one ends now. A session that has no end but a later session is not
 * counted: nobody knows how long it was.
 */
export function buildLongestSession(spec: AggregateSpec, events: EventFrame): LongestSession {
  const filter = buildRowFilter(spec.events.includes(startType) ? [startType] : [], spec.where, events);
  const codes = createLabelCodes((label) => {
    if (label.type === endType) return isEnd;
    const verdict = filter.judgeLabel(label);
    if (label.type !== startType) return 0;
    return verdict === "all" ? isStart : verdict === "ask" ? askStart : otherStart;
  });
  return (history, last, span, nowMs) => {
    if (history === undefined) return undefined;
    const open = new Map<number, OpenSession>();
    /** Instants of ends by name that came before their starts: at one instant the order means nothing. */
    const early = new Map<number, number>();
    let newest: OpenSession | undefined;
    let longestMs: number | undefined;
    /** Ends in the span of which no start is among the rows. */
    let strays = 0;
    let hasStart = false;
    const close = ({ matches, fromMs }: OpenSession, endMs: number): void => {
      if (!matches || !isInside(endMs, span)) return;
      longestMs = Math.max(longestMs ?? 0, endMs - fromMs);
    };
    const view: RowView = { atMs: 0, amountMinor: 0, row: -1, readWide: history.readWide, nowMs };
    for (let row = history.start; row <= last; row++) {
      const id = history.label[row]!;
      const code = codes.of(history.labels, id);
      if (code === 0) continue;
      const session = readSession(history, row);
      const atMs = history.atMs[row]!;
      if (code === isEnd) {
        const ended = findOpen(open, session, newest);
        if (ended === undefined) {
          early.set(session, atMs);
          if (isInside(atMs, span)) strays++;
          continue;
        }
        open.delete(ended.session);
        if (ended === newest) newest = undefined;
        close(ended, atMs);
        continue;
      }
      view.row = row;
      view.atMs = atMs;
      hasStart = true;
      const matches =
        code === isStart || (code === askStart && filter.judgeRow(history.labels.get(id), view));
      newest = { session, fromMs: atMs, matches };
      if (session !== unnamed && early.get(session) === atMs) {
        if (isInside(atMs, span)) strays--;
        close(newest, atMs);
        newest = undefined;
      } else {
        open.set(session, newest);
      }
    }
    if (newest !== undefined) close(newest, nowMs);
    // Starts that were folded away may belong to ends that nothing else explains, or to a session that is still open.
    const isTold = strays === 0 && hasStart;
    return isTold || !hidesSession(history) ? longestMs : undefined;
  };
}

const askStart = 3;
const otherStart = 4;

function isInside(atMs: number, { afterMs, throughMs }: Span): boolean {
  return atMs > afterMs && atMs <= throughMs;
}

/** What stands for a session without a name. */
const unnamed = -1;

type OpenSession = { readonly session: number; readonly fromMs: number; readonly matches: boolean };

/** The open session that an end ends: the one of its name, else one without a name; for an end without a name the newest. */
function findOpen(
  open: ReadonlyMap<number, OpenSession>,
  session: number,
  newest: OpenSession | undefined,
): OpenSession | undefined {
  return session === unnamed ? newest : (open.get(session) ?? open.get(unnamed));
}

function readSession({ label, labels, readWide }: History, row: number): number {
  const place = labels.get(label[row]!).wides.indexOf("session");
  const value = place < 0 ? Number.NaN : readWide(row, place);
  return Number.isNaN(value) ? unnamed : value;
}
