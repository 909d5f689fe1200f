import type { Expr } from "../cel/expr.ts";
import { readReads } from "../cel/reads.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import type { Unit } from "./memory-units.ts";

/** Names of stored attributes, types of events, and slots; not the slots that only a derived feature reads. */
export type SegmentReads = {
  readonly attributes: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  readonly slots: ReadonlySet<number>;
};

type Survey = {
  readonly attributes: Set<string>;
  readonly types: Set<string>;
  readonly slots: Set<number>;
};

/** What each segment reads, and what other conditions do together; through segments and features too. */
export function surveyReads(
  { slots, features, segments, segmentExit }: RuleSnapshot,
  {
    conditions,
    units,
    others,
  }: {
    readonly conditions: readonly Expr[];
    readonly units: readonly Unit[];
    readonly others: readonly Expr[];
  },
): { readonly ofSegments: readonly SegmentReads[]; readonly ofOthers: SegmentReads } {
  const surveys = new Map<number, Survey>();
  const journeyOf = new Map(units.flatMap((unit) => unit.ordinals.map((ordinal) => [ordinal, unit])));
  const surveyFeature = (ordinal: number, into: Survey): void => {
    const { how } = features[ordinal]!;
    switch (how.kind) {
      case "aggregate":
        for (const type of [...how.aggregate.events, ...how.aggregate.answers]) into.types.add(type);
        // Where a session begins and ends matters to windows that are sessions, and to their lengths.
        for (const type of ["session_start", "session_end"]) into.types.add(type);
        return;
      case "derived":
        surveyExpr(how.expr, { ...into, slots: new Set() });
        return;
      case "model":
        for (const input of how.inputs) surveyFeature(input, into);
    }
  };
  const surveyExpr = (expr: Expr, into: Survey): void => {
    const reads = readReads(expr);
    for (const slot of reads.slots) {
      const source = slots[slot]!;
      into.slots.add(slot);
      if (source.kind === "playerAttribute") into.attributes.add(source.name);
      else if (source.kind === "feature") surveyFeature(source.ordinal, into);
      else if (source.kind === "field") {
        const name = source.path === "player.age" ? "birth_date" : source.path.replace(/^player\./, "");
        into.attributes.add(name);
      }
    }
    for (const segment of reads.segments) {
      const other = survey(segment);
      for (const name of other.attributes) into.attributes.add(name);
      for (const type of other.types) into.types.add(type);
      for (const slot of other.slots) into.slots.add(slot);
    }
  };
  const survey = (ordinal: number): Survey => {
    let found = surveys.get(ordinal);
    if (found === undefined) {
      found = openSurvey();
      surveys.set(ordinal, found);
      const exit = segmentExit(ordinal);
      const own = journeyOf.get(ordinal)?.conditions ?? [conditions[ordinal]!];
      for (const expr of exit === undefined ? own : [...own, exit]) surveyExpr(expr, found);
    }
    return found;
  };
  const ofOthers = openSurvey();
  for (const expr of others) surveyExpr(expr, ofOthers);
  return { ofSegments: segments.map((_, ordinal) => survey(ordinal)), ofOthers };
}

function openSurvey(): Survey {
  return { attributes: new Set(), types: new Set(), slots: new Set() };
}
