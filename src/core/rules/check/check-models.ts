import type { Model } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { ExprType } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { describeType } from "../../cel/scope.ts";
import { encodeModel, type ModelSource } from "../../models/encode-model.ts";
import type { Declarations } from "../environment.ts";
import type { CheckInput } from "./check-input.ts";
import {
  checkId,
  checkReference,
  checkSet,
  checkSize,
  checkText,
  descriptionMax,
  nameMax,
} from "./values.ts";

const modelsMax = 16;
const inputsMax = 256;
const weightsMax = 256;
const dumpFields = {
  logistic: "logistic",
  xgboostJson: "xgboost_json",
  lightgbmJson: "lightgbm_json",
} as const;

/** Checks the section `models`, and reads what the models are made of; the types of the inputs are checked where they are known. */
export function checkModels(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (!checkSize(faults, "models", ruleSet.models.length, modelsMax)) return;
  const seen = new Map<string, string>();
  const features = new Set(ruleSet.features.map(({ id }) => id));
  for (const [index, model] of ruleSet.models.entries()) {
    const path = `models[${index}]`;
    checkId(faults, `${path}.id`, model.id, seen);
    checkText(faults, `${path}.description`, model.description, descriptionMax);
    checkText(faults, `${path}.model_version`, model.modelVersion, nameMax);
    if (model.inputs.length === 0) faults.error(`${path}.inputs`, "missing", "a model needs an input");
    const inputs = { path: `${path}.inputs`, values: model.inputs, max: inputsMax };
    checkSet(faults, inputs, (at, id) =>
      checkReference(faults, at, id, { ids: features, rule: "unknown-feature", noun: "feature" }),
    );
    checkBody(input, model, path);
  }
}

const inputTypes: readonly ExprType[] = ["int", "double", "bool"];

/** Checks that the inputs of models are numbers or truths; features whose type is not known are faulty themselves. */
export function checkModelInputs({ ruleSet, faults }: CheckInput, { features }: Declarations): void {
  const types = new Map(features.map(({ id, type }) => [id, type]));
  for (const [at, model] of ruleSet.models.entries()) {
    for (const [index, id] of model.inputs.entries()) {
      const type = types.get(id);
      if (type === undefined || inputTypes.includes(type)) continue;
      const message = `${quote(id)} is ${describeType(type)}; the inputs of a model are int, double or bool`;
      faults.error(`models[${at}].inputs[${index}]`, "input-type", message);
    }
  }
}

function checkBody({ faults, encodedModels }: CheckInput, model: Model, path: string): void {
  const { how, baseScore } = model;
  if (baseScore !== 0 && how.case !== "xgboostJson")
    faults.error(`${path}.base_score`, "not-for-model", "only a dump of XGBoost lacks its base score");
  if (how.case === undefined) {
    faults.error(path, "missing", "say what the model is: logistic, xgboost_json or lightgbm_json");
    return;
  }
  const body = readBody(model, how);
  const field = `${path}.${dumpFields[how.case]}`;
  if (body.kind === "logistic" && body.weights.length === 0)
    faults.error(`${field}.weights`, "missing", "a logistic regression needs a weight");
  if (body.kind === "logistic" && !checkSize(faults, `${field}.weights`, body.weights.length, weightsMax))
    return;
  const encoded = encodeModel({
    id: model.id,
    version: model.modelVersion,
    inputs: model.inputs,
    how: body,
    isLogistic: model.sigmoid ?? true,
  });
  if (encoded.ok) encodedModels.set(model.id, encoded.model);
  for (const { place, rule, message } of encoded.ok ? [] : encoded.faults) {
    // A place in the text of a dump is none in the document.
    if (body.kind === "logistic") faults.error(`${field}.${place}`, rule, message);
    else faults.error(field, rule, place === "" ? message : `${quote(place)}: ${message}`);
  }
}

function readBody({ baseScore }: Model, how: Exclude<Model["how"], { case: undefined }>): ModelSource["how"] {
  switch (how.case) {
    case "logistic": {
      const { intercept, weights } = how.value;
      const read = weights.map(({ input, weight, missing }) => ({ input, weight, missing }));
      return { kind: "logistic", intercept, weights: read };
    }
    case "xgboostJson":
      return { kind: "xgboost", json: how.value, baseScore };
    case "lightgbmJson":
      return { kind: "lightgbm", json: how.value };
  }
}
