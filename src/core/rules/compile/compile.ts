import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeSchema,
  BrandSchema,
  BreakerPolicySchema,
  EventTypeSchema,
  FxRateSchema,
  LifecycleSchema,
  LimitSchema,
  PolicyPackSchema,
  PspSchema,
  ResponseCodeSchema,
  RetryPolicySchema,
  RiskThresholdsSchema,
  Rule_OnUnknown,
  RuleSchema,
  type RuleSet,
  RuleSetSchema,
  ScaPolicySchema,
  SchemeCapSchema,
  SegmentSchema,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../../cel/code-points.ts";
import { encodeExprs } from "../../cel/encode.ts";
import type { Expr } from "../../cel/expr.ts";
import { readReads } from "../../cel/reads.ts";
import type { FeatureSpec } from "../../features/feature.ts";
import type { LoweredConditions } from "../check/check-conditions.ts";
import { type CheckedRuleSet, checkRuleSet } from "../check/check-rule-set.ts";
import type { Compilation, DocumentFormat } from "../compilation.ts";
import { createFaultList } from "../document/fault.ts";
import { readDocument } from "../document/read-document.ts";
import { reportFaults } from "../document/report.ts";
import { buildIndex } from "../index/build.ts";
import { compareRules, normalizeRuleSet } from "../normalize.ts";
import { placeLimits, placeRules } from "../packs.ts";
import { listSegments } from "../segments.ts";
import {
  addConditions,
  type CompiledImage,
  type FeatureImage,
  joinRecords,
  type Records,
  type SegmentLevel,
  segmentFlag,
} from "./image.ts";

export type DocumentInput = {
  readonly document: Uint8Array;
  readonly format: DocumentFormat;
  /** The instant of the push, ms since the epoch. */
  readonly nowMs: number;
  /** SHA-256 as hexadecimal digits; the core has none of its own. */
  readonly sha256: (bytes: Uint8Array) => string;
};

/** A document without errors: in its normal form, with what the checks worked out. */
export type AcceptedDocument = { readonly ruleSet: RuleSet; readonly checked: CheckedRuleSet };

/** A document that was judged. */
export type JudgedDocument = {
  readonly compilation: Compilation;
  readonly accepted: AcceptedDocument | undefined;
};

const always: Expr = { op: "const", type: "bool", value: true };

/**
 * Reads and checks a document.
 *
 * Fails:  never throws on data; faults are in the compilation, in order of line, at most 200.
 */
export function judgeDocument({ document, format, nowMs, sha256 }: DocumentInput): JudgedDocument {
  const faults = createFaultList();
  const read = readDocument(document, format, faults);
  const { ruleSet } = read;
  // What could not be read would be told a second time by the checks.
  const checked =
    ruleSet === undefined || faults.hasErrors() ? undefined : checkRuleSet(ruleSet, faults, nowMs);
  const normal = ruleSet === undefined || faults.hasErrors() ? undefined : normalizeRuleSet(ruleSet);
  const compilation: Compilation = {
    ...reportFaults(faults, read),
    hash: normal === undefined ? "" : sha256(toBinary(RuleSetSchema, normal)),
    name: ruleSet?.name ?? "",
    ruleCount: ruleSet === undefined ? 0 : placeRules(ruleSet).length,
  };
  const accepted = normal && checked && { ruleSet: normal, checked };
  return { compilation, accepted };
}

/** Compiles a document into an image; `undefined` beside the faults where it is refused. */
export function compileDocument(input: DocumentInput): {
  readonly compilation: Compilation;
  readonly image: CompiledImage | undefined;
} {
  const { compilation, accepted } = judgeDocument(input);
  const image = accepted && makeImage(accepted, compilation.hash);
  return { compilation, image };
}

