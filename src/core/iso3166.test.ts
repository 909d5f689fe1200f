import { describe, expect, it } from "vitest";
import { type CountryGroup, countryCodes, countryName, isCountry, isInCountryGroup } from "./iso3166.ts";

function membersAt(group: CountryGroup, date: string): string[] {
  const atMs = Date.parse(date);
  return countryCodes.filter((country) => isInCountryGroup({ country, group, atMs }));
}

const territories = ["AX", "GF", "GP", "MF", "MQ", "RE", "YT"];

describe("countries", () => {
  it("are the 249 codes of the standard, in order, each with a name", () => {
    expect(countryCodes).toHaveLength(249);
    expect([...countryCodes]).toEqual([...new Set(countryCodes)].sort());
    for (const code of countryCodes) {
      expect(code).toMatch(/^[A-Z]{2}$/);
      expect(countryName(code)).toMatch(/^\p{Lu}.{2,}$/u);
    }
  });

  it.each(["XK", "UK", "EU", "AN", "gb", "", "GBR"])("do not hold %j", (code) => {
    expect(isCountry(code)).toBe(false);
    expect(countryName(code)).toBeUndefined();
  });

  it("are named for people", () => {
    expect(countryName("DK")).toBe("Denmark");
    expect(countryName("CI")).toBe("Côte d'Ivoire");
    expect(countryName("TR")).toBe("Türkiye");
  });
});

describe("isInCountryGroup", () => {
  it("counts 27 states in the EU of today, and three more in the EEA", () => {
    const eu = membersAt("EU", "2026-11-22").filter((code) => !territories.includes(code));
    const eea = membersAt("EEA", "2026-11-22").filter((code) => !territories.includes(code));
    expect(eu).toHaveLength(27);
    expect(eea).toHaveLength(30);
    expect(eea.filter((code) => !eu.includes(code))).toEqual(["IS", "LI", "NO"]);
  });

  it("takes EU territories with codes of their own for EU", () => {
    for (const code of territories) {
      expect(membersAt("EU", "2026-11-22")).toContain(code);
      expect(membersAt("EEA", "2026-11-22")).toContain(code);
    }
    expect(membersAt("EEA", "2026-11-22")).not.toContain("SJ");
  });

  it.each([
    ["the last instant of the transition", "2020-12-31T23:59:59.999Z", true],
    ["the first instant after it", "2021-01-01T00:00:00Z", false],
  ])("counts the United Kingdom in the EU and the EEA at %s: %s is %s", (_, at, want) => {
    const atMs = Date.parse(at);
    expect(isInCountryGroup({ country: "GB", group: "EU", atMs })).toBe(want);
    expect(isInCountryGroup({ country: "GB", group: "EEA", atMs })).toBe(want);
    expect(isInCountryGroup({ country: "GB", group: "UK", atMs })).toBe(true);
  });

  it.each([
    ["HR", "EU", "2013-06-30", "2013-07-01"],
    ["HR", "EEA", "2014-04-11", "2014-04-12"],
    ["LI", "EEA", "1995-04-30", "1995-05-01"],
    ["BG", "EEA", "2007-07-31", "2007-08-01"],
  ] as const)("lets %s into the %s after %s, on %s", (country, group, before, first) => {
    expect(isInCountryGroup({ country, group, atMs: Date.parse(before) })).toBe(false);
    expect(isInCountryGroup({ country, group, atMs: Date.parse(first) })).toBe(true);
  });

  it("holds the United Kingdom alone as UK", () => {
    expect(membersAt("UK", "2026-11-22")).toEqual(["GB"]);
  });

  it("is false for what is no country", () => {
    expect(isInCountryGroup({ country: "XK", group: "EU", atMs: Date.parse("2026-11-22") })).toBe(false);
  });
});
