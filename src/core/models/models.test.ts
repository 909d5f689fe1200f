import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { encodeModel, type ModelSource } from "./encode-model.ts";
import { modelBuffers } from "./encoded-model.ts";
import { applyLogistic } from "./logistic-function.ts";
import { openModel } from "./open-model.ts";

const inputs = ["deposits", "amount", "is_new"];

function source(how: ModelSource["how"], isLogistic = false, names = inputs): ModelSource {
  return { id: "m", version: "1", inputs: names, how, isLogistic };
}

function encode(how: ModelSource["how"], isLogistic = false, names = inputs) {
  const encoded = encodeModel(source(how, isLogistic, names));
  if (!encoded.ok)
    throw new Error(encoded.faults.map(({ place, message }) => `${place} ${message}`).join("; "));
  return encoded.model;
}

/** What a model says of these values, over the wire and back; null is a missing input. */
function ask(model: ReturnType<typeof encode>, values: readonly (number | null)[]): number | undefined {
  const copy = structuredClone(model);
  const sent = structuredClone(copy, { transfer: modelBuffers(copy) });
  return openModel(sent).evaluate(Float64Array.from(values, (value) => value ?? Number.NaN));
}

function findFaults(how: ModelSource["how"], isLogistic = true): readonly string[] {
  const encoded = encodeModel(source(how, isLogistic));
  return encoded.ok ? [] : encoded.faults.map(({ rule, place }) => `${rule} ${place}`);
}

const xgboost = (trees: unknown, baseScore = 0) =>
  ({ kind: "xgboost", json: JSON.stringify(trees), baseScore }) as const;
const lightgbm = (trees: readonly unknown[], more: object = {}) => {
  const names = { feature_names: inputs, tree_info: trees.map((tree_structure) => ({ tree_structure })) };
  return { kind: "lightgbm", json: JSON.stringify({ ...names, ...more }) } as const;
};

const leaf = (nodeid: number, value: unknown) => ({ nodeid, leaf: value });
/** amount < 100.1 ? 0.5 : -0.25, a missing amount as `missing` says. */
const xgboostSplit = (more: object = {}) => ({
  nodeid: 0,
  split: "amount",
  split_condition: 100.1,
  yes: 1,
  no: 2,
  missing: 2,
  children: [leaf(1, 0.5), leaf(2, -0.25)],
  ...more,
});
const lightgbmSplit = (more: object = {}) => ({
  split_feature: 1,
  threshold: 100,
  decision_type: "<=",
  default_left: true,
  missing_type: "NaN",
  left_child: { leaf_value: 0.5 },
  right_child: { leaf_value: -0.25 },
  ...more,
});

describe("logistic regression", () => {
  const weights = [
    { input: "is_new", weight: 2, missing: -1 },
    { input: "deposits", weight: -0.5, missing: undefined },
  ];
  const how = { kind: "logistic", intercept: 0.25, weights } as const;
  test("is the weighted sum through the logistic function", () => {
    expect(ask(encode(how), [3, null, 1])).toBe(0.75);
    expect(ask(encode(how, true), [3, null, 1])).toBe(applyLogistic(0.75));
  });
  test("takes what is said in place of a missing input, else misses its output", () => {
    expect(ask(encode(how), [3, null, null])).toBe(-2.25);
    expect(ask(encode(how), [null, null, 1])).toBeUndefined();
  });
  test("has no output that is no number", () => {
    const huge = { ...how, weights: [{ input: "amount", weight: 1e308, missing: undefined }] };
    expect(ask(encode(huge), [0, 10, 0])).toBeUndefined();
    expect(ask(encode(huge, true), [0, 10, 0])).toBe(1);
  });
  test("refuses what is wrong with it", () => {
    const wrong = [
      { input: "amonut", weight: 1, missing: undefined },
      { input: "amount", weight: Number.NaN, missing: undefined },
      { input: "is_new", weight: 1, missing: Number.POSITIVE_INFINITY },
      { input: "deposits", weight: 1, missing: undefined },
      { input: "deposits", weight: 1, missing: undefined },
    ];
    expect(findFaults({ kind: "logistic", intercept: Number.NaN, weights: wrong })).toEqual([
      "bad-model intercept",
      "unknown-input weights[0].input",
      "bad-model weights[1]",
      "bad-model weights[2]",
      "bad-model weights[4].input",
    ]);
  });
});

