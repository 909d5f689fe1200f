/** Seeded chance, so that every run of a bench sees the same corpus. */
export type Random = {
  /** A number in [0, 1). */
  readonly next: () => number;
  /** An integer in [0, below). */
  readonly index: (below: number) => number;
  /** True with this chance. */
  readonly chance: (share: number) => boolean;
  /** Any of the items, all alike. */
  readonly pick: <T>(items: readonly T[]) => T;
  /** One of the items, the first most often: the k-th with weight 1/k. */
  readonly pickSkewed: <T>(items: readonly T[]) => T;
  /** So many different items, at most all of them. */
  readonly pickSome: <T>(items: readonly T[], count: number) => readonly T[];
};

/** Makes a generator (a 32-bit mulberry) from a seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const index = (below: number): number => Math.floor(next() * below);
  const pick = <T>(items: readonly T[]): T => items[index(items.length)]!;
  // (n + 1)^u - 1 for an even u follows 1/k closely, without a table of weights.
  const pickSkewed = <T>(items: readonly T[]): T => items[Math.floor((items.length + 1) ** next()) - 1]!;
  const pickSome = <T>(items: readonly T[], count: number): readonly T[] => {
    const some = new Set<T>();
    while (some.size < Math.min(count, items.length)) {
      some.add(pick(items));
    }
    return [...some];
  };
  return { next, index, chance: (share) => next() < share, pick, pickSkewed, pickSome };
}
