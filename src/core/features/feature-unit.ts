import type { AggregateFunction, FeatureSpec } from "./feature.ts";

/** Functions that give as much of something as goes in, and not how many or which share. */
const ofSameUnit: ReadonlySet<AggregateFunction> = new Set([
  ...(["SUM", "AVG", "MIN", "MAX", "STDDEV", "FIRST", "LAST"] as const),
  ...(["DECAYED_SUM", "PERCENTILE", "MODE"] as const),
]);

/**
 * What the number of a feature is: an ISO 4217 code for amounts in minor units, `ms` for lengths of time; empty for counts, shares, instants, and for
 * what a rule set or a model makes of others.
 */
export function findUnit({ how, type }: FeatureSpec): string {
  if (type === "duration") return "ms";
  if (how.kind !== "aggregate") return "";
  const { function: name, of } = how.aggregate;
  if (name === "MEDIAN_GAP" || name === "LONGEST_SESSION") return "ms";
  return of?.kind === "amount" && ofSameUnit.has(name) ? of.currency : "";
}
