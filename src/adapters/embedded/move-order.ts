import type { HistoryTable } from "../../core/history/history-table.ts";
import type { NumberQueue } from "./number-queue.ts";

/** So few are written as they came. */
const orderedMin = 4_096;
/** Stretches of keys. One of them is a few thousand histories of a million, and is told by a byte. */
const stretches = 256;
/** Histories whose ids are fetched from memory together. */
const fetchedMax = 16;
const placesPerStep = 256;

/**
 * The order in which a move writes histories: stretch by stretch of their keys. LMDB copies a page for every history that is written into it, so those
 * of one page should come in one transaction. It is no matter where a subject stands, only that like stand together.
 */
export class MoveOrder {
  readonly #table: HistoryTable;
  readonly #numbers: NumberQueue;
  #count = 0;
  #isOrdered = false;
  /** Subjects in order; a stretch begins with each. */
  #borders: readonly number[] = [];
  #stretchOf = new Uint8Array(0);
  #ordered = new Int32Array(0);
  /** By stretch: how many there are, then where the next one goes. */
  readonly #ends = new Int32Array(stretches);
  readonly #batch = new Int32Array(fetchedMax);
  #next = 0;
  #phase: "stretches" | "places" | "done" = "done";

  constructor(table: HistoryTable, numbers: NumberQueue) {
    this.#table = table;
    this.#numbers = numbers;
  }

  /** Takes the first `count` of the numbers, as they stand now. */
  begin(count: number): void {
    this.#count = count;
    this.#next = 0;
    this.#isOrdered = count >= orderedMin;
    this.#phase = this.#isOrdered ? "stretches" : "done";
    if (!this.#isOrdered) return;
    this.#borders = this.#drawBorders();
    this.#stretchOf = new Uint8Array(count);
    this.#ordered = new Int32Array(count);
    this.#ends.fill(0);
  }

  /** A small step towards the order. False where it stands. */
  step(): boolean {
    if (this.#phase === "stretches") this.#findStretches();
    else if (this.#phase === "places") this.#putInPlace();
    return this.#phase !== "done";
  }

  /** The number at a place below the count, when the order stands. */
  at(place: number): number {
    return this.#isOrdered ? this.#ordered[place]! : this.#numbers.at(place);
  }

  /** Lets its memory go. */
  end(): void {
    this.#stretchOf = new Uint8Array(0);
    this.#ordered = new Int32Array(0);
    this.#count = 0;
    this.#isOrdered = false;
    this.#phase = "done";
  }

  #drawBorders(): readonly number[] {
    const drawn = Array.from({ length: stretches - 1 }, (_, at) =>
      this.#numbers.at(Math.floor(((at + 0.5) * this.#count) / (stretches - 1))),
    );
    return drawn.sort((a, b) => this.#table.compareSubjects(a, b));
  }

  #findStretches(): void {
    const end = Math.min(this.#next + fetchedMax, this.#count);
    const count = end - this.#next;
    for (let at = 0; at < count; at++) this.#batch[at] = this.#numbers.at(this.#next + at);
    this.#table.prefetchIds(this.#batch.subarray(0, count));
    for (let at = 0; at < count; at++) {
      const stretch = this.#stretchOfSubject(this.#batch[at]!);
      this.#stretchOf[this.#next + at] = stretch;
      this.#ends[stretch]!++;
    }
    this.#next = end;
    if (end < this.#count) return;
    let start = 0;
    for (let stretch = 0; stretch < stretches; stretch++) {
      const length = this.#ends[stretch]!;
      this.#ends[stretch] = start;
      start += length;
    }
    this.#next = 0;
    this.#phase = "places";
  }

  /** How many borders are at or before it. */
  #stretchOfSubject(subject: number): number {
    let low = 0;
    let high = this.#borders.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#table.compareSubjects(this.#borders[middle]!, subject) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #putInPlace(): void {
    const end = Math.min(this.#next + placesPerStep, this.#count);
    for (; this.#next < end; this.#next++) {
      const stretch = this.#stretchOf[this.#next]!;
      this.#ordered[this.#ends[stretch]!++] = this.#numbers.at(this.#next);
    }
    if (end === this.#count) this.#phase = "done";
  }
}
