import type { Player } from "./player.ts";

/**
 * Since when something beside events is known of a player, ms since the epoch: the first attribute, restriction or own limit. Infinity where nothing
 * ever was.
 */
export function findKnownSince({ attributes, restrictions, ownLimits = [], knownSinceMs }: Player): number {
  let sinceMs = knownSinceMs ?? Number.POSITIVE_INFINITY;
  for (const { setAtMs } of attributes.values()) sinceMs = Math.min(sinceMs, setAtMs);
  // A restriction may be known before it holds.
  for (const { fromMs, checkedAtMs } of restrictions) sinceMs = Math.min(sinceMs, fromMs, checkedAtMs);
  for (const { setAtMs } of ownLimits) sinceMs = Math.min(sinceMs, setAtMs);
  return sinceMs;
}

/** A changed player who remembers since when they were known before, though the value of which that was known may be replaced. */
export function keepKnownSince(before: Player | undefined, changed: Player): Player {
  if (before === undefined) return changed;
  const sinceMs = findKnownSince(before);
  return sinceMs < findKnownSince(changed) ? { ...changed, knownSinceMs: sinceMs } : changed;
}
