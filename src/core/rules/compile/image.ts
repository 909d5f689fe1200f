import { transferList as exprBuffers } from "../../cel/encode.ts";
import type { EncodedExprs } from "../../cel/encoding.ts";
import type { SlotSource } from "../../cel/environment.ts";
import type { Expr } from "../../cel/expr.ts";
import type { AggregateSpec, FeatureSpec } from "../../features/feature.ts";
import { type EncodedList, listBuffers } from "../../lists.ts";
import { type EncodedModel, modelBuffers } from "../../models/encoded-model.ts";
import { type IndexImage, transferList as indexBuffers } from "../index/image.ts";

/**
 * A compiled rule set as flat buffers, so that a worker can make it and hand it over without a copy, and the serving loop can open it in small
 * steps. What stands in an order stands in the order of its ordinals: rules in total order, all else by id.
 */
export type CompiledImage = {
  /** Content hash, hexadecimal. */
  readonly hash: string;
  readonly name: string;
  readonly slots: readonly SlotSource[];
  readonly listIds: readonly string[];
  readonly lists: readonly EncodedList[];
  /** Each entry of a section as a protobuf message of its own, a policy of which there is one as an entry; rules and segments without their conditions. */
  readonly sections: Readonly<Record<ImageSection, Records>>;
  /** The message RiskThresholds. */
  readonly riskThresholds: Uint8Array<ArrayBuffer>;
  /** Where the values of conditions over events come from. */
  readonly eventSlots: readonly SlotSource[];
  /** Conditions of the segments, then those of the rules that have one, then the further ones. */
  readonly conditions: EncodedExprs;
  /** What other entries have of conditions: for each ordinal the number of the condition in `conditions`, or -1 where there is none. */
  readonly furtherConditions: Readonly<Record<FurtherCondition, Int32Array<ArrayBuffer>>>;
  /** Features without their conditions. */
  readonly features: readonly FeatureImage[];
  readonly featureOrder: Int32Array<ArrayBuffer>;
  readonly models: readonly EncodedModel[];
  /** What follows from what segments read: bits of `segmentFlags`, and the longest window in ms. */
  readonly segmentFlags: Uint8Array<ArrayBuffer>;
  readonly segmentWindowsMs: Float64Array<ArrayBuffer>;
  /** All segments, each on a level above those that it reads. */
  readonly segmentLevels: readonly SegmentLevel[];
  /** For each rule the number of its condition in `conditions`, or -1 where it is always true. */
  readonly ruleConditions: Int32Array<ArrayBuffer>;
  readonly index: IndexImage;
};

/** Where conditions stand that are of neither rules nor segments: `section.field`. */
const furtherConditionNames = [
  "segments.exit_when",
  "features.where",
  "features.hit",
  "features.derived",
  "limits.key",
  "limits.counts",
  "limits.applies",
] as const;

export type FurtherCondition = (typeof furtherConditionNames)[number];

/** Adds the conditions of some entries, by ordinal, to all conditions. Gives the number of each, -1 where there is none. */
export function addConditions(all: Expr[], exprs: readonly (Expr | undefined)[]): Int32Array<ArrayBuffer> {
  return Int32Array.from(exprs, (expr) => (expr === undefined ? -1 : all.push(expr) - 1));
}

/** A feature without conditions, which stand among the further ones. */
export type FeatureImage = Omit<FeatureSpec, "how"> & {
  readonly how:
    | { readonly kind: "aggregate"; readonly aggregate: Omit<AggregateSpec, "where" | "hit"> }
    | { readonly kind: "derived" }
    | Extract<FeatureSpec["how"], { kind: "model" }>;
};

/** Bits of `segmentFlags`. */
export const segmentFlag = { hasMemory: 1, needsPayment: 2 } as const;

/** Segments that don't read each other. The index over their conditions, in this order, is there where they are many. */
export type SegmentLevel = {
  readonly ordinals: Int32Array<ArrayBuffer>;
  readonly index: IndexImage | undefined;
};

const imageSections = [
  "psps",
  "attributes",
  "segments",
  "retryPolicies",
  "rules",
  "fxRates",
  "brands",
  "eventTypes",
  "lifecycles",
  "limits",
  "policyPacks",
  "responseCodes",
  "schemeCaps",
  "scaPolicy",
  "breakerPolicy",
] as const;

type ImageSection = (typeof imageSections)[number];

/** Many byte strings in one: record n ends at `ends[n]` and begins where the one before ends. */
export type Records = { readonly bytes: Uint8Array<ArrayBuffer>; readonly ends: Int32Array<ArrayBuffer> };

/** Joins byte strings into records. */
export function joinRecords(parts: readonly Uint8Array[]): Records {
  const ends = new Int32Array(parts.length);
  let end = 0;
  for (const [index, part] of parts.entries()) {
    end += part.length;
    ends[index] = end;
  }
  const bytes = new Uint8Array(end);
  for (const [index, part] of parts.entries()) bytes.set(part, ends[index]! - part.length);
  return { bytes, ends };
}

/** The bytes of record n, not copied. */
export function recordAt({ bytes, ends }: Records, index: number): Uint8Array {
  return bytes.subarray(index === 0 ? 0 : ends[index - 1]!, ends[index]!);
}

/** The buffers to transfer with an image when it is posted to another thread; it is unusable here afterwards. */
export function imageBuffers(image: CompiledImage): ArrayBuffer[] {
  return [
    ...image.lists.flatMap(listBuffers),
    ...imageSections.flatMap((section) => [
      image.sections[section].bytes.buffer,
      image.sections[section].ends.buffer,
    ]),
    image.riskThresholds.buffer,
    ...exprBuffers(image.conditions),
    ...image.segmentLevels.flatMap(({ ordinals, index }) => [
      ordinals.buffer,
      ...(index === undefined ? [] : indexBuffers(index)),
    ]),
    image.ruleConditions.buffer,
    ...furtherConditionNames.map((name) => image.furtherConditions[name].buffer),
    image.featureOrder.buffer,
    ...image.models.flatMap(modelBuffers),
    image.segmentFlags.buffer,
    image.segmentWindowsMs.buffer,
    ...indexBuffers(image.index),
  ];
}
