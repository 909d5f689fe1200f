import type { SlotSource } from "../cel/environment.ts";
import type { Evaluator } from "../cel/evaluator.ts";
import type { Frame, Value } from "../cel/expr.ts";
import { buildValue, createPredicateCache, type PredicateCache } from "../cel/predicate.ts";
import { readReads } from "../cel/reads.ts";
import type { EventValue } from "../events/event.ts";
import type { FactInput } from "../facts.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { Label } from "../history/history.ts";
import type { CompiledModel } from "../models/model.ts";
import type { Payment } from "../payment.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import { buildAggregates, type ComputeAggregates, type FeatureValues } from "./aggregate.ts";
import type { FeatureSpec } from "./feature.ts";
import type { CurrentRow } from "./stream.ts";

/** All that features are computed by. Slots are those of the rule set, over which derived features are written. */
export type FeatureDeclarations = Pick<
  RuleSnapshot,
  "slots" | "features" | "featureOrder" | "eventSlots" | "models" | "lists" | "fx"
>;

/** Computes features in a frame over the rule set's slots, of which all others are filled. */
export type FeatureReader = FeatureValues & {
  /** Slots that derived features read, those of features left out. */
  readonly slotsRead: readonly number[];
  readonly read: (input: FactInput, frame: Frame) => void;
};

/** What makes one feature of others. */
type Step = {
  readonly ordinal: number;
  /** Slots that show the feature. */
  readonly slots: readonly number[];
  /** Ordinals of features that it reads. */
  readonly inputs: readonly number[];
  readonly evaluate: (frame: Frame, values: readonly Value[]) => Value;
};

/**
 * Builds the computation of features, with all that they rest on.
 *
 * Shapes: `wanted` are ordinals; `values` and `errorBounds` are by ordinal, and mean nothing for features that nobody wants. The bound of what is
 *         made of features that may be off is Infinity: nobody knows it.
 * Fails:  what can't be told is missing (`undefined`); evaluation errors are counted in `frame.evalErrors`.
 */
export function buildFeatureReader(
  declarations: FeatureDeclarations,
  wanted: Iterable<number>,
): FeatureReader {
  const { features, featureOrder, slots } = declarations;
  const needed = collectNeeded(declarations, wanted);
  const slotsOf = listSlots(slots);
  const values = new Array<Value>(features.length).fill(undefined);
  const errorBounds = new Float64Array(features.length);
  const cache = createPredicateCache();
  const aggregates: number[] = [];
  const steps: Step[] = [];
  const slotsRead = new Set<number>();
  for (const ordinal of featureOrder) {
    if (!needed.has(ordinal)) continue;
    const { how } = features[ordinal]!;
    if (how.kind === "aggregate") aggregates.push(ordinal);
    else {
      const inputs = listInputs(features[ordinal]!, slots);
      const evaluate = buildStep(how, declarations, cache);
      steps.push({ ordinal, slots: slotsOf.get(ordinal) ?? [], inputs, evaluate });
    }
    if (how.kind !== "derived") continue;
    for (const slot of readReads(how.expr).slots) if (slots[slot]!.kind !== "feature") slotsRead.add(slot);
  }
  const compute = buildCompute(aggregates, declarations);
  const shown = aggregates.flatMap((ordinal) =>
    (slotsOf.get(ordinal) ?? []).map((slot) => ({ ordinal, slot })),
  );
  const into = { values, errorBounds };
  return {
    ...into,
    slotsRead: [...slotsRead],
    read: (input, frame) => {
      compute(input, frame, into);
      for (const { ordinal, slot } of shown) frame.values[slot] = values[ordinal];
      for (const step of steps) {
        const value = step.evaluate(frame, values);
        values[step.ordinal] = value;
        errorBounds[step.ordinal] = isExact(step.inputs, errorBounds) ? 0 : Number.POSITIVE_INFINITY;
        for (const slot of step.slots) frame.values[slot] = value;
      }
    },
  };
}

function isExact(inputs: readonly number[], errorBounds: Float64Array): boolean {
  for (const input of inputs) if (errorBounds[input] !== 0) return false;
  return true;
}

/** The wanted features and all that they read. */
function collectNeeded(
  { features, slots }: FeatureDeclarations,
  wanted: Iterable<number>,
): ReadonlySet<number> {
  const needed = new Set<number>();
  const rest = [...wanted];
  for (let ordinal = rest.pop(); ordinal !== undefined; ordinal = rest.pop()) {
    if (needed.has(ordinal)) continue;
    needed.add(ordinal);
    rest.push(...listInputs(features[ordinal]!, slots));
  }
  return needed;
}

