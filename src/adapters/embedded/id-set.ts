import { SubjectIndex } from "../../core/history/subject-index.ts";

const merchantId = "";
const kind = "player";

/**
 * A set of ids without an object for any: those of a million players, just imported, would be a million texts for every full garbage collection to
 * look at. It grows in small pieces, and lets its memory go when it is empty.
 */
export class IdSet {
  #index = new SubjectIndex();

  get size(): number {
    return this.#index.count();
  }

  add(id: string): void {
    this.#index.open(merchantId, { kind, id });
  }

  /** False where it was not there. */
  delete(id: string): boolean {
    const number = this.#index.find(merchantId, { kind, id });
    if (number < 0) return false;
    this.#index.remove(number);
    if (this.#index.count() === 0) this.#index = new SubjectIndex();
    return true;
  }

  has(id: string): boolean {
    return this.#index.find(merchantId, { kind, id }) >= 0;
  }

  /** What is added or deleted meanwhile may be among them or not; all others are. */
  *[Symbol.iterator](): Generator<string> {
    const index = this.#index;
    for (let at = index.next(0); at >= 0; at = index.next(at + 1)) yield index.subjectOf(at).id;
  }
}
