/** A model of the rule set, ready to be asked. Deterministic: the same inputs give the same bits on every machine. */
export type CompiledModel = {
  readonly id: string;
  readonly version: string;
  /** How many inputs it takes. */
  readonly inputs: number;
  /** The output for inputs in the order of the model; NaN is a missing input. Undefined where the output is missing. */
  readonly evaluate: (inputs: Float64Array) => number | undefined;
};
