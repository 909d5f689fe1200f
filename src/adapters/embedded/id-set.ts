/** A few thousand ids of a million are in each, so that growing one never holds the process up. */
const shardCount = 256;

/** A set of ids that grows in small pieces: a single one of a million would stand still for a tenth of a second whenever it doubles. */
export class IdSet {
  readonly #shards = Array.from({ length: shardCount }, () => new Set<string>());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(id: string): void {
    const shard = this.#shardOf(id);
    const before = shard.size;
    shard.add(id);
    this.#size += shard.size - before;
  }

  /** False where it was not there. */
  delete(id: string): boolean {
    const isDeleted = this.#shardOf(id).delete(id);
    if (isDeleted) this.#size--;
    return isDeleted;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const shard of this.#shards) yield* shard;
  }

  #shardOf(id: string): Set<string> {
    let hash = 0;
    for (let at = 0; at < id.length; at++) hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
    return this.#shards[(hash ^ (hash >>> 15)) & (shardCount - 1)]!;
  }
}
