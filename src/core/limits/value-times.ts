import type { LeavingSums } from "./leaving-sums.ts";

/** When each value of DISTINCT leaves: with the last of all that have it. Of every value 1 is kept in the sums. */
export class ValueTimes {
  /** Times of all values. */
  length = 0;
  readonly #sums: LeavingSums;
  /** Times of each value, ascending. */
  readonly #times = new Map<number, number[]>();

  constructor(sums: LeavingSums) {
    this.#sums = sums;
  }

  add(value: number, leavesAtMs: number): void {
    this.length++;
    const times = this.#times.get(value);
    if (times === undefined) {
      this.#times.set(value, [leavesAtMs]);
      this.#sums.add(leavesAtMs, 1);
      return;
    }
    const lastMs = times.at(-1)!;
    if (leavesAtMs < lastMs) {
      times.splice(findPlace(times, leavesAtMs), 0, leavesAtMs);
      return;
    }
    times.push(leavesAtMs);
    this.#move(lastMs, leavesAtMs);
  }

  /** Takes one time of a value away that was added. */
  remove(value: number, leavesAtMs: number): void {
    const times = this.#times.get(value);
    if (times === undefined) return;
    this.length--;
    times.splice(findPlace(times, leavesAtMs), 1);
    if (times.length === 0) {
      this.#times.delete(value);
      this.#sums.add(leavesAtMs, -1);
    } else if (times.at(-1)! < leavesAtMs) this.#move(leavesAtMs, times.at(-1)!);
  }

  /** The last time of a value without some of its times, -Infinity where none is left. */
  lastOf(value: number, without: readonly number[]): number {
    const times = this.#times.get(value);
    if (times === undefined) return -Infinity;
    const skipped = [...without];
    for (let at = times.length - 1; at >= 0; at--) {
      const own = skipped.indexOf(times[at]!);
      if (own < 0) return times[at]!;
      skipped.splice(own, 1);
    }
    return -Infinity;
  }

  #move(fromMs: number, toMs: number): void {
    if (fromMs === toMs) return;
    this.#sums.add(fromMs, -1);
    this.#sums.add(toMs, 1);
  }
}

/** The place of the first time that is not before one. */
function findPlace(times: readonly number[], leavesAtMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! < leavesAtMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
