import type { SlotSource } from "../cel/environment.ts";
import type { Expr } from "../cel/expr.ts";
import { quote } from "../cel/faults.ts";
import { readReads } from "../cel/reads.ts";
import type { EventTypeInfo } from "../events/event.ts";
import type { Purpose } from "../facts.ts";
import type { FeatureSpec } from "../features/feature.ts";
import { nameSource, type PurposeSource, purposesOf } from "./environment.ts";

/** What a rule set declares, as far as it says what may be used for what. */
export type ProtectedSource = {
  readonly declarations: PurposeSource;
  /** What the conditions of segments read. */
  readonly slots: readonly SlotSource[];
  /** A segment with its condition and its exit, as far as they are there and right. */
  readonly segmentAt: (ordinal: number) => {
    readonly id: string;
    readonly purposes: readonly Purpose[];
    readonly exprs: readonly (Expr | undefined)[];
  };
  /** By ordinal; undefined where one is faulty. */
  readonly features: readonly (FeatureSpec | undefined)[];
  /** Types of events that the rule set declares; built-in ones are for payments and fraud. */
  readonly eventTypes: ReadonlyMap<string, EventTypeInfo>;
};

export type ProtectedFinder = {
  /** What a condition over these slots reads, itself or through segments; `undefined` where all of it may be used to sell. */
  readonly inCondition: (expr: Expr, slots: readonly SlotSource[]) => string | undefined;
  readonly inSegment: (ordinal: number) => string | undefined;
};

/** Finds what only safer gambling or anti-money-laundering may use (`SEMANTICS.md` 3.9), named for people. Remembers segments. */
export function createProtectedFinder(source: ProtectedSource): ProtectedFinder {
  const known = new Map<number, string | undefined>();
  const inSegment = (ordinal: number): string | undefined => {
    if (known.has(ordinal)) return known.get(ordinal);
    // Set before the search, so that a circle ends.
    known.set(ordinal, undefined);
    const { id, purposes, exprs } = source.segmentAt(ordinal);
    const inside = exprs
      .map((expr) => expr && inCondition(expr, source.slots))
      .find((found) => found !== undefined);
    const what = isProtected(purposes)
      ? `the segment ${quote(id)}`
      : inside && `${inside}, read by the segment ${quote(id)}`;
    known.set(ordinal, what);
    return what;
  };
  const inCondition: ProtectedFinder["inCondition"] = (expr, slots) => {
    const reads = readReads(expr);
    for (const slot of reads.slots) {
      const read = slots[slot]!;
      if (isProtected(purposesOf(read, source.declarations))) return nameSource(read);
      const inside = read.kind === "feature" ? inFeature(read.ordinal) : undefined;
      if (inside !== undefined) return `${inside}, read by ${nameSource(read)}`;
    }
    for (const ordinal of reads.segments) {
      const what = inSegment(ordinal);
      if (what !== undefined) return what;
    }
    return undefined;
  };
  const knownFeatures = new Map<number, string | undefined>();
  /** What a feature is made of, itself being for everybody. */
  const inFeature = (ordinal: number): string | undefined => {
    if (knownFeatures.has(ordinal)) return knownFeatures.get(ordinal);
    knownFeatures.set(ordinal, undefined);
    const spec = source.features[ordinal];
    const what = spec && inMaterial(spec);
    knownFeatures.set(ordinal, what);
    return what;
  };
  const inMaterial = ({ how }: FeatureSpec): string | undefined => {
    switch (how.kind) {
      case "aggregate": {
        const { events, answers } = how.aggregate;
        const guarded = [...events, ...answers].find((name) =>
          isProtected(source.eventTypes.get(name)?.purposes ?? []),
        );
        return guarded && `events of type ${quote(guarded)}`;
      }
      case "derived":
        return inCondition(how.expr, source.slots);
      case "model":
        for (const input of how.inputs) {
          const spec = source.features[input];
          if (spec !== undefined && isProtected(spec.purposes)) return `feature.${spec.id}`;
          const inside = inFeature(input);
          if (inside !== undefined) return inside;
        }
        return undefined;
    }
  };
  return { inCondition, inSegment };
}

function isProtected(purposes: readonly Purpose[]): boolean {
  return purposes.length > 0 && purposes.every((purpose) => purpose === "rg" || purpose === "aml");
}