describe("XGBoost", () => {
  test("splits by less than, a missing input where the dump says", () => {
    const model = encode(xgboost([xgboostSplit()]));
    expect([100, 100.2, null].map((amount) => ask(model, [0, amount, 0]))).toEqual([0.5, -0.25, -0.25]);
    const other = encode(xgboost([xgboostSplit({ missing: 1 })]));
    expect(ask(other, [0, null, 0])).toBe(0.5);
  });
  test("compares in float32, both sides", () => {
    // 100.1 and 100.1 - 1e-7 are one float32.
    const model = encode(xgboost([xgboostSplit()]));
    expect(ask(model, [0, 100.1 - 1e-7, 0])).toBe(-0.25);
    expect(ask(model, [0, 100.1 - 1e-5, 0])).toBe(0.5);
  });
  test("follows yes and no, not the order of the children", () => {
    const model = encode(xgboost([xgboostSplit({ children: [leaf(2, -0.25), leaf(1, 0.5)] })]));
    expect(ask(model, [0, 1, 0])).toBe(0.5);
  });
  test("knows indicators, columns by position and categories", () => {
    const indicator = { split: "is_new", split_condition: undefined, missing: undefined };
    const model = encode(xgboost([xgboostSplit(indicator)]));
    expect([1, 0, null].map((isNew) => ask(model, [0, 0, isNew]))).toEqual([0.5, -0.25, -0.25]);
    const set = encode(xgboost([xgboostSplit({ split: "f0", split_condition: [7, 2] })]));
    expect([2, 7.9, 3, -2, null].map((value) => ask(set, [value, 0, 0]))).toEqual([
      0.5, 0.5, -0.25, -0.25, -0.25,
    ]);
  });
  test("takes a name before a position", () => {
    const model = encode(xgboost([xgboostSplit({ split: "f0" })]), false, ["a", "f0"]);
    expect(ask(model, [1_000, 1])).toBe(0.5);
  });
  test("sums in float32 from the base score on, in the order of the trees", () => {
    const model = encode(xgboost([leaf(0, 0.1), leaf(0, 1e8), leaf(0, -1e8)], 0.2));
    const sum = [0.1, 1e8, -1e8].reduce(
      (sum, value) => Math.fround(sum + Math.fround(value)),
      Math.fround(0.2),
    );
    expect(ask(model, [0, 0, 0])).toBe(sum);
  });

  const faults: readonly { name: string; trees: unknown; want: readonly string[] }[] = [
    { name: "something else than a list", trees: { learner: {} }, want: ["bad-model "] },
    { name: "no trees", trees: [], want: ["bad-model "] },
    { name: "a tree that is a text", trees: ["{}"], want: ["bad-model [0]"] },
    { name: "neither leaf nor split", trees: [{ nodeid: 0 }], want: ["bad-model [0].leaf"] },
    { name: "a leaf that is null", trees: [leaf(0, null)], want: ["bad-model [0].leaf"] },
    { name: "several outputs", trees: [leaf(0, [1, 2])], want: ["model-not-supported [0].leaf"] },
    {
      name: "an unknown input",
      trees: [leaf(0, 1), xgboostSplit({ split: "amonut" })],
      want: ["unknown-input [1].split"],
    },
    {
      name: "a position beyond the inputs",
      trees: [xgboostSplit({ split: "f3" })],
      want: ["unknown-input [0].split"],
    },
    {
      name: "one child",
      trees: [xgboostSplit({ children: [leaf(1, 1)] })],
      want: ["bad-model [0].children"],
    },
    { name: "a yes that is no child", trees: [xgboostSplit({ yes: 3 })], want: ["bad-model [0].yes"] },
    { name: "a no that is the yes", trees: [xgboostSplit({ no: 1 })], want: ["bad-model [0].no"] },
    { name: "no missing", trees: [xgboostSplit({ missing: undefined })], want: ["bad-model [0].missing"] },
    {
      name: "a threshold as text",
      trees: [xgboostSplit({ split_condition: "1" })],
      want: ["bad-model [0].split_condition"],
    },
    {
      name: "no threshold",
      trees: [xgboostSplit({ split_condition: undefined })],
      want: ["bad-model [0].split_condition"],
    },
    {
      name: "a negative category",
      trees: [xgboostSplit({ split_condition: [-1] })],
      want: ["bad-model [0].split_condition"],
    },
    {
      name: "a fault below",
      trees: [xgboostSplit({ children: [leaf(1, "x"), leaf(2, 0)] })],
      want: ["bad-model [0].children[0].leaf"],
    },
  ];
  test.each(faults)("is refused with $name", ({ trees, want }) => {
    expect(findFaults(xgboost(trees))).toEqual(want);
  });
});

