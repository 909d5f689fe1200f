import type { EncodedModel, LogisticBody } from "./encoded-model.ts";
import { collectFaults, type ModelFault, type ReportFault } from "./flatten-trees.ts";
import { readLightgbm } from "./read-lightgbm.ts";
import { readXgboost } from "./read-xgboost.ts";

/** A model as a rule set has it. */
export type ModelSource = {
  readonly id: string;
  /** For people. */
  readonly version: string;
  /** Names of the columns in order, none twice. */
  readonly inputs: readonly string[];
  readonly how:
    | { readonly kind: "logistic"; readonly intercept: number; readonly weights: readonly WeightSource[] }
    /** `baseScore` is in the space of the margin. */
    | { readonly kind: "xgboost"; readonly json: string; readonly baseScore: number }
    | { readonly kind: "lightgbm"; readonly json: string };
  /** Whether the sum goes through the logistic function. */
  readonly isLogistic: boolean;
};

/** `missing` is added where the input is missing; without it the output is missing then. */
export type WeightSource = {
  readonly input: string;
  readonly weight: number;
  readonly missing: number | undefined;
};

/**
 * Reads, checks and flattens a model.
 *
 * Fails:  with up to 20 faults; their places are inside the dump, or those of the logistic regression, such as `weights[2].input`.
 * Source: docs/models.md.
 */
export function encodeModel(
  source: ModelSource,
):
  | { readonly ok: true; readonly model: EncodedModel }
  | { readonly ok: false; readonly faults: readonly ModelFault[] } {
  const read = readBody(source);
  if (!read.ok) return read;
  const { id, version, inputs } = source;
  return { ok: true, model: { id, version, inputs: inputs.length, body: read.body, link: read.link } };
}

type ReadBody =
  | ({ readonly ok: true } & Pick<EncodedModel, "body" | "link">)
  | { readonly ok: false; readonly faults: readonly ModelFault[] };

function readBody({ inputs, how, isLogistic }: ModelSource): ReadBody {
  const link: EncodedModel["link"] = isLogistic ? { kind: "logistic", scale: 1 } : { kind: "identity" };
  switch (how.kind) {
    case "logistic": {
      const faults = collectFaults();
      const body = encodeLogistic(how, inputs, faults.report);
      return body === undefined ? { ok: false, faults: faults.faults } : { ok: true, body, link };
    }
    case "xgboost": {
      const read = readXgboost(how.json, inputs, how.baseScore);
      return read.ok ? { ok: true, body: read.body, link } : read;
    }
    case "lightgbm":
      return readLightgbm(how.json, inputs, isLogistic);
  }
}

function encodeLogistic(
  { intercept, weights }: { readonly intercept: number; readonly weights: readonly WeightSource[] },
  inputs: readonly string[],
  fault: ReportFault,
): LogisticBody | undefined {
  const byColumn = new Map<number, WeightSource>();
  let isRight = Number.isFinite(intercept);
  if (!isRight) fault("intercept", "bad-model", "this must be a finite number");
  for (const [index, weight] of weights.entries()) {
    const place = `weights[${index}]`;
    const column = inputs.indexOf(weight.input);
    if (!Number.isFinite(weight.weight) || !Number.isFinite(weight.missing ?? 0)) {
      isRight = false;
      fault(place, "bad-model", "weight and missing must be finite numbers");
    } else if (column < 0) {
      isRight = false;
      fault(`${place}.input`, "unknown-input", `there is no input ${JSON.stringify(weight.input)}`);
    } else if (byColumn.has(column)) {
      isRight = false;
      fault(`${place}.input`, "bad-model", `${JSON.stringify(weight.input)} has a weight already`);
    } else {
      byColumn.set(column, weight);
    }
  }
  if (!isRight) return undefined;
  const columns = [...byColumn.keys()].sort((a, b) => a - b);
  return {
    kind: "logistic",
    intercept,
    columns: Int32Array.from(columns),
    weights: Float64Array.from(columns, (column) => byColumn.get(column)!.weight),
    missing: Float64Array.from(columns, (column) => byColumn.get(column)!.missing ?? Number.NaN),
  };
}
