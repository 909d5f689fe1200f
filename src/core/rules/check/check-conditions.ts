import { Attribute_Subject, type RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../../cel/code-points.ts";
import type { ListDomain } from "../../cel/domain-goals.ts";
import type { Expr } from "../../cel/expr.ts";
import type { ConditionNames } from "../../cel/format.ts";
import type { EventTypeInfo } from "../../events/event.ts";
import { eventTypes as builtInEventTypes } from "../../events/event-types.ts";
import { openList } from "../../lists.ts";
import {
  createEnvironments,
  type Declarations,
  type Environments,
  type FeatureDeclaration,
  nameSource,
} from "../environment.ts";
import { readEventType } from "../event-types.ts";
import { listFeatures } from "../features.ts";
import { readAttribute } from "../names.ts";
import { placeLimits, placeRules } from "../packs.ts";
import { findSegmentFacts, type SegmentFacts } from "../segment-facts.ts";
import { type ListedSegment, listSegments } from "../segments.ts";
import type { AttributeInfo } from "../snapshot.ts";
import type { CheckInput } from "./check-input.ts";
import { orderSegments } from "./check-segments.ts";
import { type FeatureInput, type LoweredFeatures, lowerFeatures } from "./lower-features.ts";
import { environmentOf, joinPack, type LoweredLimit, lowerLimits } from "./lower-limits.ts";
import { lowerSegments } from "./lower-segments.ts";
import { type LoweringContext, lowerText } from "./lower-text.ts";

/** The conditions of a rule set in typed form, as far as they are right. */
export type LoweredConditions = {
  readonly environments: Environments;
  readonly declarations: Declarations;
  /** By id. */
  readonly segments: ReadonlyMap<string, Expr>;
  /** By which a member leaves, by id, of segments that say it. */
  readonly exits: ReadonlyMap<string, Expr>;
  /** Segments and states of lifecycles by ordinal, with what follows from what they read. */
  readonly listedSegments: readonly ListedSegment[];
  readonly segmentFacts: readonly SegmentFacts[];
  /** Ids so that each segment follows those that it reads. */
  readonly segmentOrder: readonly string[];
  /** By id; rules without a condition have no entry. */
  readonly rules: ReadonlyMap<string, Expr>;
  /** By id; like rules with those of packs, which are named `pack.id`. */
  readonly limits: ReadonlyMap<string, LoweredLimit>;
  readonly features: LoweredFeatures;
  /** Types of events that the rule set declares, by name. */
  readonly eventTypes: ReadonlyMap<string, EventTypeInfo>;
};

/** Checks all conditions: of features, of segments, their references among each other, and of rules. */
export function checkConditions(input: CheckInput): LoweredConditions {
  const { ruleSet, faults } = input;
  const listedFeatures = listFeatures(ruleSet);
  const listedSegments = listSegments(ruleSet);
  const declared = listedFeatures.map(
    ({ id, purposes }): MutableDeclaration => ({ id, type: undefined, purposes }),
  );
  const declarations = collectDeclarations(input, listedSegments, declared);
  const environments = createEnvironments(declarations);
  const context: LoweringContext = {
    faults,
    environments,
    listDomains: openListDomains(input, declarations),
    names: nameParts(environments, declarations),
    eventNames: nameParts({ slots: environments.eventSlots }, declarations),
  };
  const eventTypes = new Map(ruleSet.eventTypes.map((type) => [type.name, readEventType(type)]));
  const features = lowerFeatures(context, {
    listed: listedFeatures,
    declared,
    eventTypes: new Map([...eventTypes, ...builtInEventTypes]),
    models: collectModels(ruleSet),
  });
  const { segments, exits } = lowerSegments(context, listedSegments, declarations);
  const segmentOrder = orderSegments(input, listedSegments, { segments, exits });
  const segmentFacts = findSegmentFacts({
    ids: [...declarations.segments.keys()],
    order: segmentOrder,
    exprsOf: (id) => [segments.get(id) ?? [], exits.get(id) ?? []].flat(),
    slots: environments.slots,
    features: features.specs,
  });
  const rules = new Map<string, Expr>();
  for (const placed of placeRules(ruleSet)) {
    const { entry: rule, path } = placed;
    const environment = environmentOf(context, rule);
    const own = rule.when === "" ? undefined : lowerText(context, environment, rule.when, `${path}.when`);
    const expr = joinPack(context, placed, own);
    if (expr !== undefined) rules.set(rule.id, expr);
  }
  return {
    environments,
    declarations,
    segments,
    exits,
    listedSegments,
    segmentFacts,
    segmentOrder,
    rules,
    limits: lowerLimits(context, placeLimits(ruleSet)),
    features,
    eventTypes,
  };
}

/** Its type is filled in when the feature is lowered. */
type MutableDeclaration = { -readonly [Field in keyof FeatureDeclaration]: FeatureDeclaration[Field] };

/** Models by id, in the order of their ordinals. */
function collectModels({ models }: RuleSet): FeatureInput["models"] {
  const sorted = models.toSorted((a, b) => compareCodePoints(a.id, b.id));
  return new Map(sorted.map((model, ordinal) => [model.id, { ordinal, model }]));
}

function collectDeclarations(
  { ruleSet, lists }: CheckInput,
  listedSegments: readonly ListedSegment[],
  features: readonly FeatureDeclaration[],
): Declarations {
  const attributes = new Map<string, AttributeInfo>();
  const playerAttributes = new Map<string, AttributeInfo>();
  for (const attribute of ruleSet.attributes) {
    const info = readAttribute(attribute);
    const target = attribute.subject === Attribute_Subject.PLAYER ? playerAttributes : attributes;
    if (info !== undefined) target.set(attribute.name, info);
  }
  const listIds = [...lists.keys()].sort(compareCodePoints);
  return {
    attributes,
    playerAttributes,
    lists: new Map(listIds.map((id, ordinal) => [id, { ordinal, kind: lists.get(id)! }])),
    segments: new Map(listedSegments.map(({ segment }, ordinal) => [segment.id, ordinal])),
    features,
  };
}

function openListDomains(
  { ruleSet, encodedLists }: CheckInput,
  declarations: Declarations,
): LoweringContext["listDomains"] {
  const domains: (ListDomain | undefined)[] = [];
  for (const { id, values } of ruleSet.lists) {
    const encoded = encodedLists.get(id);
    const ordinal = declarations.lists.get(id)?.ordinal;
    if (encoded === undefined || ordinal === undefined) continue;
    const isClosed = encoded.kind === "STRING" || values.length === 0;
    domains[ordinal] = { ...openList(encoded), ...(isClosed && { values }) };
  }
  return (list) => domains[list];
}

/** What the ordinals of the conditions of a rule set are called. */
export function nameParts(
  { slots }: Pick<Environments, "slots">,
  { segments, lists }: Declarations,
): ConditionNames {
  const segmentIds = [...segments.keys()];
  const listIds = [...lists.keys()];
  return {
    slot: (slot) => {
      const source = slots[slot];
      return source === undefined ? "" : nameSource(source);
    },
    segment: (ordinal) => segmentIds[ordinal] ?? "",
    list: (ordinal) => listIds[ordinal] ?? "",
  };
}
