import type { SlotSource } from "../cel/environment.ts";
import type { Frame, Value } from "../cel/expr.ts";
import { type FactInput, facts, readStored, storedFacts } from "../facts.ts";
import type { FieldFault } from "../field-fault.ts";
import { hourAt, openZone, weekdayAt } from "../local-time.ts";
import { convertMinor } from "../money.ts";
import type { Payment } from "../payment.ts";
import type { AttributeInfo, RuleSnapshot } from "../rules/snapshot.ts";
import { buildFeatureReader, type FeatureDeclarations } from "./feature-reader.ts";
import { readAttribute } from "./read-attribute.ts";

/**
 * Fills `frame.values` of all slots, and `frame.nowMs`. Segments stay as they are. Errors met in features are added to `frame.evalErrors`, so
 * whoever counts sets it to 0 before.
 */
export type FrameReader = (input: FactInput, frame: Frame) => void;

/** What slots are read by, beside the vocabulary of facts. */
export type Declarations = Pick<RuleSnapshot, "attributes" | "playerAttributes" | "fx"> & FeatureDeclarations;

type SlotReader = (input: FactInput) => Value;

const factReaders: ReadonlyMap<string, SlotReader> = new Map(facts.map(({ path, read }) => [path, read]));

/**
 * Builds the reader of slots, once per rule set: only what some condition reads is ever read, and only features that some slot needs are
 * computed.
 *
 * Shapes: the slots of the rule set itself, or those of conditions beside it (overrides), whose features are then computed in a frame of the
 *         rule set's own.
 * Fails:  throws where a slot names a fact that does not exist, which the checker refuses.
 */
export function buildFrameReader(slots: readonly SlotSource[], declarations: Declarations): FrameReader {
  const readers = slots.map((source) => buildSlotReader(source, declarations));
  const readSlots: FrameReader = (input, frame) => {
    const { values } = frame;
    for (let slot = 0; slot < readers.length; slot++) values[slot] = readers[slot]!(input);
    frame.nowMs = input.nowMs;
  };
  const ordinals = new Set(slots.flatMap((source) => (source.kind === "feature" ? [source.ordinal] : [])));
  if (ordinals.size === 0) return readSlots;
  const readFeatures =
    slots === declarations.slots
      ? buildFeatureReader(declarations, ordinals).read
      : buildForeignReader(slots, declarations, ordinals);
  return (input, frame) => {
    readSlots(input, frame);
    readFeatures(input, frame);
  };
}

/** Builds the reader of some slots of a rule set: the others stay as they are, and what only they need is not computed. */
export function buildPartReader(wanted: Iterable<number>, declarations: Declarations): FrameReader {
  const places = new Set(wanted);
  const ordinals = [...places].flatMap((slot) => {
    const source = declarations.slots[slot]!;
    return source.kind === "feature" ? [source.ordinal] : [];
  });
  const features = buildFeatureReader(declarations, ordinals);
  const fill = buildSlotFiller([...places.union(new Set(features.slotsRead))], declarations);
  return (input, frame) => {
    fill(input, frame);
    features.read(input, frame);
  };
}

/** A feature's value, for people. `errorBound`: by how much it may be off as older events are kept in tiles only; 0 where it is exact, Infinity where nobody knows. */
export type FeatureReading = { readonly id: string; readonly value: Value; readonly errorBound: number };

/** Readers of all features, made at the first question; they die with their rule sets. */
const allReaders = new WeakMap<RuleSnapshot, (input: FactInput) => readonly FeatureReading[]>();

/** Reads all features of a rule set, in order of id, with all that only a payment tells as `input.payment` says. */
export function readFeatureValues(snapshot: RuleSnapshot, input: FactInput): readonly FeatureReading[] {
  let read = allReaders.get(snapshot);
  if (read === undefined) {
    read = buildAllReader(snapshot);
    allReaders.set(snapshot, read);
  }
  return read(input);
}

function buildAllReader(snapshot: RuleSnapshot): (input: FactInput) => readonly FeatureReading[] {
  const { features, slots } = snapshot;
  const frame = createFrame(slots, snapshot);
  const { values, errorBounds, slotsRead, read } = buildFeatureReader(snapshot, features.keys());
  const fill = buildSlotFiller(slotsRead, snapshot);
  return (input) => {
    fill(input, frame);
    read(input, frame);
    return features.map(({ id }, at) => ({ id, value: values[at], errorBound: errorBounds[at]! }));
  };
}

