import type { ScaPolicy as ScaPolicyMessage } from "../../gen/switchyard/v1/rule_set_pb.js";
import { countryCodes } from "../iso3166.ts";
import { houseScaPolicy } from "../sca/default-policy.ts";
import { openPolicy, type PolicyNow } from "../sca/policy-now.ts";
import type { LowValue, Mandate, ScaPolicy, TraTier } from "../sca/sca-policy.ts";
import { readScaPolicy } from "./compile/hydrate-sca.ts";
import { listTurns } from "./loosening-outcomes.ts";

/** After every change of the groups of countries that is known. */
const groupsAtMs = Date.UTC(9999, 0, 1);

/**
 * Whether SCA may be asked for less after a change, both in normal form, absent being the policy of the house: a country or a mandate less, an
 * exemption more or for more, a higher risk that is let through.
 */
export function mayLoosenSca(
  beforeMessage: ScaPolicyMessage | undefined,
  afterMessage: ScaPolicyMessage | undefined,
): boolean {
  const [before, after] = [readPolicy(beforeMessage), readPolicy(afterMessage)];
  if (risksMore(before, after)) return true;
  if (after.exemptionOrder.some((kind) => !before.exemptionOrder.includes(kind))) return true;
  const currencies = listCurrencies([before, after]);
  return listTurns(listDated(houseScaPolicy), [...listDated(before), ...listDated(after)]).some((atMs) => {
    const [was, is] = [openPolicy(before, atMs), openPolicy(after, atMs)];
    return leavesScope(was, is) || exemptsMore({ was, is, after, currencies }) || mandatesLess(was, is);
  });
}

function readPolicy(message: ScaPolicyMessage | undefined): ScaPolicy {
  return message === undefined ? houseScaPolicy : readScaPolicy(message, groupsAtMs);
}

function listDated({ zones, lowValue, tra, mandates }: ScaPolicy): Parameters<typeof listTurns>[1] {
  return [...zones, ...lowValue, ...tra, ...mandates];
}

/** The currencies of exemptions, and one that none is in. */
function listCurrencies(policies: readonly ScaPolicy[]): readonly string[] {
  const named = policies.flatMap(({ lowValue, tra }) =>
    [...lowValue, ...tra].map(({ amount }) => amount.currencyCode),
  );
  return ["", ...new Set(named)];
}

function risksMore(before: ScaPolicy, after: ScaPolicy): boolean {
  const { highRiskScore: was = Infinity } = before;
  const { highRiskScore: is = Infinity } = after;
  return is > was;
}

/** Whether two countries between which SCA was asked for are no longer so. */
function leavesScope(was: PolicyNow, is: PolicyNow): boolean {
  // Zones that are treated as one are one: its first country stands for all.
  const heads: { readonly zone: string; readonly country: string }[] = [];
  for (const country of countryCodes) {
    const zone = was.zoneOf(country);
    if (zone === undefined) continue;
    const head = heads.find((each) => was.areTogether(each.zone, zone));
    if (head === undefined) heads.push({ zone, country });
    if (!areInScope(is, head?.country ?? country, country)) return true;
  }
  return false;
}

function areInScope(policy: PolicyNow, country: string, other: string): boolean {
  const [zone, otherZone] = [policy.zoneOf(country), policy.zoneOf(other)];
  return zone !== undefined && otherZone !== undefined && policy.areTogether(zone, otherZone);
}

/** Whether an acquirer somewhere is exempt from more. */
function exemptsMore({
  was,
  is,
  after,
  currencies,
}: {
  readonly was: PolicyNow;
  readonly is: PolicyNow;
  readonly after: ScaPolicy;
  readonly currencies: readonly string[];
}): boolean {
  const pairs = new Map<string, readonly [string, string]>();
  for (const country of countryCodes) {
    const [old, now] = [was.zoneOf(country), is.zoneOf(country)];
    if (old !== undefined && now !== undefined) pairs.set(JSON.stringify([old, now]), [old, now]);
  }
  const uses = (kind: "low_value" | "tra"): boolean => after.exemptionOrder.includes(kind);
  return [...pairs.values()].some(([old, now]) =>
    currencies.some(
      (currency) =>
        (uses("low_value") && allowsMore(was.lowValueFor(old, currency), is.lowValueFor(now, currency))) ||
        (uses("tra") && hasHigherTier(was.tiersFor(old, currency), is.tiersFor(now, currency))),
    ),
  );
}

function allowsMore(was: LowValue | undefined, is: LowValue | undefined): boolean {
  if (is === undefined) return false;
  if (was === undefined || is.amount.currencyCode !== was.amount.currencyCode) return true;
  return (
    is.amount.minorUnits > was.amount.minorUnits ||
    is.cumulative.minorUnits > was.cumulative.minorUnits ||
    is.count > was.count
  );
}

function hasHigherTier(was: readonly TraTier[], is: readonly TraTier[]): boolean {
  return is.some(
    (tier) =>
      !was.some(
        (old) =>
          old.amount.currencyCode === tier.amount.currencyCode &&
          old.amount.minorUnits >= tier.amount.minorUnits &&
          old.fraudRateBps >= tier.fraudRateBps,
      ),
  );
}

function mandatesLess(was: PolicyNow, is: PolicyNow): boolean {
  return countryCodes.some((country) =>
    was
      .mandatesOf(country)
      .some((mandate) => !is.mandatesOf(country).some((kept) => holdsFor(kept, mandate))),
  );
}

function holdsFor(kept: Mandate, mandate: Mandate): boolean {
  const coversFundings =
    kept.fundings.length === 0 ||
    (mandate.fundings.length > 0 && mandate.fundings.every((funding) => kept.fundings.includes(funding)));
  return coversFundings && (mandate.domesticOnly || !kept.domesticOnly);
}
