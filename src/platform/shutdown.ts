/** One step of an ordered stop. */
export interface StopStep {
  readonly name: string;
  /** What the step may take; after that the next one starts, and this one is left behind. */
  readonly timeoutMs: number;
  readonly run: () => void | Promise<void>;
}

/** How one step ended. */
export type StepOutcome =
  | { readonly name: string; readonly result: "done"; readonly tookMs: number }
  | { readonly name: string; readonly result: "timed out"; readonly tookMs: number }
  | { readonly name: string; readonly result: "failed"; readonly tookMs: number; readonly cause: unknown };

/** An ordered stop: health says no, in-flight work ends, servers close, logs flush, stores close. */
export interface Shutdown {
  /** Runs every step once, in order; calling it again gives the same promise. Never rejects. */
  stop(): Promise<readonly StepOutcome[]>;
  isStopping(): boolean;
}

/**
 * Makes an ordered stop of the given steps. A step that fails or takes too long never keeps the later ones from running:
 * the stores must close even if a client will not let go.
 */
export function createShutdown(
  steps: readonly StopStep[],
  onStep: (outcome: StepOutcome) => void = () => {},
): Shutdown {
  let stopped: Promise<readonly StepOutcome[]> | undefined;
  async function runAll(): Promise<readonly StepOutcome[]> {
    const outcomes: StepOutcome[] = [];
    for (const step of steps) {
      const outcome = await runStep(step);
      outcomes.push(outcome);
      onStep(outcome);
    }
    return outcomes;
  }
  return {
    stop() {
      stopped ??= runAll();
      return stopped;
    },
    isStopping: () => stopped !== undefined,
  };
}

async function runStep({ name, timeoutMs, run }: StopStep): Promise<StepOutcome> {
  const startedMs = performance.now();
  const takeMs = () => Math.round(performance.now() - startedMs);
  const timeout = Promise.withResolvers<typeof TIMED_OUT>();
  const timer = setTimeout(() => timeout.resolve(TIMED_OUT), timeoutMs);
  try {
    const running = Promise.resolve(run());
    const winner = await Promise.race([running, timeout.promise]);
    if (winner === TIMED_OUT) {
      // Whatever becomes of it now is nobody's business, but it must not end the process.
      running.catch(() => {});
      return { name, result: "timed out", tookMs: takeMs() };
    }
    return { name, result: "done", tookMs: takeMs() };
  } catch (cause) {
    return { name, result: "failed", tookMs: takeMs(), cause };
  } finally {
    clearTimeout(timer);
  }
}

const TIMED_OUT = Symbol("timed out");
