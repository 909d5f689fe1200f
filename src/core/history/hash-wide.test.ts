import { describe, expect, it } from "vitest";
import { hash128 } from "../hash.ts";
import { hashWide } from "./hash-wide.ts";

describe("hashWide", () => {
  it("stays what it was, because rows on disk hold it", () => {
    expect(hashWide("")).toBe(0);
    expect(hashWide("tok_4242")).toBe(Number(BigInt(`0x${hash128("tok_4242").slice(0, 16)}`) >> 11n));
  });

  it("tells a hundred thousand texts apart and fits a double exactly", () => {
    const seen = new Set<number>();
    for (let i = 0; i < 100_000; i++) {
      seen.add(hashWide(`card-${i}`));
    }
    expect(seen.size).toBe(100_000);
    expect([...seen].every(Number.isSafeInteger)).toBe(true);
  });
});
