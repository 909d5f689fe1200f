import type { TreesBody } from "./encoded-model.ts";
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

/** Trees of a dump, or what is wrong with it. */
export type TreesResult =
  | { readonly ok: true; readonly body: TreesBody }
  | { readonly ok: false; readonly faults: readonly ModelFault[] };

/**
 * Reads the JSON of XGBoost's `dump_model(dump_format="json")`: a list of trees, each node with `nodeid` and either `leaf`, or `split`, `yes`, `no`,
 * `children` and, but for indicators, `split_condition` and `missing`.
 *
 * Splits are float32 (`value < split_condition` leads to `yes`), categorical (a list as `split_condition`: a member leads to `yes`) or indicators
 * (neither: leads to `yes` where the input is there and not 0). `split` is the name of an input, or `f0`, `f1`, ... by its column.
 *
 * Shapes: `inputs` are the names of the columns in order. `baseScore` is in the space of the margin.
 * Fails:  with up to 20 faults, each at its place in the dump.
 */
export function readXgboost(text: string, inputs: readonly string[], baseScore: number): TreesResult {
  const faults = collectFaults();
  const dump = parseDump(text, faults.report);
  const columns = nameColumns(inputs);
  const trees = faults.faults.length > 0 ? undefined : listTrees(dump, faults.report);
  const read: NodeReader = (node, fault) => readNode(node, columns, fault);
  const flat = trees && flattenTrees(trees, read, faults);
  if (flat === undefined) return { ok: false, faults: faults.faults };
  const base = Math.fround(baseScore);
  return { ok: true, body: { kind: "trees", base, divisor: 1, isFloat32: true, ...flat } };
}

function nameColumns(inputs: readonly string[]): ReadonlyMap<string, number> {
  const byPosition = inputs.map((_, column) => [`f${column}`, column] as const);
  // A name comes before a position: an input may be called f0.
  return new Map([...byPosition, ...inputs.map((name, column) => [name, column] as const)]);
}

function listTrees(dump: unknown, fault: ReportFault): readonly Place[] | undefined {
  if (!Array.isArray(dump)) {
    return fault("", "bad-model", `the dump must be a list of trees, it is ${describe(dump)}`);
  }
  if (dump.length === 0) return fault("", "bad-model", "the dump has no trees");
  return dump.map((value: unknown, index) => ({ value, place: `[${index}]` }));
}

function readNode(
  { value: node, place }: Place,
  columns: ReadonlyMap<string, number>,
  fault: ReportFault,
): TreeNode | undefined {
  if (!isObject(node)) return fault(place, "bad-model", `this must be a node, it is ${describe(node)}`);
  if (Array.isArray(node.leaf)) {
    return fault(`${place}.leaf`, "model-not-supported", "trees with several outputs are not supported");
  }
  if (node.leaf !== undefined || node.split === undefined) {
    const value = readNumber(node.leaf, `${place}.leaf`, fault);
    return value === undefined ? undefined : { kind: "leaf", value: Math.fround(value) };
  }
  const column = columns.get(String(node.split));
  if (column === undefined) {
    const message = `there is no input ${JSON.stringify(node.split)?.slice(0, 64)}`;
    return fault(`${place}.split`, "unknown-input", message);
  }
  const ways = readWays(node, place, fault);
  const test = readTest(node, place, fault);
  return ways && test && { kind: "split", column, isZeroMissing: false, ...test, ...ways };
}

type Split = Extract<TreeNode, { kind: "split" }>;

/** The children, the one for `yes` first, and to which a missing input leads. */
function readWays(
  node: JsonObject,
  place: string,
  fault: ReportFault,
): Pick<Split, "left" | "right" | "missing"> | undefined {
  const { yes, no, children } = node;
  if (!Array.isArray(children) || children.length !== 2) {
    return fault(`${place}.children`, "bad-model", "a split needs two children");
  }
  const ids = children.map((child: unknown) => (isObject(child) ? child.nodeid : undefined));
  const [left, right] = [ids.indexOf(yes), ids.indexOf(no)];
  if (typeof yes !== "number" || left < 0)
    return fault(`${place}.yes`, "bad-model", "no child has this nodeid");
  if (typeof no !== "number" || right < 0 || right === left) {
    return fault(`${place}.no`, "bad-model", "no other child has this nodeid");
  }
  const missing = isIndicator(node) ? no : node.missing;
  if (missing !== yes && missing !== no) {
    return fault(`${place}.missing`, "bad-model", "this must be the yes or the no of the split");
  }
  const childAt = (index: number): Place => ({
    value: children[index],
    place: `${place}.children[${index}]`,
  });
  return { left: childAt(left), right: childAt(right), missing: missing === yes ? "left" : "right" };
}

function isIndicator({ split_condition: condition, missing }: JsonObject): boolean {
  return condition === undefined && missing === undefined;
}

function readTest(
  node: JsonObject,
  place: string,
  fault: ReportFault,
): Pick<Split, "op" | "threshold" | "categories"> | undefined {
  const condition = node.split_condition;
  const at = `${place}.split_condition`;
  if (isIndicator(node)) return { op: "present", threshold: 0, categories: [] };
  if (!Array.isArray(condition)) {
    const threshold = readNumber(condition, at, fault);
    if (threshold === undefined) return undefined;
    return { op: "lessFloat32", threshold: Math.fround(threshold), categories: [] };
  }
  const isCategory = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
  if (!condition.every((value: unknown) => isCategory(value) && (value as number) <= 2 ** 24)) {
    return fault(at, "bad-model", "categories are whole numbers from 0 to 2^24");
  }
  return { op: "anyOf", threshold: 0, categories: condition as readonly number[] };
}
