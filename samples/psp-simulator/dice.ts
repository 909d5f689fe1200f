import { createHash } from "node:crypto";

/** Chance without a generator: the same names always give the same number in [0, 1), whatever else happened before. */
export type Dice = (...names: readonly string[]) => number;

export function makeDice(seed: string): Dice {
  return (...names) => {
    const hash = createHash("sha256").update([seed, ...names].join("\0"));
    return hash.digest().readUIntBE(0, 6) / 2 ** 48;
  };
}

/** Chooses by weight: `draw` in [0, 1). Undefined where there is nothing to choose from. */
export function chooseWeighted<T extends { readonly weight: number }>(
  entries: readonly T[],
  draw: number,
): T | undefined {
  let left = draw * entries.reduce((sum, { weight }) => sum + weight, 0);
  for (const entry of entries) {
    left -= entry.weight;
    if (left < 0) return entry;
  }
  return entries.at(-1);
}

/** A log-normal latency: half are below the median, one in twenty above p95. */
export function drawLatencyMs(
  { median, p95 }: { readonly median: number; readonly p95: number },
  first: number,
  second: number,
): number {
  if (median <= 0) return 0;
  const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
  return median * Math.exp((normal * Math.log(Math.max(p95, median) / median)) / 1.645);
}
