import type { FactInput } from "../facts.ts";
import { type Standing, standBefore, sweepPlayer } from "./sweep.ts";
import type { Timeline } from "./timeline.ts";

/** Instants that a decision looks at at most for a player whose standing nobody kept. */
const looksMax = 20_000;

/**
 * The truths of segments with a memory now, by ordinal (`Frame.remembered`): from a standing that was kept, with the bound of the next look that was
 * kept with it, or from before everything.
 *
 * Shapes: undefined where no segment has a memory; 2 (unknown) where too much happened since to follow.
 */
export function advanceMemory(
  timeline: Timeline,
  { payment, player, history, nowMs }: FactInput,
  kept: { readonly standing: Standing; readonly nextMs: number } | undefined,
  coveredFromMs: number | undefined,
): Uint8Array | undefined {
  if (!timeline.hasMemory) return undefined;
  const facts = { merchantId: payment.merchantId, player, history, coveredFromMs };
  const from = kept ?? { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY };
  const { standing, isDone } = sweepPlayer(timeline, facts, { ...from, toMs: nowMs, looksMax });
  return Uint8Array.from(standing.sinceMs, (sinceMs) => (isDone ? (Number.isNaN(sinceMs) ? 0 : 1) : 2));
}
