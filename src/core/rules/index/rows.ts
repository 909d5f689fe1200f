import type { Scalar } from "../../cel/expr.ts";
import type { KeyRange } from "./image.ts";

/** Bits of a posting, as the positions whose bit differs from the base row's. */
export type Change = { readonly added: readonly number[]; readonly removed: readonly number[] };

const WORD_BITS = 32;

/** A posting becomes a row of its own once it touches one word in this many: no patching then, for at most 4 times the memory. */
const DENSE_SHARE = 8;

/** Writes the buffers of an image: rows, postings and keys. Used once, then `finish`ed. */
export class ImageWriter {
  readonly words: number;
  readonly summaryWords: number;
  readonly stride: number;
  #pool = new Int32Array(1024);
  #poolLength = 0;
  readonly #postings: number[] = [];
  readonly #patches: number[] = [];
  readonly #keyPostings: number[] = [];
  readonly #cellRows: number[] = [];
  readonly #numbers: number[] = [];
  readonly #text: string[] = [];
  readonly #known = new Map<string, number>();

  constructor(positions: number) {
    this.words = Math.ceil(positions / WORD_BITS);
    this.summaryWords = Math.ceil(this.words / WORD_BITS);
    this.stride = this.words + this.summaryWords;
  }

  /** A row with the bits of these positions; summarise it once no more bits are set. */
  addRow(positions: Iterable<number>): number {
    const row = this.#reserve();
    for (const position of positions) {
      this.setBit(row, position);
    }
    this.summarise(row);
    return row;
  }

  copyRow(from: number): number {
    const row = this.#reserve();
    this.#pool.copyWithin(row, from, from + this.stride);
    return row;
  }

  setBit(row: number, position: number): void {
    this.#pool[row + (position >>> 5)]! |= 1 << (position & 31);
  }

  summarise(row: number): void {
    for (let word = 0; word < this.words; word++) {
      const bit = 1 << (word & 31);
      const at = row + this.words + (word >>> 5);
      this.#pool[at] = this.#pool[row + word] === 0 ? this.#pool[at]! & ~bit : this.#pool[at]! | bit;
    }
  }

  /** A posting that replaces words of the row at `base`. */
  addReplacement(base: number, change: Change): number {
    return this.#sharePosting(`${base}`, base, change);
  }

  /** A posting whose bits are added to the row at `base`. */
  addAddition(base: number, added: readonly number[]): number {
    return this.#sharePosting(`+${base}`, undefined, { added, removed: [] });
  }

  /** Writes keys of one type with their postings. */
  addKeys(keys: ReadonlyMap<Scalar, number>): KeyRange {
    const values = [...keys.keys()];
    const type = typeof values[0] === "string" ? "text" : typeof values[0] === "boolean" ? "bool" : "number";
    const first = type === "text" ? this.#text.length : this.#numbers.length;
    const firstPosting = this.#keyPostings.length;
    this.#keyPostings.push(...keys.values());
    for (const value of values) {
      if (typeof value === "string") {
        this.#text.push(value);
      } else {
        this.#numbers.push(Number(value));
      }
    }
    return { type, first, count: values.length, firstPosting };
  }

  /** Writes a row for each cell, the same one for neighbours that are alike, and returns the index of the first. */
  addCells(cells: readonly (readonly number[])[]): number {
    const first = this.#cellRows.length;
    for (const [cell, positions] of cells.entries()) {
      const isRepeated = cell > 0 && isSameList(positions, cells[cell - 1]!);
      this.#cellRows.push(isRepeated ? this.#cellRows.at(-1)! : this.addRow(positions));
    }
    return first;
  }

  /** Writes bounds and returns the index of the first. */
  addBounds(bounds: readonly number[]): number {
    this.#numbers.push(...bounds);
    return this.#numbers.length - bounds.length;
  }

  finish() {
    const joined = this.#text.join("");
    const text = new Uint16Array(joined.length);
    for (let i = 0; i < joined.length; i++) {
      text[i] = joined.charCodeAt(i);
    }
    let end = 0;
    return {
      pool: this.#pool.slice(0, this.#poolLength),
      postings: Int32Array.from(this.#postings),
      patches: Int32Array.from(this.#patches),
      keyPostings: Int32Array.from(this.#keyPostings),
      cellRows: Int32Array.from(this.#cellRows),
      numbers: Float64Array.from(this.#numbers),
      text,
      textEnds: Int32Array.from(this.#text, (value) => {
        end += value.length;
        return end;
      }),
    };
  }

  #reserve(): number {
    const row = this.#poolLength;
    this.#poolLength += this.stride;
    if (this.#poolLength > this.#pool.length) {
      const grown = new Int32Array(Math.max(this.#poolLength, this.#pool.length * 2));
      grown.set(this.#pool);
      this.#pool = grown;
    }
    return row;
  }

  #sharePosting(dimension: string, base: number | undefined, change: Change): number {
    // The many values of a long `in` list share one posting.
    const short = change.added.length + change.removed.length <= 16;
    const name = short ? `${dimension} ${change.added} ${change.removed}` : "";
    const known = this.#known.get(name);
    if (known !== undefined) {
      return known;
    }
    const posting = this.#writePosting(base, change);
    if (short) {
      this.#known.set(name, posting);
    }
    return posting;
  }

  #writePosting(base: number | undefined, { added, removed }: Change): number {
    const touched = new Map<number, number>();
    const wordAt = (word: number): number =>
      touched.get(word) ?? (base === undefined ? 0 : this.#pool[base + word]!);
    for (const position of removed) {
      touched.set(position >>> 5, wordAt(position >>> 5) & ~(1 << (position & 31)));
    }
    for (const position of added) {
      touched.set(position >>> 5, wordAt(position >>> 5) | (1 << (position & 31)));
    }
    const posting = this.#postings.length / 3;
    const first = this.#patches.length;
    if (touched.size * DENSE_SHARE >= this.words && touched.size > 0) {
      const row = base === undefined ? this.#reserve() : this.copyRow(base);
      for (const [word, bits] of touched) {
        this.#pool[row + word] = bits;
      }
      this.summarise(row);
      this.#postings.push(row, first, first);
      return posting;
    }
    for (const [word, bits] of [...touched].sort(([a], [b]) => a - b)) {
      this.#patches.push(word, bits);
    }
    this.#postings.push(-1, first, this.#patches.length);
    return posting;
  }
}

function isSameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
