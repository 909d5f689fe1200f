import type { LeavingSums } from "./leaving-sums.ts";

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

/** What a balance is struck for. With `hasFloor` less than nothing is nothing. */
export type BalanceTerms = {
  readonly threshold: number;
  readonly asked: number;
  readonly hasFloor: boolean;
  readonly errorBound: number;
  readonly nowMs: number;
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
  /** What approvals add up to by payment; undefined where that was not asked for. */
  #sums: Map<number, number> | undefined;

  clear(): void {
    this.length = 0;
    this.#sums = undefined;
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

  /**
   * Removes what attempts of payments put there: pairs of a payment and its attempt, NaN for every attempt. A payment that is NaN removes nothing.
   */
  remove(pairs: readonly number[], bit: number): void {
    if (this.length > fewMax && pairs.length > 2) {
      this.#removeMany(groupPairs(pairs), bit);
      return;
    }
    for (let pair = 0; pair < pairs.length; pair += 2) {
      const payment = pairs[pair]!;
      for (let at = this.length - 1; at >= 0; at--) {
        if (this.#payments[at] !== payment || (this.#removable[at]! & bit) === 0) continue;
        if (isSameAttempt(pairs[pair + 1]!, this.#attempts[at]!)) this.#drop(at);
      }
    }
  }

  #removeMany(attemptsOf: ReadonlyMap<number, readonly number[]>, bit: number): void {
    for (let at = this.length - 1; at >= 0; at--) {
      const payment = this.#payments[at]!;
      if ((this.#removable[at]! & bit) === 0 || Number.isNaN(payment)) continue;
      const attempt = this.#attempts[at]!;
      if (attemptsOf.get(payment)?.some((each) => isSameAttempt(each, attempt)) === true) this.#drop(at);
    }
  }

  /** What the approvals of a payment add up to. Ask when they are all there. */
  sumOf(payment: number): number {
    if (this.length > fewMax) return this.#sumsByPayment().get(payment) ?? 0;
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
    const gains = new Map<number, number>();
    const losses = new Map<number, number>();
    for (let at = 0; at < this.length; at++) {
      const payment = this.#payments[at]!;
      if (Number.isNaN(payment) || Number.isNaN(this.#attempts[at]!)) continue;
      const named = this.#deltas[at]! > 0 ? gains : losses;
      named.set(payment, (named.get(payment) ?? 0) + this.#deltas[at]!);
    }
    for (let at = this.length - 1; at >= 0; at--) {
      const payment = this.#payments[at]!;
      if (Number.isNaN(payment) || !Number.isNaN(this.#attempts[at]!)) continue;
      const delta = this.#deltas[at]!;
      const named = (delta > 0 ? gains : losses).get(payment) ?? 0;
      if (Math.abs(named) >= Math.abs(delta)) this.#drop(at);
      else this.#deltas[at] = delta - named;
    }
  }

  #sumsByPayment(): Map<number, number> {
    if (this.#sums === undefined) {
      this.#sums = new Map();
      for (let at = 0; at < this.length; at++) {
        const payment = this.#payments[at]!;
        if (Number.isNaN(payment) || this.#removable[at] === 0) continue;
        this.#sums.set(payment, (this.#sums.get(payment) ?? 0) + this.#deltas[at]!);
      }
    }
    return this.#sums;
  }

  /** Of all entries. */
  sum(): number {
    let sum = 0;
    for (let at = 0; at < this.length; at++) sum += this.#deltas[at]!;
    return sum;
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
      isPlain && used <= threshold ? nextMs : this.#findInstant(net, hasFloor, threshold - headroom, true);
    const fitsAtMs = fits ? Infinity : this.#findInstant(net, hasFloor, threshold - asked, false);
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

  /** As `balance`, of its entries and of all sums that leave after now. */
  balanceWith(sums: LeavingSums, { threshold, asked, hasFloor, errorBound, nowMs }: BalanceTerms): Balance {
    const net = sums.sumAfter(nowMs) + this.sum();
    const used = hasFloor ? Math.max(0, net) : net;
    const headroom = Math.max(0, threshold - used);
    const fits = asked === 0 || asked <= threshold - used;
    const order = this.#sortByLeaving();
    const leavers = {
      length: this.length,
      leavesAt: (at: number) => this.#leavesAtMs[order[at]!]!,
      deltaAt: (at: number) => this.#deltas[order[at]!]!,
    };
    const find = (bound: number, isMore: boolean): number =>
      isOutOfReach(hasFloor, bound, isMore)
        ? Infinity
        : sums.findInstant(nowMs, { net, bound, orEqual: !isMore }, leavers);
    const growsAtMs = find(threshold - headroom, true);
    const fitsAtMs = fits ? Infinity : find(threshold - asked, false);
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

  /** The first instant at which less than `bound` (or, if not `isMore`, at most that) is used if nothing else happens; Infinity where that never is. */
  #findInstant(net: number, hasFloor: boolean, bound: number, isMore: boolean): number {
    if (isOutOfReach(hasFloor, bound, isMore)) return Infinity;
    const order = this.#sortByLeaving();
    let rest = net;
    for (let at = 0; at < this.length; ) {
      const leavesAtMs = this.#leavesAtMs[order[at]!]!;
      if (leavesAtMs === Infinity) break;
      while (at < this.length && this.#leavesAtMs[order[at]!] === leavesAtMs)
        rest -= this.#deltas[order[at++]!]!;
      if (isMore ? rest < bound : rest <= bound) return leavesAtMs;
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

/** What is told of no attempt is told of all. */
function isSameAttempt(a: number, b: number): boolean {
  return Number.isNaN(a) || Number.isNaN(b) || a === b;
}

function groupPairs(pairs: readonly number[]): ReadonlyMap<number, number[]> {
  const attemptsOf = new Map<number, number[]>();
  for (let at = 0; at < pairs.length; at += 2) {
    const known = attemptsOf.get(pairs[at]!);
    if (known === undefined) attemptsOf.set(pairs[at]!, [pairs[at + 1]!]);
    else known.push(pairs[at + 1]!);
  }
  return attemptsOf;
}

/** With a floor nothing is the least that can be used. */
function isOutOfReach(hasFloor: boolean, bound: number, isMore: boolean): boolean {
  return hasFloor && (isMore ? bound <= 0 : bound < 0);
}
