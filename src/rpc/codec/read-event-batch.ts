/**
 * Reads batches of events from protobuf bytes, without reflection: five times as fast as the general decoder, which takes more of an event's
 * time than all the rest together.
 *
 * It knows the one way in which everybody writes such batches. Whatever is unusual (unknown fields, wrong wire types, nested values, a field that
 * stands twice, numbers beyond 2^53, bytes that end too early) is none of its business: then it gives undefined, and the general decoder reads the
 * bytes or says what is wrong with them.
 */
import type { Timestamp, Value } from "@bufbuild/protobuf/wkt";
import type {
  Event,
  IngestEventStreamRequest,
  IngestEventsRequest,
} from "../../gen/switchyard/v1/event_pb.js";
import type { Money } from "../../gen/switchyard/v1/payment_pb.js";

export function readIngestEvents(source: Uint8Array): IngestEventsRequest | undefined {
  return attempt(source, (reader) => {
    const events: Event[] = [];
    let merchantId = "";
    while (!reader.isAtEnd()) {
      const tag = reader.byte();
      if (tag === 0x0a && merchantId === "") merchantId = reader.text();
      else if (tag === 0x12) events.push(readEvent(reader));
      else throw unusual;
    }
    return { $typeName: "switchyard.v1.IngestEventsRequest", merchantId, events };
  });
}

export function readIngestEventStream(source: Uint8Array): IngestEventStreamRequest | undefined {
  return attempt(source, (reader) => {
    const events: Event[] = [];
    let merchantId = "";
    let sequence = 0n;
    while (!reader.isAtEnd()) {
      const tag = reader.byte();
      if (tag === 0x08 && sequence === 0n) sequence = BigInt(reader.varint());
      else if (tag === 0x12 && merchantId === "") merchantId = reader.text();
      else if (tag === 0x1a) events.push(readEvent(reader));
      else throw unusual;
    }
    return { $typeName: "switchyard.v1.IngestEventStreamRequest", sequence, merchantId, events };
  });
}

const unusual = new Error("not the usual way of writing a batch");

function attempt<T>(source: Uint8Array, read: (reader: Reader) => T): T | undefined {
  try {
    return read(new Reader(source));
  } catch (thrown) {
    if (thrown === unusual) return undefined;
    throw thrown;
  }
}

const strict = new TextDecoder("utf-8", { fatal: true });

/** Bytes and the place in them; `end` is that of the message being read. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  end: number;

  constructor(source: Uint8Array) {
    this.#bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
    this.end = source.byteLength;
  }

  isAtEnd(): boolean {
    return this.#at >= this.end;
  }

  byte(): number {
    if (this.#at >= this.end) throw unusual;
    return this.#bytes[this.#at++]!;
  }

  /** Up to 2^53 - 1. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw unusual;
        return value;
      }
      scale *= 0x80;
    }
    throw unusual;
  }

  double(): number {
    if (this.#at + 8 > this.end) throw unusual;
    this.#at += 8;
    return this.#bytes.readDoubleLE(this.#at - 8);
  }

  text(): string {
    const length = this.varint();
    const start = this.#at;
    const end = start + length;
    if (end > this.end) throw unusual;
    this.#at = end;
    for (let at = start; at < end; at++) if (this.#bytes[at]! > 0x7f) return this.#wideText(start, end);
    return this.#bytes.toString("latin1", start, end);
  }

  #wideText(start: number, end: number): string {
    try {
      return strict.decode(this.#bytes.subarray(start, end));
    } catch {
      throw unusual;
    }
  }

  /** Goes into a message; returns where the outer one ends, for `leave`. */
  enter(): number {
    const outer = this.end;
    const length = this.varint();
    if (this.#at + length > outer) throw unusual;
    this.end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    this.end = outer;
  }
}

function readEvent(reader: Reader): Event {
  const outer = reader.enter();
  const event: Writable<Event> = {
    $typeName: "switchyard.v1.Event",
    eventId: "",
    playerId: "",
    type: "",
    occurredAt: undefined,
    source: "",
    amount: undefined,
    attributes: {},
    paymentId: "",
    attemptId: "",
    reverses: "",
  };
  // Fields come in the order of their numbers, each once: so every tag is above the one before, but for the attributes.
  let before = 0;
  while (!reader.isAtEnd()) {
    const tag = reader.byte();
    if (tag < before || (tag === before && tag !== 0x3a)) throw unusual;
    before = tag;
    switch (tag) {
      case 0x0a:
        event.eventId = reader.text();
        break;
      case 0x12:
        event.playerId = reader.text();
        break;
      case 0x1a:
        event.type = reader.text();
        break;
      case 0x22:
        event.occurredAt = readTimestamp(reader);
        break;
      case 0x2a:
        event.source = reader.text();
        break;
      case 0x32:
        event.amount = readMoney(reader);
        break;
      case 0x3a:
        readAttribute(reader, event.attributes);
        break;
      case 0x42:
        event.paymentId = reader.text();
        break;
      case 0x4a:
        event.attemptId = reader.text();
        break;
      case 0x52:
        event.reverses = reader.text();
        break;
      default:
        throw unusual;
    }
  }
  reader.leave(outer);
  return event;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function readTimestamp(reader: Reader): Timestamp {
  const outer = reader.enter();
  let seconds = 0;
  let nanos = 0;
  while (!reader.isAtEnd()) {
    const tag = reader.byte();
    if (tag === 0x08) seconds = reader.varint();
    else if (tag === 0x10) nanos = reader.varint();
    else throw unusual;
  }
  if (nanos > 999_999_999) throw unusual;
  reader.leave(outer);
  return { $typeName: "google.protobuf.Timestamp", seconds: BigInt(seconds), nanos };
}

function readMoney(reader: Reader): Money {
  const outer = reader.enter();
  let minorUnits = 0;
  let currencyCode = "";
  while (!reader.isAtEnd()) {
    const tag = reader.byte();
    if (tag === 0x08) minorUnits = reader.varint();
    else if (tag === 0x12) currencyCode = reader.text();
    else throw unusual;
  }
  reader.leave(outer);
  return { $typeName: "switchyard.v1.Money", minorUnits: BigInt(minorUnits), currencyCode };
}

/** An entry of the map: first its name, then its value. */
function readAttribute(reader: Reader, attributes: Record<string, Value>): void {
  const outer = reader.enter();
  if (reader.byte() !== 0x0a) throw unusual;
  const name = reader.text();
  if (reader.byte() !== 0x12 || name === "__proto__") throw unusual;
  attributes[name] = readValue(reader);
  if (!reader.isAtEnd()) throw unusual;
  reader.leave(outer);
}

function readValue(reader: Reader): Value {
  const outer = reader.enter();
  const kind = readKind(reader);
  if (!reader.isAtEnd()) throw unusual;
  reader.leave(outer);
  return { $typeName: "google.protobuf.Value", kind };
}

/** Scalars only. */
function readKind(reader: Reader): Value["kind"] {
  switch (reader.byte()) {
    case 0x08:
      if (reader.byte() !== 0) throw unusual;
      return { case: "nullValue", value: 0 };
    case 0x11:
      return { case: "numberValue", value: reader.double() };
    case 0x1a:
      return { case: "stringValue", value: reader.text() };
    case 0x20: {
      const byte = reader.byte();
      if (byte > 1) throw unusual;
      return { case: "boolValue", value: byte === 1 };
    }
    default:
      throw unusual;
  }
}
