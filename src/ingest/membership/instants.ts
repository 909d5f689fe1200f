/** An instant for each dense number; NaN where none was set. 8 bytes a number. */
export class Instants {
  #atMs = new Float64Array(64).fill(Number.NaN);

  get(number: number): number {
    return number < this.#atMs.length ? this.#atMs[number]! : Number.NaN;
  }

  set(number: number, atMs: number): void {
    if (number >= this.#atMs.length) {
      const grown = new Float64Array(Math.max(number + 1, 2 * this.#atMs.length)).fill(Number.NaN);
      grown.set(this.#atMs);
      this.#atMs = grown;
    }
    this.#atMs[number] = atMs;
  }
}
