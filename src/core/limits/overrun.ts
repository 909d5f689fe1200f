import type { History, Labels } from "../history/history.ts";
import type { AskedLimit, LimitAsk } from "./ask.ts";
import { countsUntil } from "./holds.ts";
import type { LimitState } from "./judge.ts";
import { roles } from "./label-views.ts";
import { findRow, readInstant, skewMs, takes } from "./row-reading.ts";
import { SubjectSums } from "./subject-sums.ts";
import { readUsage, type SubjectState } from "./usage.ts";

/**
 * Whether a payment that counts from `instantMs` on stands in some window in which more was used than a limit allows (`SEMANTICS.md` 5.3). The window of now
 * does not tell: an approval that comes days late counts where it was decided, and others may have taken its place since.
 *
 * Holds that lapsed are no money, and so no part of an overrun.
 */
export function isOverrunSince(asks: readonly LimitAsk[], state: LimitState, instantMs: number): boolean {
  return asks.some(({ subject, limits }) => {
    const known = subject.id === "" ? undefined : state.read(subject);
    if (known === undefined) return false;
    const holds = known.holds.filter((hold) => state.nowMs < countsUntil(hold, false));
    const there = { history: known.history, holds };
    return limits.some((asked) => {
      const { window, countedAt } = asked.limit.spec;
      if (countedAt === "CLEARED") return isOverrunAt(asked, there, state, state.nowMs);
      if (window.kind === "calendar") return isOverrunAt(asked, there, state, instantMs);
      return isOverrunWithin(asked, there, state, { instantMs, spanMs: window.spanMs });
    });
  });
}

/** Whether the one window is overrun that an instant is in. */
function isOverrunAt(
  { limit, threshold }: AskedLimit,
  { history, holds }: SubjectState,
  { nowMs: latestMs, fx }: LimitState,
  nowMs: number,
): boolean {
  const there = holds.filter(({ instantMs }) => instantMs <= latestMs);
  const question = { limit, threshold, asked: 0, askedKey: NaN };
  const asker = { nowMs, latestMs, paymentId: "", payment: NaN, fx };
  const usage = readUsage(question, { history, holds: there }, asker);
  return usage !== undefined && usage.used > threshold;
}

/**
 * Whether a rolling window is overrun anywhere on its way over an instant. It is fullest where something has just entered it, or where what was given
 * back has just left: at each such instant what is there by then is looked at, and nothing twice.
 */
function isOverrunWithin(
  { limit, threshold }: AskedLimit,
  { history, holds }: SubjectState,
  { nowMs, fx }: LimitState,
  { instantMs, spanMs }: { readonly instantMs: number; readonly spanMs: number },
): boolean {
  const untilMs = Math.min(nowMs, instantMs + spanMs - 1);
  const reach = { afterMs: instantMs - spanMs, endMs: Infinity };
  const labels = history?.labels ?? noLabels;
  const sums = new SubjectSums(limit, reach, { labels, fx, unreadMax: Infinity });
  const rows = history === undefined ? [] : listRows(limit, history, { ...reach, untilMs });
  if (history !== undefined) sums.addUndoing(history);
  const held = holds.toSorted((a, b) => a.instantMs - b.instantMs);
  const turns = [
    ...rows.flatMap((row) => (row.isTaking ? [row.instantMs, row.instantMs + spanMs] : [row.instantMs])),
    ...held.map((hold) => hold.instantMs),
  ];
  const ends = new Float64Array(turns.filter((atMs) => atMs > instantMs && atMs <= untilMs)).sort();
  let nextRow = 0;
  let nextHold = 0;
  const isOverrun = (endMs: number): boolean => {
    while (nextRow < rows.length && rows[nextRow]!.instantMs <= endMs)
      sums.addMoney(history!, rows[nextRow++]!.row);
    while (nextHold < held.length && held[nextHold]!.instantMs <= endMs) sums.holdAdded(held[nextHold++]!);
    const used = sums.usedAt(endMs);
    return used !== undefined && used > threshold;
  };
  if (isOverrun(instantMs)) return true;
  let endMs = instantMs;
  for (const turnMs of ends) {
    if (turnMs === endMs) continue;
    endMs = turnMs;
    if (isOverrun(endMs)) return true;
  }
  return false;
}

type MoneyRow = { readonly row: number; readonly instantMs: number; readonly isTaking: boolean };

/** Rows that mean something to a limit, by the instant from which they count. */
function listRows(
  { views }: AskedLimit["limit"],
  history: History,
  { afterMs, untilMs }: { readonly afterMs: number; readonly untilMs: number },
): readonly MoneyRow[] {
  const listed: MoneyRow[] = [];
  for (let row = findRow(history, afterMs - skewMs); row < history.end; row++) {
    const view = views.at(history.label[row]!, history.labels);
    if (view.role === roles.nothing || view.role === roles.voids) continue;
    const instantMs = readInstant(history, row, view);
    if (instantMs > afterMs && instantMs <= untilMs)
      listed.push({ row, instantMs, isTaking: takes(view.role) });
  }
  return listed.sort((a, b) => a.instantMs - b.instantMs);
}

const noLabels: Labels = {
  count: () => 0,
  get: (label) => {
    throw new Error(`label ${label} of no history`);
  },
};
