/**
 * Models as flat buffers: read and checked once where the rule set is compiled, handed over without a copy, asked at once.
 *
 * Source: `DESIGN.md` 5; docs/models.md.
 */

/** A model of a rule set. Columns of its inputs are numbered from 0 in the order of the model. */
export type EncodedModel = {
  readonly id: string;
  /** For people, as scores name it. */
  readonly version: string;
  /** How many inputs it takes. */
  readonly inputs: number;
  readonly body: LogisticBody | TreesBody;
  /** What becomes of the sum: through the logistic function after multiplication with `scale`, or as it is. */
  readonly link: { readonly kind: "logistic"; readonly scale: number } | { readonly kind: "identity" };
};

/** Weight n belongs to the input `columns[n]`; columns ascend. `missing[n]` stands in for weight times value, NaN where nothing does. */
export type LogisticBody = {
  readonly kind: "logistic";
  readonly intercept: number;
  readonly columns: Int32Array<ArrayBuffer>;
  readonly weights: Float64Array<ArrayBuffer>;
  readonly missing: Float64Array<ArrayBuffer>;
};

/**
 * Trees one after another, each in preorder: the left child of a split is the next node, its right child `rights[node]`.
 *
 * `ops` holds a code of `nodeOps` and flags of `nodeFlags`; `values` the threshold of a split, the value of a leaf, the number of the set of an `anyOf`.
 * Set n is `categories[categoryEnds[n - 1] .. categoryEnds[n])`, ascending.
 */
export type TreesBody = {
  readonly kind: "trees";
  /** What the sum begins with. */
  readonly base: number;
  /** By what the sum is divided. */
  readonly divisor: number;
  /** Whether the sum is of float32 numbers, rounded at every step as XGBoost does. */
  readonly isFloat32: boolean;
  readonly roots: Int32Array<ArrayBuffer>;
  readonly ops: Uint8Array<ArrayBuffer>;
  readonly columns: Int32Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
  readonly rights: Int32Array<ArrayBuffer>;
  readonly categories: Int32Array<ArrayBuffer>;
  readonly categoryEnds: Int32Array<ArrayBuffer>;
};

/** What a node is, in the lower bits of its op. */
export const nodeOps = {
  leaf: 0,
  /** Left where the value, rounded to float32, is less than the threshold. */
  lessFloat32: 1,
  /** Left where the value is at most the threshold. */
  lessOrEqual: 2,
  /** Left where the value, cut to an integer, is in the set. */
  anyOf: 3,
  /** Left where the value is there and not 0. */
  present: 4,
} as const;

/** Where a missing input leads, in the upper bits of an op. */
export const nodeFlags = {
  /** Somewhere at all; without it the output is missing. */
  takesMissing: 8,
  /** To the left. */
  missingLeft: 16,
  /** Zero counts as missing. */
  zeroIsMissing: 32,
} as const;

export const opMask = 7;

/** The memory of a model, for handing it to another thread without a copy. */
export function modelBuffers({ body }: EncodedModel): ArrayBuffer[] {
  switch (body.kind) {
    case "logistic":
      return [body.columns.buffer, body.weights.buffer, body.missing.buffer];
    case "trees":
      return [
        body.roots.buffer,
        body.ops.buffer,
        body.columns.buffer,
        body.values.buffer,
        body.rights.buffer,
        body.categories.buffer,
        body.categoryEnds.buffer,
      ];
  }
}
