import type { Timestamp, Value } from "@bufbuild/protobuf/wkt";
import type { RawEvent } from "../../core/events/check-event.ts";
import type { AttributeInput } from "../../core/payment.ts";
import type { Event } from "../../gen/switchyard/v1/event_pb.js";

/**
 * An event of the wire in plain values, nothing of it checked but that numbers can be had: an amount beyond 2^53 is infinite, an instant that is
 * none is NaN, and an attribute that is neither bool, number nor text is a list, so that the check refuses each by its name.
 */
export function decodeEvent(event: Event): RawEvent {
  const { amount, occurredAt } = event;
  return {
    eventId: event.eventId,
    playerId: event.playerId,
    type: event.type,
    occurredAtMs: occurredAt === undefined ? undefined : decodeInstantMs(occurredAt),
    source: event.source,
    amount: amount && { minorUnits: decodeMinor(amount.minorUnits), currencyCode: amount.currencyCode },
    attributes: decodeAttributes(event.attributes),
    paymentId: event.paymentId,
    attemptId: event.attemptId,
    reverses: event.reverses,
  };
}

/** Parts of a ms are cut off. Seconds beyond 2^53 are out of every range, so what they lose does not matter. */
function decodeInstantMs({ seconds, nanos }: Timestamp): number {
  if (nanos < 0 || nanos > 999_999_999) return NaN;
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000);
}

function decodeMinor(minorUnits: bigint): number {
  const minor = Number(minorUnits);
  return Number.isSafeInteger(minor) ? minor : Infinity;
}

/** null is as if it were absent. */
function decodeAttributes(attributes: Event["attributes"]): Readonly<Record<string, AttributeInput>> {
  const decoded: Record<string, AttributeInput> = {};
  for (const name in attributes) {
    const value = decodeValue(attributes[name]!);
    // Names that are no names of attributes are kept for the check to refuse; this one would change the object instead.
    if (value !== undefined) decoded[name === "__proto__" ? "?" : name] = value;
  }
  return decoded;
}

const noValue: readonly string[] = [];

function decodeValue({ kind }: Value): AttributeInput | undefined {
  switch (kind.case) {
    case "boolValue":
    case "numberValue":
    case "stringValue":
      return kind.value;
    case "nullValue":
      return undefined;
    default:
      return noValue;
  }
}
