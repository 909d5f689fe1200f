import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { needOf, plainSca, scaPsp, threeDsDeposit } from "../../../test/helpers/three-ds.ts";
import { convertMinor } from "../money.ts";
import type { Payment } from "../payment.ts";
import { type Psp, type ThreeDsWish, threeDsLevels } from "../rules/snapshot.ts";
import { exemptionKinds } from "./sca-policy.ts";
import { needsThreeDs, planStepUp, planThreeDs, tightenThreeDs } from "./step-three-ds.ts";

/** Of the EEA, the United Kingdom, and elsewhere; empty is unknown. */
const countries = ["FR", "DK", "GB", "US", "JP", "IN", "BR", ""] as const;
const inside: ReadonlySet<string> = new Set(["FR", "DK", "GB"]);
const waiving: ReadonlySet<string> = new Set(["02", "05", "06", "07", "08", "10", "11"]);

type World = {
  readonly payment: Payment;
  readonly psp: Psp;
  readonly wish: ThreeDsWish | undefined;
  readonly floor: ThreeDsWish | undefined;
  readonly riskScore: number;
  readonly used: { readonly count: number; readonly sumMinor: number };
};

const wish: fc.Arbitrary<ThreeDsWish> = fc.record(
  {
    level: fc.constantFrom(...threeDsLevels),
    challengeIndicator: fc.constantFrom("01", "02", "03", "04", "05", "06", "10", "14"),
    exemption: fc.constantFrom("TRA", "low_value", "recurring", "secure_corporate"),
  },
  { requiredKeys: ["level"] },
);

const world: fc.Arbitrary<World> = fc
  .record({
    amountMinor: fc.oneof(
      fc.constantFrom(2_500, 2_501, 3_000, 3_001, 8_500, 10_000, 10_001, 25_000, 50_000, 50_001),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 80_000 }),
    ),
    currency: fc.constantFrom("EUR", "GBP", "SEK", "USD"),
    initiator: fc.constantFrom("CIT", "CIT", "CIT", "MIT", "MOTO"),
    isSetUp: fc.boolean(),
    recurring: fc.boolean(),
    trustedBeneficiary: fc.boolean(),
    issuerCountry: fc.constantFrom(...countries),
    funding: fc.constantFrom("credit", "debit", "prepaid", ""),
    anonymous: fc.boolean(),
    acquirerCountry: fc.constantFrom(...countries),
    threeDs: fc.boolean(),
    takesProof: fc.boolean(),
    fraudRateBps: fc.constantFrom(undefined, 1, 5, 6, 6.5, 13, 14),
    exemptions: fc.subarray([...exemptionKinds]),
    transStatus: fc.constantFrom(undefined, undefined, "Y", "A", "U", "I"),
    host: fc.constantFrom("MERCHANT", "PSP"),
    hasCryptogram: fc.boolean(),
    version: fc.constantFrom("2.1.0", "2.2.0", "2.3.1"),
    wish: fc.option(wish, { nil: undefined }),
    floor: fc.option(wish, { nil: undefined }),
    riskScore: fc.constantFrom(0, 499, 500, 1_000),
    used: fc.record({
      count: fc.constantFrom(0, 3, 4, 5),
      sumMinor: fc.constantFrom(0, 6_000, 7_500, 8_500),
    }),
  })
  .map((drawn) => {
    const { transStatus, host, hasCryptogram, issuerCountry, funding, anonymous } = drawn;
    const payment: Payment = {
      ...threeDsDeposit,
      amountMinor: drawn.amountMinor,
      currency: drawn.currency,
      initiator: drawn.initiator as Payment["initiator"],
      recurring: drawn.recurring,
      trustedBeneficiary: drawn.trustedBeneficiary,
      threeDsVersion: drawn.version,
      card: {
        anonymous,
        ...(issuerCountry === "" ? {} : { issuerCountry }),
        ...(funding === "" ? {} : { funding }),
      },
      ...(drawn.isSetUp ? { storedCredential: "SETUP" as const } : {}),
      ...(transStatus === undefined
        ? {}
        : { threeDs: { transStatus: transStatus as "Y", host: host as "PSP", hasCryptogram } }),
    };
    const { acquirerCountry, threeDs, takesProof, fraudRateBps, exemptions } = drawn;
    const psp = scaPsp({
      acquirerCountry,
      threeDs,
      sca: { takesProof, fraudRateBps, exemptions, threeDsVersion: "2.3.1" },
    });
    return {
      payment,
      psp,
      wish: drawn.wish,
      floor: drawn.floor,
      riskScore: drawn.riskScore,
      used: drawn.used,
    };
  });

