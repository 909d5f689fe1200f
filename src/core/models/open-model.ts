import {
  type EncodedModel,
  type LogisticBody,
  nodeFlags,
  nodeOps,
  opMask,
  type TreesBody,
} from "./encoded-model.ts";
import { applyLogistic } from "./logistic-function.ts";
import type { CompiledModel } from "./model.ts";

/** LightGBM takes what is so near to 0 for 0. */
const zeroMax = Math.fround(1e-35);

/**
 * Makes a model ready to be asked; a question allocates nothing and recurses nowhere.
 *
 * The sum goes over weights in order of columns, over trees in their order: so the same inputs give the same bits on every machine. An output that
 * is no finite number is missing.
 */
export function openModel(model: EncodedModel): CompiledModel {
  const { id, version, inputs, body, link } = model;
  const sum = body.kind === "logistic" ? openLogistic(body) : openTrees(body);
  return {
    id,
    version,
    inputs,
    evaluate: (values) => {
      const total = sum(values);
      if (Number.isNaN(total)) return undefined;
      if (link.kind === "logistic") return applyLogistic(total * link.scale);
      return Number.isFinite(total) ? total : undefined;
    },
  };
}

/** The sum of a model for inputs; NaN where it is missing. */
type Sum = (inputs: Float64Array) => number;

function openLogistic({ intercept, columns, weights, missing }: LogisticBody): Sum {
  return (inputs) => {
    let sum = intercept;
    for (let n = 0; n < columns.length; n++) {
      const value = inputs[columns[n]!]!;
      // Without a stand-in `missing` is NaN, and so is the sum from here on.
      sum += Number.isNaN(value) ? missing[n]! : weights[n]! * value;
    }
    return sum;
  };
}

function openTrees(trees: TreesBody): Sum {
  const { roots, base, divisor, isFloat32 } = trees;
  return (inputs) => {
    let sum = base;
    for (let tree = 0; tree < roots.length; tree++) {
      const leaf = walkTree(trees, roots[tree]!, inputs);
      sum = isFloat32 ? Math.fround(sum + leaf) : sum + leaf;
    }
    return divisor === 1 ? sum : sum / divisor;
  };
}

/** The value of the leaf that the inputs lead to; NaN where a split does not say where a missing input leads. */
function walkTree(trees: TreesBody, root: number, inputs: Float64Array): number {
  const { ops, columns, values, rights } = trees;
  let node = root;
  for (;;) {
    const op = ops[node]!;
    if (op === nodeOps.leaf) return values[node]!;
    const value = inputs[columns[node]!]!;
    let goesLeft: boolean;
    if (Number.isNaN(value) || ((op & nodeFlags.zeroIsMissing) !== 0 && Math.abs(value) <= zeroMax)) {
      if ((op & nodeFlags.takesMissing) === 0) return Number.NaN;
      goesLeft = (op & nodeFlags.missingLeft) !== 0;
    } else {
      goesLeft = leadsLeft(trees, node, op & opMask, value);
    }
    node = goesLeft ? node + 1 : rights[node]!;
  }
}

function leadsLeft(trees: TreesBody, node: number, op: number, value: number): boolean {
  const threshold = trees.values[node]!;
  switch (op) {
    case nodeOps.lessFloat32:
      return Math.fround(value) < threshold;
    case nodeOps.lessOrEqual:
      return value <= threshold;
    case nodeOps.present:
      return value !== 0;
    default:
      return isInSet(trees, threshold, Math.trunc(value));
  }
}

function isInSet({ categories, categoryEnds }: TreesBody, set: number, category: number): boolean {
  let low = set === 0 ? 0 : categoryEnds[set - 1]!;
  let high = categoryEnds[set]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = categories[middle]!;
    if (found === category) return true;
    if (found < category) low = middle + 1;
    else high = middle;
  }
  return false;
}
