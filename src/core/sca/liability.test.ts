import { describe, expect, test } from "vitest";
import type { ThreeDsResult } from "../payment.ts";
import { eciTable, judgeShift, type LiableCard } from "./liability.ts";

const card: LiableCard = {
  scheme: "visa",
  issuerCountry: "FR",
  isPrepaid: false,
  isReloadable: undefined,
};
const result: ThreeDsResult = { transStatus: "Y", eci: "05", host: "MERCHANT", hasCryptogram: true };

describe("the shift of liability", () => {
  test.each(eciTable.flatMap((row) => row.schemes.map((scheme) => ({ ...row, scheme }))))(
    "of $scheme with ECI $eci, $meaning: $shifts",
    ({ scheme, eci, shifts }) => {
      expect(judgeShift({ ...result, eci }, { ...card, scheme })).toBe(shifts ? "EXPECTED" : "NOT_EXPECTED");
    },
  );

  test("has one row for each scheme and indicator", () => {
    const keys = eciTable.flatMap(({ schemes, eci }) => schemes.map((scheme) => `${scheme} ${eci}`));
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each<{ name: string; result?: Partial<ThreeDsResult>; card?: Partial<LiableCard>; want: string }>([
    { name: "no cryptogram", result: { hasCryptogram: false }, want: "NOT_EXPECTED" },
    { name: "not run", result: { transStatus: "U" }, want: "NOT_EXPECTED" },
    { name: "informational only", result: { transStatus: "I" }, want: "NOT_EXPECTED" },
    { name: "an issuer of the US", card: { issuerCountry: "US" }, want: "UNKNOWN" },
    { name: "a scheme that nobody knows", card: { scheme: undefined }, want: "UNKNOWN" },
    { name: "an indicator of another scheme", result: { eci: "02" }, want: "UNKNOWN" },
    {
      name: "06 of a Visa that can't be reloaded",
      result: { eci: "06" },
      card: { isPrepaid: true, isReloadable: false },
      want: "NOT_EXPECTED",
    },
    {
      name: "06 of a Visa that can",
      result: { eci: "06" },
      card: { isPrepaid: true, isReloadable: true },
      want: "EXPECTED",
    },
    {
      name: "06 of a prepaid Visa who knows",
      result: { eci: "06" },
      card: { isPrepaid: true },
      want: "UNKNOWN",
    },
    {
      name: "06 of a JCB that can't be reloaded",
      result: { eci: "06" },
      card: { scheme: "jcb", isPrepaid: true, isReloadable: false },
      want: "EXPECTED",
    },
  ])("$name: $want", ({ result: changes, card: of, want }) => {
    expect(judgeShift({ ...result, ...changes }, { ...card, ...of })).toBe(want);
  });
});
