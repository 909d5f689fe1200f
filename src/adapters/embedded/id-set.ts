import { SubjectIndex } from "../../core/history/subject-index.ts";

const merchantId = "";
const kind = "player";
/** Below it an index is not worth being made anew. */
const largeMin = 16_384;
/** What is left of the most that an index held when it is made anew. */
const smallShare = 1 / 4;
/** Ids that change over with every change. */
const movedPerChange = 8;

/**
 * A set of ids without an object for any: those of a million players, just imported, would be a million texts for every full garbage collection to
 * look at. It grows in small pieces, and so it shrinks: where few are left of many, they change over into an index of their own, some with every change.
 */
export class IdSet {
  #index = new SubjectIndex();
  /** The most that the index held. */
  #most = 0;
  /** What is left to change over, and from which number on. */
  #old: SubjectIndex | undefined;
  #oldNext = 0;
  /** While somebody goes through the ids none of them changes over. */
  #walks = 0;

  get size(): number {
    return this.#index.count() + (this.#old?.count() ?? 0);
  }

  add(id: string): void {
    if ((this.#old?.find(merchantId, { kind, id }) ?? -1) < 0) this.#index.open(merchantId, { kind, id });
    this.#most = Math.max(this.#most, this.#index.count());
    this.#changeOver();
  }

  /** False where it was not there. */
  delete(id: string): boolean {
    const wasThere = remove(this.#index, id) || (this.#old !== undefined && remove(this.#old, id));
    this.#changeOver();
    return wasThere;
  }

  has(id: string): boolean {
    return [this.#index, this.#old].some((index) => (index?.find(merchantId, { kind, id }) ?? -1) >= 0);
  }

  /** What is added or deleted meanwhile may be among them or not; all others are. */
  *[Symbol.iterator](): Generator<string> {
    this.#walks++;
    try {
      for (const index of [this.#old, this.#index]) {
        if (index === undefined) continue;
        for (let at = index.next(0); at >= 0; at = index.next(at + 1)) yield index.subjectOf(at).id;
      }
    } finally {
      this.#walks--;
    }
  }

  #changeOver(): void {
    if (this.#walks > 0) return;
    if (this.#old === undefined) {
      if (this.#most < largeMin || this.#index.count() > this.#most * smallShare) return;
      this.#old = this.#index;
      this.#oldNext = 0;
      this.#index = new SubjectIndex();
      this.#most = 0;
    }
    for (let moved = 0; moved < movedPerChange; moved++) {
      const number = this.#old.next(this.#oldNext);
      if (number < 0) {
        this.#old = undefined;
        return;
      }
      this.#index.open(merchantId, this.#old.subjectOf(number));
      this.#old.remove(number);
      this.#oldNext = number + 1;
    }
    this.#most = Math.max(this.#most, this.#index.count());
  }
}

function remove(index: SubjectIndex, id: string): boolean {
  const number = index.find(merchantId, { kind, id });
  if (number < 0) return false;
  index.remove(number);
  return true;
}
