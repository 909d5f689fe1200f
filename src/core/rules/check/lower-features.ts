import { type Aggregate, Aggregate_Function, type Model } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { SlotDomain } from "../../cel/domain-goals.ts";
import type { Environment } from "../../cel/environment.ts";
import type { Expr, ExprType } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { readReads } from "../../cel/reads.ts";
import type { EventTypeInfo } from "../../events/event.ts";
import type { FeatureSpec } from "../../features/feature.ts";
import { aggregateBounds, aggregateType, readAggregate } from "../aggregates.ts";
import { nameSource, variableOfFeature } from "../environment.ts";
import { listEventVariables } from "../event-variables.ts";
import type { ListedFeature } from "../features.ts";
import { isOfPlayer } from "../player-sources.ts";
import { checkAggregate, type EventTypes } from "./check-aggregate.ts";
import { type LoweringContext, lowerEventText, lowerValue } from "./lower-text.ts";
import { checkReference } from "./values.ts";

/** Longest chain of features that read each other. */
const chainMax = 16;

/** The features of a rule set, as far as they are right. */
export type LoweredFeatures = {
  /** By ordinal. */
  readonly specs: readonly (FeatureSpec | undefined)[];
  /** Ordinals of all features that are right, each after those that it reads. */
  readonly order: readonly number[];
};

export type FeatureInput = {
  readonly listed: readonly ListedFeature[];
  /** In the same order; their types are filled in here. */
  readonly declared: readonly { id: string; type: ExprType | undefined; bounds?: SlotDomain | undefined }[];
  readonly eventTypes: EventTypes;
  /** Models by id, with their ordinals. */
  readonly models: ReadonlyMap<string, { readonly ordinal: number; readonly model: Model }>;
};

/**
 * Finds the type of each feature and lowers its conditions, those first that others read: a derived feature has the type of its expression.
 *
 * Circles and chains of more than 16 are faults.
 */
export function lowerFeatures(
  context: LoweringContext,
  { listed, declared, eventTypes, models }: FeatureInput,
): LoweredFeatures {
  const ordinals = new Map(listed.map(({ id }, ordinal) => [id, ordinal]));
  const specs: (FeatureSpec | undefined)[] = listed.map(() => undefined);
  const order: number[] = [];
  const lengths = new Map<number, number>();
  const chain: number[] = [];

  /** Length of the chain that begins here; 0 where it closes a circle. */
  function visit(ordinal: number): number {
    const known = lengths.get(ordinal);
    if (known !== undefined) return known;
    const at = chain.indexOf(ordinal);
    if (at !== -1) {
      const circle = [...chain.slice(at), ordinal].map((each) => quote(listed[each]!.id)).join(" -> ");
      context.faults.error(
        howPath(listed[ordinal]!),
        "feature-cycle",
        `features read each other in a circle: ${circle}`,
      );
      return 0;
    }
    // Deeper chains are refused where they begin; this keeps the stack flat.
    if (chain.length > chainMax) return 1;
    chain.push(ordinal);
    const reads: number[] = [];
    const spec = makeSpec(listed[ordinal]!, (read) => {
      reads.push(visit(read));
    });
    chain.pop();
    const length = 1 + Math.max(0, ...reads);
    lengths.set(ordinal, length);
    if (length === chainMax + 1) {
      const message = `more than ${chainMax} features read each other in a chain`;
      context.faults.error(howPath(listed[ordinal]!), "features-too-deep", message);
    }
    if (spec !== undefined) {
      specs[ordinal] = spec;
      declared[ordinal]!.type = spec.type;
      declared[ordinal]!.bounds = boundsOf(listed[ordinal]!.feature, eventTypes);
      order.push(ordinal);
    }
    return length;
  }

  function makeSpec(entry: ListedFeature, read: (ordinal: number) => void): FeatureSpec | undefined {
    const { id, feature, purposes } = entry;
    const { how } = feature;
    switch (how.case) {
      case "aggregate":
        return lowerAggregate(context, entry, how.value, eventTypes);
      case "derived": {
        const environment = environmentOf(entry, read);
        const expr = lowerDerived(context, environment, how.value, howPath(entry));
        return expr && { id, type: expr.type, purposes, how: { kind: "derived", expr } };
      }
      case "model": {
        const found = models.get(how.value);
        if (found === undefined) {
          const target = { ids: models, rule: "unknown-model", noun: "model" } as const;
          checkReference(context.faults, howPath(entry), how.value, target);
          return undefined;
        }
        // Unknown inputs are faults of the model.
        const inputs = found.model.inputs.flatMap((input) => ordinals.get(input) ?? []);
        inputs.forEach(read);
        if (inputs.length < found.model.inputs.length || inputs.some((input) => specs[input] === undefined))
          return undefined;
        return { id, type: "double", purposes, how: { kind: "model", model: found.ordinal, inputs } };
      }
      case "marker":
      case undefined:
        // Told by the check of the section.
        return undefined;
    }
  }

  /** What a derived feature may name; the features that it names are lowered when they are asked for. */
  function environmentOf({ prefix }: ListedFeature, read: (ordinal: number) => void): Environment {
    const { plain } = context.environments;
    const ordinalOf = (path: string): number | undefined =>
      path.startsWith("feature.") ? ordinals.get(`${prefix}${path.slice("feature.".length)}`) : undefined;
    return {
      ...plain,
      variable: (path) => {
        const ordinal = ordinalOf(path);
        if (ordinal === undefined) return plain.variable(path);
        read(ordinal);
        const declaration = declared[ordinal]!;
        return declaration.type && variableOfFeature(declaration, declaration.type, ordinal);
      },
      refusal: (path) => (ordinalOf(path) === undefined ? undefined : { kind: "told" }),
    };
  }

  for (const ordinal of listed.keys()) visit(ordinal);
  return { specs, order };
}

