import { describe, expect, test } from "vitest";
import type { StepThreeDs } from "../decision.ts";
import type { Payment } from "../payment.ts";
import type { Psp, ThreeDsLevel, ThreeDsWish } from "../rules/snapshot.ts";
import { assessThreeDs, expectShift, fallsShort, planThreeDs } from "./step-three-ds.ts";

const payment = { kind: "deposit", method: "card", initiator: "CIT" } as Payment;
const capable = { threeDs: true } as Psp;
const incapable = { threeDs: false } as Psp;
const wishes = (level: ThreeDsLevel): ThreeDsWish => ({ level });
const does = (challengeIndicator: string): StepThreeDs => ({ requirement: "THREE_DS", challengeIndicator });

describe("3DS of a step", () => {
  test.each<{
    name: string;
    asked?: Partial<Payment>;
    wish: ThreeDsWish;
    floor?: ThreeDsWish;
    step: StepThreeDs;
    isNeeded?: true;
  }>([
    { name: "challenge", wish: wishes("CHALLENGE"), step: does("04"), isNeeded: true },
    { name: "require", wish: wishes("REQUIRE"), step: does("01"), isNeeded: true },
    {
      name: "an indicator of the rule's own",
      wish: { level: "REQUIRE", challengeIndicator: "03" },
      step: does("03"),
      isNeeded: true,
    },
    { name: "no preference", wish: wishes("NO_PREFERENCE"), step: does("01") },
    { name: "frictionless", wish: wishes("PREFER_FRICTIONLESS"), step: does("02") },
    { name: "exempt is no preference", wish: { level: "EXEMPT", exemption: "TRA" }, step: does("01") },
    { name: "skip is no preference", wish: wishes("SKIP"), step: does("01") },
    {
      name: "setting up",
      asked: { storedCredential: "SETUP" },
      wish: wishes("SKIP"),
      step: does("04"),
      isNeeded: true,
    },
    { name: "MIT", asked: { initiator: "MIT" }, wish: wishes("CHALLENGE"), step: { requirement: "NONE" } },
    {
      name: "MIT under a floor",
      asked: { initiator: "MIT" },
      wish: wishes("CHALLENGE"),
      floor: wishes("REQUIRE"),
      step: does("01"),
      isNeeded: true,
    },
    {
      name: "a withdrawal",
      asked: { kind: "withdrawal" },
      wish: wishes("CHALLENGE"),
      step: { requirement: "NOT_APPLICABLE" },
    },
    {
      name: "a bank transfer",
      asked: { method: "sepa" },
      wish: wishes("CHALLENGE"),
      step: { requirement: "NOT_APPLICABLE" },
    },
    {
      name: "a wallet with a card",
      asked: { method: "applepay", card: { bin: "400000" } },
      wish: wishes("REQUIRE"),
      step: does("01"),
      isNeeded: true,
    },
  ])("$name", ({ asked, wish, floor, step, isNeeded }) => {
    const need = assessThreeDs({ ...payment, ...asked }, { wish, floor });
    expect(planThreeDs(need, capable)).toEqual(step);
    expect(need.isNeeded).toBe(isNeeded ?? false);
  });

  test("a PSP without 3DS goes without where nothing demands it", () => {
    const need = assessThreeDs(payment, { wish: wishes("NO_PREFERENCE"), floor: undefined });
    expect(planThreeDs(need, incapable)).toEqual({ requirement: "NONE" });
  });

  test.each([
    { name: "issuer of the EEA", step: does("01"), country: "DK", shift: "EXPECTED" },
    { name: "issuer of the US", step: does("01"), country: "US", shift: "UNKNOWN" },
    { name: "data only", step: does("06"), country: "DK", shift: "NOT_EXPECTED" },
    { name: "none", step: { requirement: "NONE" } as const, country: "DK", shift: "NOT_EXPECTED" },
    {
      name: "no 3DS at all",
      step: { requirement: "NOT_APPLICABLE" } as const,
      country: "DK",
      shift: "UNKNOWN",
    },
  ])("liability: $name", ({ step, country, shift }) => {
    expect(expectShift(step, country)).toBe(shift);
  });

  test.each<{ name: string; step: StepThreeDs; floor: ThreeDsLevel; indicator?: string; short: boolean }>([
    { name: "none under REQUIRE", step: { requirement: "NONE" }, floor: "REQUIRE", short: true },
    { name: "frictionless under CHALLENGE", step: does("02"), floor: "CHALLENGE", short: true },
    { name: "a preferred challenge under a mandate", step: does("03"), floor: "CHALLENGE", short: true },
    {
      name: "a preferred one under the same",
      step: does("03"),
      floor: "CHALLENGE",
      indicator: "03",
      short: false,
    },
    {
      name: "a mandate under a preferred one",
      step: does("04"),
      floor: "CHALLENGE",
      indicator: "03",
      short: false,
    },
    {
      name: "any 3DS under a mandate of REQUIRE",
      step: does("01"),
      floor: "REQUIRE",
      indicator: "04",
      short: true,
    },
    { name: "any 3DS under REQUIRE", step: does("01"), floor: "REQUIRE", short: false },
    { name: "none under a wish", step: { requirement: "NONE" }, floor: "NO_PREFERENCE", short: false },
    {
      name: "a method without 3DS",
      step: { requirement: "NOT_APPLICABLE" },
      floor: "CHALLENGE",
      short: false,
    },
  ])("a later floor: $name", ({ step, floor, indicator, short }) => {
    const wish = { level: floor, ...(indicator === undefined ? {} : { challengeIndicator: indicator }) };
    expect(fallsShort(step, wish)).toBe(short);
  });
});
