import { nodeFlags, nodeOps, type TreesBody } from "./encoded-model.ts";

const treesMax = 1_000;
const nodesMax = 100_000;
/** Splits from the root of a tree down to a leaf. */
const depthMax = 64;
const categoriesMax = 100_000;
const faultsMax = 20;

/** A fault of a model. `place` is where in the dump, such as `[3].children[0].leaf`; empty for the whole. */
export type ModelFault = {
  readonly place: string;
  readonly rule: "bad-model" | "unknown-input" | "model-too-large" | "model-not-supported";
  readonly message: string;
};

/** Something of a dump, with its place in it. */
export type Place = { readonly value: unknown; readonly place: string };

/** A node as a format has it, read but not looked into below. */
export type TreeNode =
  | { readonly kind: "leaf"; readonly value: number }
  | {
      readonly kind: "split";
      readonly op: Exclude<keyof typeof nodeOps, "leaf">;
      readonly column: number;
      /** Of `anyOf` nothing. */
      readonly threshold: number;
      readonly categories: readonly number[];
      /** Where a missing input leads; nowhere where undefined. */
      readonly missing: "left" | "right" | undefined;
      readonly isZeroMissing: boolean;
      readonly left: Place;
      readonly right: Place;
    };

/** Reads one node; undefined after a fault. */
export type NodeReader = (node: Place, fault: ReportFault) => TreeNode | undefined;

export type ReportFault = (place: string, rule: ModelFault["rule"], message: string) => undefined;

export type FaultCollector = {
  readonly report: ReportFault;
  readonly faults: readonly ModelFault[];
  /** Whether there are so many that nobody would read more. */
  readonly isFull: () => boolean;
};

/** Collects faults up to 20; the others are left out. */
export function collectFaults(): FaultCollector {
  const faults: ModelFault[] = [];
  return {
    faults,
    isFull: () => faults.length >= faultsMax,
    report: (place, rule, message) => {
      if (faults.length < faultsMax) faults.push({ place, rule, message });
      return undefined;
    },
  };
}

/** The arrays of all trees while they grow. */
type Growing = Readonly<
  Record<"roots" | "ops" | "columns" | "values" | "rights" | "categories" | "categoryEnds", number[]>
>;

type Waiting = { readonly node: Place; readonly depth: number; readonly rightOf: number };

/**
 * Lays trees out in preorder, without recursion.
 *
 * Fails: undefined where the collector got a fault: more than 1,000 trees, 100,000 nodes, 64 levels or 100,000 categories, or what `read` reports.
 */
export function flattenTrees(
  trees: readonly Place[],
  read: NodeReader,
  faults: FaultCollector,
): Omit<TreesBody, "kind" | "base" | "divisor" | "isFloat32"> | undefined {
  if (trees.length > treesMax) {
    const message = `${trees.length} trees; at most ${treesMax} are allowed`;
    return faults.report("", "model-too-large", message);
  }
  const all: Growing = {
    roots: [],
    ops: [],
    columns: [],
    values: [],
    rights: [],
    categories: [],
    categoryEnds: [],
  };
  for (const tree of trees) {
    all.roots.push(all.ops.length);
    if (!flattenTree(all, tree, read, faults)) break;
  }
  if (faults.faults.length > 0) return undefined;
  return {
    roots: Int32Array.from(all.roots),
    ops: Uint8Array.from(all.ops),
    columns: Int32Array.from(all.columns),
    values: Float64Array.from(all.values),
    rights: Int32Array.from(all.rights),
    categories: Int32Array.from(all.categories),
    categoryEnds: Int32Array.from(all.categoryEnds),
  };
}

/** Returns false where there is no use in looking at more trees. */
function flattenTree(all: Growing, tree: Place, read: NodeReader, faults: FaultCollector): boolean {
  const waiting: Waiting[] = [{ node: tree, depth: 0, rightOf: -1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth, rightOf } = next;
    if (all.ops.length >= nodesMax || all.categories.length > categoriesMax) {
      const message = `more than ${nodesMax} nodes, or ${categoriesMax} categories`;
      faults.report("", "model-too-large", message);
      return false;
    }
    if (depth > depthMax) {
      faults.report(node.place, "model-too-large", `deeper than ${depthMax} levels`);
      continue;
    }
    const found = read(node, faults.report);
    if (faults.isFull()) return false;
    if (found === undefined) continue;
    if (rightOf >= 0) all.rights[rightOf] = all.ops.length;
    const at = addNode(all, found);
    if (found.kind === "leaf") continue;
    waiting.push({ node: found.right, depth: depth + 1, rightOf: at });
    // The left child is taken next, so it stands right behind its parent.
    waiting.push({ node: found.left, depth: depth + 1, rightOf: -1 });
  }
  return true;
}

function addNode(all: Growing, node: TreeNode): number {
  all.rights.push(0);
  if (node.kind === "leaf") {
    all.columns.push(0);
    all.values.push(node.value);
    return all.ops.push(nodeOps.leaf) - 1;
  }
  all.columns.push(node.column);
  if (node.op === "anyOf") {
    all.values.push(all.categoryEnds.length);
    for (const category of node.categories.toSorted((a, b) => a - b)) all.categories.push(category);
    all.categoryEnds.push(all.categories.length);
  } else {
    all.values.push(node.threshold);
  }
  const missing = node.missing === undefined ? 0 : nodeFlags.takesMissing;
  const left = node.missing === "left" ? nodeFlags.missingLeft : 0;
  const zero = node.isZeroMissing ? nodeFlags.zeroIsMissing : 0;
  return all.ops.push(nodeOps[node.op] | missing | left | zero) - 1;
}
