import { identifyInstrument } from "../core/limits/subjects.ts";
import type { Resolution } from "../core/rules/resolve.ts";
import { houseScaPolicy } from "../core/sca/default-policy.ts";
import { type LowValueUse, readLowValueUse } from "../core/sca/low-value.ts";
import { assessThreeDs, type ThreeDsNeed } from "../core/sca/step-three-ds.ts";
import type { DecisionState, Judgement } from "./judge.ts";

/** What the payment needs of 3DS, by the SCA policy of its rule set. */
export function assessSca(
  { facts, workspace }: Judgement,
  { threeDs, riskScore }: Resolution,
  ledger: DecisionState["ledger"],
): ThreeDsNeed {
  const { payment, player, bin, nowMs } = facts;
  const { fx, scaPolicy } = workspace.snapshot;
  const instrument = payment.card === undefined ? "" : identifyInstrument(payment.card);
  // A BIN and four digits may be another player's card as well.
  const playerId = instrument.startsWith("bin:") ? player.playerId : undefined;
  const uses = new Map<string, LowValueUse>();
  const lowValueUse = (currency: string): LowValueUse | undefined => {
    if (instrument === "") return undefined;
    let use = uses.get(currency);
    if (use === undefined) {
      const history = ledger?.historyOf({ kind: "card", id: instrument });
      use = readLowValueUse(history, { currency, fx, playerId });
      uses.set(currency, use);
    }
    return use;
  };
  const policy = scaPolicy ?? houseScaPolicy;
  return assessThreeDs(payment, threeDs, { policy, bin, riskScore, fx, lowValueUse, nowMs });
}
