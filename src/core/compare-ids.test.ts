import fc from "fast-check";
import { expect, test } from "vitest";
import { countRuns } from "../../test/helpers/property-runs.ts";
import { compareIds } from "./compare-ids.ts";

const id = fc.oneof(
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.string({ unit: fc.constantFrom("a", "b", "\u0100", "\ue000", "\ud800", "\udc00", "😀"), maxLength: 4 }),
);

test("ids order as the bytes that are stored of them", () => {
  const encode = (text: string): Buffer =>
    text.isWellFormed()
      ? Buffer.concat([Buffer.of(0), Buffer.from(text, "utf8")])
      : Buffer.concat([Buffer.of(1), Buffer.from(text, "utf16le")]);
  fc.assert(
    fc.property(id, id, (a, b) => {
      expect(Math.sign(compareIds(a, b))).toBe(Buffer.compare(encode(a), encode(b)));
    }),
    { numRuns: countRuns(2_000) },
  );
});
