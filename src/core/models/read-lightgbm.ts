import type { EncodedModel } from "./encoded-model.ts";
import {
  collectFaults,
  flattenTrees,
  type ModelFault,
  type NodeReader,
  type Place,
  type ReportFault,
  type TreeNode,
} from "./flatten-trees.ts";
import { describe, isObject, type JsonObject, parseDump, readNumber } from "./read-json.ts";

/** A dump with what becomes of its sum, or what is wrong with it. */
export type LightgbmResult =
  | { readonly ok: true; readonly body: EncodedModel["body"]; readonly link: EncodedModel["link"] }
  | { readonly ok: false; readonly faults: readonly ModelFault[] };

/** Objectives whose probability is the logistic function of the sum. */
const logisticObjectives: ReadonlySet<string> = new Set(["binary", "cross_entropy", "xentropy"]);

/**
 * Reads the JSON of LightGBM's `dump_model()`: `feature_names`, `objective` and `tree_info`, each tree with its `tree_structure`.
 *
 * Numeric splits (`<=`) and categorical ones (`==`, the members as text `"0||3"`) with `missing_type` and `default_left`. A column is the input of
 * its name, or by position where it is called `Column_0`, `Column_1`, ...
 *
 * A missing input at a split of `missing_type` None makes the output missing: that model never saw one, and LightGBM would take it for 0.
 *
 * Fails:  with up to 20 faults, each at its place in the dump; several classes and linear leaves are not supported, nor is the logistic function
 *         after an objective that has none.
 */
export function readLightgbm(text: string, inputs: readonly string[], isLogistic: boolean): LightgbmResult {
  const faults = collectFaults();
  const dump = parseDump(text, faults.report);
  const head = faults.faults.length > 0 ? undefined : readHead(dump, inputs, isLogistic, faults.report);
  const read: NodeReader = (node, fault) => readNode(node, head!.columns, fault);
  const flat = head && flattenTrees(head.trees, read, faults);
  if (head === undefined || flat === undefined) return { ok: false, faults: faults.faults };
  const { link, divisor } = head;
  return { ok: true, link, body: { kind: "trees", base: 0, divisor, isFloat32: false, ...flat } };
}

type Head = {
  /** Columns of the inputs by number of the feature; undefined where no input is it. */
  readonly columns: readonly (number | undefined)[];
  readonly trees: readonly Place[];
  readonly link: EncodedModel["link"];
  readonly divisor: number;
};

function readHead(
  dump: unknown,
  inputs: readonly string[],
  isLogistic: boolean,
  fault: ReportFault,
): Head | undefined {
  if (!isObject(dump)) return fault("", "bad-model", `the dump must be an object, it is ${describe(dump)}`);
  const { feature_names: names, tree_info: infos } = dump;
  if (!Array.isArray(names)) return fault("feature_names", "bad-model", "this must be a list of names");
  if (!Array.isArray(infos) || infos.length === 0) {
    return fault("tree_info", "bad-model", "this must be a list of trees, with one at least");
  }
  if (![undefined, 1].includes(dump.num_tree_per_iteration as number | undefined)) {
    return fault("num_tree_per_iteration", "model-not-supported", "several classes are not supported");
  }
  const link = readLink(dump, isLogistic, fault);
  return (
    link && {
      columns: names.map((name: unknown) => findColumn(name, inputs)),
      trees: infos.map((info: unknown, index) => ({
        value: isObject(info) ? info.tree_structure : undefined,
        place: `tree_info[${index}].tree_structure`,
      })),
      link,
      // A random forest is the mean of its trees.
      divisor: dump.average_output === true ? infos.length : 1,
    }
  );
}

function findColumn(name: unknown, inputs: readonly string[]): number | undefined {
  const named = inputs.indexOf(String(name));
  if (named >= 0) return named;
  const position = /^Column_(\d{1,3})$/.exec(String(name))?.[1];
  const column = position === undefined ? -1 : Number(position);
  return column >= 0 && column < inputs.length ? column : undefined;
}

