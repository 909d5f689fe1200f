import type { History, Label, Labels } from "../history/history.ts";

/** The labels of declines among those of a process. */
const declines = new WeakMap<Labels, (boolean | undefined)[]>();

/**
 * Declined deposits of a player within `(nowMs - windowMs, latestMs]`. What was folded away counts with its whole tile where that reaches into the
 * window: rather one try too few.
 */
export function countDeclines(
  history: History | undefined,
  {
    nowMs,
    latestMs,
    windowMs,
  }: { readonly nowMs: number; readonly latestMs: number; readonly windowMs: number },
): number {
  if (history === undefined) return 0;
  const { start, end, atMs, label, labels, tiles } = history;
  const afterMs = nowMs - windowMs;
  let isDecline = declines.get(labels);
  if (isDecline === undefined) {
    isDecline = [];
    declines.set(labels, isDecline);
  }
  const has = (at: number): boolean => {
    isDecline[at] ??= isDeclinedDeposit(labels.get(at));
    return isDecline[at];
  };
  let count = 0;
  for (let row = end - 1; row >= start && atMs[row]! > afterMs; row--)
    if (atMs[row]! <= latestMs && has(label[row]!)) count++;
  for (const tile of tiles) if (tile.untilMs > afterMs && has(tile.label)) count += tile.count;
  return count;
}

function isDeclinedDeposit({ type, values }: Label): boolean {
  return type === "payment_declined" && values.get("kind") !== "withdrawal";
}
