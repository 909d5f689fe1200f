import type { LowValue, Mandate, ScaPolicy, TraTier } from "./sca-policy.ts";

/** A policy as of an instant, ready to be asked. */
export type PolicyNow = {
  /** Id of the zone of a country; undefined where SCA is not asked for there. */
  readonly zoneOf: (country: string) => string | undefined;
  /** Whether a payment between an issuer and an acquirer of two zones is as one inside a zone. */
  readonly areTogether: (zone: string, other: string) => boolean;
  /**
   * What an amount is held against at an acquirer of the zone: the threshold in the payment's own currency, of the zone itself or else of one that is
   * treated as one with it; without such, the zone's own, into which amounts convert.
   */
  readonly lowValueFor: (zone: string, currency: string) => LowValue | undefined;
  /** The same of the tiers of risk analysis. */
  readonly tiersFor: (zone: string, currency: string) => readonly TraTier[];
  readonly mandatesOf: (country: string) => readonly Mandate[];
  readonly exemptionOrder: ScaPolicy["exemptionOrder"];
  readonly highRiskScore: number | undefined;
};

/** `[fromMs, untilMs)`: no entry begins to count in between. */
type Opened = { readonly fromMs: number; readonly untilMs: number; readonly now: PolicyNow };

const opened = new WeakMap<ScaPolicy, Opened>();

/** The entries of a policy that count at an instant. Made once for each stretch of time in which they are the same. */
export function openPolicy(policy: ScaPolicy, nowMs: number): PolicyNow {
  let known = opened.get(policy);
  if (known === undefined || nowMs < known.fromMs || nowMs >= known.untilMs) {
    known = { ...findStretch(policy, nowMs), now: openAt(policy, nowMs) };
    opened.set(policy, known);
  }
  return known.now;
}

function findStretch(
  { zones, lowValue, tra, mandates }: ScaPolicy,
  nowMs: number,
): { readonly fromMs: number; readonly untilMs: number } {
  let fromMs = -Infinity;
  let untilMs = Infinity;
  for (const entry of [...zones, ...lowValue, ...tra, ...mandates]) {
    const beginsMs = entry.fromMs ?? -Infinity;
    if (beginsMs <= nowMs) fromMs = Math.max(fromMs, beginsMs);
    else untilMs = Math.min(untilMs, beginsMs);
  }
  return { fromMs, untilMs };
}

function openAt(policy: ScaPolicy, nowMs: number): PolicyNow {
  const counts = ({ fromMs }: { readonly fromMs?: number | undefined }): boolean =>
    fromMs === undefined || fromMs <= nowMs;
  const zones = new Map<string, string>();
  for (const { id, countries } of policy.zones.filter(counts))
    for (const country of countries) zones.set(country, id);
  const united = new Set(policy.treatedAsOne);
  const areTogether = (zone: string, other: string): boolean =>
    zone === other || (united.has(zone) && united.has(other));
  const lowValue = pickLatest(policy.lowValue.filter(counts), ({ zone }) => zone);
  const tra = pickLatest(policy.tra.filter(counts), ({ zone, fraudRateBps }) => `${zone} ${fraudRateBps}`);
  const mandates = Map.groupBy(policy.mandates.filter(counts), ({ country }) => country);
  const lowValueFor = rememberPair((zone, currency) => inCurrency(lowValue, areTogether, zone, currency)[0]);
  const tiersFor = rememberPair((zone, currency) => inCurrency(tra, areTogether, zone, currency));
  return {
    zoneOf: (country) => zones.get(country),
    areTogether,
    lowValueFor,
    tiersFor,
    mandatesOf: (country) => mandates.get(country) ?? noMandates,
    exemptionOrder: policy.exemptionOrder,
    highRiskScore: policy.highRiskScore,
  };
}

const noMandates: readonly Mandate[] = [];

/** Of entries with the same key the one that began last, in order of the entries. */
function pickLatest<T extends { readonly fromMs: number | undefined }>(
  entries: readonly T[],
  keyOf: (entry: T) => string,
): readonly T[] {
  const latest = new Map<string, T>();
  for (const entry of entries) {
    const before = latest.get(keyOf(entry));
    const isLater = before === undefined || (entry.fromMs ?? -Infinity) >= (before.fromMs ?? -Infinity);
    if (isLater) latest.set(keyOf(entry), entry);
  }
  return [...latest.values()];
}

function inCurrency<T extends LowValue | TraTier>(
  all: readonly T[],
  areTogether: PolicyNow["areTogether"],
  zone: string,
  currency: string,
): readonly T[] {
  const own = all.filter((entry) => entry.zone === zone);
  const isIn = ({ amount }: T): boolean => amount.currencyCode === currency;
  if (own.some(isIn)) return own.filter(isIn);
  const near = all.filter((entry) => areTogether(entry.zone, zone) && isIn(entry));
  return near.length > 0 ? near : own;
}

/** Zones are few, and currencies those of ISO 4217 that payments are checked for. */
function rememberPair<T>(find: (zone: string, currency: string) => T): (zone: string, currency: string) => T {
  const known = new Map<string, Map<string, T>>();
  return (zone, currency) => {
    let ofZone = known.get(zone);
    if (ofZone === undefined) {
      ofZone = new Map();
      known.set(zone, ofZone);
    }
    let found = ofZone.get(currency);
    if (found === undefined && !ofZone.has(currency)) {
      found = find(zone, currency);
      ofZone.set(currency, found);
    }
    return found as T;
  };
}