/** Whether an amount is at most so much: of the own currency, or converted into euros. */
function isUpTo(
  { amountMinor, currency }: Payment,
  mostEur: number,
  mostGbp: number,
  acquirer: string,
): boolean {
  if (currency === "EUR") return amountMinor! <= mostEur;
  if (currency === "GBP") return amountMinor! <= mostGbp;
  const to = acquirer === "GB" ? "GBP" : "EUR";
  const converted = convertMinor(plainSca.fx, { amountMinor: amountMinor!, from: currency, to });
  return converted !== undefined && converted <= (to === "GBP" ? mostGbp : mostEur);
}

/** The exemptions that hold, spelled out. */
function listExemptions({ payment, psp, used }: World): readonly string[] {
  const { exemptions, fraudRateBps } = psp.sca;
  const acquirer = psp.acquirerCountry;
  const held: string[] = [];
  const inPounds = payment.currency === "GBP" || (payment.currency !== "EUR" && acquirer === "GB");
  const sum = convertMinor(plainSca.fx, {
    amountMinor: payment.amountMinor!,
    from: payment.currency,
    to: inPounds ? "GBP" : "EUR",
  });
  const fits = sum !== undefined && used.count < 5 && used.sumMinor + sum <= (inPounds ? 8_500 : 10_000);
  if (isUpTo(payment, 3_000, 2_500, acquirer) && fits) held.push("low_value");
  const tiers = [
    [13, 10_000, 8_500],
    [6, 25_000, 22_000],
    [1, 50_000, 44_000],
  ] as const;
  for (const [rate, eur, gbp] of tiers)
    if (fraudRateBps !== undefined && fraudRateBps <= rate && isUpTo(payment, eur, gbp, acquirer))
      held.push("tra");
  if (payment.recurring) held.push("recurring");
  if (payment.trustedBeneficiary) held.push("trusted_beneficiary");
  return held.filter((kind) => exemptions.includes(kind as (typeof exemptions)[number]));
}

type Naive = "CHALLENGE" | "AUTHENTICATE" | "OUT" | "NOBODY_KNOWS";

/** What the law and the house ask, in the plainest words; exemptions apart. */
function askLaw({ payment, psp, riskScore }: World): Naive {
  const issuer = payment.card!.issuerCountry ?? "";
  const funding = payment.card!.funding ?? "";
  const acquirer = psp.acquirerCountry;
  if (payment.storedCredential === "SETUP") return "CHALLENGE";
  if (riskScore >= 500) return "AUTHENTICATE";
  if (issuer === "JP" && (funding === "" || funding === "credit")) return "AUTHENTICATE";
  if (issuer === "BR" && (funding === "" || funding === "debit")) return "AUTHENTICATE";
  if (issuer === "IN" && acquirer === "IN") return "AUTHENTICATE";
  if (issuer === "IN" && acquirer === "") return "NOBODY_KNOWS";
  if (payment.card!.anonymous && (funding === "" || funding === "prepaid")) return "OUT";
  if ((issuer !== "" && !inside.has(issuer)) || (acquirer !== "" && !inside.has(acquirer))) return "OUT";
  return acquirer === "" ? "NOBODY_KNOWS" : "AUTHENTICATE";
}