function listInputs({ how }: FeatureSpec, slots: readonly SlotSource[]): readonly number[] {
  switch (how.kind) {
    case "aggregate":
      return [];
    case "model":
      return how.inputs;
    case "derived":
      return [...readReads(how.expr).slots].flatMap((slot) => {
        const source = slots[slot]!;
        return source.kind === "feature" ? [source.ordinal] : [];
      });
  }
}

function listSlots(slots: readonly SlotSource[]): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (const [slot, source] of slots.entries()) {
    if (source.kind !== "feature") continue;
    found.set(source.ordinal, [...(found.get(source.ordinal) ?? []), slot]);
  }
  return found;
}

type Compute = (input: FactInput, frame: Frame, into: FeatureValues) => void;

function buildCompute(ordinals: readonly number[], declarations: FeatureDeclarations): Compute {
  if (ordinals.length === 0) return () => {};
  const wanted = ordinals.flatMap((ordinal) => {
    const { how, type } = declarations.features[ordinal]!;
    return how.kind === "aggregate" ? [{ ordinal, type, spec: how.aggregate }] : [];
  });
  const aggregates: ComputeAggregates = buildAggregates(wanted, declarations);
  const wantsCurrent = wanted.some(({ spec }) => spec.includeCurrent);
  const readCurrent = createCurrentReader();
  let latest: { readonly history: FactInput["history"]; readonly nowMs: number } | undefined;
  let errors = 0;
  return ({ history, payment, nowMs }, frame, into) => {
    // A history that is the same object has not changed, so the values still stand where they were put.
    const isSame = !wantsCurrent && history !== undefined && latest?.history === history;
    if (!isSame || latest?.nowMs !== nowMs) {
      errors = aggregates({ history, current: wantsCurrent ? readCurrent(payment) : undefined, nowMs }, into);
      latest = { history, nowMs };
    }
    frame.evalErrors += errors;
  };
}

function buildStep(
  how: Exclude<FeatureSpec["how"], { kind: "aggregate" }>,
  { models }: FeatureDeclarations,
  cache: PredicateCache,
): Step["evaluate"] {
  switch (how.kind) {
    case "derived": {
      const evaluate: Evaluator = buildValue(how.expr, cache);
      return (frame) => evaluate(frame);
    }
    case "model":
      return buildModelStep(models[how.model]!, how.inputs);
  }
}

/** A truth is 1 or 0 to a model, and what is missing NaN. */
function buildModelStep(model: CompiledModel, inputs: readonly number[]): Step["evaluate"] {
  const columns = new Float64Array(inputs.length);
  return (_frame, values) => {
    for (let column = 0; column < inputs.length; column++) {
      const value = values[inputs[column]!];
      columns[column] = value === undefined ? Number.NaN : Number(value);
    }
    return model.evaluate(columns);
  };
}

/** Wide values of the payment at hand, by place of its label. */
const currentWides = ["device", "ip", "bin"] as const;

/**
 * Makes the row that the payment at hand would be: a `payment_attempted` with kind, method, brand, scheme and funding as the caller sent them.
 * Undefined in mode CASHIER, and where there is no payment in sight: nothing is attempted yet. Equal payments share their label.
 */
function createCurrentReader(): (payment: Payment) => CurrentRow | undefined {
  let latest: { readonly key: string; readonly label: Label } | undefined;
  return (payment) => {
    const { amountMinor, kind, method, brand, currency, card, mode, deviceId, ip } = payment;
    if (mode === "CASHIER" || amountMinor === undefined) return undefined;
    const plains = { kind, method, brand: brand || undefined, scheme: card?.scheme, funding: card?.funding };
    const key = `${kind}\0${method}\0${brand}\0${card?.scheme}\0${card?.funding}\0${currency}`;
    if (latest?.key !== key) {
      const values = new Map<string, EventValue>();
      for (const [name, value] of Object.entries(plains)) if (value !== undefined) values.set(name, value);
      latest = { key, label: { type: "payment_attempted", currency, values, wides: currentWides } };
    }
    const texts = [deviceId, ip, card?.bin];
    const readWide = (place: number): number => {
      const text = texts[place];
      return text === undefined ? Number.NaN : hashWide(text);
    };
    return { label: latest.label, amountMinor, readWide };
  };
}
