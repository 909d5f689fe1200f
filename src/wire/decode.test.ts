import { toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeNote, type Note, NoteSchema } from "../../test/helpers/echo-service.ts";
import { DecodeFault, decodeRequest } from "./decode.ts";

const LEN = 2;
const tag = (number: number, wireType: number) => number * 8 + wireType;
const nested = (depth: number): Uint8Array => {
  let bytes = new Uint8Array();
  for (let level = 0; level < depth; level++)
    bytes = Uint8Array.of(tag(2, LEN), ...encodeLength(bytes), ...bytes);
  return bytes;
};
const encodeLength = ({ length }: Uint8Array) =>
  length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];

describe("a request that is not the message it should be is refused", () => {
  const cases = [
    { name: "text ends before its length", bytes: [tag(1, LEN), 5, 65], why: /longer than what is around/ },
    {
      name: "a nested length is longer than the message around it",
      bytes: [tag(2, LEN), 2, tag(1, LEN), 3, 65, 66, 67],
      why: /longer than what is around/,
    },
    {
      name: "a map entry's value is longer than the entry",
      bytes: [tag(4, LEN), 2, tag(1, LEN), 2, 65, 66],
      why: /longer than what is around/,
    },
    {
      name: "a packed number runs past its list",
      bytes: [tag(3, LEN), 1, 0x80, 0x01],
      why: /cut short/,
    },
    { name: "text comes as a number", bytes: [tag(1, 0), 1], why: /wire type 0 instead of 2/ },
    { name: "a number comes as text", bytes: [tag(9, LEN), 1, 65], why: /wire type 2 instead of 0/ },
    { name: "text is not UTF-8", bytes: [tag(1, LEN), 1, 0xff], why: /utf-8/i },
    { name: "text holds half a surrogate pair", bytes: [tag(1, LEN), 3, 0xed, 0xa0, 0x80], why: /utf-8/i },
    { name: "a map key is not UTF-8", bytes: [tag(4, LEN), 3, tag(1, LEN), 1, 0xff], why: /utf-8/i },
    { name: "a fixed number is cut short", bytes: [tag(7, 5), 1, 2, 3], why: /cut short/ },
    { name: "a varint never ends", bytes: [tag(9, 0), ...Array<number>(11).fill(0xff)], why: /cut short/ },
    { name: "a length is 2^63", bytes: [tag(1, LEN), ...Array<number>(9).fill(0xff), 0], why: /longer than/ },
    { name: "a field has the number 0", bytes: [0, 0], why: /field number 0/ },
    { name: "a tag is beyond 32 bits", bytes: [0x80, 0x80, 0x80, 0x80, 0x10, 0], why: /bad tag/ },
    { name: "a group, known or not", bytes: [tag(15, 3), tag(15, 4)], why: /no wire type/ },
    { name: "a field is unknown", bytes: [tag(14, LEN), 1, 65], why: /field 14 is unknown/ },
    { name: "a nested field is unknown", bytes: [tag(2, LEN), 2, tag(15, 0), 7], why: /field 15 is unknown/ },
    { name: "nesting is one too deep", bytes: [...nested(32)], why: /deeper than 32/ },
  ];

  test.each(cases)("where $name", ({ bytes, why }) => {
    const decoded = decodeRequest(NoteSchema, Uint8Array.from(bytes));
    expect(decoded).toBeInstanceOf(DecodeFault);
    const failure = (decoded as DecodeFault).toFailure();
    expect(failure.code).toBe(Code.InvalidArgument);
    expect(failure.rawMessage).toMatch(why);
  });
});

describe("a request that is well formed is decoded", () => {
  test("with nesting at the limit", () => {
    expect(decodeRequest(NoteSchema, nested(31))).not.toBeInstanceOf(DecodeFault);
  });

  test("with numbers that came one by one instead of packed", () => {
    const decoded = decodeRequest(NoteSchema, Uint8Array.of(tag(3, 0), 1, tag(3, 0), 2)) as Note;
    expect(decoded.numbers).toEqual([1, 2]);
  });

  const noteOf = (child: fc.Arbitrary<Note | undefined>): fc.Arbitrary<Note> =>
    fc
      .record({
        text: fc.string({ unit: "binary" }),
        child,
        numbers: fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 5 }),
        notes: fc.dictionary(
          fc.string(),
          child.map((note) => note ?? makeNote({})),
          { maxKeys: 2 },
        ),
        tags: fc.array(fc.string(), { maxLength: 3 }),
        mood: fc.integer({ min: 0, max: 1 }),
        stamp: fc.nat(),
        blob: fc.uint8Array({ maxLength: 200 }),
        amount: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      })
      .map(({ child, ...rest }) => makeNote(child === undefined ? rest : { ...rest, child }));
  const anyNote = noteOf(fc.option(noteOf(fc.constant(undefined)), { nil: undefined }));

  test("whatever it holds", () => {
    fc.assert(
      fc.property(anyNote, (note) => {
        expect(decodeRequest(NoteSchema, toBinary(NoteSchema, note))).toEqual(note);
      }),
      { numRuns: 300 },
    );
  });

  test("and bytes that were tampered with are decoded or refused, never thrown over", () => {
    fc.assert(
      fc.property(anyNote, fc.nat(), fc.integer({ min: 0, max: 255 }), (note, at, byte) => {
        const bytes = toBinary(NoteSchema, note);
        if (bytes.length > 0) bytes[at % bytes.length] = byte;
        const decoded = decodeRequest(NoteSchema, bytes);
        if (decoded instanceof DecodeFault) return;
        // What was let through means one thing only: it survives being written and read again.
        expect(decodeRequest(NoteSchema, toBinary(NoteSchema, decoded as Note))).toEqual(decoded);
      }),
      { numRuns: 2000 },
    );
  });
});
