/** Up to this many different values are told exactly. */
export const exactDistinctMax = 4_096;

const tableSize = 4 * exactDistinctMax;
const registerBits = 14;
const registers = 1 << registerBits;
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
      let sum = 0;
      let empty = 0;
      for (const rank of ranks) {
        sum += 2 ** -rank;
        if (rank === 0) empty++;
      }
      const raw = ((0.7213 / (1 + 1.079 / registers)) * registers * registers) / sum;
      // While many registers are empty, counting these is the better estimate.
      const isSparse = raw <= 2.5 * registers && empty > 0;
      return Math.round(isSparse ? registers * Math.log(registers / empty) : raw);
    },
  };
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