describe("LightGBM", () => {
  const at = (model: ReturnType<typeof encode>, amount: number | null) => ask(model, [0, amount, 0]);
  test("splits by at most, exactly", () => {
    const model = encode(lightgbm([lightgbmSplit()]));
    expect([100, 100 + 2e-14, -1].map((amount) => at(model, amount))).toEqual([0.5, -0.25, 0.5]);
  });
  test("leads missing values as missing_type and default_left say", () => {
    const say = (missing_type: string, default_left: boolean) =>
      [null, 0, 1e-36].map((amount) =>
        at(encode(lightgbm([lightgbmSplit({ missing_type, default_left, threshold: -1 })])), amount),
      );
    expect(say("NaN", true)).toEqual([0.5, -0.25, -0.25]);
    expect(say("NaN", false)).toEqual([-0.25, -0.25, -0.25]);
    expect(say("Zero", true)).toEqual([0.5, 0.5, 0.5]);
    expect(say("Zero", false)).toEqual([-0.25, -0.25, -0.25]);
    // It never saw one, so it has nothing to say.
    expect(say("None", true)).toEqual([undefined, -0.25, -0.25]);
  });
  test("knows sets of categories", () => {
    const model = encode(lightgbm([lightgbmSplit({ decision_type: "==", threshold: "3||0||12" })]));
    expect([0, 3, 12.5, 4, -3, null].map((amount) => at(model, amount))).toEqual([
      0.5, 0.5, 0.5, -0.25, -0.25, -0.25,
    ]);
  });
  test("uses the parameter of its objective, and the mean of a forest", () => {
    const trees = [{ leaf_value: 3 }, { leaf_value: 1 }];
    const model = encode(lightgbm(trees, { objective: "binary sigmoid:0.5", average_output: true }), true);
    expect(at(model, 0)).toBe(applyLogistic(1));
    expect(at(encode(lightgbm(trees, { objective: "regression" })), 0)).toBe(4);
  });

  const faults: readonly { name: string; trees?: readonly unknown[]; more?: object; want: string }[] = [
    { name: "no trees", trees: [], want: "bad-model tree_info" },
    { name: "no names", more: { feature_names: null }, want: "bad-model feature_names" },
    {
      name: "classes",
      more: { num_tree_per_iteration: 3 },
      want: "model-not-supported num_tree_per_iteration",
    },
    {
      name: "an objective without sigmoid",
      more: { objective: "poisson" },
      want: "model-not-supported objective",
    },
    { name: "a sigmoid of 0", more: { objective: "binary sigmoid:0" }, want: "bad-model objective" },
    { name: "a tree without structure", trees: [undefined], want: "bad-model tree_info[0].tree_structure" },
    { name: "a node without value", trees: [{}], want: "bad-model tree_info[0].tree_structure.leaf_value" },
    {
      name: "linear leaves",
      trees: [{ leaf_value: 1, leaf_coeff: [1] }],
      want: "model-not-supported tree_info[0].tree_structure.leaf_coeff",
    },
    {
      name: "a feature beyond the names",
      trees: [lightgbmSplit({ split_feature: 3 })],
      want: "bad-model tree_info[0].tree_structure.split_feature",
    },
    {
      name: "a feature that is no input",
      more: { feature_names: ["deposits", "balance", "is_new"] },
      want: "unknown-input tree_info[0].tree_structure.split_feature",
    },
    {
      name: "another decision",
      trees: [lightgbmSplit({ decision_type: "<" })],
      want: "bad-model tree_info[0].tree_structure.decision_type",
    },
    {
      name: "another missing_type",
      trees: [lightgbmSplit({ missing_type: "nan" })],
      want: "bad-model tree_info[0].tree_structure.missing_type",
    },
    {
      name: "no default_left",
      trees: [lightgbmSplit({ default_left: undefined })],
      want: "bad-model tree_info[0].tree_structure.default_left",
    },
    {
      name: "a threshold as text",
      trees: [lightgbmSplit({ threshold: "NaN" })],
      want: "bad-model tree_info[0].tree_structure.threshold",
    },
    {
      name: "categories that are no numbers",
      trees: [lightgbmSplit({ decision_type: "==", threshold: "1||x" })],
      want: "bad-model tree_info[0].tree_structure.threshold",
    },
    {
      name: "no right child",
      trees: [lightgbmSplit({ right_child: undefined })],
      want: "bad-model tree_info[0].tree_structure.right_child",
    },
  ];
  test.each(faults)("is refused with $name", ({ trees = [lightgbmSplit()], more, want }) => {
    expect(findFaults(lightgbm(trees, more))).toEqual([want]);
  });
});

