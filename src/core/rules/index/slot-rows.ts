import type { Frame, Value } from "../../cel/expr.ts";
import type { Dimension, IndexImage } from "./image.ts";

export type ValueDimension = Omit<Extract<Dimension, { kind: "values" }>, "keys"> & {
  readonly keys: ReadonlyMap<Value, number>;
  /** Its place among the rows of a call. */
  readonly rank: number;
  /** The posting that `work` is patched with, or -1. */
  applied: number;
};

export type RangeDimension = Extract<Dimension, { kind: "ranges" }> & { readonly rank: number };

/** The rows that the values of the slots pick, one per dimension. */
export class SlotRows {
  /** Offsets of the rows that this call picked, first to last as they narrow best. */
  readonly rows: Int32Array;
  /** Offsets of its doubt rows. */
  readonly doubts: Int32Array;
  readonly #image: IndexImage;
  readonly #values: readonly ValueDimension[];
  readonly #ranges: readonly RangeDimension[];

  constructor(image: IndexImage, values: readonly ValueDimension[], ranges: readonly RangeDimension[]) {
    this.#image = image;
    this.#values = values;
    this.#ranges = ranges;
    // Where there is no row to pick, all conditions survive.
    this.rows = new Int32Array(Math.max(1, values.length + ranges.length));
    this.rows[0] = image.header.allRow;
    this.doubts = new Int32Array(ranges.filter(({ firstDoubt }) => firstDoubt !== -1).length);
  }

  /** Picks the rows for a frame, and tells whether some value was unknown. */
  pick(frame: Frame): boolean {
    const valueUnknown = this.#pickValues(frame);
    const rangeUnknown = this.#pickRanges(frame);
    return valueUnknown || rangeUnknown;
  }

  #pickValues(frame: Frame): boolean {
    const { postings } = this.#image;
    let sawUnknown = false;
    for (const dimension of this.#values) {
      const value = frame.values[dimension.slot];
      let posting = dimension.unknown;
      if (value === undefined) {
        sawUnknown = true;
      } else {
        posting = dimension.keys.get(value) ?? -1;
      }
      let row = dimension.base;
      if (posting !== -1) {
        row = postings[3 * posting]!;
        if (row === -1) {
          row = dimension.work;
          if (dimension.applied !== posting) {
            this.#replace(dimension, posting);
          }
        }
      }
      this.rows[dimension.rank] = row;
    }
    return sawUnknown;
  }

  /** Makes the work row that of a posting. It is left so until another is wanted: alike payments come in bursts. */
  #replace(dimension: ValueDimension, posting: number): void {
    const { postings, patches, pool } = this.#image;
    const { base, work, applied } = dimension;
    if (applied !== -1) {
      const end = postings[3 * applied + 2]!;
      for (let i = postings[3 * applied + 1]!; i < end; i += 2) {
        const word = patches[i]!;
        this.#setWord(work, word, pool[base + word]!);
      }
    }
    const end = postings[3 * posting + 2]!;
    for (let i = postings[3 * posting + 1]!; i < end; i += 2) {
      this.#setWord(work, patches[i]!, patches[i + 1]!);
    }
    dimension.applied = posting;
  }

  #setWord(row: number, word: number, bits: number): void {
    const { pool, header } = this.#image;
    pool[row + word] = bits;
    const at = row + header.words + (word >>> 5);
    const bit = 1 << (word & 31);
    pool[at] = bits === 0 ? pool[at]! & ~bit : pool[at]! | bit;
  }

  #pickRanges(frame: Frame): boolean {
    const { cellRows } = this.#image;
    let sawUnknown = false;
    let doubts = 0;
    for (const dimension of this.#ranges) {
      const value = frame.values[dimension.slot];
      sawUnknown ||= value === undefined;
      const cell = this.#findCell(dimension, value);
      this.rows[dimension.rank] = cellRows[dimension.firstCell + cell]!;
      if (dimension.firstDoubt !== -1) {
        this.doubts[doubts++] = cellRows[dimension.firstDoubt + cell]!;
      }
    }
    return sawUnknown;
  }

  #findCell({ firstBound, bounds }: RangeDimension, value: Value): number {
    const { numbers } = this.#image;
    if (typeof value !== "number") {
      return 2 * bounds + 2;
    }
    if (Number.isNaN(value)) {
      return 2 * bounds + 1;
    }
    let low = 0;
    let high = bounds;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (numbers[firstBound + middle]! < value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return 2 * low + (low < bounds && numbers[firstBound + low] === value ? 1 : 0);
  }
}
