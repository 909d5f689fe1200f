import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { encodeKey, encodeMerchantRange, encodeNumberedKey, joinEncodedKey, joinKey } from "./keys.ts";

/** Every UTF-16 text, halves of surrogate pairs included. */
const id = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc
    .array(fc.integer({ min: 0xd7fe, max: 0xe001 }), { maxLength: 4 })
    .map((codes) => String.fromCharCode(...codes)),
  fc.constantFrom("", "a", "ab", "\u0000", "\u0000\u0001a", "\ufffd"),
);

describe("keys", () => {
  it("are the same only where merchant and id are", () => {
    fc.assert(
      fc.property(id, id, id, id, (merchantA, idA, merchantB, idB) => {
        const same = merchantA === merchantB && idA === idB;
        expect(encodeKey(merchantA, idA).equals(encodeKey(merchantB, idB))).toBe(same);
        expect(joinKey(merchantA, idA) === joinKey(merchantB, idB)).toBe(same);
        expect(joinEncodedKey(encodeKey(merchantA, idA))).toBe(joinKey(merchantA, idA));
      }),
      { numRuns: countRuns(2_000) },
    );
  });

  it("lie in their merchant's range and in no other", () => {
    fc.assert(
      fc.property(id, id, id, fc.nat(), (merchant, other, thing, number) => {
        const { start, end } = encodeMerchantRange(other);
        for (const key of [encodeKey(merchant, thing), encodeNumberedKey(merchant, number)]) {
          const within = Buffer.compare(start, key) <= 0 && Buffer.compare(key, end) < 0;
          expect(within).toBe(merchant === other);
        }
      }),
      { numRuns: countRuns(2_000) },
    );
  });

  it.each([
    ["128 characters of three bytes each", "漢".repeat(128)],
    ["128 halves of pairs", "\ud800".repeat(128)],
  ])("hold two ids of %s", (_, long) => {
    expect(joinEncodedKey(encodeKey(long, long))).toBe(joinKey(long, long));
  });

  it("refuse what LMDB could not hold, and take what it just can", () => {
    expect(encodeKey("", "a".repeat(1_974))).toHaveLength(1_978);
    expect(() => encodeKey("", "a".repeat(1_975))).toThrow(RangeError);
  });
});