describe("sizes, on both sides", () => {
  const nested = (depth: number): unknown => {
    let node: unknown = leaf(1, 1);
    for (let level = 0; level < depth; level++)
      node = xgboostSplit({ children: [{ ...(node as object), nodeid: 1 }, leaf(2, 0)] });
    return node;
  };
  const many = <T>(count: number, item: T): readonly T[] => new Array<T>(count).fill(item);
  test("64 levels", () => {
    expect(findFaults(xgboost([nested(64)]))).toEqual([]);
    expect(findFaults(xgboost([nested(65)]))[0]).toMatch(/^model-too-large \[0\](?:\.children\[0\]){64}/);
  });
  test("a nesting of thousands ends in a fault, not in a full stack", () => {
    const json = `[${'{"nodeid":0,"children":['.repeat(50_000)}${"]}".repeat(50_000)}]`;
    expect(findFaults({ kind: "xgboost", json, baseScore: 0 })).toEqual(["bad-model [0].leaf"]);
  });
  test("1,000 trees", () => {
    expect(findFaults(xgboost(many(1_000, leaf(0, 1))))).toEqual([]);
    expect(findFaults(xgboost(many(1_001, leaf(0, 1))))).toEqual(["model-too-large "]);
  });
  test("100,000 nodes", () => {
    const complete = (depth: number, nodeid: number): object => {
      if (depth === 0) return leaf(nodeid, 1);
      const children = [complete(depth - 1, 1), complete(depth - 1, 2)];
      return { nodeid, split: "f0", yes: 1, no: 2, children };
    };
    // 511 nodes each, and leaves to fill up.
    const trees = [...many(195, complete(8, 0)), ...many(355, leaf(0, 1))];
    expect(findFaults(xgboost(trees))).toEqual([]);
    expect(findFaults(xgboost([...trees, leaf(0, 1)]))).toEqual(["model-too-large "]);
  });
  test("100,000 categories", () => {
    const set = (size: number) =>
      xgboostSplit({ split_condition: Array.from({ length: size }, (_, n) => n) });
    expect(findFaults(xgboost([set(100_000)]))).toEqual([]);
    expect(findFaults(xgboost([set(100_001)]))).toEqual(["model-too-large "]);
  });
  test("4 MiB of text", () => {
    const pad = (length: number) => `[{"leaf":1}${" ".repeat(length - 12)}]`;
    const max = 4 * 1_024 * 1_024;
    expect(findFaults({ kind: "xgboost", json: pad(max), baseScore: 0 })).toEqual([]);
    expect(findFaults({ kind: "xgboost", json: pad(max + 1), baseScore: 0 })).toEqual(["model-too-large "]);
    expect(findFaults({ kind: "lightgbm", json: "NaN" })).toEqual(["bad-model "]);
  });
  test("20 faults are told", () => {
    expect(findFaults(xgboost(many(100, {})))).toHaveLength(20);
  });
});

/** A tree of both formats with what it says, walked naively. */
type Naive = { readonly xgboost: object; readonly lightgbm: object; readonly walk: Walk };
type Walk = (inputs: readonly (number | null)[], isFloat32: boolean) => number;

