import type { EmbeddedHistories } from "./histories.ts";
import type { HistoryMover } from "./history-mover.ts";

/** Longest slice, in ms. */
const sliceMsMax = 0.7;
/** The clock is asked every so many steps. */
const stepsPerLook = 32;
/** Share of the rows that is freed beyond what must be, so that not every load starts anew. */
const slack = 0.02;

/**
 * Keeps the rows in memory within their bound: goes round the histories, slice by slice, and forgets those that LMDB has and nobody used since it came
 * by last.
 */
export class HistoryEvictor {
  readonly #histories: EmbeddedHistories;
  readonly #mover: HistoryMover;
  readonly #rowsMax: number;
  #cursor = 0;
  #isRunning = false;
  #evicted = 0;

  constructor(histories: EmbeddedHistories, mover: HistoryMover, rowsMax: number) {
    this.#histories = histories;
    this.#mover = mover;
    this.#rowsMax = rowsMax;
  }

  evicted(): number {
    return this.#evicted;
  }

  /** Starts going round where there are too many rows. */
  readonly check = (): void => {
    if (this.#isRunning || this.#histories.table.countResidentRows() <= this.#rowsMax) return;
    this.#isRunning = true;
    // The second time round nothing is spared but what was used in between.
    const stepsMax = 2 * this.#histories.table.countSubjects();
    setImmediate(() => this.#runSlice(stepsMax));
  };

  #runSlice(stepsMax: number): void {
    const { table } = this.#histories;
    const rowsWanted = Math.floor(this.#rowsMax * (1 - slack));
    const startedMs = performance.now();
    let steps = 0;
    while (table.countResidentRows() > rowsWanted && steps < stepsMax) {
      this.#step();
      if (++steps % stepsPerLook !== 0 || performance.now() - startedMs < sliceMsMax) continue;
      setImmediate(() => this.#runSlice(stepsMax - steps));
      return;
    }
    this.#isRunning = false;
    // All that is left waits for LMDB.
    if (table.countResidentRows() > this.#rowsMax) this.#mover.want();
  }

  #step(): void {
    const { table, marks } = this.#histories;
    const number = table.next(this.#cursor);
    this.#cursor = number + 1;
    if (number < 0 || marks.takeUsed(number) || !this.#mover.isClean(number)) return;
    this.#histories.evict(number);
    this.#evicted++;
  }
}
