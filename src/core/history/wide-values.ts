/**
 * Wide values of rows, in blocks of what a row really has: all places of its label, or a mask of those that are there with their values behind it. A
 * payment fact has nine places and more, and mostly three or four of them.
 */
import { BlockSpace } from "./block-space.ts";

/** A reference is 0 where there is none, else the place of the block, with this bit where the block begins with a mask. */
const maskedBit = 0x8000_0000;
/** Masks are of 32 bits; labels with more places are kept whole. */
const maskPlaces = 32;

/** What was fetched, as a number of no meaning: reads whose values nobody keeps would be left out. */
const fetched = new Float64Array(1);

/** Values that are there, each with its place; only as many count as were listed. */
export type WideList = { readonly places: number[]; readonly values: number[] };

/** References are 32-bit numbers, kept by the row. */
export class WideValues {
  readonly #blocks: BlockSpace<Float64Array>;
  readonly #countWides: (label: number) => number;

  /** Slabs have 2^slabShift values; `countWides` tells the places of a label. */
  constructor(slabShift: number, countWides: (label: number) => number) {
    this.#blocks = new BlockSpace(slabShift, (length) => new Float64Array(length));
    this.#countWides = countWides;
  }

  /** NaN where the row has no value at the place. */
  read(reference: number, label: number, place: number): number {
    if (reference === 0) return Number.NaN;
    const at = reference & ~maskedBit;
    const slab = this.#blocks.slabs[at >>> this.#blocks.shift]!;
    const start = at & this.#blocks.mask;
    if ((reference & maskedBit) === 0) {
      return place < this.#countWides(label) ? slab[start + place]! : Number.NaN;
    }
    const mask = slab[start]!;
    const bit = 1 << place;
    if (place >= maskPlaces || (mask & bit) === 0) return Number.NaN;
    return slab[start + 1 + countBits(mask & (bit - 1))]!;
  }

  /** Fetches the blocks of the rows `[start, end)`, given by their references, together: they lie all over the slabs. */
  prefetch(references: Uint32Array, start: number, end: number): void {
    const { slabs, shift, mask } = this.#blocks;
    let read = 0;
    for (let row = start; row < end; row++) {
      const at = references[row]! & ~maskedBit;
      if (at !== 0) read += slabs[at >>> shift]![at & mask]!;
    }
    fetched[0] = read;
  }

  /** Lists the values that a row of this label has, by place. Returns how many there are. */
  list(reference: number, label: number, { places, values }: WideList): number {
    if (reference === 0) return 0;
    const at = reference & ~maskedBit;
    const slab = this.#blocks.slabs[at >>> this.#blocks.shift]!;
    let next = at & this.#blocks.mask;
    let listed = 0;
    if ((reference & maskedBit) === 0) {
      const end = this.#countWides(label);
      for (let place = 0; place < end; place++) {
        const value = slab[next++]!;
        if (Number.isNaN(value)) continue;
        places[listed] = place;
        values[listed++] = value;
      }
      return listed;
    }
    for (let mask = slab[next++]! | 0; mask !== 0; mask &= mask - 1) {
      places[listed] = 31 - Math.clz32(mask & -mask);
      values[listed++] = slab[next++]!;
    }
    return listed;
  }

  /** The reference of the values of a row. `values` has a value for every place of its label; NaN is none. */
  write(values: ArrayLike<number>): number {
    const places = values.length;
    let present = 0;
    let mask = 0;
    for (let place = 0; place < places; place++) {
      if (Number.isNaN(values[place]!)) continue;
      present++;
      if (place < maskPlaces) mask |= 1 << place;
    }
    if (present === 0) return 0;
    if (places > maskPlaces || present + 1 >= places) return this.#writeAll(values);
    return this.#writeMasked(values, mask >>> 0, present);
  }

  /** Frees the block of a row that had this label. */
  free(reference: number, label: number): void {
    if (reference === 0) return;
    const at = reference & ~maskedBit;
    this.#blocks.give(at, this.#sizeOf(reference, label));
  }

  bytes(): number {
    return this.#blocks.bytes();
  }

  #sizeOf(reference: number, label: number): number {
    if ((reference & maskedBit) === 0) return this.#countWides(label);
    const at = reference & ~maskedBit;
    return 1 + countBits(this.#blocks.slabs[at >>> this.#blocks.shift]![at & this.#blocks.mask]!);
  }

  #writeAll(values: ArrayLike<number>): number {
    const at = this.#blocks.take(values.length);
    const slab = this.#blocks.slabs[at >>> this.#blocks.shift]!;
    const start = at & this.#blocks.mask;
    for (let place = 0; place < values.length; place++) slab[start + place] = values[place]!;
    return at;
  }

  #writeMasked(values: ArrayLike<number>, mask: number, present: number): number {
    const at = this.#blocks.take(1 + present);
    const slab = this.#blocks.slabs[at >>> this.#blocks.shift]!;
    let next = at & this.#blocks.mask;
    slab[next++] = mask;
    for (let place = 0; place < values.length; place++) {
      if (!Number.isNaN(values[place]!)) slab[next++] = values[place]!;
    }
    return (at | maskedBit) >>> 0;
  }
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
