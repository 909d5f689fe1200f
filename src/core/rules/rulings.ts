import type { Limit } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { SlotSource } from "../cel/environment.ts";
import type { Expr } from "../cel/expr.ts";
import { formatExpr } from "../cel/format.ts";
import { readReads } from "../cel/reads.ts";
import type { FeatureSpec } from "../features/feature.ts";
import { type LoweredConditions, nameParts } from "./check/check-conditions.ts";
import type { DiffSide } from "./diff.ts";
import { nameSource } from "./environment.ts";
import { isProtecting } from "./loosening.ts";
import { isProtectingLimit, type StandingConditions } from "./loosening-limits.ts";
import { toMs } from "./names.ts";
import { placeLimits, placeRules } from "./packs.ts";

/** What the protecting rules of the earlier of two rule sets rest on. */
export type Rulings = {
  /** Ids of the lists and segments, and paths of the attributes, that they read, themselves or through segments. */
  readonly lists: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  readonly attributes: ReadonlySet<string>;
  /** Ids of the features that they read, and names of the types of events that those are about. */
  readonly features: ReadonlySet<string>;
  readonly eventTypes: ReadonlySet<string>;
  /** Ids of the models behind those features. */
  readonly models: ReadonlySet<string>;
  /** Whether they convert amounts. */
  readonly convert: boolean;
  /** Whether they ask for the licence of a brand. */
  readonly licences: boolean;
  /** Whether the condition of the rule or segment with this id is, but for its writing, the same on both sides. */
  readonly conditionStands: StandingConditions["ofRule"];
  /** The same for one of the conditions of a limit; rules and limits of packs are named `pack.id`. */
  readonly limitConditionStands: StandingConditions["ofLimit"];
  readonly segmentStands: (segmentId: string) => boolean;
  /** The same for a feature with all that it is made of but other features. */
  readonly featureStands: (featureId: string) => boolean;
};

/** Facts that a brand's licence goes into. */
const licenceFacts: ReadonlySet<string> = new Set(["context.licence", "context.jurisdictions"]);

/** Finds what the protecting rules of `before` rest on. */
export function findRulings(before: DiffSide, after: DiffSide): Rulings {
  const { conditions } = before.checked;
  const found: Found = {
    lists: new Set(),
    segments: new Set(),
    sources: new Set(),
    features: new Set(),
    eventTypes: new Set(),
    models: new Set(),
  };
  const protecting = placeRules(before.ruleSet)
    .map(({ entry }) => entry)
    .filter(isProtecting);
  for (const { id } of protecting) {
    const expr = conditions.rules.get(id);
    if (expr !== undefined) follow(expr, conditions, found);
  }
  const limits = placeLimits(before.ruleSet)
    .map(({ entry }) => entry)
    .filter(isProtectingLimit);
  for (const limit of limits) followLimit(limit, conditions, found);
  const sources = [...found.sources];
  return {
    lists: found.lists,
    segments: found.segments,
    attributes: new Set(sources.map(nameSource)),
    features: found.features,
    eventTypes: found.eventTypes,
    // Models stand in order of id, by which their ordinals are.
    models: new Set([...found.models].map((ordinal) => before.ruleSet.models[ordinal]!.id)),
    convert:
      sources.some(({ kind }) => kind === "amountIn") ||
      [...found.features].some((id) => convertsAmounts(id, conditions)) ||
      protecting.some(({ effects }) => effects?.amountCap !== undefined) ||
      limits.some(({ thresholds }) => thresholds.some(({ amount }) => amount !== undefined)),
    licences: sources.some((source) => source.kind === "field" && licenceFacts.has(source.path)),
    conditionStands: (id) => stands(id, ({ rules }) => rules, before, after),
    limitConditionStands: (id, name) => describeLimit(id, name, before) === describeLimit(id, name, after),
    segmentStands: (id) =>
      stands(id, ({ segments }) => segments, before, after) &&
      stands(id, ({ exits }) => exits, before, after) &&
      memoryOf(id, before) === memoryOf(id, after),
    featureStands: (id) => describeFeature(id, before) === describeFeature(id, after),
  };
}

type Found = {
  readonly lists: Set<string>;
  readonly segments: Set<string>;
  readonly sources: Set<SlotSource>;
  readonly features: Set<string>;
  readonly eventTypes: Set<string>;
  /** Ordinals. */
  readonly models: Set<number>;
};

function follow(expr: Expr, conditions: LoweredConditions, found: Found): void {
  const { declarations, environments, segments, exits } = conditions;
  const reads = readReads(expr);
  const listIds = [...declarations.lists.keys()];
  const segmentIds = [...declarations.segments.keys()];
  for (const slot of reads.slots) {
    const source = environments.slots[slot]!;
    found.sources.add(source);
    if (source.kind === "feature") followFeature(source.ordinal, conditions, found);
  }
  for (const list of reads.lists) found.lists.add(listIds[list]!);
  for (const ordinal of reads.segments) {
    const id = segmentIds[ordinal]!;
    if (found.segments.has(id)) continue;
    found.segments.add(id);
    for (const inner of [segments.get(id), exits.get(id)]) {
      if (inner !== undefined) follow(inner, conditions, found);
    }
  }
}

