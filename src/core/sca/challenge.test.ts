import { describe, expect, test } from "vitest";
import { firmnessOf } from "../rules/challenge-indicator.ts";
import { challengeIndicators, fitIndicator, meetVersions } from "./challenge.ts";

describe("challenge indicators by version", () => {
  test.each([
    ["2.1.0", "01 02 03 04 05 06 07 08 09 10 11 12 13 14", "01 02 03 04 02 02 02 02 03 02 02 03 03 04"],
    ["2.2.0", "01 02 03 04 05 06 07 08 09 10 11 12 13 14", "01 02 03 04 05 06 07 08 09 02 02 03 03 04"],
    ["2.3.0", "05 09 10 11 12 13 14", "05 09 10 11 03 03 04"],
    ["2.3.1", "05 09 10 11 12 13 14", "05 09 10 11 12 13 14"],
  ])("in %s", (version, meant, sent) => {
    const both = meetVersions(version, version);
    expect(meant.split(" ").map((code) => fitIndicator(code, both))).toEqual(sent.split(" "));
  });

  test("go by the older of the two versions, 2.2.0 where nobody says", () => {
    expect(meetVersions("2.3.1", "2.1.0")).toBe(meetVersions("2.1.0", "2.1.0"));
    expect(meetVersions("2.3.1", undefined)).toBe(meetVersions("2.2", "2.2.0"));
    expect(meetVersions(undefined, "2.1.0")).toBe(meetVersions("2.1.0", undefined));
  });

  test("are asked for at least as firmly in older versions", () => {
    for (const { code, before } of challengeIndicators) {
      const firmness = (challengeIndicator: string): number =>
        firmnessOf({ level: "REQUIRE", challengeIndicator });
      expect(firmness(before)).toBeGreaterThanOrEqual(firmness(code));
    }
  });
});
