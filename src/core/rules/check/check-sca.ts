import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Money } from "../../../gen/switchyard/v1/payment_pb.js";
import type {
  ScaPolicy,
  ScaPolicy_LowValue,
  ScaPolicy_Mandate,
  ScaPolicy_Tra,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote, suggest } from "../../cel/faults.ts";
import { fundings } from "../../facts.ts";
import { houseScaPolicy } from "../../sca/default-policy.ts";
import { exemptionKinds } from "../../sca/sca-policy.ts";
import type { FaultList } from "../document/fault.ts";
import { toMs } from "../names.ts";
import { isRegion, resolveRegions } from "../regions.ts";
import type { CheckInput } from "./check-input.ts";
import { findUnrated, warnUnrated } from "./check-rates.ts";
import {
  checkCountry,
  checkId,
  checkInstant,
  checkMoney,
  checkRange,
  checkReference,
  checkSet,
  checkSize,
} from "./values.ts";

const zonesMax = 16;
const regionsMax = 300;
const amountsMax = 64;
const mandatesMax = 300;
const bpsMax = 10_000;
const scoreMax = 1_000;
const countMax = 1_000;

/** Checks `sca_policy`. */
export function checkScaPolicy(input: CheckInput): void {
  const { faults, ruleSet } = input;
  const policy = ruleSet.scaPolicy;
  if (policy === undefined) return;
  checkZones(input, policy);
  checkAmounts(input, policy);
  checkMandates(faults, policy.mandates);
  checkExemptions(faults, "sca_policy.exemption_order", policy.exemptionOrder);
  checkRange(faults, "sca_policy.high_risk_score", policy.highRiskScore, [0, scoreMax]);
}

/** Kinds of exemptions, each once. */
export function checkExemptions(faults: FaultList, path: string, kinds: readonly string[]): void {
  checkSet(faults, { path, values: kinds, max: exemptionKinds.length }, (at, kind) => {
    if (exemptionKinds.some((known) => known === kind)) return;
    const message = `${quote(kind)} is none of ${exemptionKinds.join(", ")}${suggest(kind, exemptionKinds)}`;
    faults.error(at, "bad-exemption", message);
  });
}

function checkZones({ faults, nowMs }: CheckInput, { zones, treatedAsOne }: ScaPolicy): void {
  const path = "sca_policy.zones";
  if (!checkSize(faults, path, zones.length, zonesMax)) return;
  const seen = new Map<string, string>();
  const zoneOf = new Map<string, string>();
  for (const [index, { id, countries }] of zones.entries()) {
    const at = `${path}[${index}]`;
    checkId(faults, `${at}.id`, id, seen);
    if (countries.length === 0) faults.error(`${at}.countries`, "missing", "a zone needs a country");
    checkSet(faults, { path: `${at}.countries`, values: countries, max: regionsMax }, (place, region) => {
      if (!isRegion(region)) {
        const message = `${quote(region)} is no ISO 3166-1 alpha-2 code, and none of EU, EEA, UK`;
        faults.error(place, "country", message);
      }
    });
    const inside = resolveRegions(countries, nowMs);
    const shared = inside.find((country) => zoneOf.has(country));
    if (shared !== undefined) {
      const message = `${shared} is in the zone ${quote(zoneOf.get(shared)!)} already`;
      faults.error(`${at}.countries`, "zone-overlap", message);
    }
    for (const country of inside) zoneOf.set(country, id);
  }
  const treated = { path: "sca_policy.treated_as_one", values: treatedAsOne, max: zonesMax };
  const ids = listZones({ zones });
  checkSet(faults, treated, (at, id) => checkZone(faults, at, id, ids));
}

/** Ids of zones; those of the house where the rule set has none of its own. */
function listZones({ zones }: Pick<ScaPolicy, "zones">): ReadonlySet<string> {
  return new Set((zones.length > 0 ? zones : houseScaPolicy.zones).map(({ id }) => id));
}

function checkZone(faults: FaultList, path: string, id: string, ids: ReadonlySet<string>): void {
  if (id === "") faults.error(path, "missing", "say of which zone");
  else checkReference(faults, path, id, { ids, rule: "unknown-zone", noun: "zone" });
}

