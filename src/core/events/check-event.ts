import type { FieldFault } from "../field-fault.ts";
import { readInstant } from "../instant.ts";
import { exponentOf } from "../iso4217.ts";
import type { AttributeInput, Money } from "../payment.ts";
import { findTextFault, isPlainText } from "./check-text.ts";
import type { EventAttribute, EventTypeInfo, EventValue, PlayerEvent } from "./event.ts";
import { actingTypes, eventTypes } from "./event-types.ts";

const idMax = 128;
const sourceMax = 64;
const typeMax = 64;
/** Plain texts are few and stay in memory for good; wide ones are kept by hash. */
const plainTextMax = 64;
const wideTextMax = 256;
const attributesMax = 64;
const faultsMax = 16;
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;
/** What is older was never an event of a player: a clock that was not set, or seconds for milliseconds. */
const earliestMs = Date.UTC(2000, 0, 1);
/** Beyond it nothing is kept, whatever the merchant's clock says. */
const latestMs = Date.UTC(2100, 0, 1);
/** The end of google.protobuf.Timestamp. */
const instantMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
/** Clocks differ; what is further in the future is wrong. */
const clampMs = 5 * 60_000;

const unknownSource = "unknown";

/** An event as it came in. Empty texts are absent ones. */
export type RawEvent = {
  readonly eventId: string;
  readonly playerId: string;
  readonly type: string;
  /** Undefined where it is missing, NaN where it is no instant. */
  readonly occurredAtMs: number | undefined;
  readonly source: string;
  /** Infinite where it is beyond 2^53. */
  readonly amount: Money | undefined;
  /** Absent ones are left out; what is neither bool, number nor text is a list. */
  readonly attributes: Readonly<Record<string, AttributeInput>>;
  readonly paymentId: string;
  readonly attemptId: string;
  readonly reverses: string;
};

export type EventCheck = {
  /** Infinity where the merchant's clock is that of its requests: then nothing lies in the future. */
  readonly nowMs: number;
  /** Types that the active rule set declares. */
  readonly declaredTypes: ReadonlyMap<string, EventTypeInfo>;
  /** Fields in which the merchant allows what looks like a card number. */
  readonly exemptFields: ReadonlySet<string>;
};

export type CheckedEvent =
  /** `clamped`: it lay in the future, by 5 minutes at most, and is taken as of now. */
  | {
      readonly ok: true;
      readonly event: PlayerEvent;
      readonly info: EventTypeInfo;
      readonly clamped: boolean;
    }
  /** `quarantined`: all that is wrong is that it lies too far in the future. */
  | { readonly ok: false; readonly quarantined: boolean; readonly faults: readonly FieldFault[] };

/**
 * Holds an event against its type.
 *
 * Units: instants in ms since the epoch, amounts in minor units. Timestamps among the attributes are RFC 3339 texts and become ms.
 * Fails: with 1 to 16 faults, each naming the field and the broken rule; none repeats what looks like a card number.
 */
export function checkEvent(raw: RawEvent, check: EventCheck): CheckedEvent {
  const faults = new Faults(check.exemptFields);
  faults.requiredText("event_id", raw.eventId, idMax);
  faults.requiredText("player_id", raw.playerId, idMax);
  faults.text("source", raw.source, sourceMax);
  faults.text("payment_id", raw.paymentId, idMax);
  faults.text("attempt_id", raw.attemptId, idMax);
  faults.text("reverses", raw.reverses, idMax);
  const info = findType(raw.type, check, faults);
  if (info === undefined) return faults.refuse();
  checkReferences(raw, info, faults);
  checkAmount(raw.amount, info, faults);
  const attributes = readAttributes(raw, info, faults);
  const atMs = readOccurredAt(raw.occurredAtMs, faults);
  if (!faults.isEmpty()) return faults.refuse();
  if (atMs > check.nowMs + clampMs || atMs >= latestMs) return quarantine(atMs);
  return {
    ok: true,
    info,
    clamped: atMs > check.nowMs,
    event: {
      eventId: raw.eventId,
      playerId: raw.playerId,
      type: info.name,
      occurredAtMs: Math.min(atMs, check.nowMs),
      source: raw.source === "" ? unknownSource : raw.source,
      amount: raw.amount,
      attributes,
      paymentId: raw.paymentId === "" ? undefined : raw.paymentId,
      attemptId: raw.attemptId === "" ? undefined : raw.attemptId,
      reverses: raw.reverses === "" ? undefined : raw.reverses,
    },
  };
}