/** Reads features for slots that are not the rule set's. */
function buildForeignReader(
  slots: readonly SlotSource[],
  declarations: Declarations,
  ordinals: ReadonlySet<number>,
): FrameReader {
  const { values, slotsRead, read } = buildFeatureReader(declarations, ordinals);
  const own = createFrame(declarations.slots, { segments: [], lists: declarations.lists });
  const fill = buildSlotFiller(slotsRead, declarations);
  const shown = [...slots.entries()].flatMap(([slot, source]) =>
    source.kind === "feature" ? [{ slot, ordinal: source.ordinal }] : [],
  );
  return (input, frame) => {
    fill(input, own);
    own.evalErrors = 0;
    read(input, own);
    frame.evalErrors += own.evalErrors;
    for (const { slot, ordinal } of shown) frame.values[slot] = values[ordinal];
  };
}

/** Fills some slots of the rule set. */
function buildSlotFiller(wanted: readonly number[], declarations: Declarations): FrameReader {
  const readers = wanted.map((slot) => ({
    slot,
    read: buildSlotReader(declarations.slots[slot]!, declarations),
  }));
  return (input, frame) => {
    for (const { slot, read } of readers) frame.values[slot] = read(input);
    frame.nowMs = input.nowMs;
  };
}

/** A frame with room for so many slots, for the segments and lists of a rule set. */
export function createFrame(
  slots: readonly SlotSource[],
  { segments, lists }: Pick<RuleSnapshot, "segments" | "lists">,
): Frame {
  return {
    values: new Array<Value>(slots.length).fill(undefined),
    segments: new Uint8Array(segments.length),
    lists,
    locals: [],
    nowMs: 0,
    evalErrors: 0,
  };
}

/**
 * Holds the attributes of a request against their declarations (`SEMANTICS.md` 1.1): an undeclared or ill-typed one is a fault naming the
 * field, never silently unknown.
 */
export function checkAttributes(
  payment: Payment,
  declared: ReadonlyMap<string, AttributeInfo>,
): readonly FieldFault[] {
  if (payment.attributes.size === 0) return noFaults;
  const faults: FieldFault[] = [];
  for (const [name, input] of payment.attributes) {
    const field = `attributes.${name}`;
    const info = declared.get(name);
    if (info === undefined) {
      faults.push({ field, rule: "declared", message: `the rule set declares no payment attribute ${name}` });
      continue;
    }
    const read = readAttribute(info, input);
    if ("rule" in read) faults.push({ field, rule: read.rule, message: read.message });
  }
  return faults;
}

const noFaults: readonly FieldFault[] = [];

function buildSlotReader(source: SlotSource, declarations: Declarations): SlotReader {
  switch (source.kind) {
    case "field": {
      const read = factReaders.get(source.path);
      if (read === undefined) throw new Error(`no fact ${source.path}`);
      return read;
    }
    case "paymentAttribute":
      return buildAttributeReader(source.name, declarations.attributes.get(source.name));
    case "playerAttribute":
      return buildStoredReader(source.name, declarations.playerAttributes.get(source.name));
    case "amountIn": {
      const { fx } = declarations;
      const to = source.currency;
      return ({ payment }) =>
        payment.amountMinor === undefined
          ? undefined
          : convertMinor(fx, { amountMinor: payment.amountMinor, from: payment.currency, to });
    }
    case "localHour": {
      const zone = openZone(source.zone);
      return ({ nowMs }) => hourAt(nowMs, zone);
    }
    case "localWeekday": {
      const zone = openZone(source.zone);
      return ({ nowMs }) => weekdayAt(nowMs, zone);
    }
    case "now":
      return ({ nowMs }) => nowMs;
    case "feature":
    case "event":
      return () => undefined;
  }
}

function buildAttributeReader(name: string, info: AttributeInfo | undefined): SlotReader {
  return ({ payment }) => {
    const input = payment.attributes.get(name);
    if (input === undefined || info === undefined) return undefined;
    const read = readAttribute(info, input);
    return "value" in read ? read.value : undefined;
  };
}

/** What is stored may be older than its declaration: a value of another type is unknown. */
function buildStoredReader(name: string, info: AttributeInfo | undefined): SlotReader {
  if (info === undefined) {
    if (!storedFacts.has(name)) return () => undefined;
    return (input) => readStored(input, name);
  }
  return (input) => {
    const value = readStored(input, name);
    return value === undefined || !hasType(info, value) ? undefined : value;
  };
}

function hasType({ type }: AttributeInfo, value: Exclude<Value, undefined>): boolean {
  switch (type) {
    case "BOOL":
      return typeof value === "boolean";
    case "INT":
    case "TIMESTAMP":
      return Number.isSafeInteger(value);
    case "DOUBLE":
      return typeof value === "number";
    case "STRING":
      return typeof value === "string";
    case "STRING_LIST":
      return typeof value === "object";
  }
}
