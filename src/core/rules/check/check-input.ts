import { type RuleSet, ValueList_Kind } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { ListKind } from "../../cel/environment.ts";
import type { EncodedList } from "../../lists.ts";
import type { EncodedModel } from "../../models/encoded-model.ts";
import type { FaultList } from "../document/fault.ts";
import { listSegments } from "../segments.ts";

/** What all checks share: the document and the ids that it declares. */
export type CheckInput = {
  readonly ruleSet: RuleSet;
  readonly faults: FaultList;
  /** The instant of the push, ms since the epoch. */
  readonly nowMs: number;
  readonly psps: ReadonlySet<string>;
  readonly lists: ReadonlyMap<string, ListKind>;
  readonly policies: ReadonlySet<string>;
  readonly brands: ReadonlySet<string>;
  /** Ids of segments, states of lifecycles included. */
  readonly segments: ReadonlySet<string>;
  /** Encoded lists by id, as far as they are right: filled by the check of the section, for those after it. */
  readonly encodedLists: Map<string, EncodedList>;
  /** The same for models. */
  readonly encodedModels: Map<string, EncodedModel>;
};

/** Collects the ids that a document declares, faulty entries included, so that one fault does not cause others. */
export function collectIds(ruleSet: RuleSet, faults: FaultList, nowMs: number): CheckInput {
  return {
    ruleSet,
    faults,
    nowMs,
    psps: new Set(ruleSet.psps.map(({ id }) => id)),
    lists: new Map(ruleSet.lists.map(({ id, kind }) => [id, kind === ValueList_Kind.BIN ? "BIN" : "STRING"])),
    policies: new Set(["default", ...ruleSet.retryPolicies.map(({ id }) => id)]),
    brands: new Set(ruleSet.brands.map(({ id }) => id)),
    segments: new Set(listSegments(ruleSet).map(({ segment }) => segment.id)),
    encodedLists: new Map(),
    encodedModels: new Map(),
  };
}
