import type { RuleSnapshot } from "../rules/snapshot.ts";
import { type BreakerPolicy, defaultBreakerPolicy } from "./breaker-policy.ts";

/** By the house's policy whoever is in a segment of this id never probes; a policy of the rule set names its own. */
const vipSegment = "vip";

const houses = new WeakMap<RuleSnapshot, BreakerPolicy>();

/** The policy of a rule set, else that of the house. */
export function policyOf(snapshot: RuleSnapshot): BreakerPolicy {
  if (snapshot.breakerPolicy !== undefined) return snapshot.breakerPolicy;
  let house = houses.get(snapshot);
  if (house === undefined) {
    const vip = snapshot.segments.findIndex(({ id }) => id === vipSegment);
    house = vip === -1 ? defaultBreakerPolicy : { ...defaultBreakerPolicy, neverProbe: [vip] };
    houses.set(snapshot, house);
  }
  return house;
}
