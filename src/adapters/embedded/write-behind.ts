/** What is in the journal but not yet in LMDB, of one kind of record. */

/** A record on its way: its key and bytes as they are stored. */
export type Pending = { readonly sequence: number; readonly key: Buffer; readonly value: Buffer };

/** Bytes that an entry takes beside its key and value, roughly. */
const entryBytes = 200;

/**
 * Two maps: `fresh` takes what is put, `moving` is what a checkpoint is writing to LMDB. Together with LMDB they always hold the newest value of
 * every key.
 */
export class WriteBehind {
  #fresh = new Map<string, Pending>();
  #moving = new Map<string, Pending>();
  #freshBytes = 0;
  #movingBytes = 0;

  get(key: string): Pending | undefined {
    return this.#fresh.get(key) ?? this.#moving.get(key);
  }

  /** Returns how to take it back. Only the newest put of a key may be taken back. */
  set(key: string, pending: Pending): () => void {
    const before = this.#fresh.get(key);
    this.#fresh.set(key, pending);
    const added = countBytes(pending) - (before === undefined ? 0 : countBytes(before));
    this.#freshBytes += added;
    return () => {
      this.#freshBytes -= added;
      if (before === undefined) this.#fresh.delete(key);
      else this.#fresh.set(key, before);
    };
  }

  count(): number {
    return this.#fresh.size + this.#moving.size;
  }

  bytes(): number {
    return this.#freshBytes + this.#movingBytes;
  }

  /** Starts a move: what is on it stays readable until `finishMove` or `abandonMove`. */
  startMove(): void {
    this.#moving = this.#fresh;
    this.#movingBytes = this.#freshBytes;
    this.#fresh = new Map();
    this.#freshBytes = 0;
  }

  /** Everything that LMDB may not have yet, in no order; what stands in both maps comes once, as it is newest. */
  *pending(): Generator<Pending> {
    yield* this.#fresh.values();
    for (const [key, pending] of this.#moving) if (!this.#fresh.has(key)) yield pending;
  }

  /** What is on the move. */
  moving(): IteratorObject<Pending> {
    return this.#moving.values();
  }

  /** LMDB has durably what was moving. */
  finishMove(): void {
    this.#moving = new Map();
    this.#movingBytes = 0;
  }

  /** LMDB has not, or not all: it is to be moved again, but for what has been put anew since. */
  abandonMove(): void {
    const again = this.#moving;
    for (const [key, pending] of this.#fresh) again.set(key, pending);
    this.#fresh = again;
    this.#freshBytes = 0;
    for (const pending of again.values()) this.#freshBytes += countBytes(pending);
    this.finishMove();
  }
}

function countBytes({ key, value }: Pending): number {
  return key.length + value.length + entryBytes;
}