/** What a limit rests on: its conditions, and the segments that choose its threshold. */
function followLimit({ id, thresholds }: Limit, conditions: LoweredConditions, found: Found): void {
  const { declarations, limits } = conditions;
  const { key, applies, counts } = limits.get(id) ?? {};
  for (const expr of [key, applies]) {
    if (expr !== undefined) follow(expr, conditions, found);
  }
  const listIds = [...declarations.lists.keys()];
  for (const list of counts === undefined ? [] : readReads(counts).lists) found.lists.add(listIds[list]!);
  for (const { segment: segmentId } of thresholds) {
    const segment = declarations.segments.get(segmentId);
    if (segment !== undefined) follow({ op: "segment", type: "bool", segment }, conditions, found);
  }
}

function describeLimit(
  id: string,
  name: Parameters<StandingConditions["ofLimit"]>[1],
  { checked: { conditions } }: DiffSide,
): string {
  const expr = conditions.limits.get(id)?.[name];
  const { slots, eventSlots } = conditions.environments;
  const names = nameParts({ slots: name === "counts" ? eventSlots : slots }, conditions.declarations);
  return expr === undefined ? "" : formatExpr(expr, names);
}

function followFeature(ordinal: number, conditions: LoweredConditions, found: Found): void {
  const spec = conditions.features.specs[ordinal];
  if (spec === undefined || found.features.has(spec.id)) return;
  found.features.add(spec.id);
  switch (spec.how.kind) {
    case "aggregate": {
      const { events, answers, where, hit } = spec.how.aggregate;
      for (const name of [...events, ...answers]) found.eventTypes.add(name);
      const listIds = [...conditions.declarations.lists.keys()];
      for (const expr of [where, hit]) {
        for (const list of expr === undefined ? [] : readReads(expr).lists) found.lists.add(listIds[list]!);
      }
      return;
    }
    case "derived":
      follow(spec.how.expr, conditions, found);
      return;
    case "model":
      found.models.add(spec.how.model);
      for (const input of spec.how.inputs) followFeature(input, conditions, found);
  }
}

function stands(
  id: string,
  pick: (conditions: LoweredConditions) => ReadonlyMap<string, Expr>,
  before: DiffSide,
  after: DiffSide,
): boolean {
  return describe(id, pick, before) === describe(id, pick, after);
}

function describe(
  id: string,
  pick: (conditions: LoweredConditions) => ReadonlyMap<string, Expr>,
  { checked }: DiffSide,
): string {
  const { conditions } = checked;
  const expr = pick(conditions).get(id);
  return expr === undefined
    ? ""
    : formatExpr(expr, nameParts(conditions.environments, conditions.declarations));
}

/** What a membership remembers beside its conditions. */
function memoryOf(id: string, { checked: { conditions } }: DiffSide): string {
  const listed = conditions.listedSegments.find(({ segment }) => segment.id === id);
  if (listed === undefined) return "";
  const { dwellMin } = listed.segment;
  return `${listed.hasMemory} ${dwellMin === undefined ? 0 : toMs(dwellMin)}`;
}

function specOf(id: string, { features }: LoweredConditions): FeatureSpec | undefined {
  return features.specs.find((spec) => spec?.id === id);
}

function convertsAmounts(id: string, conditions: LoweredConditions): boolean {
  const how = specOf(id, conditions)?.how;
  return how?.kind === "aggregate" && how.aggregate.of?.kind === "amount";
}

/** A feature as text, by names instead of ordinals. */
function describeFeature(id: string, { ruleSet, checked: { conditions } }: DiffSide): string {
  const spec = specOf(id, conditions);
  if (spec === undefined) return "";
  const { environments, declarations, features } = conditions;
  const show = (expr: Expr | undefined, slots: readonly SlotSource[]): string =>
    expr === undefined ? "" : formatExpr(expr, nameParts({ slots }, declarations));
  const { how } = spec;
  switch (how.kind) {
    case "aggregate": {
      const { where, hit, ...rest } = how.aggregate;
      const texts = [where, hit].map((expr) => show(expr, environments.eventSlots));
      return JSON.stringify([spec.type, rest, texts]);
    }
    case "derived":
      return JSON.stringify([spec.type, show(how.expr, environments.slots)]);
    case "model":
      return JSON.stringify([
        ruleSet.models[how.model]?.id,
        how.inputs.map((input) => features.specs[input]?.id),
      ]);
  }
}
