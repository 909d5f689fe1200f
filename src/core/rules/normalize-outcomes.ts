import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp } from "@bufbuild/protobuf/wkt";
import { MoneySchema } from "../../gen/switchyard/v1/payment_pb.js";
import {
  type BreakerPolicy,
  BreakerPolicy_AllDown,
  type Psp,
  type ResponseCode,
  type RetryPolicy,
  type RuleSet,
  type ScaPolicy,
  type SchemeCap,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { defaultBreakerPolicy } from "../breakers/breaker-policy.ts";
import { compareCodePoints } from "../cel/code-points.ts";
import { fundings } from "../facts.ts";
import { defaultPspSca, exemptionKinds } from "../sca/sca-policy.ts";
import { toMs } from "./names.ts";
import { defaultPlayerWindowMs, defaultTimeoutMs } from "./outcome-defaults.ts";
import { keyResponse } from "./response-codes.ts";

/**
 * Brings what a rule set says of outcomes, SCA and breakers into its normal form: defaults are filled in where a section is new, and left out where it
 * is old, so that documents keep their hash.
 */
export function normalizeOutcomes(set: RuleSet): void {
  set.psps.forEach(normalizeConduct);
  set.retryPolicies.forEach(normalizePolicy);
  set.responseCodes.forEach(normalizeCode);
  set.responseCodes.sort(
    (a, b) =>
      compareCodePoints(keyResponse(a), keyResponse(b)) ||
      compareStarts(a, b) ||
      compareInstants(a.until, b.until, Number.POSITIVE_INFINITY),
  );
  set.schemeCaps.forEach(normalizeCap);
  set.schemeCaps.sort((a, b) => compareCodePoints(a.id, b.id));
  if (set.scaPolicy !== undefined) normalizeSca(set.scaPolicy);
  if (set.breakerPolicy !== undefined) normalizeBreakers(set.breakerPolicy);
}

function normalizeConduct(psp: Psp): void {
  if (psp.idempotent === true) delete psp.idempotent;
  if (psp.timeout !== undefined && toMs(psp.timeout) === defaultTimeoutMs) delete psp.timeout;
  psp.maintenance.sort(compareStarts);
  const { sca } = psp;
  if (sca === undefined) return;
  if (sca.exemptions.length === exemptionKinds.length) sca.exemptions = [];
  if (sca.threeDsVersion === defaultPspSca.threeDsVersion) sca.threeDsVersion = "";
  sca.exemptions.sort(compareCodePoints);
  const saysNothing =
    sca.fraudRateBps === undefined &&
    sca.exemptions.length === 0 &&
    !sca.takesProof &&
    sca.threeDsVersion === "";
  if (saysNothing) delete psp.sca;
}

function normalizePolicy(policy: RetryPolicy): void {
  const { playerWindow } = policy;
  if (playerWindow !== undefined && toMs(playerWindow) === defaultPlayerWindowMs) delete policy.playerWindow;
  policy.singleTry.sort(compareCodePoints);
}

function normalizeCode(entry: ResponseCode): void {
  if (entry.wait !== undefined && toMs(entry.wait) === 0) delete entry.wait;
}

function normalizeCap(cap: SchemeCap): void {
  cap.resetOnApproval ??= true;
}

function normalizeSca(policy: ScaPolicy): void {
  for (const { countries } of policy.zones) countries.sort(compareCodePoints);
  policy.zones.sort((a, b) => compareCodePoints(a.id, b.id));
  policy.treatedAsOne.sort(compareCodePoints);
  policy.lowValue.sort((a, b) => compareCodePoints(a.zone, b.zone) || compareStarts(a, b));
  policy.tra.sort(
    (a, b) => compareCodePoints(a.zone, b.zone) || a.fraudRateBps - b.fraudRateBps || compareStarts(a, b),
  );
  for (const mandate of policy.mandates) {
    if (mandate.fundings.length === fundings.length) mandate.fundings = [];
    mandate.fundings.sort(compareCodePoints);
  }
  policy.mandates.sort(
    (a, b) =>
      compareCodePoints(a.country, b.country) ||
      compareCodePoints(a.fundings.join(), b.fundings.join()) ||
      Number(a.domesticOnly) - Number(b.domesticOnly) ||
      compareStarts(a, b),
  );
}

function normalizeBreakers(policy: BreakerPolicy): void {
  const house = defaultBreakerPolicy;
  policy.window ??= toDuration(house.windowMs);
  policy.openFor ??= toDuration(house.openForMs);
  for (const name of ["callsMax", "callsMin", "timeoutsInRow", "probesMax", "closeAfter"] as const) {
    if (policy[name] === 0) policy[name] = house[name];
  }
  for (const name of ["failureShare", "normalShare", "brokenShare"] as const) {
    if (policy[name] === 0) policy[name] = house[name];
  }
  if (policy.allDown === BreakerPolicy_AllDown.ALL_DOWN_UNSPECIFIED)
    policy.allDown = BreakerPolicy_AllDown[house.allDown];
  const { minorUnits, currencyCode } = house.probeAmountMax;
  policy.probeAmountMax ??= create(MoneySchema, { minorUnits: BigInt(minorUnits), currencyCode });
  policy.neverProbe.sort(compareCodePoints);
}

function toDuration(ms: number): Duration {
  return create(DurationSchema, { seconds: BigInt(Math.floor(ms / 1_000)), nanos: (ms % 1_000) * 1_000_000 });
}

function compareStarts(
  a: { readonly from?: Timestamp | undefined },
  b: { readonly from?: Timestamp | undefined },
): number {
  return compareInstants(a.from, b.from, Number.NEGATIVE_INFINITY);
}

function compareInstants(a: Timestamp | undefined, b: Timestamp | undefined, absentMs: number): number {
  const [left, right] = [a, b].map((instant) => (instant === undefined ? absentMs : toMs(instant)));
  return left === right ? 0 : left! < right! ? -1 : 1;
}
