import { describe, expect, test } from "vitest";
import { cardPsp } from "../../../test/helpers/card-psp.ts";
import type { MembershipList } from "../cel/expr.ts";
import { buildFx } from "../money.ts";
import type { Psp } from "../rules/snapshot.ts";
import { describeBarrier, findAccount, findBarrier } from "./eligibility.ts";
import { costOf, rankPsps } from "./rank.ts";
import type { RoutingCase } from "./routing-case.ts";

const built = buildFx({ rates: [{ from: "GBP", to: "EUR", rate: "1.15" }] });
if (!built.ok) throw new Error("rates");
const list = (...values: readonly string[]): MembershipList => ({ has: (value) => values.includes(value) });

const psp: Psp = { ...cardPsp, id: "alpha", name: "" };

const payment: RoutingCase = {
  merchantId: "m",
  paymentId: "pay",
  kind: "deposit",
  method: "card",
  currency: "EUR",
  amountMinor: 5000,
  isCard: true,
  scheme: "visa",
  bin: "457104",
  issuerCountry: "DK",
  playerCountry: "DK",
  credential: undefined,
  brand: "aurora",
  licence: "MT",
  fx: built.fx,
  lists: [list("457104"), list("400000")],
  needsThreeDs: () => false,
  isLenient: false,
};

const eur = (minorUnits: number) => ({ minorUnits, currencyCode: "EUR" });
const range = (min: number | undefined, max: number | undefined, methods: readonly string[] = []) => ({
  methods,
  min: min === undefined ? undefined : eur(min),
  max: max === undefined ? undefined : eur(max),
});
const account = (parts: { brands?: string[]; licences?: string[]; currencies?: string[] }, mid = "m-1") => ({
  mid,
  brands: [],
  licences: [],
  currencies: [],
  mcc: "7995",
  ...parts,
});

describe("eligibility", () => {
  test.each<{
    name: string;
    can: Partial<Psp>;
    asks?: Partial<RoutingCase>;
    removedBy: string | undefined;
    says?: string;
  }>([
    { name: "a PSP that does not care takes it", can: {}, removedBy: undefined },
    {
      name: "another kind",
      can: { kinds: ["withdrawal"] },
      removedBy: "kind",
      says: "serves withdrawal, not deposit",
    },
    {
      name: "another method",
      can: { methods: ["pix", "sepa"] },
      removedBy: "method",
      says: "serves pix, sepa, not card",
    },
    { name: "another currency", can: { currencies: ["GBP"] }, removedBy: "currency" },
    { name: "the least amount", can: { amounts: [range(5000, 6000)] }, removedBy: undefined },
    {
      name: "one below the least",
      can: { amounts: [range(5001, undefined)] },
      removedBy: "amount",
      says: "takes from EUR 50.01, not EUR 50.00",
    },
    { name: "the greatest amount", can: { amounts: [range(undefined, 5000)] }, removedBy: undefined },
    {
      name: "one above the greatest",
      can: { amounts: [range(undefined, 4999)] },
      removedBy: "amount",
      says: "takes to EUR 49.99, not EUR 50.00",
    },
    {
      name: "the first range of the method counts",
      can: { amounts: [range(9000, undefined, ["pix"]), range(1, 9000), range(9000, undefined)] },
      removedBy: undefined,
    },
    {
      name: "an amount that converts",
      can: { amounts: [range(5750, 5750)] },
      asks: { currency: "GBP" },
      removedBy: undefined,
    },
    {
      name: "an amount without a rate",
      can: { amounts: [range(1, undefined)] },
      asks: { currency: "SEK" },
      removedBy: "amount",
      says: "no rate from SEK to EUR",
    },
    {
      name: "an amount that is not known yet",
      can: { amounts: [range(9000, undefined)] },
      asks: { amountMinor: undefined },
      removedBy: undefined,
    },
    {
      name: "another scheme",
      can: { schemes: ["mastercard"] },
      removedBy: "scheme",
      says: "takes mastercard, not visa",
    },
    {
      name: "an unknown scheme",
      can: { schemes: ["visa"] },
      asks: { scheme: undefined },
      removedBy: "scheme",
      says: "takes visa, not an unknown scheme",
    },
    {
      name: "an unknown scheme in the cashier",
      can: { schemes: ["visa"] },
      asks: { scheme: undefined, isLenient: true },
      removedBy: undefined,
    },
    {
      name: "no card, so no scheme",
      can: { schemes: ["visa"] },
      asks: { isCard: false, scheme: undefined },
      removedBy: undefined,
    },
    {
      name: "another country",
      can: { countries: ["SE"] },
      removedBy: "country",
      says: "does not take players of DK",
    },
    {
      name: "an unknown country",
      can: { countries: ["SE"] },
      asks: { playerCountry: undefined },
      removedBy: "country",
      says: "country of the player is unknown",
    },
    {
      name: "an excluded country",
      can: { excludedCountries: ["DK"] },
      removedBy: "country",
      says: "refuses players of DK",
    },
    {
      name: "an unknown country is not excluded",
      can: { excludedCountries: ["DK"] },
      asks: { playerCountry: undefined },
      removedBy: undefined,
    },
    {
      name: "another issuer country",
      can: { issuerCountries: ["SE"] },
      removedBy: "issuer_country",
      says: "does not take issuers of DK",
    },
    {
      name: "an excluded issuer country",
      can: { excludedIssuerCountries: ["DK"] },
      removedBy: "issuer_country",
      says: "refuses issuers of DK",
    },
    {
      name: "no card, so no issuer",
      can: { issuerCountries: ["SE"] },
      asks: { isCard: false },
      removedBy: undefined,
    },
    { name: "a BIN in its list", can: { binList: 0 }, removedBy: undefined },
    {
      name: "a BIN not in its list",
      can: { binList: 1 },
      removedBy: "bin",
      says: "457104 is not in its BIN list",
    },
    {
      name: "an unknown BIN where it must be listed",
      can: { binList: 0 },
      asks: { bin: undefined },
      removedBy: "bin",
    },
    {
      name: "an excluded BIN",
      can: { excludedBinList: 0 },
      removedBy: "bin",
      says: "457104 is in its excluded BIN list",
    },
    {
      name: "an unknown BIN is not excluded",
      can: { excludedBinList: 0 },
      asks: { bin: undefined },
      removedBy: undefined,
    },
    {
      name: "another credential",
      can: {},
      asks: { credential: "PSP_TOKEN" },
      removedBy: "credential",
      says: "takes PAN, not PSP_TOKEN",
    },
    {
      name: "no account of the brand",
      can: { accounts: [account({ brands: ["crown"] })] },
      removedBy: "account",
    },
    {
      name: "no account of the licence",
      can: { accounts: [account({ licences: ["GB"] })] },
      removedBy: "account",
    },
    {
      name: "no licence where one is asked for",
      can: { accounts: [account({ licences: ["MT"] })] },
      asks: { licence: undefined },
      removedBy: "account",
    },
    {
      name: "no account of the currency",
      can: { accounts: [account({ currencies: ["GBP"] })] },
      removedBy: "account",
    },
    {
      name: "3DS where it cannot",
      can: { threeDs: false },
      asks: { needsThreeDs: () => true },
      removedBy: "three_ds",
    },
    { name: "no 3DS where it cannot", can: { threeDs: false }, removedBy: undefined },
  ])("$name", ({ can, asks, removedBy, says }) => {
    const [candidate, asked] = [
      { ...psp, ...can },
      { ...payment, ...asks },
    ];
    const barrier = findBarrier(candidate, asked);
    expect(barrier).toBe(removedBy);
    if (says !== undefined) expect(describeBarrier(barrier!, candidate, asked)).toBe(says);
  });

  test("the first account that fits is used", () => {
    const accounts = [
      account({ licences: ["GB"] }, "gb"),
      account({ brands: ["aurora"] }, "brand"),
      account({}, "any"),
    ];
    expect(findAccount({ ...psp, accounts }, payment)?.mid).toBe("brand");
  });
});

