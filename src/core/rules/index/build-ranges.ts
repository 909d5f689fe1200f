import type { Dimension } from "./image.ts";
import type { PlannedCondition } from "./plan.ts";
import type { ImageWriter } from "./rows.ts";
import type { Constraint } from "./terms.ts";
import type { ValueSet } from "./value-set.ts";

/**
 * Bounds of one range dimension. Few, because its rows are read at random places and should stay in the processor's cache; what falls
 * between two bounds costs a predicate for the few conditions that have a threshold there.
 */
const BOUNDS_MAX = 64;

/**
 * Writes the rows of a number slot that some condition compares by order. Where conditions use more thresholds than there may be bounds,
 * the positions that hold in a part of a cell only go to its doubt row, and to `asked`.
 */
export function writeRanges(
  writer: ImageWriter,
  placed: readonly PlannedCondition[],
  slot: number,
  asked: Set<number>,
): Dimension {
  const thresholds = countThresholds(placed, slot);
  const bounds = chooseBounds(thresholds);
  const cells = 2 * bounds.length + 1;
  const kept = Array.from({ length: cells + 2 }, (): number[] => []);
  const doubted = Array.from({ length: cells + 2 }, (): number[] => []);
  for (const [position, { constraints, matchUnknown }] of placed.entries()) {
    const constraint = constraints.get(slot) ?? ANYTHING;
    const found = findCells(constraint.set, bounds);
    for (const cell of found.kept) {
      kept[cell]!.push(position);
    }
    for (const cell of found.doubted) {
      kept[cell]!.push(position);
      doubted[cell]!.push(position);
      asked.add(position);
    }
    if (found.nan) {
      kept[cells]!.push(position);
    }
    if (constraint.unknown ?? matchUnknown) {
      kept[cells + 1]!.push(position);
    }
  }
  const exact = bounds.length === thresholds.size;
  return {
    kind: "ranges",
    slot,
    firstBound: writer.addBounds(bounds),
    bounds: bounds.length,
    firstCell: writer.addCells(kept),
    firstDoubt: exact ? -1 : writer.addCells(doubted),
  };
}

/** What a condition asks of a slot that it does not name. */
const ANYTHING: Constraint = { set: { kind: "flat", all: true }, unknown: true };

/** How many conditions use each threshold. */
function countThresholds(placed: readonly PlannedCondition[], slot: number): ReadonlyMap<number, number> {
  const uses = new Map<number, number>();
  for (const { constraints } of placed) {
    const set = constraints.get(slot)?.set;
    for (const { at } of set?.kind === "numbers" ? set.cuts : []) {
      uses.set(at, (uses.get(at) ?? 0) + 1);
    }
  }
  return uses;
}

/** All thresholds as ascending bounds; or, where they are too many, those at equal shares of use. */
function chooseBounds(uses: ReadonlyMap<number, number>): number[] {
  const sorted = [...uses].sort(([a], [b]) => a - b);
  const most = BOUNDS_MAX;
  if (sorted.length <= most) {
    return sorted.map(([at]) => at);
  }
  const total = sorted.reduce((sum, [, used]) => sum + used, 0);
  const bounds: number[] = [];
  let passed = 0;
  for (const [at, used] of sorted) {
    const share = Math.floor((passed * most) / total);
    passed += used;
    if (Math.floor((passed * most) / total) > share) {
      bounds.push(at);
    }
  }
  return bounds;
}

/** The cells that a set holds in throughout, and those that it holds in a part of. */
function findCells(
  set: ValueSet,
  bounds: readonly number[],
): { readonly kept: readonly number[]; readonly doubted: readonly number[]; readonly nan: boolean } {
  const numbers = set.kind === "numbers" ? set : undefined;
  let inside = set.kind === "flat" ? set.all : (numbers?.startIn ?? false);
  const kept: number[] = [];
  const doubted: number[] = [];
  let next = 0;
  const fillTo = (end: number): void => {
    for (; next < end; next++) {
      if (inside) {
        kept.push(next);
      }
    }
  };
  for (const { at, after } of numbers?.cuts ?? []) {
    const index = findBound(bounds, at);
    if (bounds[index] === at) {
      fillTo(2 * index + (after ? 2 : 1));
    } else {
      fillTo(2 * index);
      if (next === 2 * index) {
        doubted.push(next++);
      }
    }
    inside = !inside;
  }
  fillTo(2 * bounds.length + 1);
  return { kept, doubted, nan: set.kind === "flat" ? set.all : (numbers?.nan ?? false) };
}

/** Index of the first bound that is not below the value. */
function findBound(bounds: readonly number[], value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
