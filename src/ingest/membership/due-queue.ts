const none = -1;

/**
 * When to look at whom: the next instant of each of up to a million players, by dense number, in a binary heap in typed arrays. 16 bytes a player,
 * and a change costs some twenty comparisons at most. A heap and not a wheel of slots, as instants lie anywhere from a millisecond to years ahead, and
 * have to be exact.
 */
export class DueQueue {
  /** Instants by number, ms since the epoch. */
  #atMs = new Float64Array(64);
  /** Place in the heap + 1 by number; 0 where it is not there. */
  #place = new Uint32Array(64);
  /** Numbers. */
  #heap = new Uint32Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Sets when to look at one, in place of what was set before; Infinity forgets. */
  schedule(number: number, atMs: number): void {
    if (atMs === Number.POSITIVE_INFINITY) {
      this.cancel(number);
      return;
    }
    this.#reserve(number);
    const known = this.#place[number]!;
    const place = known === 0 ? this.#size++ : known - 1;
    this.#atMs[number] = atMs;
    if (place > 0 && atMs < this.#atMs[this.#heap[(place - 1) >>> 1]!]!) this.#rise(place, number);
    else this.#sink(place, number);
  }

  cancel(number: number): void {
    const place = (this.#place[number] ?? 0) - 1;
    if (place === none) return;
    this.#place[number] = 0;
    const last = this.#heap[--this.#size]!;
    if (last === number) return;
    const parent = place > 0 ? this.#heap[(place - 1) >>> 1]! : none;
    if (parent !== none && this.#atMs[last]! < this.#atMs[parent]!) this.#rise(place, last);
    else this.#sink(place, last);
  }

  /** The earliest instant; Infinity where there is none. */
  firstMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#atMs[this.#heap[0]!]!;
  }

  /** Takes out the one that is due first, if it is due by now; -1 where none is. */
  take(nowMs: number): number {
    if (this.firstMs() > nowMs) return none;
    const number = this.#heap[0]!;
    this.cancel(number);
    return number;
  }

  #rise(from: number, number: number): void {
    const atMs = this.#atMs[number]!;
    let place = from;
    while (place > 0) {
      const up = (place - 1) >>> 1;
      const parent = this.#heap[up]!;
      if (this.#atMs[parent]! <= atMs) break;
      this.#put(place, parent);
      place = up;
    }
    this.#put(place, number);
  }

  #sink(from: number, number: number): void {
    const atMs = this.#atMs[number]!;
    let place = from;
    for (;;) {
      let down = 2 * place + 1;
      if (down >= this.#size) break;
      if (down + 1 < this.#size && this.#atMs[this.#heap[down + 1]!]! < this.#atMs[this.#heap[down]!]!)
        down++;
      const child = this.#heap[down]!;
      if (this.#atMs[child]! >= atMs) break;
      this.#put(place, child);
      place = down;
    }
    this.#put(place, number);
  }

  #put(place: number, number: number): void {
    this.#heap[place] = number;
    this.#place[number] = place + 1;
  }

  #reserve(number: number): void {
    if (number < this.#atMs.length) return;
    const length = Math.max(number + 1, 2 * this.#atMs.length);
    const atMs = new Float64Array(length);
    const place = new Uint32Array(length);
    const heap = new Uint32Array(length);
    atMs.set(this.#atMs);
    place.set(this.#place);
    heap.set(this.#heap);
    this.#atMs = atMs;
    this.#place = place;
    this.#heap = heap;
  }
}
