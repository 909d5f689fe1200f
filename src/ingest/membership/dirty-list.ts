import { Instants } from "./instants.ts";

/** A player to look at, by dense number, with the earliest instant of which something became known; Infinity where it is just time to look. */
export type Job = { readonly number: number; readonly touchedMs: number };

/**
 * Players that were touched and not looked at since, by dense number, in the order in which they were touched first. Touching one again costs two
 * reads and a comparison.
 */
export class DirtyList {
  /** Earliest instant that was touched, by number; NaN where it is not in the list. */
  readonly #touchedMs = new Instants();
  /** A ring of numbers. */
  #ring = new Uint32Array(64);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(number: number, atMs: number): void {
    const knownMs = this.#touchedMs.get(number);
    if (!Number.isNaN(knownMs)) {
      if (atMs < knownMs) this.#touchedMs.set(number, atMs);
      return;
    }
    this.#touchedMs.set(number, atMs);
    if (this.#size === this.#ring.length) this.#growRing();
    this.#ring[(this.#head + this.#size) & (this.#ring.length - 1)] = number;
    this.#size++;
  }

  /** The earliest instant that was touched of one; NaN where it is not in the list. */
  touchedMs(number: number): number {
    return this.#touchedMs.get(number);
  }

  /** Takes the first out; undefined where there is none. */
  take(): Job | undefined {
    if (this.#size === 0) return undefined;
    const number = this.#ring[this.#head]!;
    const touchedMs = this.#touchedMs.get(number);
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#size--;
    this.#touchedMs.set(number, Number.NaN);
    return { number, touchedMs };
  }

  #growRing(): void {
    const grown = new Uint32Array(2 * this.#ring.length);
    const tail = this.#ring.subarray(this.#head);
    grown.set(tail);
    grown.set(this.#ring.subarray(0, this.#head), tail.length);
    this.#ring = grown;
    this.#head = 0;
  }
}
