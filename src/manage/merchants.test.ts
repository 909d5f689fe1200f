import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readMerchants } from "./merchants.ts";

describe("readMerchants", () => {
  test("reads the sample", () => {
    const result = readMerchants(
      readFileSync(new URL("../../samples/merchants.yaml", import.meta.url), "utf8"),
    );
    expect(result.ok && [...result.merchants.keys()]).toEqual(["default", "replay"]);
    expect(result.ok && result.merchants.get("replay")?.clock).toBe("request");
  });

  test("reads which sources alone tell payment facts", () => {
    const result = readMerchants("merchants: { a: { sole_sources: { wallet: [payment_approved] } }, b: {} }");
    expect(result.ok && [...result.merchants.get("a")!.soleSources]).toEqual([
      ["wallet", new Set(["payment_approved"])],
    ]);
    expect(result.ok && result.merchants.get("b")!.soleSources.size).toBe(0);
  });

  test.each([
    ["no merchants", "merchants: {}", "must hold 1 to"],
    ["an unknown setting", "merchants: { a: { colour: red } }", "colour"],
    ["an unknown clock", "merchants: { a: { clock: sundial } }", "merchants.a.clock"],
    [
      "a sole source of what is no payment fact",
      "merchants: { a: { sole_sources: { wallet: [bet] } } }",
      "sole_sources.wallet",
    ],
    ["a hostile id", 'merchants: { "a\\u2028b": {} }', "ids match"],
    ["a merchant that stands twice", "merchants:\n  a: {}\n  a: {}\n", "unique"],
    ["text that is no YAML", "merchants: [", "Flow"],
  ])("refuses %s", (_, text, message) => {
    const result = readMerchants(text);
    expect(result.ok ? "" : result.faults.join("\n")).toContain(message);
  });
});
