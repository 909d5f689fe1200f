import type { History } from "../history/history.ts";
import type { LimitAsk } from "./ask.ts";
import { countsUntil } from "./holds.ts";
import type { LimitState } from "./judge.ts";
import type { LimitSpec } from "./limit.ts";
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
    return limits.some(({ limit, threshold }) => {
      const holds = known.holds.filter((hold) => state.nowMs < countsUntil(hold, false));
      return listEnds(limit.spec, known, { instantMs, nowMs: state.nowMs }).some((nowMs) => {
        const latestMs = limit.spec.window.kind === "rolling" ? nowMs : state.nowMs;
        const there = holds.filter((hold) => hold.instantMs <= latestMs);
        const question = { limit, threshold, asked: 0, askedKey: NaN };
        const asker = { nowMs, latestMs, paymentId: "", payment: NaN, fx: state.fx };
        const usage = readUsage(question, { history: known.history, holds: there }, asker);
        return usage !== undefined && usage.used > threshold;
      });
    });
  });
}

/** Instants at which to ask: a rolling window is fullest where something has just entered it. */
function listEnds(
  { window, countedAt }: LimitSpec,
  { history, holds }: SubjectState,
  { instantMs, nowMs }: { readonly instantMs: number; readonly nowMs: number },
): readonly number[] {
  if (countedAt === "CLEARED") return [nowMs];
  if (window.kind === "calendar") return [instantMs];
  const untilMs = Math.min(nowMs, instantMs + window.spanMs - 1);
  const entries = [...listInstants(history), ...holds.map((hold) => hold.instantMs)];
  return [instantMs, ...new Set(entries.filter((atMs) => atMs > instantMs && atMs <= untilMs))];
}

/** Instants from which rows count, its own where nobody decided. */
function listInstants(history: History | undefined): readonly number[] {
  if (history === undefined) return [];
  const { start, end, atMs, label, labels, readWide } = history;
  return Array.from({ length: end - start }, (_, at) => {
    const row = start + at;
    const place = labels.get(label[row]!).wides.indexOf("counted_at");
    const countedAtMs = place < 0 ? NaN : readWide(row, place);
    return Number.isNaN(countedAtMs) ? atMs[row]! : countedAtMs;
  });
}
