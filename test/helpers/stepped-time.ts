import type { Pacer } from "../../src/ingest/membership/tracker.ts";
import { turnPacer } from "../../src/platform/pacer.ts";
import type { Clock } from "../../src/ports/clock.ts";

/** Time that passes only when it is told to: a clock, and what waits for it. */
export type SteppedTime = {
  readonly clock: Clock;
  readonly pacer: Pacer;
  /** Sets the clock, at once, and wakes all that waited for an instant up to then. */
  readonly passTo: (atMs: number) => void;
};

/** Opens one at an instant, in ms since the epoch. */
export function openSteppedTime(startMs: number): SteppedTime {
  let nowMs = startMs;
  const waiting = new Set<{ readonly run: () => void; readonly atMs: number }>();
  return {
    clock: { nowMs: () => nowMs },
    pacer: {
      ...turnPacer,
      later: (run, delayMs) => {
        const timer = { run, atMs: nowMs + delayMs };
        waiting.add(timer);
        return () => void waiting.delete(timer);
      },
    },
    passTo: (atMs) => {
      nowMs = atMs;
      for (const timer of [...waiting].sort((a, b) => a.atMs - b.atMs)) {
        if (timer.atMs <= nowMs && waiting.delete(timer)) timer.run();
      }
    },
  };
}
