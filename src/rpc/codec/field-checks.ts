import type { DescEnum, DescMessage, Message } from "@bufbuild/protobuf";
import {
  isReflectList,
  isReflectMap,
  isReflectMessage,
  type ReflectMessage,
} from "@bufbuild/protobuf/reflect";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { findCardNumber } from "../../core/card-number.ts";
import type { FieldFault } from "../../core/field-fault.ts";

const textMax = 128;
/** 0001-01-01 to 9999-12-31, as google.protobuf.Timestamp has it. */
const secondsMin = -62_135_596_800n;
const secondsMax = 253_402_300_799n;

/** In ids they hide in logs and mislead readers, and a NUL joins the fields of a hash. Half of a surrogate pair is no text at all. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029]/u;
/** The same, but for what lays out prose. */
const unprintableInProse = /[^\P{Cc}\t\n\r]|[\p{Cs}\u2028\u2029]/u;

/** Collects the faults of one request; each check returns the value, or undefined after noting what is wrong with it. */
export class FieldChecks {
  readonly faults: FieldFault[] = [];
  /** Fields in which a merchant allows what looks like a card number. */
  readonly #exemptFields: ReadonlySet<string>;

  constructor(exemptFields: ReadonlySet<string> = new Set()) {
    this.#exemptFields = exemptFields;
  }

  note(field: string, rule: string, message: string): undefined {
    this.faults.push({ field, rule, message });
    return undefined;
  }

  /** Text of one line, of at most `max` UTF-16 units, that holds no card number. Empty is fine. */
  text(field: string, value: string, max = textMax): string {
    return this.#text(field, value, max, unprintable);
  }

  /** Text that people wrote, so it may have several lines. */
  prose(field: string, value: string, max: number): string {
    return this.#text(field, value, max, unprintableInProse);
  }

  requiredProse(field: string, value: string, max: number): string {
    if (value === "") this.note(field, "required", `${field} is required`);
    return this.prose(field, value, max);
  }

  #text(field: string, value: string, max: number, refused: RegExp): string {
    if (value.length > max)
      this.note(field, "too-long", `${field} has ${value.length} characters, at most ${max} are allowed`);
    else if (refused.test(value))
      this.note(
        field,
        "malformed",
        `${field} holds a control character, a line separator or half of a surrogate pair`,
      );
    else if (value.length >= 13 && !this.#exemptFields.has(field) && findCardNumber(value)) {
      this.note(
        field,
        "no-card-number",
        `${field} holds what looks like a card number, which must never be sent`,
      );
    }
    return value;
  }

  required(field: string, value: string, max = textMax): string {
    if (value === "") this.note(field, "required", `${field} is required`);
    return this.text(field, value, max);
  }

  /** Text that matches the pattern, or undefined where it is absent or empty. */
  pattern(field: string, value: string | undefined, pattern: RegExp, says: string): string | undefined {
    if (value === undefined || value === "") return undefined;
    const faultsBefore = this.faults.length;
    this.text(field, value);
    if (this.faults.length > faultsBefore) return undefined;
    return pattern.test(value) ? value : this.note(field, "malformed", `${field} must be ${says}`);
  }

  /** An int64 that a double holds exactly. */
  safeInt(field: string, value: bigint): number {
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
      this.note(field, "safe-integer", `${field} is beyond 2^53 - 1`);
    }
    return Number(value);
  }

  count(field: string, length: number, max: number): boolean {
    if (length <= max) return true;
    this.note(field, "too-many", `${field} has ${length} entries, at most ${max} are allowed`);
    return false;
  }

  /** Instant in ms; sub-millisecond parts are cut off. */
  instant(field: string, value: Timestamp): number {
    if (
      value.seconds < secondsMin ||
      value.seconds > secondsMax ||
      value.nanos < 0 ||
      value.nanos > 999_999_999
    ) {
      this.note(field, "out-of-range", `${field} is no instant between the years 1 and 9999`);
      return 0;
    }
    return Number(value.seconds) * 1000 + Math.floor(value.nanos / 1_000_000);
  }

  /** The name of an enum value; undefined for 0. A number that the enum does not have is a fault. */
  enumName(field: string, schema: DescEnum, value: number): string | undefined {
    if (value === 0) return undefined;
    const known = schema.value[value];
    return known?.name ?? this.note(field, "unknown-enum-value", `${field} has no value ${value}`);
  }

  /** Refuses fields that this version of the contract does not know: what is not understood must not be ignored. */
  noUnknownFields(path: string, schema: DescMessage, message: Message | undefined): void {
    const unknown = message?.$unknown;
    if (unknown === undefined || unknown.length === 0) return;
    const field = path === "" ? `#${unknown[0]!.no}` : `${path}.#${unknown[0]!.no}`;
    this.note(field, "unknown-field", `${schema.typeName} has no field with number ${unknown[0]!.no}`);
  }

  /** The same of all that the message holds; takes its time, so for admins only. */
  noUnknownFieldsWithin(path: string, message: ReflectMessage): void {
    this.noUnknownFields(path, message.desc, message.message);
    for (const field of message.fields) {
      if (!message.isSet(field)) continue;
      const value: unknown = message.get(field);
      const at = path === "" ? field.name : `${path}.${field.name}`;
      if (isReflectMessage(value)) this.noUnknownFieldsWithin(at, value);
      else if (isReflectList(value)) {
        for (const [index, each] of value.entries())
          if (isReflectMessage(each)) this.noUnknownFieldsWithin(`${at}[${index}]`, each);
      } else if (isReflectMap(value)) {
        for (const [key, each] of value.entries())
          if (isReflectMessage(each)) this.noUnknownFieldsWithin(`${at}.${String(key).slice(0, 80)}`, each);
      }
    }
  }
}
