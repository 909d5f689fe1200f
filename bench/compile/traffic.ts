import { monitorEventLoopDelay } from "node:perf_hooks";

/** What a stretch of traffic looked like from inside the process. All in ms. */
export type Stretch = {
  /** Longest time between two turns of the loop, by the clock: what a caller may have had to wait. */
  readonly stallMs: number;
  /** The same by the CPU time of this thread: the clock's, less what the machine gave to others meanwhile. */
  readonly stallCpuMs: number;
  /** The longest delay of a timer of 1 ms (`monitorEventLoopDelay`). */
  readonly timerDelayMs: number;
  /** Of decisions, from when each was due to when it was made. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly decisions: number;
};

/**
 * Decides at a steady rate, whatever the answers take, until `work` is done: open loop, so a stall is seen by every decision that it delays. The
 * loop never sleeps: a turn that finds nothing due only looks at the clock.
 */
export async function runTraffic(
  decideNext: () => void,
  perSecond: number,
  work: () => Promise<void>,
): Promise<Stretch> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  const latencies: number[] = [];
  let isOver = false;
  let failure: unknown;
  const startMs = performance.now();
  let lastMs = startMs;
  let lastCpu = readThreadMs();
  let stallMs = 0;
  let stallCpuMs = 0;
  delays.enable();
  const over = work()
    .catch((error: unknown) => {
      failure = error;
    })
    .finally(() => {
      isOver = true;
    });
  while (!isOver) {
    await new Promise(setImmediate);
    const nowMs = performance.now();
    const cpuMs = readThreadMs();
    stallMs = Math.max(stallMs, nowMs - lastMs);
    stallCpuMs = Math.max(stallCpuMs, cpuMs - lastCpu);
    const due = ((nowMs - startMs) * perSecond) / 1000;
    while (latencies.length < due) {
      const dueMs = startMs + (latencies.length * 1000) / perSecond;
      decideNext();
      latencies.push(performance.now() - dueMs);
    }
    lastMs = nowMs;
    lastCpu = cpuMs;
  }
  await over;
  delays.disable();
  if (failure !== undefined) throw failure;
  const sorted = Float64Array.from(latencies).sort();
  return {
    stallMs,
    stallCpuMs,
    timerDelayMs: delays.max / 1e6,
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? 0,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    decisions: sorted.length,
  };
}

function readThreadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
