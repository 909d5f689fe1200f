import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import {
  type EventSchema,
  IngestEventStreamRequestSchema,
  IngestEventsRequestSchema,
} from "../../gen/switchyard/v1/event_pb.js";
import { DecodeFault, decodeRequest } from "../../wire/decode.ts";
import { readIngestEventStream, readIngestEvents } from "./read-event-batch.ts";

const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 9 }));
const int64 = fc.oneof(fc.bigInt(-5n, 300n), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));

const value: fc.Arbitrary<Value> = fc
  .oneof(
    fc.record({ case: fc.constant("stringValue" as const), value: text }),
    fc.record({ case: fc.constant("numberValue" as const), value: fc.double() }),
    fc.record({ case: fc.constant("boolValue" as const), value: fc.boolean() }),
    fc.constant({ case: "nullValue" as const, value: 0 }),
    fc.constant({ case: undefined }),
    fc.constant({ case: "listValue" as const, value: { values: [] } }),
  )
  .map((kind) => create(ValueSchema, { kind } as MessageInitShape<typeof ValueSchema>));

const event = fc.record(
  {
    eventId: text,
    playerId: text,
    type: text,
    occurredAt: fc.record({ seconds: int64, nanos: fc.integer({ min: -1, max: 1_000_000_000 }) }),
    source: text,
    amount: fc.record({ minorUnits: int64, currencyCode: text }),
    attributes: fc.dictionary(fc.oneof(text, fc.constantFrom("constructor", "game")), value, { maxKeys: 4 }),
    paymentId: text,
    attemptId: text,
    reverses: text,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<MessageInitShape<typeof EventSchema>>;

const batch = fc
  .record({ sequence: int64, merchantId: text, events: fc.array(event, { maxLength: 4 }) })
  .map((init) => create(IngestEventStreamRequestSchema, init));

/** What the general decoder makes of the bytes, as bytes again; undefined where it refuses them. */
function normalise(schema: DescMessage, bytes: Uint8Array): string | undefined {
  const message = decodeRequest(schema, bytes);
  return message instanceof DecodeFault ? undefined : hex(toBinary(schema, message));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

describe("reading batches of events", () => {
  test("gives what the general decoder gives, or leaves it to that", () => {
    fc.assert(
      fc.property(batch, (message) => {
        const bytes = toBinary(IngestEventStreamRequestSchema, message);
        const read = readIngestEventStream(bytes);
        if (read === undefined) return;
        expect(read).toEqual(Object.assign({}, read, fromBinary(IngestEventStreamRequestSchema, bytes)));
        expect(hex(toBinary(IngestEventStreamRequestSchema, read))).toBe(hex(bytes));
      }),
      { numRuns: countRuns(2_000) },
    );
  });

  test("never takes bytes that the general decoder refuses, whatever is done to them", () => {
    const edits = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(batch, edits, fc.nat(), (message, changes, cut) => {
        const whole = toBinary(IngestEventStreamRequestSchema, message);
        for (const { at, byte } of changes) if (whole.length > 0) whole[at % whole.length] = byte;
        const bytes = cut % 3 === 0 ? whole.subarray(0, cut % (whole.length + 1)) : whole;
        const read = readIngestEventStream(bytes);
        if (read === undefined) return;
        expect(hex(toBinary(IngestEventStreamRequestSchema, read))).toBe(
          normalise(IngestEventStreamRequestSchema, bytes),
        );
      }),
      { numRuns: countRuns(5_000) },
    );
  });

  test("leaves a field that stands twice to the general decoder, which merges both", () => {
    const amount = (bytes: readonly number[]) => [0x32, bytes.length, ...bytes];
    const event = [...amount([0x08, 5]), ...amount([0x12, 3, 0x45, 0x55, 0x52])];
    const bytes = new Uint8Array([0x1a, event.length, ...event]);
    expect(readIngestEventStream(bytes)).toBeUndefined();
    expect(fromBinary(IngestEventStreamRequestSchema, bytes).events[0]?.amount).toMatchObject({
      minorUnits: 5n,
      currencyCode: "EUR",
    });
  });

  test("knows the usual event in both kinds of batch", () => {
    const init = {
      merchantId: "default",
      events: [
        {
          eventId: "e-1",
          playerId: "ann",
          type: "bet",
          occurredAt: { seconds: 1_790_000_000n, nanos: 5_000_000 },
          source: "games",
          amount: { minorUnits: 500n, currencyCode: "EUR" },
          attributes: {
            game: { kind: { case: "stringValue" as const, value: "Zürich" } },
            odds: { kind: { case: "numberValue" as const, value: 1.5 } },
            free: { kind: { case: "boolValue" as const, value: false } },
          },
        },
      ],
    };
    const bare = create(IngestEventsRequestSchema, init);
    expect(readIngestEvents(toBinary(IngestEventsRequestSchema, bare))).toMatchObject({ ...bare });
    const numbered = create(IngestEventStreamRequestSchema, { ...init, sequence: 7n });
    expect(readIngestEventStream(toBinary(IngestEventStreamRequestSchema, numbered))).toMatchObject({
      ...numbered,
    });
  });
});