/** Low-value exemptions and tiers of risk analysis. */
function checkAmounts({ faults, ruleSet }: CheckInput, policy: ScaPolicy): void {
  const ids = listZones(policy);
  const unrated = findUnrated(ruleSet);
  const check = <T extends ScaPolicy_LowValue | ScaPolicy_Tra>(
    name: string,
    entries: readonly T[],
    checkOwn: (entry: T, path: string) => void,
    keyOf: (entry: T) => string,
  ): void => {
    const path = `sca_policy.${name}`;
    if (!checkSize(faults, path, entries.length, amountsMax)) return;
    const seen = new Map<string, string>();
    for (const [index, entry] of entries.entries()) {
      const at = `${path}[${index}]`;
      checkZone(faults, `${at}.zone`, entry.zone, ids);
      if (entry.from !== undefined) checkInstant(faults, `${at}.from`, entry.from);
      checkAmount(faults, `${at}.amount`, entry.amount, unrated);
      checkOwn(entry, at);
      const key = keyOf(entry);
      const first = seen.get(key);
      if (first === undefined) seen.set(key, at);
      else faults.error(at, "duplicate", `${first} is for the same from the same instant on`);
    }
  };
  check(
    "low_value",
    policy.lowValue,
    (entry, path) => checkLowValue(faults, entry, path),
    ({ zone, from }) => `${zone} ${keyInstant(from)}`,
  );
  check(
    "tra",
    policy.tra,
    ({ fraudRateBps }, path) => {
      if (fraudRateBps > 0 && fraudRateBps <= bpsMax) return;
      const message = `${fraudRateBps} is not above 0 and at most ${bpsMax} basis points`;
      faults.error(`${path}.fraud_rate_bps`, "out-of-range", message);
    },
    ({ zone, fraudRateBps, from }) => `${zone} ${fraudRateBps} ${keyInstant(from)}`,
  );
}

function checkAmount(
  faults: FaultList,
  path: string,
  amount: Money | undefined,
  unrated: (code: string) => readonly string[],
): void {
  if (amount === undefined) {
    faults.error(path, "missing", "an exemption needs its greatest amount");
    return;
  }
  checkMoney(faults, path, amount);
  const code = amount.currencyCode;
  warnUnrated(faults, path, { lost: unrated(code), code, effect: "payments in it are not exempt" });
}

function checkLowValue(
  faults: FaultList,
  { amount, cumulative, count }: ScaPolicy_LowValue,
  path: string,
): void {
  checkRange(faults, `${path}.count`, count, [1, countMax]);
  if (cumulative === undefined) {
    faults.error(`${path}.cumulative`, "missing", "a low-value exemption needs the greatest sum");
    return;
  }
  checkMoney(faults, `${path}.cumulative`, cumulative);
  if (amount === undefined) return;
  if (cumulative.currencyCode !== amount.currencyCode) {
    const message = `the amount is in ${amount.currencyCode} and the sum in ${cumulative.currencyCode}`;
    faults.error(`${path}.cumulative`, "amount-range", message);
  } else if (cumulative.minorUnits < amount.minorUnits) {
    const message = `the sum ${cumulative.minorUnits} is below the amount ${amount.minorUnits}`;
    faults.error(`${path}.cumulative`, "amount-range", message);
  }
}

function checkMandates(faults: FaultList, mandates: readonly ScaPolicy_Mandate[]): void {
  const path = "sca_policy.mandates";
  if (!checkSize(faults, path, mandates.length, mandatesMax)) return;
  for (const [index, { country, fundings: named, from }] of mandates.entries()) {
    const at = `${path}[${index}]`;
    checkCountry(faults, `${at}.country`, country);
    if (from !== undefined) checkInstant(faults, `${at}.from`, from);
    checkSet(faults, { path: `${at}.fundings`, values: named, max: fundings.length }, (place, funding) => {
      if (fundings.some((known) => known === funding)) return;
      const message = `${quote(funding)} is none of ${fundings.join(", ")}${suggest(funding, fundings)}`;
      faults.error(place, "bad-funding", message);
    });
  }
}

function keyInstant(from: Timestamp | undefined): string {
  return from === undefined ? "" : String(toMs(from));
}
