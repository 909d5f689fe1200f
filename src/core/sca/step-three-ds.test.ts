import { describe, expect, test } from "vitest";
import { needOf, scaPsp } from "../../../test/helpers/three-ds.ts";
import type { StepThreeDs } from "../decision.ts";
import type { Payment } from "../payment.ts";
import type { Psp, ThreeDsLevel, ThreeDsWish } from "../rules/snapshot.ts";
import {
  expectShift,
  fallsShort,
  isChallenge,
  needsThreeDs,
  planStepUp,
  planThreeDs,
} from "./step-three-ds.ts";
import type { ThreeDsReason } from "./three-ds-reasons.ts";

const wishes = (level: ThreeDsLevel, more: Partial<ThreeDsWish> = {}): ThreeDsWish => ({ level, ...more });
const does = (challengeIndicator: string, reason: ThreeDsReason): StepThreeDs => ({
  requirement: "THREE_DS",
  challengeIndicator,
  reason,
  useProof: false,
});
const out = (reason: ThreeDsReason): StepThreeDs => ({ requirement: "OUT_OF_SCOPE", reason });
const exempt = (exemption: string, reason: ThreeDsReason): StepThreeDs => ({
  requirement: "EXEMPTION",
  exemption,
  reason,
});
const french: Partial<Payment> = { card: { issuerCountry: "FR", fingerprint: "f" } };
const american: Partial<Payment> = { card: { issuerCountry: "US" } };
const small: Partial<Payment> = { ...french, amountMinor: 3_000 };
const trusted: Partial<Payment> = { ...french, trustedBeneficiary: true };
const withTra = scaPsp({ sca: { fraudRateBps: 5 } });
const incapable = scaPsp({ threeDs: false });
const undeclared = scaPsp({ acquirerCountry: "" });
const done: Payment["threeDs"] = { transStatus: "Y", host: "MERCHANT", hasCryptogram: true, eci: "05" };

type Case = {
  readonly name: string;
  readonly payment?: Partial<Payment>;
  readonly psp?: Psp;
  readonly wish?: ThreeDsWish;
  readonly floor?: ThreeDsWish;
  readonly riskScore?: number;
  readonly step: StepThreeDs;
  /** Whether a PSP that cannot run 3DS is out. */
  readonly isNeeded?: true;
};

