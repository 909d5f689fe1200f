/**
 * A bounded map of what was used lately. Two generations stand in for an order of use: what is read moves to the young one, and when that is full
 * it becomes the old one and what was old is forgotten. So a read costs one lookup, and between half of `entriesMax` and all of it is kept.
 */
export class HotCache<T> {
  readonly #youngMax: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  constructor(entriesMax: number) {
    this.#youngMax = Math.max(1, Math.floor(entriesMax / 2));
  }

  /** At most: an entry may stand in both generations. */
  size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: T): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#youngMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
