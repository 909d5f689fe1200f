import { describe, expect, test } from "vitest";
import { needOf, scaPsp } from "../../../test/helpers/three-ds.ts";
import type { Payment } from "../payment.ts";
import { planThreeDs } from "./step-three-ds.ts";

type Row = {
  readonly name: string;
  readonly amount: [minorUnits: number, currency: string];
  readonly acquirer?: string;
  readonly fraudRateBps?: number;
  readonly used?: [count: number, sumMinor: number | undefined];
  /** Kind of the exemption; empty where 3DS is run. */
  readonly want: string;
};

/** The exemption that a card of France gets; empty where none. */
function exemptionOf({ amount, acquirer = "FR", fraudRateBps, used = [0, 0] }: Row): string {
  const payment: Partial<Payment> = {
    amountMinor: amount[0],
    currency: amount[1],
    card: { issuerCountry: "FR", fingerprint: "f" },
  };
  const [count, sumMinor] = used;
  const need = needOf({ payment, context: { lowValueUse: () => ({ count, sumMinor }) } });
  const step = planThreeDs(need, scaPsp({ acquirerCountry: acquirer, sca: { fraudRateBps } }));
  return step.requirement === "EXEMPTION" ? step.exemption : "";
}

describe("the low-value exemption", () => {
  test.each<Row>([
    { name: "EUR 30.00", amount: [3_000, "EUR"], want: "low_value" },
    { name: "EUR 30.01", amount: [3_001, "EUR"], want: "" },
    { name: "GBP 25.00", amount: [2_500, "GBP"], acquirer: "GB", want: "low_value" },
    { name: "GBP 25.01", amount: [2_501, "GBP"], acquirer: "GB", want: "" },
    { name: "GBP 25.01 at an acquirer of the EEA", amount: [2_501, "GBP"], want: "" },
    { name: "SEK 333.33, which is EUR 30.00", amount: [33_333, "SEK"], want: "low_value" },
    { name: "SEK 333.40, which is EUR 30.01", amount: [33_340, "SEK"], want: "" },
    { name: "a currency without a rate", amount: [100, "USD"], want: "" },
    { name: "the fifth", amount: [2_000, "EUR"], used: [4, 0], want: "low_value" },
    { name: "the sixth", amount: [2_000, "EUR"], used: [5, 0], want: "" },
    { name: "a sum of EUR 100.00", amount: [2_000, "EUR"], used: [1, 8_000], want: "low_value" },
    { name: "a sum of EUR 100.01", amount: [2_000, "EUR"], used: [1, 8_001], want: "" },
    { name: "a sum that nobody can tell", amount: [2_000, "EUR"], used: [1, undefined], want: "" },
  ])("$name", (row) => {
    expect(exemptionOf(row)).toBe(row.want);
  });

  test("is not for a card that nobody knows", () => {
    const payment = { amountMinor: 100, card: { issuerCountry: "FR" } };
    const need = needOf({ payment, context: { lowValueUse: () => undefined } });
    expect(planThreeDs(need, scaPsp())).toMatchObject({ requirement: "THREE_DS", reason: "SCA" });
  });
});

describe("the exemption by risk analysis", () => {
  const full: [number, number] = [5, 10_000];
  test.each<Row>([
    { name: "no rate of the PSP's own", amount: [4_000, "EUR"], want: "" },
    { name: "13 bp, EUR 100.00", amount: [10_000, "EUR"], fraudRateBps: 13, want: "tra" },
    { name: "13 bp, EUR 100.01", amount: [10_001, "EUR"], fraudRateBps: 13, want: "" },
    { name: "13.1 bp", amount: [4_000, "EUR"], fraudRateBps: 13.1, want: "" },
    { name: "6 bp, EUR 250.00", amount: [25_000, "EUR"], fraudRateBps: 6, want: "tra" },
    { name: "6.1 bp, EUR 250.00", amount: [25_000, "EUR"], fraudRateBps: 6.1, want: "" },
    { name: "1 bp, EUR 500.00", amount: [50_000, "EUR"], fraudRateBps: 1, want: "tra" },
    { name: "1 bp, EUR 500.01", amount: [50_001, "EUR"], fraudRateBps: 1, want: "" },
    {
      name: "12 bp, EUR 100.00 in the UK",
      amount: [10_000, "EUR"],
      acquirer: "GB",
      fraudRateBps: 12,
      want: "tra",
    },
    {
      name: "12 bp, GBP 85.00 in the UK",
      amount: [8_500, "GBP"],
      acquirer: "GB",
      fraudRateBps: 12,
      want: "tra",
    },
    {
      name: "12 bp, GBP 85.01 in the UK",
      amount: [8_501, "GBP"],
      acquirer: "GB",
      fraudRateBps: 12,
      want: "",
    },
    { name: "low value used up", amount: [2_000, "EUR"], fraudRateBps: 5, used: full, want: "tra" },
  ])("$name", (row) => {
    expect(exemptionOf(row)).toBe(row.want);
  });
});
