/**
 * Runs of units in slabs: free neighbours are joined, and the first run that is long enough is taken. It only keeps the books; what lies in the
 * units is the caller's.
 */
export class RunSpace {
  readonly #slabUnits: number;
  /**
   * By unit of a slab. The first and the last unit of a free run hold its length; the first of a taken one holds its length below zero; all others 0.
   */
  readonly #slabs: Int32Array[] = [];
  /** By slab: no free run is longer. */
  readonly #longest: number[] = [];

  constructor(slabUnits: number) {
    this.#slabUnits = slabUnits;
  }

  slabs(): number {
    return this.#slabs.length;
  }

  /** The first unit of a run of `units`, a multiple of `align`; a slab is added where none has room. */
  take(units: number, align: number): number {
    if (units > this.#slabUnits) throw new RangeError(`no slab holds ${units} units`);
    for (let slab = 0; slab < this.#slabs.length; slab++) {
      if (this.#longest[slab]! < units) continue;
      const start = this.#findIn(slab, units, align);
      if (start >= 0) return slab * this.#slabUnits + start;
    }
    this.#addSlab();
    return this.take(units, align);
  }

  /** Gives back a whole run that was taken. */
  give(unit: number): void {
    const slab = Math.floor(unit / this.#slabUnits);
    const tags = this.#slabs[slab]!;
    let start = unit - slab * this.#slabUnits;
    let units = -tags[start]!;
    if (units <= 0) throw new Error(`no run was taken at unit ${unit}`);
    tags[start] = 0;
    const after = start + units;
    if (after < this.#slabUnits && tags[after]! > 0) {
      const more = tags[after]!;
      tags[after] = 0;
      units += more;
    }
    if (start > 0 && tags[start - 1]! > 0) {
      const more = tags[start - 1]!;
      tags[start - 1] = 0;
      start -= more;
      units += more;
    }
    this.#tagFree(slab, start, units);
  }

  #findIn(slab: number, units: number, align: number): number {
    const tags = this.#slabs[slab]!;
    let longest = 0;
    for (let at = 0; at < this.#slabUnits; ) {
      const length = tags[at]!;
      if (length < 0) {
        at -= length;
        continue;
      }
      const start = Math.ceil(at / align) * align;
      if (start + units <= at + length) {
        this.#carve(slab, at, length, start, units);
        return start;
      }
      if (length > longest) longest = length;
      at += length;
    }
    this.#longest[slab] = longest;
    return -1;
  }

  #carve(slab: number, at: number, length: number, start: number, units: number): void {
    const tags = this.#slabs[slab]!;
    tags[at] = 0;
    tags[at + length - 1] = 0;
    if (start > at) this.#tagFree(slab, at, start - at);
    const end = start + units;
    if (end < at + length) this.#tagFree(slab, end, at + length - end);
    tags[start] = -units;
  }

  #tagFree(slab: number, start: number, units: number): void {
    const tags = this.#slabs[slab]!;
    tags[start] = units;
    tags[start + units - 1] = units;
    if (units > this.#longest[slab]!) this.#longest[slab] = units;
  }

  #addSlab(): void {
    this.#slabs.push(new Int32Array(this.#slabUnits));
    this.#longest.push(0);
    this.#tagFree(this.#slabs.length - 1, 0, this.#slabUnits);
  }
}
