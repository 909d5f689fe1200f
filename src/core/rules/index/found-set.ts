import type { Matches } from "./match.ts";

/**
 * The matches of one call, in whatever order they are found. They come out ascending: a bitmap sorts them, with a bit per word that is not
 * zero above it, at a cost that goes by their number.
 */
export class FoundSet {
  readonly #words: Int32Array;
  readonly #summary: Int32Array;
  readonly #flags: Uint8Array;

  constructor(conditions: number) {
    this.#words = new Int32Array(Math.ceil(conditions / 32));
    this.#summary = new Int32Array(Math.ceil(conditions / 1024));
    this.#flags = new Uint8Array(conditions);
  }

  add(ordinal: number, flag: number): void {
    this.#words[ordinal >>> 5]! |= 1 << (ordinal & 31);
    this.#summary[ordinal >>> 10]! |= 1 << ((ordinal >>> 5) & 31);
    this.#flags[ordinal] = flag;
  }

  /** Writes all to `matches`, returns their number, and is empty then. */
  drain({ ordinals, flags }: Matches): number {
    let count = 0;
    for (let s = 0; s < this.#summary.length; s++) {
      for (let live = this.#summary[s]!; live !== 0; live &= live - 1) {
        const word = s * 32 + (31 - Math.clz32(live & -live));
        for (let left = this.#words[word]!; left !== 0; left &= left - 1) {
          const ordinal = word * 32 + (31 - Math.clz32(left & -left));
          ordinals[count] = ordinal;
          flags[count] = this.#flags[ordinal]!;
          count++;
        }
        this.#words[word] = 0;
      }
      this.#summary[s] = 0;
    }
    return count;
  }

  clear(): void {
    this.#words.fill(0);
    this.#summary.fill(0);
  }
}
