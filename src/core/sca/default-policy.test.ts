import { describe, expect, test } from "vitest";
import { isCountry, isInCountryGroup } from "../iso3166.ts";
import { exponentOf } from "../iso4217.ts";
import { houseScaPolicy } from "./default-policy.ts";
import { openPolicy } from "./policy-now.ts";
import { exemptionKinds } from "./sca-policy.ts";

const { zones, treatedAsOne, lowValue, tra, mandates, exemptionOrder } = houseScaPolicy;
const beginMs = Date.UTC(2019, 8, 14);
const instants = [beginMs, Date.UTC(2020, 5, 1), Date.UTC(2021, 0, 1), Date.UTC(2026, 10, 16)];
const dated = [...zones, ...lowValue, ...tra, ...mandates];

describe("the SCA policy of the house", () => {
  test("says where every fact is from", () => {
    expect(dated.filter(({ origin }) => origin.length < 5)).toEqual([]);
  });

  test("has each country in one zone, and only countries", () => {
    const all = zones.flatMap(({ countries }) => countries);
    expect(all.filter((code) => !isCountry(code))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
    expect(mandates.filter(({ country }) => !isCountry(country))).toEqual([]);
  });

  test("has the countries of the EEA, with Monaco, in a zone of their own", () => {
    const eea = zones.find(({ id }) => id === "EEA")!.countries;
    const atMs = instants.at(-1)!;
    const wanted = [...eea].filter((country) => isInCountryGroup({ country, group: "EEA", atMs }));
    expect(wanted).toEqual(eea.filter((country) => country !== "MC"));
    const codes = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].flatMap((first) =>
      [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((second) => first + second),
    );
    const members = codes.filter((country) => isInCountryGroup({ country, group: "EEA", atMs }));
    expect(members.filter((country) => !eea.includes(country))).toEqual([]);
  });

  test("speaks of zones that there are", () => {
    const ids = zones.map(({ id }) => id);
    for (const id of [...treatedAsOne, ...lowValue.map(({ zone }) => zone), ...tra.map(({ zone }) => zone)]) {
      expect(ids).toContain(id);
    }
  });

  test("has no gap: from the first day on each zone has its amounts", () => {
    for (const atMs of instants) {
      const now = openPolicy(houseScaPolicy, atMs);
      for (const { id, countries } of zones) {
        expect(now.zoneOf(countries[0]!)).toBe(id);
        for (const currency of ["EUR", "GBP", "SEK"]) {
          expect(now.lowValueFor(id, currency)).toBeDefined();
          expect(now.tiersFor(id, currency)).toHaveLength(3);
        }
      }
    }
  });

  test("has no conflict: no two entries of one thing begin at once, and lower rates exempt more", () => {
    const keys = [
      ...lowValue.map(({ zone, fromMs }) => `low ${zone} ${fromMs}`),
      ...tra.map(({ zone, fraudRateBps, fromMs }) => `tra ${zone} ${fraudRateBps} ${fromMs}`),
      ...mandates.map(({ country, fundings, fromMs }) => `mandate ${country} ${fundings.join()} ${fromMs}`),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    for (const atMs of instants)
      for (const { id } of zones) {
        const tiers = [...openPolicy(houseScaPolicy, atMs).tiersFor(id, "EUR")];
        tiers.sort((a, b) => a.fraudRateBps - b.fraudRateBps);
        const amounts = tiers.map(({ amount }) => amount.minorUnits);
        expect(amounts).toEqual(amounts.toSorted((a, b) => b - a));
      }
  });

  test("has amounts that are whole and in one currency", () => {
    for (const { amount, cumulative, count } of lowValue) {
      expect(amount.currencyCode).toBe(cumulative.currencyCode);
      expect(cumulative.minorUnits).toBeGreaterThanOrEqual(amount.minorUnits);
      expect(count).toBeGreaterThan(0);
    }
    for (const { amount } of [...lowValue, ...tra]) {
      expect(exponentOf(amount.currencyCode)).toBe(2);
      expect(Number.isSafeInteger(amount.minorUnits)).toBe(true);
    }
  });

  test("tries every exemption once", () => {
    expect(exemptionOrder.toSorted()).toEqual([...exemptionKinds].sort());
  });
});

describe("a policy as of an instant", () => {
  test("has nothing before the law applied", () => {
    const before = openPolicy(houseScaPolicy, beginMs - 1);
    expect(before.zoneOf("FR")).toBeUndefined();
    expect(openPolicy(houseScaPolicy, beginMs).zoneOf("FR")).toBe("EEA");
  });

  test("changes at the first instant at which an entry counts", () => {
    const indian = (atMs: number): number => openPolicy(houseScaPolicy, atMs).mandatesOf("IN").length;
    expect([indian(Date.UTC(2026, 3, 1) - 1), indian(Date.UTC(2026, 3, 1))]).toEqual([0, 1]);
    const british = (atMs: number): unknown =>
      openPolicy(houseScaPolicy, atMs).lowValueFor("UK", "SEK")?.amount;
    expect(british(Date.UTC(2021, 0, 1) - 1)).toEqual({ minorUnits: 3_000, currencyCode: "EUR" });
    expect(british(Date.UTC(2021, 0, 1))).toEqual({ minorUnits: 2_500, currencyCode: "GBP" });
  });

  test("holds an amount against the threshold in its own currency", () => {
    const now = openPolicy(houseScaPolicy, instants.at(-1)!);
    expect(now.lowValueFor("UK", "EUR")?.amount.minorUnits).toBe(3_000);
    expect(now.lowValueFor("EEA", "GBP")?.amount.minorUnits).toBe(2_500);
    expect(now.tiersFor("UK", "EUR").map(({ amount }) => amount.minorUnits)).toEqual([
      10_000, 25_000, 50_000,
    ]);
    expect(now.tiersFor("UK", "GBP").map(({ amount }) => amount.minorUnits)).toEqual([8_500, 22_000, 44_000]);
  });

  test("of zones that are not treated as one each is alone", () => {
    const apart = openPolicy({ ...houseScaPolicy, treatedAsOne: [] }, instants.at(-1)!);
    expect(apart.areTogether("EEA", "UK")).toBe(false);
    expect(apart.areTogether("UK", "UK")).toBe(true);
    expect(apart.lowValueFor("UK", "EUR")?.amount.currencyCode).toBe("GBP");
  });
});