function readLink(
  { objective }: JsonObject,
  isLogistic: boolean,
  fault: ReportFault,
): EncodedModel["link"] | undefined {
  if (!isLogistic) return { kind: "identity" };
  if (objective === undefined) return { kind: "logistic", scale: 1 };
  const [name = "", ...options] = String(objective).split(" ");
  if (!logisticObjectives.has(name)) {
    const message = `${describe(objective)} is no objective with a logistic function: say sigmoid: false to have the sum`;
    return fault("objective", "model-not-supported", message);
  }
  const option = options.find((text) => text.startsWith("sigmoid:"));
  const scale = option === undefined ? 1 : Number(option.slice("sigmoid:".length));
  if (Number.isFinite(scale) && scale > 0) return { kind: "logistic", scale };
  return fault("objective", "bad-model", "the parameter sigmoid must be a number above 0");
}

function readNode(
  { value: node, place }: Place,
  columns: Head["columns"],
  fault: ReportFault,
): TreeNode | undefined {
  if (!isObject(node)) return fault(place, "bad-model", `this must be a node, it is ${describe(node)}`);
  if (node.leaf_coeff !== undefined) {
    return fault(`${place}.leaf_coeff`, "model-not-supported", "linear leaves are not supported");
  }
  if (node.leaf_value !== undefined || node.split_feature === undefined) {
    const value = readNumber(node.leaf_value, `${place}.leaf_value`, fault);
    return value === undefined ? undefined : { kind: "leaf", value };
  }
  const feature = node.split_feature;
  if (!Number.isInteger(feature) || (feature as number) < 0 || (feature as number) >= columns.length) {
    return fault(`${place}.split_feature`, "bad-model", `there is no feature ${describe(feature)}`);
  }
  const column = columns[feature as number];
  if (column === undefined) {
    const message = `feature ${describe(feature)} is none of the inputs by its name in feature_names`;
    return fault(`${place}.split_feature`, "unknown-input", message);
  }
  const test = readTest(node, place, fault);
  return (
    test && {
      kind: "split",
      column,
      ...test,
      left: { value: node.left_child, place: `${place}.left_child` },
      right: { value: node.right_child, place: `${place}.right_child` },
    }
  );
}

type Split = Extract<TreeNode, { kind: "split" }>;
type Test = Pick<Split, "op" | "threshold" | "categories" | "missing" | "isZeroMissing">;

function readTest(node: JsonObject, place: string, fault: ReportFault): Test | undefined {
  const { decision_type: decision, missing_type: missingType, default_left: defaultLeft, threshold } = node;
  if (missingType !== "None" && missingType !== "Zero" && missingType !== "NaN") {
    return fault(`${place}.missing_type`, "bad-model", `${describe(missingType)} is not None, Zero or NaN`);
  }
  const isMissing = missingType !== "None";
  if (decision === "==") {
    const categories = readCategories(threshold, `${place}.threshold`, fault);
    // What is in no set leads to the right, and so does what is missing.
    const missing = isMissing ? "right" : undefined;
    return categories && { op: "anyOf", threshold: 0, categories, missing, isZeroMissing: false };
  }
  if (decision !== "<=") {
    return fault(`${place}.decision_type`, "bad-model", `${describe(decision)} is not <= or ==`);
  }
  if (typeof defaultLeft !== "boolean") {
    return fault(`${place}.default_left`, "bad-model", `this must be true or false`);
  }
  const bound = readNumber(threshold, `${place}.threshold`, fault);
  if (bound === undefined) return undefined;
  const missing = isMissing ? (defaultLeft ? "left" : "right") : undefined;
  return {
    op: "lessOrEqual",
    threshold: bound,
    categories: [],
    missing,
    isZeroMissing: missingType === "Zero",
  };
}

/** The members of a set, written as `0||3||7`; a set of one may be a number. */
function readCategories(
  threshold: unknown,
  place: string,
  fault: ReportFault,
): readonly number[] | undefined {
  const parts = String(threshold).split("||");
  if (parts.every((part) => /^\d{1,9}$/.test(part))) return parts.map(Number);
  return fault(place, "bad-model", "the categories of a split are whole numbers such as 0||3");
}