const fees: readonly Psp["fees"][] = [
  [
    { methods: [], regions: ["SE"], fixed: undefined, bps: 1 },
    { methods: [], regions: ["DK"], fixed: eur(10), bps: 100 },
  ],
  [{ methods: ["card"], regions: [], fixed: undefined, bps: 100 }],
  [{ methods: [], regions: [], fixed: { minorUnits: 20, currencyCode: "GBP" }, bps: 54 }],
  [{ methods: [], regions: [], fixed: { minorUnits: 1, currencyCode: "SEK" }, bps: 0 }],
];

describe("ranking", () => {
  const psps = ["a", "b", "c", "d"].map((id, at): Psp => ({ ...psp, id, fees: fees[at]! }));
  const all = (): boolean => true;

  test("priority keeps its order and leaves out who did not stay", () => {
    const strategy = { kind: "priority", id: "s", psps: [2, 0, 2, 1] } as const;
    expect(rankPsps(strategy, psps, payment, (at) => at !== 0)).toEqual([2, 1]);
  });

  test("without a strategy PSPs stand by id", () => {
    expect(rankPsps(undefined, psps, payment, (at) => at !== 1)).toEqual([0, 2, 3]);
  });

  test("least cost goes by cost, then id; unknown costs come last", () => {
    expect(psps.map((each) => costOf(each, payment))).toEqual([60, 50, 50, undefined]);
    expect(rankPsps({ kind: "least_cost", id: "s", psps: [] }, psps, payment, all)).toEqual([1, 2, 0, 3]);
    expect(rankPsps({ kind: "least_cost", id: "s", psps: [3, 0] }, psps, payment, all)).toEqual([0, 3]);
  });

  test.each([
    { name: "a half is rounded up", amountMinor: 50, bps: 100, cost: 1 },
    { name: "less than a half is rounded down", amountMinor: 49, bps: 100, cost: 0 },
    {
      name: "a product beyond 2^53 is exact",
      amountMinor: 9_007_199_254_740_991,
      bps: 9_999,
      cost: 9_006_298_534_815_517,
    },
  ])("$name", ({ amountMinor, bps, cost }) => {
    const cheap = { ...psp, fees: [{ methods: [], regions: [], fixed: undefined, bps }] };
    expect(costOf(cheap, { ...payment, amountMinor })).toBe(cost);
  });

  test("a draw without the PSP that is out keeps the order of the others", () => {
    const weights = [0, 1, 2, 3].map((at) => ({ psp: at, weight: 10 * (at + 1) }));
    const strategy = { kind: "weighted", id: "split", weights } as const;
    for (let n = 0; n < 50; n++) {
      const asked = { ...payment, paymentId: `pay-${n}` };
      const order = rankPsps(strategy, psps, asked, all);
      expect(rankPsps(strategy, psps, asked, (at) => at !== 2)).toEqual(order.filter((at) => at !== 2));
    }
  });
});
