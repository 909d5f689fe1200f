import type { SlotSource } from "../cel/environment.ts";
import type { Frame, Value } from "../cel/expr.ts";
import { type FactInput, facts, readStored, storedFacts } from "../facts.ts";
import type { FieldFault } from "../field-fault.ts";
import { hourAt, openZone, weekdayAt } from "../local-time.ts";
import { convertMinor } from "../money.ts";
import type { Payment } from "../payment.ts";
import type { AttributeInfo, RuleSnapshot } from "../rules/snapshot.ts";
import { readAttribute } from "./read-attribute.ts";

/** Fills `frame.values` of all slots, and `frame.nowMs`. Segments stay as they are. */
export type FrameReader = (input: FactInput, frame: Frame) => void;

/** What slots are read by, beside the vocabulary of facts. */
export type Declarations = Pick<RuleSnapshot, "attributes" | "playerAttributes" | "fx">;

type SlotReader = (input: FactInput) => Value;

const factReaders: ReadonlyMap<string, SlotReader> = new Map(facts.map(({ path, read }) => [path, read]));

/**
 * Builds the reader of a rule set's slots, once per rule set: only what some condition reads is ever read.
 *
 * Fails: throws where a slot names a fact that does not exist, which the checker refuses.
 */
export function buildFrameReader(slots: readonly SlotSource[], declarations: Declarations): FrameReader {
  const readers = slots.map((source) => buildSlotReader(source, declarations));
  return (input, frame) => {
    const { values } = frame;
    for (let slot = 0; slot < readers.length; slot++) values[slot] = readers[slot]!(input);
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
