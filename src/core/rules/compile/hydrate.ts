import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import {
  Attribute_Subject,
  AttributeSchema,
  BrandSchema,
  BreakerPolicySchema,
  EventTypeSchema,
  FxRateSchema,
  type Lifecycle as LifecycleMessage,
  LifecycleSchema,
  LimitSchema,
  PolicyPackSchema,
  PspSchema,
  ResponseCodeSchema,
  RetryPolicySchema,
  RiskThresholdsSchema,
  RuleSchema,
  ScaPolicySchema,
  SchemeCapSchema,
  type Segment as SegmentMessage,
  SegmentSchema,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { type OpenExprs, openExprs } from "../../cel/encode.ts";
import type { Expr } from "../../cel/expr.ts";
import type { FeatureSpec } from "../../features/feature.ts";
import { openList } from "../../lists.ts";
import { openModel } from "../../models/open-model.ts";
import { buildFx } from "../../money.ts";
import { defaultRetryPolicy } from "../../retry/default-policy.ts";
import { readEventType } from "../event-types.ts";
import { readAttribute, readPurposes, toMs } from "../names.ts";
import { nameState } from "../segments.ts";
import type { AttributeInfo, CompiledRule, LifecycleInfo, RuleSnapshot, SegmentInfo } from "../snapshot.ts";
import { readLimit, readPack } from "./hydrate-limit.ts";
import { readBreakers, readCap, readPolicy, readResponseCode } from "./hydrate-outcomes.ts";
import { readPsp } from "./hydrate-psp.ts";
import { readRule } from "./hydrate-rule.ts";
import { readScaPolicy } from "./hydrate-sca.ts";
import {
  type CompiledImage,
  type FeatureImage,
  type FurtherCondition,
  type Records,
  recordAt,
  segmentFlag,
} from "./image.ts";
import { furtherExpr, openConditions, stepItems } from "./open-conditions.ts";

/**
 * Opens an image as a snapshot in steps, between which other work may run. The snapshot owns the image from then on.
 *
 * Units: `version` as it was given at the push, 0 for drafts; `nowMs`, ms since the epoch, fixes who is in the EU, the EEA and the UK.
 */
export function* hydrateSnapshot(
  image: CompiledImage,
  { version, nowMs }: { readonly version: number; readonly nowMs: number },
): Generator<void, RuleSnapshot> {
  const { sections } = image;
  const lists = image.lists.map(openList);
  const listOrdinals = new Map(image.listIds.map((id, ordinal) => [id, ordinal]));
  yield;
  const psps = yield* mapRecords(sections.psps, PspSchema, (psp) => readPsp(psp, listOrdinals, nowMs));
  const pspOrdinals = new Map(psps.map(({ id }, ordinal) => [id, ordinal]));
  const segments = yield* mapRecords(sections.segments, SegmentSchema, (segment, ordinal) =>
    readSegment(segment, ordinal, image, listOrdinals),
  );
  const segmentOrdinals = new Map(segments.map(({ id }, ordinal) => [id, ordinal]));
  const lifecycles = yield* mapRecords(sections.lifecycles, LifecycleSchema, (lifecycle) =>
    readLifecycle(lifecycle, segmentOrdinals),
  );
  const eventTypes = yield* mapRecords(sections.eventTypes, EventTypeSchema, readEventType);
  const rules = yield* mapRecords(sections.rules, RuleSchema, (rule) => readRule(rule, pspOrdinals));
  const attributes = yield* mapRecords(sections.attributes, AttributeSchema, (attribute) => ({
    isPlayers: attribute.subject === Attribute_Subject.PLAYER,
    info: readAttribute(attribute)!,
  }));
  const policies = yield* mapRecords(sections.retryPolicies, RetryPolicySchema, (policy) =>
    readPolicy(policy, segmentOrdinals),
  );
  const responseCodes = yield* mapRecords(sections.responseCodes, ResponseCodeSchema, readResponseCode);
  const schemeCaps = yield* mapRecords(sections.schemeCaps, SchemeCapSchema, readCap);
  const [scaPolicy] = yield* mapRecords(sections.scaPolicy, ScaPolicySchema, (policy) =>
    readScaPolicy(policy, nowMs),
  );
  const [breakerPolicy] = yield* mapRecords(sections.breakerPolicy, BreakerPolicySchema, (policy) =>
    readBreakers(policy, segmentOrdinals),
  );
  const brands = yield* mapRecords(sections.brands, BrandSchema, ({ id, licence }) => [id, licence] as const);
  const rates = yield* mapRecords(sections.fxRates, FxRateSchema, ({ from, to, rate }) => ({
    from,
    to,
    rate,
  }));
  const { reviewFrom, denyFrom } = fromBinary(RiskThresholdsSchema, image.riskThresholds);
  const exprs = openExprs(image.conditions);
  const features = yield* openFeatures(image, exprs);
  const limits = yield* mapRecords(sections.limits, LimitSchema, (limit, ordinal) =>
    readLimit(
      limit,
      {
        key: furtherExpr(image, exprs, "limits.key", ordinal),
        counts: furtherExpr(image, exprs, "limits.counts", ordinal),
        applies: furtherExpr(image, exprs, "limits.applies", ordinal),
      },
      segmentOrdinals,
    ),
  );
  const packs = yield* mapRecords(sections.policyPacks, PolicyPackSchema, readPack);
  const models = image.models.map(openModel);
  const matching = yield* openConditions(image, exprs, segments);
  return {
    version,
    hash: image.hash,
    name: image.name,
    slots: image.slots,
    lists,
    listIds: image.listIds,
    listKinds: image.lists.map(({ kind }) => kind),
    psps,
    pspOrdinals,
    segments,
    rules,
    ruleOrdinals: yield* indexRules(rules),
    attributes: pickAttributes(attributes, false),
    playerAttributes: pickAttributes(attributes, true),
    retryPolicies: new Map([defaultRetryPolicy, ...policies].map((policy) => [policy.id, policy])),
    brands: new Set(brands.map(([id]) => id)),
    licenceOfBrand: new Map(brands.filter(([, licence]) => licence !== "")),
    riskThresholds: { reviewFrom, denyFrom },
    fx: openRates(rates),
    features,
    featureOrder: [...image.featureOrder],
    eventSlots: image.eventSlots,
    limits,
    models,
    eventTypes: new Map(eventTypes.map((type) => [type.name, type])),
    packs,
    lifecycles,
    responseCodes,
    schemeCaps: schemeCaps.length === 0 ? undefined : schemeCaps,
    scaPolicy,
    breakerPolicy,
    methods: [...new Set(psps.flatMap(({ methods }) => methods))].sort(),
    ...matching,
  };
}

function* mapRecords<Desc extends DescMessage, T>(
  records: Records,
  schema: Desc,
  read: (message: MessageShape<Desc>, index: number) => T,
): Generator<void, T[]> {
  const values: T[] = [];
  for (let index = 0; index < records.ends.length; index++) {
    values.push(read(fromBinary(schema, recordAt(records, index)), index));
    if (index % stepItems === stepItems - 1) yield;
  }
  yield;
  return values;
}

function* indexRules(rules: readonly CompiledRule[]): Generator<void, ReadonlyMap<string, number>> {
  const ordinals = new Map<string, number>();
  for (const [ordinal, { id }] of rules.entries()) {
    ordinals.set(id, ordinal);
    if (ordinal % 256 === 255) yield;
  }
  return ordinals;
}

function readSegment(
  { id, purposes, dwellMin, campaign, includeList, excludeList }: SegmentMessage,
  ordinal: number,
  { segmentFlags, segmentWindowsMs }: CompiledImage,
  listOrdinals: ReadonlyMap<string, number>,
): SegmentInfo {
  const flags = segmentFlags[ordinal]!;
  return {
    id,
    purposes: readPurposes(purposes),
    hasMemory: (flags & segmentFlag.hasMemory) !== 0,
    dwellMinMs: dwellMin === undefined ? 0 : toMs(dwellMin),
    windowMsMax: segmentWindowsMs[ordinal]!,
    needsPayment: (flags & segmentFlag.needsPayment) !== 0,
    isCampaign: campaign,
    includeList: listOrdinals.get(includeList),
    excludeList: listOrdinals.get(excludeList),
  };
}

function readLifecycle(
  { id, states }: LifecycleMessage,
  segmentOrdinals: ReadonlyMap<string, number>,
): LifecycleInfo {
  return {
    id,
    states: states.map((state) => ({
      id: state.id,
      segment: segmentOrdinals.get(nameState(id, state.id))!,
    })),
  };
}

function* openFeatures(image: CompiledImage, exprs: OpenExprs): Generator<void, FeatureSpec[]> {
  const features: FeatureSpec[] = [];
  for (const [ordinal, feature] of image.features.entries()) {
    features.push(openFeature(feature, (name) => furtherExpr(image, exprs, name, ordinal)));
    if (ordinal % stepItems === stepItems - 1) yield;
  }
  return features;
}

function openFeature(
  { how, ...rest }: FeatureImage,
  exprOf: (name: FurtherCondition) => Expr | undefined,
): FeatureSpec {
  switch (how.kind) {
    case "aggregate": {
      const [where, hit] = [exprOf("features.where"), exprOf("features.hit")];
      return { ...rest, how: { kind: "aggregate", aggregate: { ...how.aggregate, where, hit } } };
    }
    case "derived":
      return { ...rest, how: { kind: "derived", expr: exprOf("features.derived")! } };
    case "model":
      return { ...rest, how };
  }
}

function pickAttributes(
  attributes: readonly { readonly isPlayers: boolean; readonly info: AttributeInfo }[],
  players: boolean,
): ReadonlyMap<string, AttributeInfo> {
  return new Map(
    attributes.filter(({ isPlayers }) => isPlayers === players).map(({ info }) => [info.name, info]),
  );
}

function openRates(rates: Parameters<typeof buildFx>[0]["rates"]): RuleSnapshot["fx"] {
  const fx = buildFx({ rates });
  if (!fx.ok) throw new Error("the rates of a checked rule set are right");
  return fx.fx;
}