describe("no step is looser than the law for its PSP", () => {
  test("whatever the rules wish", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { payment, psp, wish, floor, riskScore, used } = drawn;
        const context = { riskScore, lowValueUse: () => used };
        const need = needOf({ payment, wish, floor, context });
        const step = planThreeDs(need, psp);
        const isBarred = !psp.threeDs && needsThreeDs(need, psp);
        if (payment.initiator !== "CIT") {
          expect(["OUT_OF_SCOPE", "THREE_DS"]).toContain(step.requirement);
          if (step.requirement === "OUT_OF_SCOPE") expect(step.reason).toBe(payment.initiator);
          return;
        }
        const asked = askLaw(drawn);
        const isSca = asked === "AUTHENTICATE" && step.reason !== "RISK";
        switch (step.requirement) {
          case "THREE_DS": {
            if (step.useProof) {
              expect(payment.threeDs).toMatchObject({ host: "MERCHANT", hasCryptogram: true });
              expect(psp.sca.takesProof).toBe(true);
              expect(payment.threeDs!.transStatus).toMatch(asked === "CHALLENGE" ? /Y/ : /Y|A/);
              return;
            }
            expect(psp.threeDs).toBe(true);
            if (asked === "CHALLENGE") expect(step.challengeIndicator).toMatch(/04|14/);
            const isExempt = listExemptions(drawn).length > 0 && riskScore < 500;
            if (isSca && !isExempt) expect(waiving.has(step.challengeIndicator)).toBe(false);
            if (riskScore >= 500) expect(["03", "04", "14"]).toContain(step.challengeIndicator);
            return;
          }
          case "EXEMPTION":
            expect(listExemptions(drawn)).toContain(step.exemption);
            expect(asked).toBe("AUTHENTICATE");
            expect(riskScore).toBeLessThan(500);
            expect(inside.has(payment.card!.issuerCountry ?? "")).toBe(true);
            return;
          case "OUT_OF_SCOPE":
            expect(isBarred ? "OUT" : asked).toBe("OUT");
            return;
          case "NONE":
            expect(isBarred || asked === "NOBODY_KNOWS").toBe(true);
            return;
          case "NOT_APPLICABLE":
            expect.unreachable("a card deposit");
        }
      }),
      { numRuns: countRuns(3_000) },
    );
  });

  test("a demand of the rules is met or the PSP is out", () => {
    fc.assert(
      fc.property(world, ({ payment, psp, wish, floor, riskScore, used }) => {
        const need = needOf({ payment, wish, floor, context: { riskScore, lowValueUse: () => used } });
        const demand = payment.initiator === "CIT" ? wish : wish && floor;
        if (demand?.level !== "CHALLENGE" && demand?.level !== "REQUIRE") return;
        const step = planThreeDs(need, psp);
        if (!psp.threeDs && needsThreeDs(need, psp)) return;
        expect(step.requirement).toBe("THREE_DS");
        expect(planStepUp()).toMatchObject({ challengeIndicator: "04" });
      }),
      { numRuns: countRuns(1_000) },
    );
  });

  test("planned under an older law a step is never looser than it was, nor than the law is now", () => {
    const other = fc.record({
      riskScore: fc.constantFrom(0, 1_000),
      exemptions: fc.subarray([...exemptionKinds]),
    });
    fc.assert(
      fc.property(world, other, (drawn, now) => {
        const { payment, psp, wish, floor, riskScore, used } = drawn;
        const needAt = (score: number) =>
          needOf({ payment, wish, floor, context: { riskScore: score, lowValueUse: () => used } });
        const before = needAt(riskScore);
        if (!psp.threeDs && needsThreeDs(before, psp)) return;
        const planned = planThreeDs(before, psp);
        if (psp.threeDs) expect(tightenThreeDs(planned, before, psp), "the same law").toBe(planned);
        const changed = { ...psp, sca: { ...psp.sca, exemptions: now.exemptions } };
        const need = needAt(now.riskScore);
        const step = tightenThreeDs(planned, need, changed);
        if (payment.initiator !== "CIT") {
          expect(step).toBe(planned);
          return;
        }
        const anew = planThreeDs({ ...need, wish: undefined }, changed);
        if (step === undefined) {
          expect([changed.threeDs, anew.requirement]).toEqual([false, "NONE"]);
          return;
        }
        const order = ["NONE", "OUT_OF_SCOPE", "EXEMPTION", "THREE_DS"];
        const strictness = ({ requirement }: typeof planned) => Math.max(1, order.indexOf(requirement));
        expect(strictness(step)).toBeGreaterThanOrEqual(strictness(planned));
        expect(strictness(step)).toBeGreaterThanOrEqual(strictness(anew));
        if (step.requirement === "EXEMPTION" && anew.requirement === "EXEMPTION") expect(step).toEqual(anew);
        if (step.requirement !== "THREE_DS" || anew.requirement !== "THREE_DS") return;
        // A challenge is demanded where a credential is set up; before and after.
        if (anew.challengeIndicator === "04" && !anew.useProof) expect(step.challengeIndicator).toBe("04");
      }),
      { numRuns: countRuns(3_000) },
    );
  });
});
