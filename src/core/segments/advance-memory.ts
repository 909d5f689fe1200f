import type { FactInput } from "../facts.ts";
import { type KeptStanding, type Swept, standBefore, sweepPlayer } from "./sweep.ts";
import type { Timeline } from "./timeline.ts";

/** Instants that a decision looks at at most for a player whose standing nobody kept. */
const looksMax = 20_000;

export type Remembered = {
  /** By ordinal (`Frame.remembered`); 2 (unknown) where too much happened since to follow. */
  readonly truths: Uint8Array;
  /** To go on from when asked again: as of the instant before, for more may come to be known of this very instant. */
  readonly kept: KeptStanding;
};

/**
 * The truths of segments with a memory now: from a standing that was kept, with the bound of the next look that was kept with it, or from before
 * everything.
 *
 * Shapes: `timeline` is that of segments with a memory (`openMemory`); undefined where none has one.
 */
export function advanceMemory(
  timeline: Timeline,
  { payment, player, history, nowMs }: FactInput,
  from: KeptStanding | undefined,
  coveredFromMs: number | undefined,
): Remembered | undefined {
  if (!timeline.hasMemory) return undefined;
  const facts = { merchantId: payment.merchantId, player, history, coveredFromMs };
  const start = from ?? { standing: standBefore(timeline), nextMs: Number.POSITIVE_INFINITY };
  const kept = sweepPlayer(timeline, facts, { ...start, toMs: nowMs - 1, looksMax });
  // Mostly nothing happens now.
  const swept =
    kept.isDone && kept.nextMs <= nowMs
      ? sweepPlayer(timeline, facts, { standing: kept.standing, nextMs: kept.nextMs, toMs: nowMs, looksMax })
      : kept;
  const { standing, nextMs } = kept;
  return { truths: readTruths(swept), kept: { standing, nextMs } };
}

function readTruths({ standing: { sinceMs }, isDone }: Swept): Uint8Array {
  const truths = new Uint8Array(sinceMs.length);
  for (let at = 0; at < truths.length; at++) truths[at] = !isDone ? 2 : Number.isNaN(sinceMs[at]!) ? 0 : 1;
  return truths;
}