/** Compiles a document that was accepted, with its content hash. */
export function makeImage({ ruleSet, checked }: AcceptedDocument, hash: string): CompiledImage {
  const { conditions, encodedLists, encodedModels } = checked;
  // Rules and limits of packs act like all others.
  const allRules = placeRules(ruleSet)
    .map(({ entry }) => entry)
    .sort(compareRules);
  const allLimits = placeLimits(ruleSet)
    .map(({ entry }) => entry)
    .sort((a, b) => compareCodePoints(a.id, b.id));
  const loweredLimits = allLimits.map(({ id }) => conditions.limits.get(id)!);
  const { environments, segments, exits, rules, listedSegments, segmentFacts, features } = conditions;
  const exprs = listedSegments.map(({ segment }) => segments.get(segment.id)!);
  const specs = features.specs.map((spec) => spec!);
  const ruleConditions = allRules.map(({ id }) => {
    const expr = rules.get(id);
    return expr === undefined ? -1 : exprs.push(expr) - 1;
  });
  const indexed = allRules.map(({ id, onUnknown }) => ({
    expr: rules.get(id) ?? always,
    matchUnknown: onUnknown === Rule_OnUnknown.APPLY,
  }));
  const aggregates = specs.map(({ how }) => (how.kind === "aggregate" ? how.aggregate : undefined));
  const further: CompiledImage["furtherConditions"] = {
    "segments.exit_when": addConditions(
      exprs,
      listedSegments.map(({ segment }) => exits.get(segment.id)),
    ),
    "features.where": addConditions(
      exprs,
      aggregates.map((aggregate) => aggregate?.where),
    ),
    "features.hit": addConditions(
      exprs,
      aggregates.map((aggregate) => aggregate?.hit),
    ),
    "features.derived": addConditions(
      exprs,
      specs.map(({ how }) => (how.kind === "derived" ? how.expr : undefined)),
    ),
    "limits.key": addConditions(
      exprs,
      loweredLimits.map(({ key }) => key),
    ),
    "limits.counts": addConditions(
      exprs,
      loweredLimits.map(({ counts }) => counts),
    ),
    "limits.applies": addConditions(
      exprs,
      loweredLimits.map(({ applies }) => applies),
    ),
  };
  return {
    hash,
    name: ruleSet.name,
    slots: environments.slots,
    eventSlots: environments.eventSlots,
    listIds: ruleSet.lists.map(({ id }) => id),
    lists: ruleSet.lists.map(({ id }) => encodedLists.get(id)!),
    sections: encodeSections({ ...ruleSet, rules: allRules, limits: allLimits }),
    models: ruleSet.models.map(({ id }) => encodedModels.get(id)!),
    features: specs.map(leaveConditions),
    featureOrder: Int32Array.from(features.order),
    segmentFlags: Uint8Array.from(
      listedSegments,
      ({ hasMemory }, ordinal) =>
        (hasMemory ? segmentFlag.hasMemory : 0) |
        (segmentFacts[ordinal]!.ofPayment === undefined ? 0 : segmentFlag.needsPayment),
    ),
    segmentWindowsMs: Float64Array.from(segmentFacts, ({ windowMsMax }) => windowMsMax),
    // A copy, because a transfer takes the whole buffer behind the bytes.
    riskThresholds: new Uint8Array(
      toBinary(RiskThresholdsSchema, ruleSet.riskThresholds ?? create(RiskThresholdsSchema)),
    ),
    conditions: encodeExprs(exprs),
    furtherConditions: further,
    segmentLevels: levelSegments(conditions),
    ruleConditions: Int32Array.from(ruleConditions),
    index: buildIndex(indexed),
  };
}

/** From so many segments on asking an index costs less than asking each of them. */
const indexedSegmentsMin = 32;

/** Puts each segment on the lowest level above those that it reads. */
function levelSegments({ declarations, segments, segmentOrder }: LoweredConditions): readonly SegmentLevel[] {
  const levelOf = new Map<number, number>();
  const levels: { readonly ordinal: number; readonly expr: Expr }[][] = [];
  for (const id of segmentOrder) {
    const ordinal = declarations.segments.get(id)!;
    const expr = segments.get(id)!;
    let level = 0;
    for (const read of readReads(expr).segments) level = Math.max(level, levelOf.get(read)! + 1);
    levelOf.set(ordinal, level);
    levels[level] ??= [];
    levels[level]!.push({ ordinal, expr });
  }
  return levels.map((level) => ({
    ordinals: Int32Array.from(level, ({ ordinal }) => ordinal),
    index:
      level.length < indexedSegmentsMin
        ? undefined
        : // Unknown is a match, so that it is told from false.
          buildIndex(level.map(({ expr }) => ({ expr, matchUnknown: true }))),
  }));
}

function encodeSections(ruleSet: RuleSet): CompiledImage["sections"] {
  return {
    psps: encodeAll(PspSchema, ruleSet.psps),
    attributes: encodeAll(AttributeSchema, ruleSet.attributes),
    segments: encodeAll(
      SegmentSchema,
      listSegments(ruleSet).map(({ segment }) => ({ ...segment, when: "", exitWhen: "", description: "" })),
    ),
    retryPolicies: encodeAll(RetryPolicySchema, ruleSet.retryPolicies),
    rules: encodeAll(
      RuleSchema,
      ruleSet.rules.map((rule) => ({ ...rule, when: "", description: "" })),
    ),
    fxRates: encodeAll(FxRateSchema, ruleSet.fxRates),
    brands: encodeAll(BrandSchema, ruleSet.brands),
    eventTypes: encodeAll(EventTypeSchema, ruleSet.eventTypes),
    lifecycles: encodeAll(LifecycleSchema, ruleSet.lifecycles),
    limits: encodeAll(
      LimitSchema,
      ruleSet.limits.map((limit) => ({ ...limit, key: "", counts: "", applies: "", description: "" })),
    ),
    policyPacks: encodeAll(
      PolicyPackSchema,
      ruleSet.policyPacks.map((pack) => ({
        ...pack,
        rules: [],
        // Of these the names.
        limits: pack.limits.map(({ id }) => create(LimitSchema, { id })),
        description: "",
      })),
    ),
    responseCodes: encodeAll(ResponseCodeSchema, ruleSet.responseCodes),
    schemeCaps: encodeAll(SchemeCapSchema, ruleSet.schemeCaps),
    scaPolicy: encodeAll(ScaPolicySchema, ruleSet.scaPolicy === undefined ? [] : [ruleSet.scaPolicy]),
    breakerPolicy: encodeAll(
      BreakerPolicySchema,
      ruleSet.breakerPolicy === undefined ? [] : [ruleSet.breakerPolicy],
    ),
  };
}

function leaveConditions({ how, ...rest }: FeatureSpec): FeatureImage {
  switch (how.kind) {
    case "aggregate": {
      const { where, hit, ...aggregate } = how.aggregate;
      return { ...rest, how: { kind: "aggregate", aggregate } };
    }
    case "derived":
      return { ...rest, how: { kind: "derived" } };
    case "model":
      return { ...rest, how };
  }
}

function encodeAll<Desc extends DescMessage>(schema: Desc, messages: readonly MessageShape<Desc>[]): Records {
  return joinRecords(messages.map((message) => toBinary(schema, message)));
}
