/** Spreads background work over the turns of the process, so that it never holds up a call. */
export const turnPacer = {
  /** Runs it in a later turn, after what waits now. */
  soon: (run: () => void): void => void setImmediate(run),
  /** Runs it after so many ms, if the process still runs then; what it returns cancels that. */
  later: (run: () => void, delayMs: number): (() => void) => {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  elapsedMs: (): number => performance.now(),
};
