import { describe, expect, test } from "vitest";
import { identifyInstrument } from "./subjects.ts";

describe("the card that limits count", () => {
  test("is the fingerprint, else the token, else BIN and last four", () => {
    const card = { bin: "45710435", lastFour: "1111" };
    expect(identifyInstrument({ ...card, fingerprint: "f", tokenId: "t" })).toBe("fingerprint:f");
    expect(identifyInstrument({ ...card, tokenId: "t" })).toBe("token:t");
    expect(identifyInstrument(card)).toBe("bin:45710435:1111");
  });

  test("is unknown where only a part of its number is known, since thousands of cards share it", () => {
    expect(identifyInstrument({ bin: "45710435" })).toBe("");
    expect(identifyInstrument({ lastFour: "1111" })).toBe("");
    expect(identifyInstrument({})).toBe("");
  });
});
