/** Up to this many different values are told exactly. */
export const exactDistinctMax = 4_096;

const tableSize = 4 * exactDistinctMax;
const registerBits = 14;
const registers = 1 << registerBits;
/** One more than the leading zeros of a hash of 32 bits may be. */
const rankMax = 33;
/** Standard error of an estimate with so many registers. */
const standardError = 1.04 / Math.sqrt(registers);

/** Counts different numbers: exactly at first, then by estimate. */
export type NumberSet = {
  readonly clear: () => void;
  readonly add: (value: number) => void;
  readonly count: () => number;
  /** 0 while the count is exact; else three standard errors of the estimate. */
  readonly errorBound: () => number;
};

/**
 * Makes a set of numbers that is filled again and again: a hash table with open addressing up to `exactDistinctMax` values, from there on an
 * estimate from the greatest numbers of leading zeros among hashes (HyperLogLog), so that a million different values take no more memory than
 * a thousand.
 */
export function createNumberSet(): NumberSet {
  const table = new Float64Array(tableSize);
  /** The filling in which a place was last taken: clearing is counting on. */
  const takenIn = new Uint32Array(tableSize);
  let filling = 0;
  let size = 0;
  let estimator: Estimator | undefined;
  let isEstimating = false;

  const spill = (): void => {
    estimator ??= createEstimator();
    estimator.clear();
    for (let place = 0; place < tableSize; place++) {
      if (takenIn[place] === filling) estimator.add(table[place]!);
    }
    isEstimating = true;
  };
  const add = (value: number): void => {
    if (isEstimating) {
      estimator!.add(value);
      return;
    }
    let place = mix(value, 0x9e3779b1) & (tableSize - 1);
    while (takenIn[place] === filling) {
      if (table[place] === value) return;
      place = (place + 1) & (tableSize - 1);
    }
    if (size === exactDistinctMax) {
      spill();
      estimator!.add(value);
      return;
    }
    table[place] = value;
    takenIn[place] = filling;
    size++;
  };
  return {
    clear: () => {
      filling = filling === 0xffffffff ? 1 : filling + 1;
      if (filling === 1) takenIn.fill(0);
      size = 0;
      isEstimating = false;
    },
    add,
    count: () => (isEstimating ? Math.max(exactDistinctMax + 1, estimator!.estimate()) : size),
    errorBound: () => (isEstimating ? Math.ceil(3 * standardError * estimator!.estimate()) : 0),
  };
}

type Estimator = {
  readonly clear: () => void;
  readonly add: (value: number) => void;
  readonly estimate: () => number;
};

function createEstimator(): Estimator {
  const ranks = new Uint8Array(registers);
  /** How many registers have each rank. */
  const counts = new Uint32Array(rankMax + 1);
  return {
    clear: () => {
      ranks.fill(0);
    },
    add: (value) => {
      const register = mix(value, 0x85ebca6b) >>> (32 - registerBits);
      const rank = Math.clz32(mix(value, 0xc2b2ae35)) + 1;
      if (rank > ranks[register]!) ranks[register] = rank;
    },
    estimate: () => {
      counts.fill(0);
      for (const rank of ranks) counts[rank]!++;
      let sum = registers * weighFull(1 - counts[rankMax]! / registers);
      for (let rank = rankMax - 1; rank >= 1; rank--) sum = (sum + counts[rank]!) / 2;
      sum += registers * weighEmpty(counts[0]! / registers);
      return Math.round((registers * registers) / (2 * Math.LN2 * sum));
    },
  };
}

/**
 * What empty registers add to the sum, by their share: x + x^2 + 2 x^4 + 4 x^8 + ... Together with `weighFull` it makes the estimate unbiased at
 * every size. Source: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, section 4.
 */
function weighEmpty(share: number): number {
  let power = share;
  let factor = 1;
  let sum = share;
  for (let last = -1; sum !== last && sum < Number.POSITIVE_INFINITY; ) {
    last = sum;
    power *= power;
    sum += power * factor;
    factor *= 2;
  }
  return sum;
}

/** What registers of the greatest rank take from the sum, by the share of all others. Source: as `weighEmpty`. */
function weighFull(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let factor = 1;
  let sum = 1 - share;
  for (let last = -1; sum !== last; ) {
    last = sum;
    root = Math.sqrt(root);
    factor /= 2;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}

const bits = new Float64Array(1);
const words = new Uint32Array(bits.buffer);

/** Mixes the bits of a number to 32 that look random; -0 is 0. */
function mix(value: number, seed: number): number {
  bits[0] = value + 0;
  let hash = Math.imul(words[0]! ^ seed, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ words[1]!, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, seed | 1);
  return (hash ^ (hash >>> 15)) >>> 0;
}
