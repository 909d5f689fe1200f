/**
 * Blocks of a few values each in shared slabs: wide values of rows and the bytes of ids. A block never crosses a slab and never moves; given back, it
 * is taken again by whoever needs one of its size.
 */
export class BlockSpace<Column extends Float64Array | Uint32Array | Int32Array> {
  readonly slabs: Column[] = [];
  /** Place >> shift is the slab, place & mask the index in it. */
  readonly shift: number;
  readonly mask: number;
  readonly #makeSlab: (length: number) => Column;
  /** By size: the first free block, 0 for none. A free block holds the next one of its size. */
  readonly #free: number[] = [];
  #next = 1;

  /** Slabs have 2^shift values. */
  constructor(shift: number, makeSlab: (length: number) => Column) {
    this.shift = shift;
    this.mask = (1 << shift) - 1;
    this.#makeSlab = makeSlab;
  }

  /** The place of a block of `size` values, never 0. Its values are whatever was there. */
  take(size: number): number {
    const free = this.#free[size] ?? 0;
    if (free === 0) return this.#takeNew(size);
    this.#free[size] = this.slabs[free >>> this.shift]![free & this.mask]!;
    return free;
  }

  give(place: number, size: number): void {
    this.slabs[place >>> this.shift]![place & this.mask] = this.#free[size] ?? 0;
    this.#free[size] = place;
  }

  bytes(): number {
    return this.slabs.length === 0 ? 0 : this.slabs.length * this.slabs[0]!.byteLength;
  }

  #takeNew(size: number): number {
    if (size < 1 || size > this.mask) throw new RangeError(`no slab holds a block of ${size} values`);
    const slabValues = this.mask + 1;
    const left = this.slabs.length * slabValues - this.#next;
    if (left < size) {
      if (left > 0) this.give(this.#next, left);
      // 0 means none, so the first value of all is left out.
      this.#next = Math.max(1, this.slabs.length * slabValues);
      this.slabs.push(this.#makeSlab(slabValues));
    }
    const place = this.#next;
    this.#next += size;
    this.#free[size] ??= 0;
    return place;
  }
}
