/** Numbers in the order in which they came, in small pieces: a plain array of a million is copied whole whenever it grows. */
const chunkShift = 14;
const chunkNumbers = 1 << chunkShift;
const chunkMask = chunkNumbers - 1;

export class NumberQueue {
  #chunks: Int32Array[] = [];
  /** Where the first number is in the first chunk. */
  #start = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Shapes: 32 bits, signed. */
  push(number: number): void {
    const at = this.#start + this.#length++;
    if (at >>> chunkShift === this.#chunks.length) this.#chunks.push(new Int32Array(chunkNumbers));
    this.#chunks[at >>> chunkShift]![at & chunkMask] = number;
  }

  /** The number at a place below `length`. */
  at(place: number): number {
    const at = this.#start + place;
    return this.#chunks[at >>> chunkShift]![at & chunkMask]!;
  }

  /** Lets the first `count` go, at most as many as there are. */
  drop(count: number): void {
    const start = this.#start + count;
    this.#chunks = this.#chunks.slice(start >>> chunkShift);
    this.#start = start & chunkMask;
    this.#length -= count;
  }
}
