import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import * as reader from "./byte-reader.ts";
import * as writer from "./byte-writer.ts";

const number = fc.oneof(
  fc.integer({ min: -40, max: 70_000 }),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(239, 240, 255, 2 ** 16 - 1, 2 ** 16, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, 2 ** 48, -0),
);
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.constantFrom("é".repeat(48), "a".repeat(40), "a".repeat(239), "a".repeat(240), "ü".repeat(40_000)),
);
const word = fc.oneof(fc.constantFrom("DENY", "payments", "", "a word of its own"), text);
const scalar = fc.oneof(fc.boolean(), number, text, fc.array(text, { maxLength: 3 }));

type Written = { readonly write: () => void; readonly read: () => unknown; readonly value: unknown };

/** A value with how it is written and read. */
function made<T>(
  values: fc.Arbitrary<T>,
  write: (value: T) => void,
  read: () => unknown,
): fc.Arbitrary<Written> {
  return values.map((value) => ({ write: () => write(value), read, value }));
}

const maybe = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(values, { nil: undefined });

const written: fc.Arbitrary<Written> = fc.oneof(
  made(number, writer.writeNumber, reader.readNumber),
  made(maybe(number), writer.writeNumber, reader.readOptionalNumber),
  made(text, writer.writeText, reader.readText),
  made(maybe(text), writer.writeText, reader.readOptionalText),
  made(word, writer.writeWord, reader.readWord),
  made(maybe(word), writer.writeWord, reader.readOptionalWord),
  made(fc.boolean(), writer.writeFlag, reader.readFlag),
  made(maybe(fc.boolean()), writer.writeFlag, reader.readOptionalFlag),
  made(scalar, writer.writeScalar, reader.readScalar),
  made(fc.array(text, { maxLength: 300 }), writer.writeTexts, reader.readTexts),
  made(fc.array(word), writer.writeWords, reader.readWords),
  made(
    fc.array(fc.tuple(text, number)).map((entries) => new Map(entries)),
    (map) => writer.writeMap(map, writer.writeNumber),
    () => reader.readMap(reader.readNumber),
  ),
);

describe("bytes", () => {
  it("are read as they were written, and stay so when others are written after them", () => {
    fc.assert(
      fc.property(fc.array(fc.array(written, { maxLength: 20 }), { minLength: 1, maxLength: 10 }), (all) => {
        const bytes = all.map((values) => {
          writer.startBytes(1);
          for (const { write } of values) write();
          return writer.takeBytes(7);
        });
        for (const [place, values] of all.entries()) {
          expect(bytes[place]![0]).toBe(7);
          reader.openBytes(bytes[place]!, 1);
          for (const { read, value } of values) expect(read()).toStrictEqual(value);
        }
      }),
      { numRuns: countRuns(200) },
    );
  });

  it("of a blob are copied as they are", () => {
    writer.startBytes(1);
    const blob = writer.startBlob();
    writer.writeText("a".repeat(70_000));
    writer.endBlob(blob);
    writer.writeNumber(5);
    reader.openBytes(writer.takeBytes(1), 1);
    const copied = reader.enterBlob();
    expect([reader.readText().length, reader.readNumber()]).toEqual([70_000, 5]);
    writer.startBytes(1);
    writer.writeBlob(copied);
    writer.writeNumber(6);
    reader.openBytes(writer.takeBytes(1), 1);
    expect(reader.enterBlob()).toEqual(copied);
    expect([reader.readText().length, reader.readNumber()]).toEqual([70_000, 6]);
  });

  it.each([
    ["a number", () => reader.readNumber(), 250],
    ["a flag", () => reader.readFlag(), 2],
    ["a word", () => reader.readWord(), 239],
    ["a scalar", () => reader.readScalar(), 9],
    ["a text", () => reader.readText(), 3],
  ])("that are none are no %s", (_what, read, first) => {
    reader.openBytes(Buffer.from([first, 0]), 0);
    expect(read).toThrow(RangeError);
  });
});
