/**
 * What is known of payments to a limit, entry by entry, so that an entry is found by its payment: chains in shared columns, because there are many
 * payments and few entries of each.
 */

/** What an entry is. Money and facts have the role of their row (`label-views.ts`); these come beside. */
export const marks = {
  /** A void of the attempt, of all where it is NaN. */
  voids: 7,
  /** Something stands in the place of the approvals. */
  follows: 9,
  /** The open hold; `attempt` is until when it counts. */
  hold: 10,
} as const;

/** One entry as plain values. */
export type PaymentEntry = {
  readonly role: number;
  readonly instantMs: number;
  readonly delta: number;
  /** Hash; NaN where unknown. */
  readonly attempt: number;
  /** What DISTINCT counts. */
  readonly key: number;
};

const none = -1;
const entriesMin = 64;

export class PaymentEntries {
  /** Entries that are there. */
  length = 0;
  instantMs = new Float64Array(entriesMin);
  delta = new Float64Array(entriesMin);
  attempt = new Float64Array(entriesMin);
  key = new Float64Array(entriesMin);
  role = new Uint8Array(entriesMin);
  #next = new Int32Array(entriesMin);
  readonly #heads = new Map<number, number>();
  #end = 0;
  /** Chain of places that are free. */
  #free = none;

  payments(): Iterable<number> {
    return this.#heads.keys();
  }

  /** The first entry of a payment, -1 where there is none. */
  first(payment: number): number {
    return this.#heads.get(payment) ?? none;
  }

  /** The entry after one, -1 behind the last. */
  next(entry: number): number {
    return this.#next[entry]!;
  }

  add(payment: number, entry: PaymentEntry): void {
    const place = this.#take();
    this.instantMs[place] = entry.instantMs;
    this.delta[place] = entry.delta;
    this.attempt[place] = entry.attempt;
    this.key[place] = entry.key;
    this.role[place] = entry.role;
    this.#next[place] = this.first(payment);
    this.#heads.set(payment, place);
    this.length++;
  }

  /** Takes one entry out that is like the given one. */
  remove(payment: number, entry: PaymentEntry): void {
    let before = none;
    for (let place = this.first(payment); place !== none; before = place, place = this.#next[place]!) {
      if (!this.#isLike(place, entry)) continue;
      const after = this.#next[place]!;
      if (before !== none) this.#next[before] = after;
      else if (after === none) this.#heads.delete(payment);
      else this.#heads.set(payment, after);
      this.#next[place] = this.#free;
      this.#free = place;
      this.length--;
      return;
    }
  }

  #isLike(place: number, { role, instantMs, delta, attempt, key }: PaymentEntry): boolean {
    return (
      this.role[place] === role &&
      this.instantMs[place] === instantMs &&
      this.delta[place] === delta &&
      Object.is(this.attempt[place], attempt) &&
      Object.is(this.key[place], key)
    );
  }

  #take(): number {
    if (this.#free !== none) {
      const place = this.#free;
      this.#free = this.#next[place]!;
      return place;
    }
    if (this.#end === this.role.length) this.#grow();
    return this.#end++;
  }

  #grow(): void {
    const length = this.role.length * 2;
    this.instantMs = growFloats(this.instantMs, length);
    this.delta = growFloats(this.delta, length);
    this.attempt = growFloats(this.attempt, length);
    this.key = growFloats(this.key, length);
    const role = new Uint8Array(length);
    role.set(this.role);
    this.role = role;
    const next = new Int32Array(length);
    next.set(this.#next);
    this.#next = next;
  }
}

function growFloats(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const next = new Float64Array(length);
  next.set(old);
  return next;
}