/** A derived feature is of the player at an instant: it reads stored facts, the time and other features. */
function lowerDerived(
  context: LoweringContext,
  environment: Environment,
  text: string,
  path: string,
): Expr | undefined {
  const expr = lowerValue(context, environment, { text, path });
  if (expr === undefined) return undefined;
  const reads = readReads(expr);
  const { slots } = context.environments;
  const foreign = [...reads.slots].map((slot) => slots[slot]!).find((source) => !isOfPlayer(source));
  if (foreign !== undefined) {
    const why = `${nameSource(foreign)} belongs to a payment: a feature is of the player, with or without one`;
    context.faults.error(path, "not-of-player", `1:1 ${why}`);
    return undefined;
  }
  if (reads.segments.size > 0) {
    context.faults.error(path, "not-of-player", "1:1 segments read features, so features read no segments");
    return undefined;
  }
  if (typeof expr.type !== "string") {
    context.faults.error(path, "list-feature", "1:1 a feature has one value, this is a list");
    return undefined;
  }
  return expr;
}

function lowerAggregate(
  context: LoweringContext,
  entry: ListedFeature,
  aggregate: Aggregate,
  eventTypes: EventTypes,
): FeatureSpec | undefined {
  const path = howPath(entry);
  const checked = checkAggregate(context.faults, path, aggregate, eventTypes);
  if (checked === undefined) return undefined;
  const { types, answers } = checked;
  const lower = (over: readonly EventTypeInfo[], text: string, field: string): Expr | undefined => {
    if (text === "") return undefined;
    const { variables, refusal } = listEventVariables(over);
    const environment = context.environments.overEvents(variables, refusal);
    return lowerEventText(context, environment, text, `${path}.${field}`);
  };
  const where = lower(types, aggregate.where, "where");
  const follows = aggregate.function === Aggregate_Function.FOLLOWED;
  const hit = lower(follows ? answers : types, aggregate.hit, "hit");
  const { id, purposes } = entry;
  const spec = readAggregate(aggregate, types, { where, hit });
  return { id, type: aggregateType(aggregate, types), purposes, how: { kind: "aggregate", aggregate: spec } };
}

/** What values a feature that is right can take, where that is bounded. */
function boundsOf({ how }: ListedFeature["feature"], eventTypes: EventTypes): SlotDomain | undefined {
  return how.case === "aggregate"
    ? aggregateBounds(
        how.value,
        how.value.events.map((name) => eventTypes.get(name)!),
      )
    : undefined;
}

/** Where faults of how a feature is had are shown: for the parts of a marker at the marker. */
function howPath({ path, prefix, feature }: ListedFeature): string {
  return `${path}.${prefix === "" ? feature.how.case : "marker"}`;
}
