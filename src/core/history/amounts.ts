/**
 * Amounts of rows in 32 bits each. Nearly all are whole and below 2^31 minor units, and stand for themselves; the others lie in blocks of their own.
 */
import { BlockSpace } from "./block-space.ts";

/** Values of a slab: 512 KiB. */
const slabShift = 16;

/** A word is an amount from 0 on, or below zero where it lies elsewhere: minus its place there. */
export class Amounts {
  readonly #blocks = new BlockSpace(slabShift, (length) => new Float64Array(length));

  /** The word of an amount. */
  write(amountMinor: number): number {
    if (amountMinor === (amountMinor | 0) && amountMinor >= 0) return amountMinor;
    const place = this.#blocks.take(1);
    this.#blocks.slabs[place >>> slabShift]![place & this.#blocks.mask] = amountMinor;
    return -place;
  }

  read(word: number): number {
    return word >= 0 ? word : this.#readWide(-word);
  }

  /** Frees what a word stood for. */
  free(word: number): void {
    if (word < 0) this.#blocks.give(-word, 1);
  }

  bytes(): number {
    return this.#blocks.bytes();
  }

  #readWide(place: number): number {
    return this.#blocks.slabs[place >>> slabShift]![place & this.#blocks.mask]!;
  }
}
