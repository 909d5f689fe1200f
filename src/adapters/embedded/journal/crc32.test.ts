import { crc32 as zlibCrc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import { crc32 } from "./crc32.ts";

describe("crc32", () => {
  it("is that of zlib, for any bytes, stretch and seed", () => {
    const bytes = fc.uint8Array({ maxLength: 400, size: "max" });
    fc.assert(
      fc.property(bytes, fc.nat(400), fc.nat(400), fc.nat(0xffff_ffff), (all, from, count, seed) => {
        const start = Math.min(from, all.length);
        const end = Math.min(start + count, all.length);
        expect(crc32(all, start, end, seed)).toBe(zlibCrc32(all.subarray(start, end), seed));
      }),
      { numRuns: countRuns(300) },
    );
  });
});
