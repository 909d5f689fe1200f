import {
  create,
  type DescMessage,
  type JsonValue,
  type MessageShape,
  toJson,
  toJsonString,
} from "@bufbuild/protobuf";
import {
  type Attribute,
  Attribute_Subject,
  AttributeSchema,
  type Brand,
  BrandSchema,
  BreakerPolicySchema,
  type EventType,
  EventTypeSchema,
  type Feature,
  FeatureSchema,
  type FxRate,
  FxRateSchema,
  type Lifecycle,
  LifecycleSchema,
  type Limit,
  LimitSchema,
  type Model,
  ModelSchema,
  type PolicyPack,
  PolicyPackSchema,
  PspSchema,
  type ResponseCode,
  ResponseCodeSchema,
  RetryPolicySchema,
  type Rule,
  RuleSchema,
  type RuleSet,
  RuleSetSchema,
  ScaPolicySchema,
  type SchemeCap,
  SchemeCapSchema,
  type Segment,
  SegmentSchema,
  type ValueList,
  ValueListSchema,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import { hash128 } from "../hash.ts";
import type { CheckedRuleSet } from "./check/check-rule-set.ts";
import type { RuleSetChange } from "./compilation.ts";
import { isProtecting, mayLoosen } from "./loosening.ts";
import {
  isProtectingLimit,
  mayLoosenLimit,
  mayLoosenPack,
  type StandingConditions,
} from "./loosening-limits.ts";
import { blameCap, findLooserSchemes, findSofterCodes } from "./loosening-outcomes.ts";
import { mayLoosenSca } from "./loosening-sca.ts";
import { nameResponse } from "./response-codes.ts";
import { findRulings, type Rulings } from "./rulings.ts";
import { nameState } from "./segments.ts";

/** A rule set in normal form with what its checks worked out. */
export type DiffSide = { readonly ruleSet: RuleSet; readonly checked: CheckedRuleSet };

type Field = RuleSetChange["fields"][number];

/** Elements of a list of scalars that are shown whole, and of a longer one those that the other side lacks. */
const shownMax = 64;
/** Fields of one entry that are shown. */
const fieldsMax = 256;

type Section<Desc extends DescMessage> = {
  readonly name: string;
  readonly schema: Desc;
  readonly pick: (ruleSet: RuleSet) => readonly MessageShape<Desc>[];
  readonly idOf: (entry: MessageShape<Desc>) => string;
  /** Whether the change of an entry that was there before may loosen a protecting rule. */
  readonly loosens?: (before: MessageShape<Desc>, after: MessageShape<Desc> | undefined) => boolean;
  /** Whether a new entry may. */
  readonly opens?: (after: MessageShape<Desc>) => boolean;
};

/**
 * Compares two rule sets, section by section and entry by entry, in order of id; what only differs in its writing does not differ.
 *
 * `loosens` errs on the safe side: whatever is not provably as strict as before may loosen, be it a rule of REGULATORY or SAFER_GAMBLING, or
 * what such a rule reads: a segment, a feature, a type of events, a list, an attribute, exchange rates, a brand's licence. What is new loosens nothing, but for a rate: the
 * law closes where it has none.
 */
export function diffRuleSets(before: DiffSide, after: DiffSide): readonly RuleSetChange[] {
  const rulings = findRulings(before, after);
  return [
    ...compareHeads(before.ruleSet, after.ruleSet),
    ...compareSection(before, after, {
      name: "psps",
      schema: PspSchema,
      pick: ({ psps }) => psps,
      idOf: ({ id }) => id,
    }),
    ...compareSection(before, after, listSection(rulings)),
    ...compareSection(before, after, attributeSection(rulings)),
    ...compareSection(before, after, eventTypeSection(rulings)),
    ...compareSection(before, after, featureSection(rulings)),
    ...compareSection(before, after, segmentSection(rulings)),
    ...compareSection(before, after, lifecycleSection(rulings)),
    ...compareSection(before, after, {
      name: "retry_policies",
      schema: RetryPolicySchema,
      pick: ({ retryPolicies }) => retryPolicies,
      idOf: ({ id }) => id,
    }),
    ...compareSection(before, after, codeSection(before, after)),
    ...compareSection(before, after, capSection(before, after)),
    ...compareSection(before, after, scaSection),
    ...compareSection(before, after, breakerSection),
    ...compareSection(before, after, limitSection(rulings)),
    ...compareSection(before, after, ruleSection(rulings)),
    ...compareSection(before, after, packSection(rulings)),
    ...compareSection(before, after, modelSection(rulings)),
    ...compareSection(before, after, rateSection(rulings)),
    ...compareSection(before, after, brandSection(rulings)),
  ];
}

function listSection(rulings: Rulings): Section<typeof ValueListSchema> {
  return {
    name: "lists",
    schema: ValueListSchema,
    pick: ({ lists }) => lists,
    idOf: ({ id }) => id,
    loosens: (before: ValueList, after) =>
      rulings.lists.has(before.id) &&
      !(after !== undefined && before.kind === after.kind && isSame(before.values, after.values)),
  };
}

function attributeSection(rulings: Rulings): Section<typeof AttributeSchema> {
  const idOf = ({ subject, name }: Attribute): string =>
    `${subject === Attribute_Subject.PLAYER ? "player" : "attr"}.${name}`;
  return {
    name: "attributes",
    schema: AttributeSchema,
    pick: ({ attributes }) => attributes,
    idOf,
    loosens: (before, after) =>
      rulings.attributes.has(idOf(before)) &&
      !(after !== undefined && before.type === after.type && isSame(before.values, after.values)),
  };
}

function eventTypeSection(rulings: Rulings): Section<typeof EventTypeSchema> {
  return {
    name: "event_types",
    schema: EventTypeSchema,
    pick: ({ eventTypes }) => eventTypes,
    idOf: ({ name }) => name,
    // What its events may hold decides which of them are taken at all.
    loosens: (before: EventType, after) =>
      rulings.eventTypes.has(before.name) &&
      !(after !== undefined && describeShape(before) === describeShape(after)),
  };
}

function describeShape(eventType: EventType): string {
  return toJsonString(EventTypeSchema, { ...eventType, description: "", purposes: [] });
}

function featureSection(rulings: Rulings): Section<typeof FeatureSchema> {
  return {
    name: "features",
    schema: FeatureSchema,
    pick: ({ features }) => features,
    idOf: ({ id }) => id,
    loosens: ({ id }: Feature, after) =>
      rulings.features.has(id) && !(after !== undefined && rulings.featureStands(id)),
  };
}

function lifecycleSection(rulings: Rulings): Section<typeof LifecycleSchema> {
  return {
    name: "lifecycles",
    schema: LifecycleSchema,
    pick: ({ lifecycles }) => lifecycles,
    idOf: ({ id }) => id,
    loosens: (before: Lifecycle) =>
      before.states
        .map((state) => nameState(before.id, state.id))
        .some((id) => rulings.segments.has(id) && !rulings.segmentStands(id)),
  };
}

function segmentSection(rulings: Rulings): Section<typeof SegmentSchema> {
  return {
    name: "segments",
    schema: SegmentSchema,
    pick: ({ segments }) => segments,
    idOf: ({ id }) => id,
    loosens: ({ id }: Segment, after) =>
      rulings.segments.has(id) && !(after !== undefined && rulings.segmentStands(id)),
  };
}

function ruleSection(rulings: Rulings): Section<typeof RuleSchema> {
  return {
    name: "rules",
    schema: RuleSchema,
    pick: ({ rules }) => rules,
    idOf: ({ id }) => id,
    loosens: (before: Rule, after) =>
      isProtecting(before) &&
      (after === undefined || mayLoosen(before, after, rulings.conditionStands(before.id))),
  };
}

function codeSection(before: DiffSide, after: DiffSide): Section<typeof ResponseCodeSchema> {
  let isSofter: ((entry: ResponseCode) => boolean) | undefined;
  const loosens = (entry: ResponseCode): boolean => {
    isSofter ??= findSofterCodes(before.ruleSet, after.ruleSet);
    return isSofter(entry);
  };
  return {
    name: "response_codes",
    schema: ResponseCodeSchema,
    pick: ({ responseCodes }) => responseCodes,
    idOf: nameResponse,
    loosens,
    opens: loosens,
  };
}

function capSection(before: DiffSide, after: DiffSide): Section<typeof SchemeCapSchema> {
  const isBlamed = blameCap(findLooserSchemes(before.ruleSet, after.ruleSet), [
    ...before.ruleSet.schemeCaps,
    ...after.ruleSet.schemeCaps,
  ]);
  return {
    name: "scheme_caps",
    schema: SchemeCapSchema,
    pick: ({ schemeCaps }) => schemeCaps,
    idOf: ({ id }: SchemeCap) => id,
    loosens: isBlamed,
    opens: isBlamed,
  };
}

/** There is one policy of a kind, so it has no id. Absent it is that of the house. */
const scaSection: Section<typeof ScaPolicySchema> = {
  name: "sca_policy",
  schema: ScaPolicySchema,
  pick: ({ scaPolicy }) => (scaPolicy === undefined ? [] : [scaPolicy]),
  idOf: () => "",
  loosens: mayLoosenSca,
  opens: (after) => mayLoosenSca(undefined, after),
};

const breakerSection: Section<typeof BreakerPolicySchema> = {
  name: "breaker_policy",
  schema: BreakerPolicySchema,
  pick: ({ breakerPolicy }) => (breakerPolicy === undefined ? [] : [breakerPolicy]),
  idOf: () => "",
};

function standing(rulings: Rulings): StandingConditions {
  return { ofRule: rulings.conditionStands, ofLimit: rulings.limitConditionStands };
}

function limitSection(rulings: Rulings): Section<typeof LimitSchema> {
  return {
    name: "limits",
    schema: LimitSchema,
    pick: ({ limits }) => limits,
    idOf: ({ id }) => id,
    loosens: (before: Limit, after) =>
      isProtectingLimit(before) &&
      (after === undefined || mayLoosenLimit(before, after, standing(rulings), before.id)),
  };
}

function packSection(rulings: Rulings): Section<typeof PolicyPackSchema> {
  return {
    name: "policy_packs",
    schema: PolicyPackSchema,
    pick: ({ policyPacks }) => policyPacks,
    idOf: ({ id }) => id,
    loosens: (before: PolicyPack, after) =>
      after === undefined || mayLoosenPack(before, after, standing(rulings)),
  };
}

function modelSection(rulings: Rulings): Section<typeof ModelSchema> {
  return {
    name: "models",
    schema: ModelSchema,
    pick: ({ models }) => models.map(shortenDump),
    idOf: ({ id }) => id,
    loosens: (before: Model, after) =>
      rulings.models.has(before.id) &&
      !(after !== undefined && describeModel(before) === describeModel(after)),
  };
}

/** A model with its dump, which nobody reads, told by size and hash. */
function shortenDump(model: Model): Model {
  const { how } = model;
  if (how.case !== "xgboostJson" && how.case !== "lightgbmJson") return model;
  const value = `${how.value.length} characters, ${hash128(how.value)}`;
  return { ...model, how: { case: how.case, value } };
}

function describeModel(model: Model): string {
  return toJsonString(ModelSchema, { ...model, description: "", modelVersion: "" });
}

function rateSection(rulings: Rulings): Section<typeof FxRateSchema> {
  return {
    name: "fx_rates",
    schema: FxRateSchema,
    pick: ({ fxRates }) => fxRates,
    idOf: ({ from, to }: FxRate) => `${from}/${to}`,
    loosens: (before, after) => rulings.convert && before.rate !== after?.rate,
    opens: () => rulings.convert,
  };
}

function brandSection(rulings: Rulings): Section<typeof BrandSchema> {
  return {
    name: "brands",
    schema: BrandSchema,
    pick: ({ brands }) => brands,
    idOf: ({ id }) => id,
    loosens: (before: Brand, after) => rulings.licences && before.licence !== after?.licence,
  };
}

/** What the rule set says of itself, and its thresholds. */
function compareHeads(before: RuleSet, after: RuleSet): readonly RuleSetChange[] {
  const fields = ["name", "description", "risk_thresholds"].flatMap((name) => {
    const [left, right] = [before, after].map((ruleSet) => headOf(ruleSet)[name]);
    return compareValues(name, left, right);
  });
  return fields.length === 0
    ? []
    : [{ kind: "CHANGED", section: "rule_set", id: "", fields, loosens: false }];
}

function headOf({ name, description, riskThresholds }: RuleSet): Readonly<Record<string, JsonValue>> {
  const head = create(RuleSetSchema, { name, description, ...(riskThresholds && { riskThresholds }) });
  return toJson(RuleSetSchema, head, { useProtoFieldName: true }) as Readonly<Record<string, JsonValue>>;
}

function compareSection<Desc extends DescMessage>(
  before: DiffSide,
  after: DiffSide,
  section: Section<Desc>,
): readonly RuleSetChange[] {
  const { name, schema, pick, idOf, loosens = () => false, opens = () => false } = section;
  const left = new Map(pick(before.ruleSet).map((entry) => [idOf(entry), entry]));
  const right = new Map(pick(after.ruleSet).map((entry) => [idOf(entry), entry]));
  const ids = [...new Set([...left.keys(), ...right.keys()])].sort(compareCodePoints);
  return ids.flatMap((id): readonly RuleSetChange[] => {
    const [was, is] = [left.get(id), right.get(id)];
    const [wasJson, isJson] = [was, is].map(
      (entry) => entry && toJson(schema, entry, { useProtoFieldName: true }),
    );
    const fields = compareValues("", wasJson, isJson).slice(0, fieldsMax);
    if (was !== undefined && is !== undefined && fields.length === 0) return [];
    const kind = was === undefined ? "ADDED" : is === undefined ? "REMOVED" : "CHANGED";
    const mayLoosen = was === undefined ? opens(is!) : loosens(was, is);
    return [{ kind, section: name, id, fields, loosens: mayLoosen }];
  });
}

/** The fields in which two values differ; a field that one side lacks differs as a whole. */
function compareValues(
  path: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly Field[] {
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      compareValues(path === "" ? name : `${path}.${name}`, before[name], after[name]),
    );
  }
  if (isObjectList(before) && isObjectList(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) =>
      compareValues(`${path}[${index}]`, before[index], after[index]),
    ).flat();
  }
  if (path === "") {
    // A whole entry that came or went: field by field.
    return compareValues("", before ?? {}, after ?? {});
  }
  const [left, right] = [show(before, after), show(after, before)];
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before: left, after: right }];
}

function show(value: JsonValue | undefined, other: JsonValue | undefined): string {
  if (value === undefined) return "";
  if (!Array.isArray(value) || value.length <= shownMax) return JSON.stringify(value);
  const there = new Set(Array.isArray(other) ? other : []);
  const onlyHere = value.filter((item) => !there.has(item));
  return JSON.stringify({
    count: value.length,
    only_here: onlyHere.slice(0, shownMax),
    only_here_count: onlyHere.length,
  });
}

function isObject(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isObjectList(value: JsonValue | undefined): value is JsonValue[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isObject(item));
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
