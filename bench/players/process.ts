import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const mib = 1024;
/** Ticks of `/proc/<pid>/stat` in a second, on every Linux. */
const ticksPerSecond = 100;

/** What a process has in memory: pages of its own, and pages of files that it mapped, which the system may drop. */
export function readMemory(): { readonly rssMiB: number; readonly mappedMiB: number } {
  const status = readFileSync("/proc/self/status", "latin1");
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return { rssMiB: read("RssAnon") / mib, mappedMiB: read("RssFile") / mib };
}

/** CPU seconds that a process has used so far, all its threads. */
export function readCpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name of the process is in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Runs a full garbage collection. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

/**
 * The longest time between two turns of the loop: by the clock, and by the CPU time of this thread, which leaves out what the machine gave to others
 * meanwhile. What the bench itself does is taken off by `exclude`.
 */
export class LoopWatch {
  stallMs = 0;
  stallCpuMs = 0;
  #lastMs = 0;
  #lastCpuMs = 0;
  #isOn = false;

  start(): void {
    this.#isOn = true;
    this.#look();
    const turn = (): void => {
      if (!this.#isOn) return;
      const nowMs = performance.now();
      const cpuMs = readThreadMs();
      this.stallMs = Math.max(this.stallMs, nowMs - this.#lastMs);
      this.stallCpuMs = Math.max(this.stallCpuMs, cpuMs - this.#lastCpuMs);
      this.#look();
      setImmediate(turn);
    };
    setImmediate(turn);
  }

  stop(): void {
    this.#isOn = false;
  }

  /** Does something that is not part of what is measured. */
  exclude<T>(run: () => T): T {
    const startMs = performance.now();
    const startCpuMs = readThreadMs();
    const result = run();
    this.#lastMs += performance.now() - startMs;
    this.#lastCpuMs += readThreadMs() - startCpuMs;
    return result;
  }

  #look(): void {
    this.#lastMs = performance.now();
    this.#lastCpuMs = readThreadMs();
  }
}

function readThreadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
