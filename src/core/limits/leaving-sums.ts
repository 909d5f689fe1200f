/**
 * Sums by the instant at which they leave, in order, so that what has not left yet is told without looking at it again: instants lie in chunks with
 * sums of their own. What comes last in time is put at the end; elsewhere it moves the rest of one chunk.
 */

/** Instants of a chunk; a full one is halved. */
const chunkMax = 256;

type Chunk = {
  readonly leavesAtMs: Float64Array;
  readonly deltas: Float64Array;
  length: number;
  sum: number;
  /** The most that leaves until some instant of the chunk, from its first one on, and at least 0; NaN where it is to be worked out. */
  peak: number;
};

/** More that leaves, in order of leaving. */
export type Leavers = {
  readonly length: number;
  readonly leavesAt: (at: number) => number;
  readonly deltaAt: (at: number) => number;
};

export class LeavingSums {
  /** Instants. */
  length = 0;
  #total = 0;
  readonly #chunks: Chunk[] = [];
  /** Sums of all chunks before one; good up to `#soundTo`. */
  readonly #before: number[] = [0];
  #soundTo = 0;

  /** Puts something to an instant; to take it away again, put it with the other sign. */
  add(leavesAtMs: number, delta: number): void {
    if (delta === 0) return;
    this.#total += delta;
    if (this.#chunks.length === 0) this.#chunks.push(makeChunk());
    const at = this.#findChunk(leavesAtMs);
    const chunk = this.#chunks[at]!;
    if (at < this.#soundTo) this.#soundTo = at;
    chunk.sum += delta;
    chunk.peak = NaN;
    const place = findPlace(chunk, leavesAtMs);
    if (place < chunk.length && chunk.leavesAtMs[place] === leavesAtMs) {
      chunk.deltas[place]! += delta;
      if (chunk.deltas[place] === 0) this.#cut(at, place);
      return;
    }
    this.#insert(at, place, leavesAtMs, delta);
  }

  /** Of all that leaves after an instant. */
  sumAfter(nowMs: number): number {
    if (this.#chunks.length === 0) return 0;
    const at = this.#findChunk(nowMs);
    const { leavesAtMs, deltas, length } = this.#chunks[at]!;
    let gone = this.#sumBefore(at);
    for (let place = 0; place < length && leavesAtMs[place]! <= nowMs; place++) gone += deltas[place]!;
    return this.#total - gone;
  }

  /** Instants up to now, but for those of the last chunk: what is kept for nothing. */
  countGone(nowMs: number): number {
    let gone = 0;
    for (let at = this.#chunks.length === 0 ? 0 : this.#findChunk(nowMs); at > 0; at--)
      gone += this.#chunks[at - 1]!.length;
    return gone;
  }

  /**
   * The first instant after now at which what is left of `net` is less than `bound`, or as little with `orEqual`, when all of an instant has left,
   * `others` included; Infinity where that never is. `others` leave after now.
   */
  findInstant(
    nowMs: number,
    { net, bound, orEqual }: { readonly net: number; readonly bound: number; readonly orEqual: boolean },
    others: Leavers,
  ): number {
    const isDone = (rest: number): boolean => (orEqual ? rest <= bound : rest < bound);
    let rest = net;
    let at = this.#chunks.length === 0 ? 0 : this.#findChunk(nowMs);
    let place = this.#chunks.length === 0 ? 0 : findPlace(this.#chunks[at]!, nowMs, true);
    let other = 0;
    for (;;) {
      let chunk = this.#chunks[at];
      if (chunk !== undefined && place === chunk.length) {
        at++;
        place = 0;
        chunk = this.#chunks[at];
      }
      if (chunk !== undefined && place === 0) {
        // Chunks in which it can't be are passed over whole.
        const lastMs = chunk.leavesAtMs[chunk.length - 1]!;
        let end = other;
        let least = rest - peakOf(chunk);
        let leaving = chunk.sum;
        for (; end < others.length && others.leavesAt(end) <= lastMs; end++) {
          const delta = others.deltaAt(end);
          leaving += delta;
          if (delta > 0) least -= delta;
        }
        if (!isDone(least)) {
          rest -= leaving;
          other = end;
          place = chunk.length;
          continue;
        }
      }
      const ownMs = chunk === undefined ? Infinity : chunk.leavesAtMs[place]!;
      const otherMs = other < others.length ? others.leavesAt(other) : Infinity;
      const nextMs = Math.min(ownMs, otherMs);
      if (nextMs === Infinity) return Infinity;
      if (ownMs === nextMs) rest -= chunk!.deltas[place++]!;
      while (other < others.length && others.leavesAt(other) === nextMs) rest -= others.deltaAt(other++);
      if (isDone(rest)) return nextMs;
    }
  }

  /** The last chunk that begins at or before an instant, else the first. */
  #findChunk(leavesAtMs: number): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]!.leavesAtMs[0]! <= leavesAtMs) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #sumBefore(at: number): number {
    for (; this.#soundTo < at; this.#soundTo++)
      this.#before[this.#soundTo + 1] = this.#before[this.#soundTo]! + this.#chunks[this.#soundTo]!.sum;
    return this.#before[at]!;
  }

  #insert(at: number, place: number, leavesAtMs: number, delta: number): void {
    let chunk = this.#chunks[at]!;
    if (chunk.length === chunkMax) {
      const next = this.#split(at, place);
      if (next > 0) {
        this.#insert(at + 1, place - next, leavesAtMs, delta);
        return;
      }
      chunk = this.#chunks[at]!;
    }
    chunk.leavesAtMs.copyWithin(place + 1, place, chunk.length);
    chunk.deltas.copyWithin(place + 1, place, chunk.length);
    chunk.leavesAtMs[place] = leavesAtMs;
    chunk.deltas[place] = delta;
    chunk.length++;
    this.length++;
  }

  /**
   * Puts the latter half of a chunk into one of its own, or nothing at all where the new instant is the last: what comes in order fills chunks.
   * Returns where the new chunk begins if the place is in it, else 0. The sum of the chunk has the new delta already.
   */
  #split(at: number, place: number): number {
    const chunk = this.#chunks[at]!;
    const from = place === chunk.length ? chunk.length : chunk.length >>> 1;
    const next = makeChunk();
    next.leavesAtMs.set(chunk.leavesAtMs.subarray(from, chunk.length));
    next.deltas.set(chunk.deltas.subarray(from, chunk.length));
    next.length = chunk.length - from;
    chunk.length = from;
    let moved = 0;
    for (let each = 0; each < next.length; each++) moved += next.deltas[each]!;
    const isInNext = place >= from;
    let own = 0;
    for (let each = 0; each < from; each++) own += chunk.deltas[each]!;
    const added = chunk.sum - own - moved;
    chunk.sum = own + (isInNext ? 0 : added);
    next.sum = moved + (isInNext ? added : 0);
    this.#chunks.splice(at + 1, 0, next);
    return isInNext ? from : 0;
  }

  #cut(at: number, place: number): void {
    const chunk = this.#chunks[at]!;
    chunk.leavesAtMs.copyWithin(place, place + 1, chunk.length);
    chunk.deltas.copyWithin(place, place + 1, chunk.length);
    chunk.length--;
    this.length--;
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }
}

function makeChunk(): Chunk {
  return {
    leavesAtMs: new Float64Array(chunkMax),
    deltas: new Float64Array(chunkMax),
    length: 0,
    sum: 0,
    peak: NaN,
  };
}

/** The place of the first instant of a chunk that is not before one, or, with `isAfter`, after it. */
function findPlace({ leavesAtMs, length }: Chunk, instantMs: number, isAfter: boolean = false): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const atMs = leavesAtMs[middle]!;
    if (atMs < instantMs || (isAfter && atMs === instantMs)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function peakOf(chunk: Chunk): number {
  if (!Number.isNaN(chunk.peak)) return chunk.peak;
  let sum = 0;
  let peak = 0;
  for (let at = 0; at < chunk.length; at++) {
    sum += chunk.deltas[at]!;
    if (sum > peak) peak = sum;
  }
  chunk.peak = peak;
  return peak;
}
