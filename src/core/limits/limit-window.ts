import { endOfPeriod, startOfPeriod } from "../features/windows.ts";
import type { LimitSpec } from "./limit.ts";

/** The window of a limit at the instant that it was last opened at: `afterMs < t < endMs` (`SEMANTICS.md` 5.9). */
export class LimitWindow {
  afterMs = -Infinity;
  /** Infinity where it is rolling. */
  endMs = -Infinity;
  readonly #spec: LimitSpec["window"];

  constructor(spec: LimitSpec["window"]) {
    this.#spec = spec;
  }

  open(nowMs: number): void {
    const spec = this.#spec;
    if (spec.kind === "rolling") {
      this.afterMs = nowMs - spec.spanMs;
      this.endMs = Infinity;
    } else if (nowMs <= this.afterMs || nowMs >= this.endMs) {
      this.afterMs = startOfPeriod(nowMs, spec) - 1;
      this.endMs = endOfPeriod(nowMs, spec);
    }
  }

  has(atMs: number): boolean {
    return atMs > this.afterMs && atMs < this.endMs;
  }

  /** When what counts from an instant on leaves, as long as nothing else happens. */
  leavesAt(instantMs: number): number {
    return this.#spec.kind === "rolling" ? instantMs + this.#spec.spanMs : this.endMs;
  }
}
