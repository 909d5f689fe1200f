import type { SlotSource } from "../cel/environment.ts";
import type { Expr } from "../cel/expr.ts";
import { quote } from "../cel/faults.ts";
import { readReads } from "../cel/reads.ts";
import type { FeatureSpec } from "../features/feature.ts";
import { nameSource } from "./environment.ts";
import { isOfPlayer } from "./player-sources.ts";
import { reachOf } from "./windows.ts";

/** What follows for a segment from what it reads, through other segments and features too. */
export type SegmentFacts = {
  /** The longest window, in ms; 0 where there is none. */
  readonly windowMsMax: number;
  /** What only a payment tells, named for people; undefined where it reads nothing of the sort. */
  readonly ofPayment: string | undefined;
};

/** What the facts of segments are found from. */
export type SegmentMaterial = {
  readonly ids: readonly string[];
  /** Ids so that each follows those that it reads. */
  readonly order: readonly string[];
  /** Condition and exit by id, as far as there are any. */
  readonly exprsOf: (id: string) => readonly Expr[];
  readonly slots: readonly SlotSource[];
  readonly features: readonly (FeatureSpec | undefined)[];
};

/** Facts of all segments, by ordinal. */
export function findSegmentFacts({
  ids,
  order,
  exprsOf,
  slots,
  features,
}: SegmentMaterial): readonly SegmentFacts[] {
  const reaches = createReachFinder(slots, features);
  const found = new Map<string, SegmentFacts>();
  for (const id of order) {
    let windowMsMax = 0;
    let ofPayment: string | undefined;
    for (const expr of exprsOf(id)) {
      const reads = readReads(expr);
      windowMsMax = Math.max(windowMsMax, reaches(expr));
      const foreign = [...reads.slots].map((slot) => slots[slot]!).find((source) => !isOfPlayer(source));
      ofPayment ??= foreign && nameSource(foreign);
      for (const ordinal of reads.segments) {
        const inner = found.get(ids[ordinal]!);
        windowMsMax = Math.max(windowMsMax, inner?.windowMsMax ?? 0);
        const through = inner?.ofPayment;
        ofPayment ??= through && `${through}, read by the segment ${quote(ids[ordinal]!)}`;
      }
    }
    found.set(id, { windowMsMax, ofPayment });
  }
  return ids.map((id) => found.get(id) ?? { windowMsMax: 0, ofPayment: undefined });
}

/** Finds the longest window among the features that an expression reads, in ms. */
function createReachFinder(
  slots: readonly SlotSource[],
  features: readonly (FeatureSpec | undefined)[],
): (expr: Expr) => number {
  const known = new Map<number, number>();
  const reachOfFeature = (ordinal: number): number => {
    let reach = known.get(ordinal);
    if (reach === undefined) {
      const spec = features[ordinal];
      reach = spec === undefined ? 0 : reachOfSpec(spec);
      known.set(ordinal, reach);
    }
    return reach;
  };
  const reachOfSpec = ({ how }: FeatureSpec): number => {
    switch (how.kind) {
      case "aggregate":
        return reachOf(how.aggregate.window);
      case "derived":
        return reachOfExpr(how.expr);
      case "model":
        return Math.max(0, ...how.inputs.map(reachOfFeature));
    }
  };
  const reachOfExpr = (expr: Expr): number => {
    let reach = 0;
    for (const slot of readReads(expr).slots) {
      const source = slots[slot]!;
      if (source.kind === "feature") reach = Math.max(reach, reachOfFeature(source.ordinal));
    }
    return reach;
  };
  return reachOfExpr;
}