const cases: readonly Case[] = [
  { name: "in the zone, nothing exempts", payment: french, step: does("01", "SCA"), isNeeded: true },
  {
    name: "issuer and acquirer of two zones that are one",
    payment: { card: { issuerCountry: "GB" } },
    step: does("01", "SCA"),
    isNeeded: true,
  },
  { name: "the issuer outside", payment: american, step: out("OLO") },
  { name: "the acquirer outside", payment: french, psp: scaPsp({ acquirerCountry: "US" }), step: out("OLO") },
  { name: "an issuer that nobody knows", step: does("01", "ISSUER_UNKNOWN"), isNeeded: true },
  {
    name: "an acquirer that nobody declared",
    payment: small,
    psp: undeclared,
    step: does("01", "ACQUIRER_UNKNOWN"),
  },
  {
    name: "the same where 3DS cannot be run",
    payment: french,
    psp: scaPsp({ acquirerCountry: "", threeDs: false }),
    step: { requirement: "NONE", reason: "ACQUIRER_UNKNOWN" },
  },
  {
    name: "SKIP cannot skip what nobody knows",
    payment: french,
    psp: undeclared,
    wish: wishes("SKIP"),
    step: does("01", "ACQUIRER_UNKNOWN"),
  },
  { name: "low value", payment: small, step: exempt("low_value", "LOW_VALUE") },
  { name: "risk analysis", payment: french, psp: withTra, step: exempt("tra", "TRA") },
  {
    name: "low value before risk analysis",
    payment: small,
    psp: withTra,
    step: exempt("low_value", "LOW_VALUE"),
  },
  {
    name: "the exemption that a rule names before that of the policy",
    payment: small,
    psp: withTra,
    wish: wishes("EXEMPT", { exemption: "TRA" }),
    step: exempt("tra", "TRA"),
  },
  {
    name: "an exemption that a rule names and that does not hold",
    payment: french,
    wish: wishes("EXEMPT", { exemption: "low_value" }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "a kind of exemption that nobody can show to hold",
    payment: french,
    wish: wishes("EXEMPT", { exemption: "secure_corporate" }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "SKIP against the law",
    payment: french,
    wish: wishes("SKIP"),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "SKIP where an exemption holds",
    payment: small,
    wish: wishes("SKIP"),
    step: exempt("low_value", "LOW_VALUE"),
  },
  { name: "SKIP outside", payment: american, wish: wishes("SKIP"), step: out("OLO") },
  {
    name: "recurring",
    payment: { ...french, recurring: true },
    step: exempt("recurring", "RECURRING"),
  },
  { name: "trusted", payment: trusted, step: exempt("trusted_beneficiary", "TRUSTED_BENEFICIARY") },
  {
    name: "trusted at a PSP that does not take it",
    payment: trusted,
    psp: scaPsp({ sca: { exemptions: ["low_value"] } }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "an exemption where 3DS cannot be run",
    payment: small,
    psp: incapable,
    step: exempt("low_value", "LOW_VALUE"),
  },
  {
    name: "high risk",
    payment: small,
    riskScore: 500,
    step: does("03", "RISK"),
    isNeeded: true,
  },
  { name: "risk below that", payment: small, riskScore: 499, step: exempt("low_value", "LOW_VALUE") },
  { name: "high risk outside", payment: american, riskScore: 900, step: does("03", "RISK"), isNeeded: true },
  {
    name: "storing a credential",
    payment: { ...small, storedCredential: "SETUP" },
    wish: wishes("SKIP"),
    step: does("04", "SETUP"),
    isNeeded: true,
  },
  { name: "MIT", payment: { ...french, initiator: "MIT" }, wish: wishes("CHALLENGE"), step: out("MIT") },
  {
    name: "MIT under a floor",
    payment: { ...french, initiator: "MIT" },
    wish: wishes("CHALLENGE"),
    floor: wishes("REQUIRE"),
    step: does("01", "RULE"),
    isNeeded: true,
  },
  { name: "MOTO", payment: { ...french, initiator: "MOTO" }, riskScore: 900, step: out("MOTO") },
  {
    name: "an anonymous prepaid card",
    payment: { card: { issuerCountry: "FR", funding: "prepaid", anonymous: true } },
    step: out("ANONYMOUS_PREPAID"),
  },
  {
    name: "a credit card that is said to be one",
    payment: { card: { issuerCountry: "FR", funding: "credit", anonymous: true } },
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "a mandate of the issuer's country",
    payment: { card: { issuerCountry: "JP", funding: "credit" }, amountMinor: 100 },
    step: does("01", "MANDATE"),
    isNeeded: true,
  },
  {
    name: "a funding that it leaves out",
    payment: { card: { issuerCountry: "JP", funding: "debit" } },
    step: out("OLO"),
  },
  {
    name: "a funding that nobody knows",
    payment: { card: { issuerCountry: "JP" } },
    step: does("01", "MANDATE"),
    isNeeded: true,
  },
  {
    name: "a domestic mandate at home",
    payment: { card: { issuerCountry: "IN" } },
    psp: scaPsp({ acquirerCountry: "IN" }),
    step: does("01", "MANDATE"),
    isNeeded: true,
  },
  { name: "a domestic mandate abroad", payment: { card: { issuerCountry: "IN" } }, step: out("OLO") },
  {
    name: "a domestic mandate who knows where",
    payment: { card: { issuerCountry: "IN" } },
    psp: undeclared,
    step: does("01", "ACQUIRER_UNKNOWN"),
  },
  {
    name: "a challenge by rule",
    payment: small,
    wish: wishes("CHALLENGE"),
    step: does("04", "RULE"),
    isNeeded: true,
  },
  {
    name: "3DS by rule outside",
    payment: american,
    wish: wishes("REQUIRE"),
    step: does("01", "RULE"),
    isNeeded: true,
  },
  {
    name: "an indicator of the rule's own",
    payment: french,
    wish: wishes("REQUIRE", { challengeIndicator: "03" }),
    step: does("03", "SCA"),
    isNeeded: true,
  },
  {
    name: "an indicator that waives the challenge that the law wants",
    payment: french,
    wish: wishes("REQUIRE", { challengeIndicator: "02" }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "data only against the law",
    payment: french,
    wish: wishes("NO_PREFERENCE", { challengeIndicator: "06" }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "no preference, said aloud",
    payment: small,
    wish: wishes("NO_PREFERENCE"),
    step: does("01", "RULE"),
  },
  {
    name: "frictionless outside",
    payment: american,
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("02", "RULE"),
  },
  {
    name: "frictionless against the law",
    payment: french,
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "frictionless where risk analysis exempts",
    payment: french,
    psp: withTra,
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("05", "TRA"),
  },
  {
    name: "frictionless where risk analysis exempts, by an old version",
    payment: french,
    psp: scaPsp({ sca: { fraudRateBps: 5, threeDsVersion: "2.1.0" } }),
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("02", "TRA"),
  },
  {
    name: "frictionless of low value by 2.2",
    payment: small,
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("02", "LOW_VALUE"),
  },
  {
    name: "frictionless of low value by 2.3",
    payment: { ...small, threeDsVersion: "2.3.0" },
    psp: scaPsp({ sca: { threeDsVersion: "2.3.1" } }),
    wish: wishes("PREFER_FRICTIONLESS"),
    step: does("10", "LOW_VALUE"),
  },
  {
    name: "a withdrawal",
    payment: { ...french, kind: "withdrawal" },
    wish: wishes("CHALLENGE"),
    step: { requirement: "NOT_APPLICABLE", reason: "" },
  },
  {
    name: "a bank transfer",
    payment: { method: "sepa" },
    wish: wishes("CHALLENGE"),
    step: { requirement: "NOT_APPLICABLE", reason: "" },
  },
  {
    name: "a wallet with a card",
    payment: { ...french, method: "applepay" },
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "the merchant's own proof",
    payment: { ...french, threeDs: done },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: { requirement: "THREE_DS", challengeIndicator: "01", reason: "PROOF", useProof: true },
    isNeeded: true,
  },
  {
    name: "a proof that the PSP does not take",
    payment: { ...french, threeDs: done },
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "a proof of a PSP",
    payment: { ...french, threeDs: { ...done, host: "PSP" } },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "a proof without its cryptogram",
    payment: { ...french, threeDs: { ...done, hasCryptogram: false } },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "a proof of 3DS 1",
    payment: { ...french, threeDs: { ...done, version: "1.0.2" } },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "an attempt where a challenge is mandated",
    payment: { ...french, storedCredential: "SETUP", threeDs: { ...done, transStatus: "A" } },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: does("04", "SETUP"),
    isNeeded: true,
  },
  {
    name: "an authentication where a challenge is mandated",
    payment: { ...french, storedCredential: "SETUP", threeDs: done },
    psp: scaPsp({ sca: { takesProof: true } }),
    step: { requirement: "THREE_DS", challengeIndicator: "04", reason: "PROOF", useProof: true },
    isNeeded: true,
  },
  {
    name: "3DS that could not be run, outside",
    payment: { ...american, threeDs: { ...done, transStatus: "U" } },
    wish: wishes("PREFER_FRICTIONLESS"),
    step: out("OLO"),
  },
  {
    name: "3DS that could not be run, where an exemption holds",
    payment: { ...small, threeDs: { ...done, transStatus: "U" } },
    wish: wishes("NO_PREFERENCE"),
    step: exempt("low_value", "LOW_VALUE"),
  },
  {
    name: "3DS that could not be run, in the zone",
    payment: { ...french, threeDs: { ...done, transStatus: "U" } },
    step: does("01", "SCA"),
    isNeeded: true,
  },
  {
    name: "3DS that could not be run, under a demand",
    payment: { ...american, threeDs: { ...done, transStatus: "I" } },
    wish: wishes("REQUIRE"),
    step: does("01", "RULE"),
    isNeeded: true,
  },
];

describe("3DS of a step", () => {
  test.each(cases)(
    "$name",
    ({ payment = {}, psp = scaPsp(), wish, floor, riskScore = 0, step, isNeeded }) => {
      const need = needOf({ payment, wish, floor, context: { riskScore } });
      expect(planThreeDs(need, psp)).toEqual(step);
      const bare = { ...psp, threeDs: false, sca: { ...psp.sca, takesProof: false } };
      expect(needsThreeDs(need, bare)).toBe(isNeeded ?? false);
    },
  );

  test("a PSP without 3DS that takes the proof can take the payment", () => {
    const need = needOf({ payment: { ...french, threeDs: done } });
    expect(needsThreeDs(need, scaPsp({ threeDs: false, sca: { takesProof: true } }))).toBe(false);
  });

  test("the cashier shows a PSP without 3DS: nobody knows card and amount yet", () => {
    const need = needOf({ payment: { mode: "CASHIER" } });
    expect(needsThreeDs(need, incapable)).toBe(false);
    expect(needsThreeDs(needOf({ payment: { mode: "CASHIER" }, wish: wishes("REQUIRE") }), incapable)).toBe(
      true,
    );
  });

  test("a proof that was refused can be stepped up from", () => {
    const need = needOf({ payment: { ...french, storedCredential: "SETUP", threeDs: done } });
    expect(isChallenge(planThreeDs(need, scaPsp({ sca: { takesProof: true } })))).toBe(false);
    expect(isChallenge(planThreeDs(need, scaPsp()))).toBe(true);
    expect(planStepUp()).toEqual(does("04", "STEP_UP"));
  });

  test.each<{ name: string; step: StepThreeDs; country: string; shift: string }>([
    { name: "issuer of the EEA", step: does("01", "SCA"), country: "DK", shift: "EXPECTED" },
    { name: "issuer of the US", step: does("01", "RULE"), country: "US", shift: "UNKNOWN" },
    { name: "data only", step: does("06", "RULE"), country: "DK", shift: "NOT_EXPECTED" },
    { name: "exempt by way of 3DS", step: does("05", "TRA"), country: "DK", shift: "NOT_EXPECTED" },
    { name: "exempt", step: exempt("tra", "TRA"), country: "DK", shift: "NOT_EXPECTED" },
    { name: "out of scope", step: out("OLO"), country: "DK", shift: "NOT_EXPECTED" },
    {
      name: "no 3DS at all",
      step: { requirement: "NOT_APPLICABLE", reason: "" },
      country: "DK",
      shift: "UNKNOWN",
    },
  ])("liability: $name", ({ step, country, shift }) => {
    expect(expectShift(step, needOf({ payment: { card: { issuerCountry: country } } }))).toBe(shift);
  });

  test("liability of what is done already is that of what it came to", () => {
    const need = needOf({ payment: { card: { issuerCountry: "FR", scheme: "mastercard" }, threeDs: done } });
    const step = planThreeDs(need, scaPsp({ sca: { takesProof: true } }));
    expect(expectShift(step, need)).toBe("UNKNOWN");
    const attempt = { ...need, proof: { ...done, eci: "01" } };
    expect(expectShift(step, attempt)).toBe("EXPECTED");
  });

  test.each<{ name: string; step: StepThreeDs; floor: ThreeDsLevel; indicator?: string; short: boolean }>([
    { name: "none under REQUIRE", step: out("OLO"), floor: "REQUIRE", short: true },
    { name: "exempt under REQUIRE", step: exempt("tra", "TRA"), floor: "REQUIRE", short: true },
    { name: "frictionless under CHALLENGE", step: does("02", "RULE"), floor: "CHALLENGE", short: true },
    {
      name: "a preferred challenge under a mandate",
      step: does("03", "RISK"),
      floor: "CHALLENGE",
      short: true,
    },
    {
      name: "a preferred one under the same",
      step: does("03", "RISK"),
      floor: "CHALLENGE",
      indicator: "03",
      short: false,
    },
    {
      name: "a mandate under a preferred one",
      step: does("04", "RULE"),
      floor: "CHALLENGE",
      indicator: "03",
      short: false,
    },
    {
      name: "any 3DS under a mandate of REQUIRE",
      step: does("01", "SCA"),
      floor: "REQUIRE",
      indicator: "04",
      short: true,
    },
    { name: "any 3DS under REQUIRE", step: does("01", "SCA"), floor: "REQUIRE", short: false },
    { name: "none under a wish", step: out("OLO"), floor: "NO_PREFERENCE", short: false },
    {
      name: "a method without 3DS",
      step: { requirement: "NOT_APPLICABLE", reason: "" },
      floor: "CHALLENGE",
      short: false,
    },
  ])("a later floor: $name", ({ step, floor, indicator, short }) => {
    const wish = { level: floor, ...(indicator === undefined ? {} : { challengeIndicator: indicator }) };
    expect(fallsShort(step, wish)).toBe(short);
  });
});
