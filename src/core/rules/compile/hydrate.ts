import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Card_Credential, Outcome_Class } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  Attribute_Subject,
  AttributeSchema,
  BrandSchema,
  EventTypeSchema,
  FxRateSchema,
  type Lifecycle as LifecycleMessage,
  LifecycleSchema,
  LimitSchema,
  PolicyPackSchema,
  type Psp as PspMessage,
  PspSchema,
  type RetryPolicy as RetryPolicyMessage,
  RetryPolicySchema,
  RiskThresholdsSchema,
  RuleSchema,
  type Segment as SegmentMessage,
  SegmentSchema,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { type OpenExprs, openExprs } from "../../cel/encode.ts";
import type { Expr } from "../../cel/expr.ts";
import type { FeatureSpec } from "../../features/feature.ts";
import { type CountryGroup, countryCodes, isInCountryGroup } from "../../iso3166.ts";
import { openList } from "../../lists.ts";
import { openModel } from "../../models/open-model.ts";
import { buildFx } from "../../money.ts";
import type { Credential, PaymentKind } from "../../payment.ts";
import { defaultRetryPolicy } from "../../retry/default-policy.ts";
import type { OutcomeClass } from "../../retry/outcome-class.ts";
import { defaultPspSca } from "../../sca/sca-policy.ts";
import { readEventType } from "../event-types.ts";
import { readAttribute, readPurposes, toMs } from "../names.ts";
import { nameState } from "../segments.ts";
import {
  type AttributeInfo,
  type CompiledRule,
  type LifecycleInfo,
  type Psp,
  type RetryPolicy,
  type RetryRule,
  type RuleSnapshot,
  retryResponses,
  type SegmentInfo,
} from "../snapshot.ts";
import { readLimit, readPack } from "./hydrate-limit.ts";
import { readMoney, readRule } from "./hydrate-rule.ts";
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
  const policies = yield* mapRecords(sections.retryPolicies, RetryPolicySchema, readPolicy);
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
    responseCodes: [],
    schemeCaps: undefined,
    scaPolicy: undefined,
    breakerPolicy: undefined,
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

const defaultTimeoutMs = 60_000;

function readPsp(psp: PspMessage, listOrdinals: ReadonlyMap<string, number>, nowMs: number): Psp {
  return {
    id: psp.id,
    name: psp.name,
    enabled: psp.enabled ?? true,
    kinds: psp.kinds as readonly PaymentKind[],
    methods: psp.methods,
    currencies: psp.currencies,
    schemes: psp.schemes,
    countries: psp.countries,
    excludedCountries: psp.excludedCountries,
    issuerCountries: psp.issuerCountries,
    excludedIssuerCountries: psp.excludedIssuerCountries,
    binList: listOrdinals.get(psp.binList),
    excludedBinList: listOrdinals.get(psp.excludedBinList),
    amounts: psp.amounts.map(({ methods, min, max }) => ({
      methods,
      min: min && readMoney(min),
      max: max && readMoney(max),
    })),
    accounts: psp.accounts.map(({ mid, brands, licences, currencies, mcc }) => ({
      mid,
      brands,
      licences,
      currencies,
      mcc,
    })),
    fees: psp.fees.map(({ methods, regions, fixed, bps }) => ({
      methods,
      regions: resolveRegions(regions, nowMs),
      fixed: fixed && readMoney(fixed),
      bps,
    })),
    acquirerCountry: psp.acquirerCountry,
    threeDs: psp.threeDs ?? true,
    credentials: psp.credentials.map((credential) => Card_Credential[credential] as Credential),
    sca: defaultPspSca,
    idempotent: psp.idempotent ?? true,
    timeoutMs: psp.timeout === undefined ? defaultTimeoutMs : toMs(psp.timeout),
    maintenance: [],
  };
}

const groups: readonly CountryGroup[] = ["EU", "EEA", "UK"];

function resolveRegions(regions: readonly string[], nowMs: number): readonly string[] {
  const countries = regions.flatMap((region) => {
    const group = groups.find((name) => name === region);
    return group === undefined
      ? [region]
      : countryCodes.filter((country) => isInCountryGroup({ country, group, atMs: nowMs }));
  });
  return [...new Set(countries)].sort();
}

function readPolicy({ id, maxAttempts, validFor, rules }: RetryPolicyMessage): RetryPolicy {
  const named = rules.map(({ outcome, response, wait, fields }): readonly [OutcomeClass, RetryRule] => [
    Outcome_Class[outcome] as OutcomeClass,
    { response: retryResponses[response - 1]!, waitMs: wait === undefined ? 0 : toMs(wait), fields },
  ]);
  return {
    id,
    maxAttempts: maxAttempts === 0 ? defaultRetryPolicy.maxAttempts : maxAttempts,
    validForMs: validFor === undefined ? defaultRetryPolicy.validForMs : toMs(validFor),
    playerDeclines: undefined,
    singleTry: [],
    rules: { ...defaultRetryPolicy.rules, ...Object.fromEntries(named) },
  };
}
