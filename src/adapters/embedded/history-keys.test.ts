import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { compareIds } from "../../core/compare-ids.ts";
import { decodeHistoryKey, encodeHistoryKey, encodeHistoryKeyBriefly } from "./history-keys.ts";

const kind = fc.constantFrom("player" as const, "card" as const, "key" as const);
/** Every UTF-16 text, plain and long ones among them. */
const id = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 80 }),
  fc.constantFrom("", "\u007f", "\u0080", "\ud800", "\ufffd", "a".repeat(64), "a".repeat(65)),
);

describe("keys of histories", () => {
  it("tell the merchant and the subject", () => {
    fc.assert(
      fc.property(id, kind, id, (merchantId, kind, id) => {
        const key = encodeHistoryKey(merchantId, { kind, id });
        expect(decodeHistoryKey(key)).toEqual({ merchantId, subject: { kind, id } });
        expect(encodeHistoryKeyBriefly(merchantId, { kind, id })).toEqual(key);
      }),
      { numRuns: countRuns(2_000) },
    );
  });

  it("order as their ids do", () => {
    const encode = (id: string): Buffer => encodeHistoryKey("m", { kind: "player", id });
    fc.assert(
      fc.property(id, id, (a, b) => {
        expect(Buffer.compare(encode(a), encode(b))).toBe(Math.sign(compareIds(a, b)));
      }),
      { numRuns: countRuns(2_000) },
    );
  });

  it("are of the same bytes whether a plain id is short or not", () => {
    const tail = (id: string): Buffer => encodeHistoryKey("m", { kind: "player", id }).subarray(-3);
    expect(tail(`${"a".repeat(61)}xyz`)).toEqual(tail(`${"a".repeat(62)}xyz`));
    const head = (id: string): Buffer => encodeHistoryKey("m", { kind: "player", id }).subarray(0, 6);
    expect(head("a")).toEqual(head("a".repeat(65)));
  });
});
