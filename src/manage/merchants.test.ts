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

  test.each([
    ["no merchants", "merchants: {}", "must hold 1 to"],
    ["an unknown setting", "merchants: { a: { colour: red } }", "colour"],
    ["an unknown clock", "merchants: { a: { clock: sundial } }", "merchants.a.clock"],
    ["a hostile id", 'merchants: { "a\\u2028b": {} }', "ids match"],
    ["a merchant that stands twice", "merchants:\n  a: {}\n  a: {}\n", "unique"],
    ["text that is no YAML", "merchants: [", "Flow"],
  ])("refuses %s", (_, text, message) => {
    const result = readMerchants(text);
    expect(result.ok ? "" : result.faults.join("\n")).toContain(message);
  });
});