const columns = fc.integer({ min: 0, max: inputs.length - 1 });
const values = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -3, max: 3, noNaN: true }));
const trees: fc.Arbitrary<Naive> = fc.letrec<{ tree: Naive }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthSize: "medium" },
    values.map(
      (value): Naive => ({
        xgboost: { leaf: value },
        lightgbm: { leaf_value: value },
        walk: (_, isFloat32) => (isFloat32 ? Math.fround(value) : value),
      }),
    ),
    fc
      .record({
        column: columns,
        bound: values,
        missingLeft: fc.boolean(),
        left: tie("tree"),
        right: tie("tree"),
      })
      .map(
        ({ column, bound, missingLeft, left, right }): Naive => ({
          xgboost: {
            split: `f${column}`,
            split_condition: bound,
            yes: 1,
            no: 2,
            missing: missingLeft ? 1 : 2,
            children: [
              { ...left.xgboost, nodeid: 1 },
              { ...right.xgboost, nodeid: 2 },
            ],
          },
          lightgbm: {
            ...lightgbmSplit({ split_feature: column, threshold: bound, default_left: missingLeft }),
            left_child: left.lightgbm,
            right_child: right.lightgbm,
          },
          walk: (given, isFloat32) => {
            const value = given[column]!;
            const isLess = isFloat32 ? Math.fround(value ?? 0) < Math.fround(bound) : (value ?? 0) <= bound;
            return (value === null ? missingLeft : isLess)
              ? left.walk(given, isFloat32)
              : right.walk(given, isFloat32);
          },
        }),
      ),
  ),
})).tree;

test("flattened trees say what a recursive walk says, missing inputs included", () => {
  const rows = fc.array(fc.tuple(...inputs.map(() => fc.option(values, { freq: 4 }))), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.array(trees, { minLength: 1, maxLength: 4 }), rows, (forest, given) => {
      const asXgboost = openModel(encode(xgboost(forest.map(({ xgboost }) => xgboost))));
      const asLightgbm = openModel(encode(lightgbm(forest.map(({ lightgbm }) => lightgbm))));
      for (const row of given) {
        const numbers = Float64Array.from(row, (value) => value ?? Number.NaN);
        const float32 = forest.reduce((sum, { walk }) => Math.fround(sum + walk(row, true)), 0);
        expect(asXgboost.evaluate(numbers)).toBe(float32);
        expect(asLightgbm.evaluate(numbers)).toBe(
          forest.reduce((sum, { walk }) => sum + walk(row, false), 0),
        );
      }
    }),
    { numRuns: countRuns(200) },
  );
});

/** Models that the libraries trained, with what they themselves answer: `margins` before the logistic function, `outputs` after it. */
type LibraryCase = {
  readonly description: string;
  readonly library: string;
  readonly inputs: readonly string[];
  readonly dump: string;
  readonly rows: readonly (readonly (number | null)[])[];
  readonly margins: readonly number[];
  readonly outputs: readonly number[];
};

function readCases(name: string): readonly LibraryCase[] {
  const path = fileURLToPath(new URL(`../../../test/cases/models/${name}.json`, import.meta.url));
  return JSON.parse(readFileSync(path, "utf8")) as readonly LibraryCase[];
}

describe("models of the libraries themselves", () => {
  test.each(readCases("xgboost"))(
    "$library: $description",
    ({ inputs: names, dump, rows, margins, outputs }) => {
      const how = { kind: "xgboost", json: dump, baseScore: 0 } as const;
      const asked = rows.map((row) => ask(encode(how, false, [...names]), row));
      // The libraries add in an order of their own versions.
      for (const [n, margin] of margins.entries()) expect(asked[n]).toBeCloseTo(margin, 6);
      for (const [n, output] of outputs.entries()) expect(applyLogistic(asked[n]!)).toBeCloseTo(output, 6);
    },
  );
  test.each(readCases("lightgbm"))(
    "$library: $description",
    ({ inputs: names, dump, rows, margins, outputs }) => {
      const how = { kind: "lightgbm", json: dump } as const;
      expect(rows.map((row) => ask(encode(how, false, [...names]), row))).toEqual(margins);
      const asked = rows.map((row) => ask(encode(how, true, [...names]), row));
      for (const [n, output] of outputs.entries()) expect(asked[n]).toBeCloseTo(output, 14);
    },
  );
});
