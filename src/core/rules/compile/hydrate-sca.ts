import type { ScaPolicy as ScaPolicyMessage } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { houseScaPolicy } from "../../sca/default-policy.ts";
import type { ExemptionKind, ScaPolicy } from "../../sca/sca-policy.ts";
import { toMs } from "../names.ts";
import { resolveRegions } from "../regions.ts";
import { readMoney } from "./hydrate-rule.ts";

/**
 * The SCA policy of a checked rule set. Parts that it does not name are those of the house, as far as they are about its zones; only a high-risk score that is not
 * given is none.
 *
 * Units: `nowMs`, ms since the epoch, fixes who is in the EU, the EEA and the UK.
 */
export function readScaPolicy(policy: ScaPolicyMessage, nowMs: number): ScaPolicy {
  const house = houseScaPolicy;
  const own = policy.zones.map(({ id, countries }) => ({ id, countries: resolveRegions(countries, nowMs) }));
  const zones = own.length > 0 ? own : house.zones;
  const isKnown = ({ zone }: { readonly zone: string }): boolean => zones.some(({ id }) => id === zone);
  const lowValue = policy.lowValue.map(({ zone, amount, cumulative, count, from }) => ({
    zone,
    amount: readMoney(amount!),
    cumulative: readMoney(cumulative!),
    count,
    fromMs: from && toMs(from),
  }));
  const tra = policy.tra.map(({ zone, amount, fraudRateBps, from }) => ({
    zone,
    amount: readMoney(amount!),
    fraudRateBps,
    fromMs: from && toMs(from),
  }));
  const mandates = policy.mandates.map(({ country, fundings, domesticOnly, from }) => ({
    country,
    fundings,
    domesticOnly,
    fromMs: from && toMs(from),
  }));
  return {
    zones,
    treatedAsOne: own.length > 0 || policy.treatedAsOne.length > 0 ? policy.treatedAsOne : house.treatedAsOne,
    lowValue: lowValue.length > 0 ? lowValue : house.lowValue.filter(isKnown),
    tra: tra.length > 0 ? tra : house.tra.filter(isKnown),
    mandates: mandates.length > 0 ? mandates : house.mandates,
    exemptionOrder:
      policy.exemptionOrder.length > 0
        ? (policy.exemptionOrder as readonly ExemptionKind[])
        : house.exemptionOrder,
    highRiskScore: policy.highRiskScore === 0 ? undefined : policy.highRiskScore,
  };
}
