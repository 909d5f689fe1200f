import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { Card_Credential, Outcome_Class } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  Attribute_Subject,
  AttributeSchema,
  BrandSchema,
  FxRateSchema,
  type Psp as PspMessage,
  PspSchema,
  type RetryPolicy as RetryPolicyMessage,
  RetryPolicySchema,
  RiskThresholdsSchema,
  RuleSchema,
  SegmentSchema,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { openExprs } from "../../cel/encode.ts";
import type { Frame, Predicate } from "../../cel/expr.ts";
import { type CountryGroup, countryCodes, isInCountryGroup } from "../../iso3166.ts";
import { openList } from "../../lists.ts";
import { buildFx } from "../../money.ts";
import type { Credential, PaymentKind } from "../../payment.ts";
import { defaultRetryPolicy } from "../../retry/default-policy.ts";
import type { OutcomeClass } from "../../retry/outcome-class.ts";
import type { IndexImage } from "../index/image.ts";
import { createMatches } from "../index/match.ts";
import { openIndexInSteps } from "../index/open.ts";
import { readAttribute, readPurposes, toMs } from "../names.ts";
import {
  type AttributeInfo,
  type CompiledRule,
  type Psp,
  type RetryPolicy,
  type RetryRule,
  type RuleSnapshot,
  retryResponses,
  type SegmentInfo,
} from "../snapshot.ts";
import { readMoney, readRule } from "./hydrate-rule.ts";
import { type CompiledImage, type Records, recordAt, type SegmentLevel } from "./image.ts";

/** Records and conditions that are opened between two yields: well under a millisecond even while the code is cold. */
const stepItems = 8;

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
  const segments = yield* mapRecords(
    sections.segments,
    SegmentSchema,
    ({ id, purposes, campaign }): SegmentInfo => ({
      id,
      purposes: readPurposes(purposes),
      hasMemory: false,
      dwellMinMs: 0,
      windowMsMax: 0,
      needsPayment: false,
      isCampaign: campaign,
    }),
  );
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
  const matching = yield* openConditions(image, rules.length);
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
    features: [],
    featureOrder: [],
    eventSlots: [],
    limits: [],
    models: [],
    eventTypes: new Map(),
    packs: [],
    lifecycles: [],
    methods: [...new Set(psps.flatMap(({ methods }) => methods))].sort(),
    ...matching,
  };
}

type Matching = Pick<
  RuleSnapshot,
  "matchSegments" | "matchRules" | "ruleCondition" | "segmentCondition" | "segmentExit"
>;

function* openConditions(image: CompiledImage, ruleCount: number): Generator<void, Matching> {
  const { segmentLevels, ruleConditions } = image;
  const exprs = openExprs(image.conditions);
  const levels: ((frame: Frame) => void)[] = [];
  for (const level of segmentLevels) levels.push(yield* openLevel(level, exprs.predicate));
  const predicateOf = (rule: number): Predicate => {
    const condition = ruleConditions[rule]!;
    return condition < 0 ? () => true : exprs.predicate(condition);
  };
  yield* warmPredicates(image.index, predicateOf);
  const index = yield* openIndexInSteps(image.index, predicateOf);
  return {
    matchSegments: (frame) => {
      for (const match of levels) match(frame);
    },
    matchRules: (frame, matches) => (ruleCount === 0 ? 0 : index.match(frame, matches)),
    ruleCondition: (ordinal) => {
      const condition = ruleConditions[ordinal]!;
      return condition < 0 ? undefined : exprs.expr(condition);
    },
    segmentCondition: (ordinal) => exprs.expr(ordinal),
    segmentExit: () => undefined,
  };
}

/** Builds what the index is going to ask for beforehand, one condition to a step: it may be long, or have patterns to compile. */
function* warmPredicates(
  { header, pool, ordinals }: IndexImage,
  predicateOf: (rule: number) => Predicate,
): Generator<void, void> {
  for (const [position, rule] of ordinals.entries()) {
    const isAsked = ((pool[header.predicateRow + (position >>> 5)]! >>> (position & 31)) & 1) === 1;
    if (isAsked) predicateOf(rule);
    if (isAsked || position % stepItems === stepItems - 1) yield;
  }
}

/** Opens what judges the segments of one level, those of the levels before being judged. */
function* openLevel(
  { ordinals, index: indexImage }: SegmentLevel,
  predicateOf: (segment: number) => Predicate,
): Generator<void, (frame: Frame) => void> {
  if (indexImage === undefined) {
    const inOrder: { readonly ordinal: number; readonly predicate: Predicate }[] = [];
    for (const ordinal of ordinals) {
      inOrder.push({ ordinal, predicate: predicateOf(ordinal) });
      yield;
    }
    return (frame) => {
      for (const { ordinal, predicate } of inOrder) {
        const truth = predicate(frame);
        frame.segments[ordinal] = truth === undefined ? 2 : truth ? 1 : 0;
      }
    };
  }
  const predicateAt = (place: number): Predicate => predicateOf(ordinals[place]!);
  yield* warmPredicates(indexImage, predicateAt);
  const index = yield* openIndexInSteps(indexImage, predicateAt);
  const matches = createMatches(ordinals.length);
  return (frame) => {
    for (const ordinal of ordinals) frame.segments[ordinal] = 0;
    const found = index.match(frame, matches);
    for (let at = 0; at < found; at++) {
      frame.segments[ordinals[matches.ordinals[at]!]!] = matches.flags[at] === 0 ? 1 : 2;
    }
  };
}

function* mapRecords<Desc extends DescMessage, T>(
  records: Records,
  schema: Desc,
  read: (message: MessageShape<Desc>) => T,
): Generator<void, T[]> {
  const values: T[] = [];
  for (let index = 0; index < records.ends.length; index++) {
    values.push(read(fromBinary(schema, recordAt(records, index))));
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
    rules: { ...defaultRetryPolicy.rules, ...Object.fromEntries(named) },
  };
}
