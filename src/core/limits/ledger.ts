/** Bits of `put`: a void of its payment removes the entry; a clearing or a paid withdrawal of its payment takes its place. */
export const removable = { byVoid: 1, byFollower: 2 } as const;

/** What a limit says of a payment that asks for so much. */
export type Balance = {
  readonly used: number;
  readonly asked: number;
  readonly headroom: number;
  readonly fits: boolean;
  /** The next instant at which headroom grows. */
  readonly resetsAtMs: number | undefined;
  /** When the payment would fit, where it does not. */
  readonly fitsAtMs: number | undefined;
  /** By how much `used` may be too high, because old rows are kept in tiles only. It is never too low. */
  readonly errorBound: number;
};

/**
 * What a limit counts of a subject at an instant, entry by entry: how much, and when it leaves by time alone. The scratch of one question, cleared
 * before the next, so that counting makes no garbage.
 */
export class Ledger {
  length = 0;
  #leavesAtMs = new Float64Array(64);
  #deltas = new Float64Array(64);
  #keys = new Float64Array(64);
  #payments = new Float64Array(64);
  #attempts = new Float64Array(64);
  #removable = new Uint8Array(64);
  #order = new Uint32Array(64);

  clear(): void {
    this.length = 0;
  }

  /**
   * Adds an entry. `key` is what entries of one thing have in common, NaN where it is a thing of its own; `payment` and `attempt` are hashes, NaN
   * where unknown.
   */
  put(
    leavesAtMs: number,
    delta: number,
    key: number,
    payment: number,
    attempt: number,
    removableBy: number,
  ): void {
    if (this.length === this.#deltas.length) this.#grow();
    const at = this.length++;
    this.#leavesAtMs[at] = leavesAtMs;
    this.#deltas[at] = delta;
    this.#keys[at] = key;
    this.#payments[at] = payment;
    this.#attempts[at] = attempt;
    this.#removable[at] = removableBy;
  }

  /** Removes what one attempt, or where `attempt` is NaN every attempt, of a payment put there. */
  remove(payment: number, attempt: number, bit: number): void {
    for (let at = this.length - 1; at >= 0; at--) {
      if (this.#payments[at] !== payment || (this.#removable[at]! & bit) === 0) continue;
      if (Number.isNaN(attempt) || Number.isNaN(this.#attempts[at]!) || this.#attempts[at] === attempt)
        this.#drop(at);
    }
  }

  /** What the approvals of a payment add up to. */
  sumOf(payment: number): number {
    let sum = 0;
    for (let at = 0; at < this.length; at++) {
      if (this.#payments[at] === payment && this.#removable[at] !== 0) sum += this.#deltas[at]!;
    }
    return sum;
  }

  /**
   * Takes from what was told of a payment without an attempt what was told of its attempts, of the same sign: two tellers told of the same money, and
   * one of them knows no attempts.
   */
  mergeUnnamed(): void {
    for (let at = this.length - 1; at >= 0; at--) {
      const payment = this.#payments[at]!;
      if (Number.isNaN(payment) || !Number.isNaN(this.#attempts[at]!)) continue;
      const delta = this.#deltas[at]!;
      let named = 0;
      for (let other = 0; other < this.length; other++) {
        if (this.#payments[other] !== payment || Number.isNaN(this.#attempts[other]!)) continue;
        if (this.#deltas[other]! > 0 === delta > 0) named += this.#deltas[other]!;
      }
      if (Math.abs(named) >= Math.abs(delta)) this.#drop(at);
      else this.#deltas[at] = delta - named;
    }
  }

  has(key: number): boolean {
    for (let at = 0; at < this.length; at++) if (this.#keys[at] === key) return true;
    return false;
  }

  /** Makes one entry of all that have a key in common: it leaves with the last of them. */
  merge(): void {
    if (this.length > fewMax) {
      this.#mergeMany();
      return;
    }
    for (let at = 1; at < this.length; at++) {
      for (let first = 0; first < at; first++) {
        if (this.#keys[first] !== this.#keys[at]) continue;
        this.#join(first, at--);
        break;
      }
    }
  }

  /** What is used, what is left, and when that changes by time alone. With `hasFloor` less than nothing is nothing. */
  balance(threshold: number, asked: number, hasFloor: boolean, errorBound: number): Balance {
    let net = 0;
    let isPlain = true;
    let nextMs = Infinity;
    for (let at = 0; at < this.length; at++) {
      const delta = this.#deltas[at]!;
      net += delta;
      if (delta < 0) isPlain = false;
      else if (delta > 0 && this.#leavesAtMs[at]! < nextMs) nextMs = this.#leavesAtMs[at]!;
    }
    const used = hasFloor ? Math.max(0, net) : net;
    const headroom = Math.max(0, threshold - used);
    const fits = asked === 0 || asked <= threshold - used;
    // Where nothing is negative and the limit is not overrun, whatever leaves first gives headroom.
    const growsAtMs =
      isPlain && used <= threshold ? nextMs : this.#findInstant(net, hasFloor, threshold, headroom, true);
    const fitsAtMs = fits ? Infinity : this.#findInstant(net, hasFloor, threshold, asked, false);
    return {
      used,
      asked,
      headroom,
      fits,
      resetsAtMs: growsAtMs === Infinity ? undefined : growsAtMs,
      fitsAtMs: fitsAtMs === Infinity ? undefined : fitsAtMs,
      errorBound,
    };
  }

  /** The first instant at which more than (or, if not `isMore`, at least) `wanted` is left if nothing else happens; Infinity where that never is. */
  #findInstant(net: number, hasFloor: boolean, threshold: number, wanted: number, isMore: boolean): number {
    const order = this.#sortByLeaving();
    let rest = net;
    for (let at = 0; at < this.length; ) {
      const leavesAtMs = this.#leavesAtMs[order[at]!]!;
      if (leavesAtMs === Infinity) break;
      while (at < this.length && this.#leavesAtMs[order[at]!] === leavesAtMs)
        rest -= this.#deltas[order[at++]!]!;
      const left = threshold - (hasFloor ? Math.max(0, rest) : rest);
      if (isMore ? Math.max(0, left) > wanted : left >= wanted) return leavesAtMs;
    }
    return Infinity;
  }

  /** Places of the entries, the first to leave first; good until it is called again. */
  #sortByLeaving(): Uint32Array {
    const leaves = this.#leavesAtMs;
    const order = this.#order;
    for (let at = 0; at < this.length; at++) order[at] = at;
    if (this.length > fewMax)
      return order.subarray(0, this.length).sort((a, b) => leaves[a]! - leaves[b]! || 0);
    for (let at = 1; at < this.length; at++) {
      const place = order[at]!;
      let before = at - 1;
      while (before >= 0 && leaves[order[before]!]! > leaves[place]!) {
        order[before + 1] = order[before]!;
        before--;
      }
      order[before + 1] = place;
    }
    return order;
  }

  #mergeMany(): void {
    const firsts = new Map<number, number>();
    for (let at = 0; at < this.length; at++) {
      const key = this.#keys[at]!;
      if (Number.isNaN(key)) continue;
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, at);
      else this.#leavesAtMs[first] = Math.max(this.#leavesAtMs[first]!, this.#leavesAtMs[at]!);
    }
    for (let at = this.length - 1; at >= 0; at--) {
      const key = this.#keys[at]!;
      // What is moved into a hole comes from behind and was looked at already.
      if (!Number.isNaN(key) && firsts.get(key) !== at) this.#drop(at);
    }
  }

  #join(first: number, other: number): void {
    this.#leavesAtMs[first] = Math.max(this.#leavesAtMs[first]!, this.#leavesAtMs[other]!);
    this.#drop(other);
  }

  /** The last entry takes its place: order means nothing. */
  #drop(at: number): void {
    const last = --this.length;
    this.#leavesAtMs[at] = this.#leavesAtMs[last]!;
    this.#deltas[at] = this.#deltas[last]!;
    this.#keys[at] = this.#keys[last]!;
    this.#payments[at] = this.#payments[last]!;
    this.#attempts[at] = this.#attempts[last]!;
    this.#removable[at] = this.#removable[last]!;
  }

  #grow(): void {
    const grow = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const next = new Float64Array(old.length * 2);
      next.set(old);
      return next;
    };
    this.#leavesAtMs = grow(this.#leavesAtMs);
    this.#deltas = grow(this.#deltas);
    this.#keys = grow(this.#keys);
    this.#payments = grow(this.#payments);
    this.#attempts = grow(this.#attempts);
    const flags = new Uint8Array(this.#removable.length * 2);
    flags.set(this.#removable);
    this.#removable = flags;
    this.#order = new Uint32Array(flags.length);
  }
}

/** Up to so many are compared one by one. */
const fewMax = 32;