/** The faults of one event. */
class Faults {
  readonly #exemptFields: ReadonlySet<string>;
  #faults: FieldFault[] | undefined;

  constructor(exemptFields: ReadonlySet<string>) {
    this.#exemptFields = exemptFields;
  }

  isEmpty(): boolean {
    return this.#faults === undefined;
  }

  note(field: string, rule: string, message: string): void {
    this.#faults ??= [];
    if (this.#faults.length < faultsMax) this.#faults.push({ field, rule, message });
  }

  /** Whether the text may stand; empty is fine. */
  text(field: string, text: string, max: number): boolean {
    if (text === "" || isPlainText(text, max)) return true;
    const fault = findTextFault(field, text, { max, isExempt: this.#exemptFields.has(field) });
    if (fault !== undefined) this.note(fault.field, fault.rule, fault.message);
    return fault === undefined;
  }

  requiredText(field: string, text: string, max: number): void {
    if (text === "") this.note(field, "required", `${field} is required`);
    else this.text(field, text, max);
  }

  refuse(): CheckedEvent {
    return { ok: false, quarantined: false, faults: this.#faults ?? [] };
  }
}

function findType(type: string, check: EventCheck, faults: Faults): EventTypeInfo | undefined {
  const info = eventTypes.get(type) ?? check.declaredTypes.get(type);
  if (info !== undefined) return info;
  if (type === "") faults.note("type", "required", "type is required");
  else if (faults.text("type", type, typeMax)) {
    const message = `${JSON.stringify(type)} is neither a built-in type of events nor declared in the active rule set`;
    faults.note("type", "declared", message);
  }
  return undefined;
}

function checkReferences(raw: RawEvent, info: EventTypeInfo, faults: Faults): void {
  const isReversal = info.name === actingTypes.reversed;
  if (isReversal && raw.reverses === "") {
    faults.note("reverses", "required", `an ${info.name} must say which event it takes back`);
  }
  if (raw.reverses !== "" && raw.reverses === raw.eventId) {
    faults.note("reverses", "another-event", "an event can't take itself back");
  }
  const isReversedFact = isReversal && raw.attributes.reversed_type !== undefined;
  if (isReversedFact && raw.paymentId === "") {
    faults.note("payment_id", "required", "a payment fact is taken back by its payment_id");
  }
  if (raw.paymentId !== "" && !info.attributes.has("payment")) {
    faults.note("payment_id", "not-allowed", `events of type ${info.name} are about no payment`);
  }
  if (isReversal && raw.paymentId !== "" && !isReversedFact) {
    faults.note(
      "attributes.reversed_type",
      "required",
      "attributes.reversed_type must say which fact of the payment is taken back",
    );
  }
  if (raw.attemptId !== "" && raw.paymentId === "") {
    faults.note("attempt_id", "needs-payment", "an attempt_id needs its payment_id");
  }
}

function checkAmount(amount: Money | undefined, info: EventTypeInfo, faults: Faults): void {
  if (amount === undefined) {
    if (info.amount === "required") {
      faults.note("amount", "required", `events of type ${info.name} must have an amount`);
    }
    return;
  }
  if (info.amount === "none") {
    faults.note("amount", "not-allowed", `events of type ${info.name} have no amount`);
    return;
  }
  const { minorUnits, currencyCode } = amount;
  if (!Number.isSafeInteger(minorUnits)) {
    faults.note("amount.minor_units", "safe-integer", "amount.minor_units is beyond 2^53 - 1");
  } else if (minorUnits <= 0) {
    faults.note("amount.minor_units", "positive", "amount.minor_units must be positive");
  }
  if (exponentOf(currencyCode) === undefined) {
    faults.note("amount.currency_code", "iso-4217", "amount.currency_code is no current ISO 4217 code");
  }
}

const noAttributes: ReadonlyMap<string, EventValue> = new Map();

function readAttributes(raw: RawEvent, info: EventTypeInfo, faults: Faults): ReadonlyMap<string, EventValue> {
  const read = new Map<string, EventValue>();
  if (countAttributes(raw) > attributesMax) {
    faults.note("attributes", "too-many", `an event has at most ${attributesMax} attributes`);
    return noAttributes;
  }
  for (const name in raw.attributes) {
    const attribute = info.attributes.get(name);
    if (attribute === undefined || attribute.derived) noteUndeclared(name, info, faults);
    else {
      const value = readValue(attribute, raw.attributes[name]!, faults);
      if (value !== undefined) read.set(name, value);
    }
  }
  for (const name of listRequired(info)) {
    const given = raw.attributes[name];
    if (given === undefined || given === "") {
      const field = `attributes.${name}`;
      faults.note(field, "required", `${field} is required by type ${info.name}`);
    }
  }
  if (raw.paymentId !== "" && !info.isPaymentFact && info.attributes.has("payment")) {
    read.set("payment", raw.paymentId);
  }
  return read;
}

const requiredOf = new WeakMap<EventTypeInfo, readonly string[]>();

/** Names of the attributes that a type requires: mostly none of some twenty, so it is worked out once. */
function listRequired(info: EventTypeInfo): readonly string[] {
  let required = requiredOf.get(info);
  if (required === undefined) {
    required = [...info.attributes.values()].filter((each) => each.required).map(({ name }) => name);
    requiredOf.set(info, required);
  }
  return required;
}

function countAttributes({ attributes }: RawEvent): number {
  let count = 0;
  for (const _ in attributes) count++;
  return count;
}

/** The name came from outside, so it is looked at before it is repeated. */
function noteUndeclared(name: string, info: EventTypeInfo, faults: Faults): void {
  if (!namePattern.test(name)) {
    const message =
      "names of attributes are a lower-case letter, then up to 63 lower-case letters, digits or _";
    faults.note("attributes", "malformed", message);
  } else if (faults.text("attributes", name, typeMax)) {
    const field = `attributes.${name}`;
    faults.note(field, "declared", `events of type ${info.name} have no attribute ${name}`);
  }
}

const typeNames: Readonly<Record<EventAttribute["type"], string>> = {
  BOOL: "true or false",
  INT: "an integer within 2^53",
  DOUBLE: "a finite number",
  STRING: "text",
  TIMESTAMP: "an RFC 3339 timestamp such as 2026-01-31T12:00:00Z",
};

function readValue(attribute: EventAttribute, input: AttributeInput, faults: Faults): EventValue | undefined {
  const value = convert(attribute.type, input);
  const field = `attributes.${attribute.name}`;
  if (value === undefined) {
    faults.note(field, "type", `${field} must be ${typeNames[attribute.type]}`);
    return undefined;
  }
  if (typeof value !== "string") return value;
  const max = attribute.storage === "plain" ? plainTextMax : wideTextMax;
  if (!faults.text(field, value, max)) return undefined;
  if (attribute.values.length > 0 && !attribute.values.includes(value)) {
    faults.note(field, "declared-value", `${field} must be one of ${attribute.values.join(", ")}`);
    return undefined;
  }
  // An empty text says nothing, as everywhere on the wire.
  return value === "" ? undefined : value;
}

function convert(type: EventAttribute["type"], input: AttributeInput): EventValue | undefined {
  switch (type) {
    case "BOOL":
      return typeof input === "boolean" ? input : undefined;
    case "INT":
      return typeof input === "number" && Number.isSafeInteger(input) ? input : undefined;
    case "DOUBLE":
      return typeof input === "number" && Number.isFinite(input) ? input : undefined;
    case "STRING":
      return typeof input === "string" ? input : undefined;
    case "TIMESTAMP":
      return typeof input === "string" ? readTimestamp(input) : undefined;
  }
}

function readTimestamp(text: string): number | undefined {
  const instant = readInstant(text);
  return instant && instant.seconds * 1000 + Math.floor(instant.nanos / 1_000_000);
}

/** NaN where it is wrong. */
function readOccurredAt(occurredAtMs: number | undefined, faults: Faults): number {
  if (occurredAtMs === undefined) {
    faults.note("occurred_at", "required", "occurred_at is required");
    return NaN;
  }
  if (!Number.isInteger(occurredAtMs) || occurredAtMs < earliestMs || occurredAtMs > instantMax) {
    faults.note(
      "occurred_at",
      "out-of-range",
      "occurred_at must be an instant between the years 2000 and 9999",
    );
    return NaN;
  }
  return occurredAtMs;
}

function quarantine(atMs: number): CheckedEvent {
  const message = `occurred_at ${new Date(atMs).toISOString()} lies more than 5 minutes in the future`;
  return {
    ok: false,
    quarantined: true,
    faults: [{ field: "occurred_at", rule: "not-in-the-future", message }],
  };
}
