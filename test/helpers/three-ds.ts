import { unknownBin } from "../../src/core/bin/bin-table.ts";
import { buildFx } from "../../src/core/money.ts";
import type { Payment } from "../../src/core/payment.ts";
import { noWish } from "../../src/core/rules/facets/three-ds.ts";
import type { Psp, ThreeDsWish } from "../../src/core/rules/snapshot.ts";
import { houseScaPolicy } from "../../src/core/sca/default-policy.ts";
import { defaultPspSca } from "../../src/core/sca/sca-policy.ts";
import { assessThreeDs, type ScaContext, type ThreeDsNeed } from "../../src/core/sca/step-three-ds.ts";
import { plainDeposit } from "./card-deposit.ts";
import { cardPsp } from "./card-psp.ts";

const built = buildFx({
  rates: [
    { from: "GBP", to: "EUR", rate: "1.15" },
    { from: "SEK", to: "EUR", rate: "0.09" },
  ],
});
if (!built.ok) throw new Error("rates");
const { fx } = built;

/** The policy of the house, low risk, rates of GBP and SEK, and a card that was never exempt. */
export const plainSca: ScaContext = {
  policy: houseScaPolicy,
  bin: unknownBin,
  riskScore: 0,
  fx,
  lowValueUse: () => ({ count: 0, sumMinor: 0 }),
  nowMs: Date.UTC(2026, 10, 16, 12),
};

/** A card deposit of EUR 80 that the player starts. */
export const threeDsDeposit: Payment = { ...plainDeposit, merchantId: "m", amountMinor: 8_000 };

/** What a payment needs of 3DS; the rules are silent where `wish` is absent. */
export function needOf(asked: {
  readonly payment?: Partial<Payment>;
  readonly wish?: ThreeDsWish | undefined;
  readonly floor?: ThreeDsWish | undefined;
  readonly context?: Partial<ScaContext>;
}): ThreeDsNeed {
  const facet = asked.wish === undefined ? noWish : { wish: asked.wish, floor: asked.floor };
  return assessThreeDs({ ...threeDsDeposit, ...asked.payment }, facet, { ...plainSca, ...asked.context });
}

/** A PSP for cards, as far as 3DS is concerned. */
export function scaPsp(
  changes: Partial<Omit<Psp, "sca">> & { readonly sca?: Partial<Psp["sca"]> } = {},
): Psp {
  return {
    ...cardPsp,
    acquirerCountry: "FR",
    ...changes,
    sca: { ...defaultPspSca, ...changes.sca },
  };
}
