import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import {
  type Feature,
  FeatureSchema,
  Purpose_Kind,
  type RuleSet,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import type { Purpose } from "../facts.ts";
import { markers } from "../features/markers.ts";
import { readPurposes } from "./names.ts";

/** A feature that is worked out: one of the rule set, or one that a marker of it is made of. */
export type ListedFeature = {
  readonly id: string;
  /** How it is had: never `marker`, but for an unknown one. */
  readonly feature: Feature;
  readonly purposes: readonly Purpose[];
  /** Place in the document of what it comes from. */
  readonly path: string;
  /** What precedes the ids of the features that a condition of it means; empty where they are those of the rule set. */
  readonly prefix: string;
};

/**
 * Features of a rule set with the parts of its markers, in order of id. Parts have ids `marker.<marker>.<part>`, which no other feature can have;
 * those of a marker that is used twice are there once.
 */
export function listFeatures({ features }: Pick<RuleSet, "features">): readonly ListedFeature[] {
  const listed = new Map<string, ListedFeature>();
  for (const [index, feature] of features.entries()) {
    const path = `features[${index}]`;
    const purposes = purposesOf(feature, purposesByDefault(feature));
    const marker = feature.how.case === "marker" ? feature.how.value : undefined;
    const parts = marker === undefined ? undefined : openMarker(marker);
    const last = parts?.at(-1);
    if (marker === undefined || parts === undefined || last === undefined) {
      listed.set(feature.id, { id: feature.id, feature, purposes, path, prefix: "" });
      continue;
    }
    const prefix = `marker.${marker}.`;
    for (const part of parts.slice(0, -1)) {
      const id = `${prefix}${part.id}`;
      const own = purposesOf(part, purposesByDefault(feature));
      listed.set(id, { id, feature: part, purposes: own, path, prefix });
    }
    listed.set(feature.id, { id: feature.id, feature: last, purposes, path, prefix });
  }
  return [...listed.values()].sort((a, b) => compareCodePoints(a.id, b.id));
}

function purposesOf({ purposes }: Feature, otherwise: readonly Purpose_Kind[]): readonly Purpose[] {
  return readPurposes((purposes.length > 0 ? purposes : otherwise).toSorted((a, b) => a - b));
}

/** What a feature may be used for where it does not say: markers of harm are for safer gambling. */
export function purposesByDefault({ how }: Pick<Feature, "how">): readonly Purpose_Kind[] {
  return how.case === "marker" ? [Purpose_Kind.RG] : [Purpose_Kind.PAYMENTS, Purpose_Kind.FRAUD];
}

const opened = new Map<string, readonly Feature[]>();

/** The features that a marker is made of, the marker itself last. */
function openMarker(id: string): readonly Feature[] | undefined {
  const known = opened.get(id);
  if (known !== undefined) return known;
  const parts = markers.get(id)?.features.map((json) => fromJson(FeatureSchema, json as JsonValue));
  if (parts !== undefined) opened.set(id, parts);
  return parts;
}
