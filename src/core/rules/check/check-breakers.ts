import type { BreakerPolicy } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { defaultBreakerPolicy } from "../../breakers/breaker-policy.ts";
import type { CheckInput } from "./check-input.ts";
import { findUnrated, warnUnrated } from "./check-rates.ts";
import { checkDuration, checkMoney, checkRange, checkReference, checkSet } from "./values.ts";

const neverProbeMax = 16;
const hourMs = 3_600_000;

/** Checks `breaker_policy`. */
export function checkBreakerPolicy(input: CheckInput): void {
  const { faults, segments, ruleSet } = input;
  const policy = ruleSet.breakerPolicy;
  if (policy === undefined) return;
  const path = "breaker_policy";
  for (const [name, span] of [
    ["window", policy.window],
    ["open_for", policy.openFor],
  ] as const) {
    if (span === undefined) continue;
    const bounds = { min: 1_000, max: hourMs, said: "from 1 second to 1 hour" };
    checkDuration(faults, `${path}.${name}`, span, bounds);
  }
  checkCounts(input, policy);
  checkShares(input, policy);
  if (policy.probeAmountMax !== undefined) {
    const { probeAmountMax } = policy;
    checkMoney(faults, `${path}.probe_amount_max`, probeAmountMax);
    warnUnrated(faults, `${path}.probe_amount_max`, {
      lost: findUnrated(ruleSet)(probeAmountMax.currencyCode),
      code: probeAmountMax.currencyCode,
      effect: "payments in it never probe",
    });
  }
  checkSet(faults, { path: `${path}.never_probe`, values: policy.neverProbe, max: neverProbeMax }, (at, id) =>
    checkReference(faults, at, id, { ids: segments, rule: "unknown-segment", noun: "segment" }),
  );
}

/** 0 stands for the default. */
function checkCounts({ faults }: CheckInput, policy: BreakerPolicy): void {
  const callsMax = policy.callsMax === 0 ? defaultBreakerPolicy.callsMax : policy.callsMax;
  const counts = [
    ["calls_max", policy.callsMax, 10, 1_000],
    ["calls_min", policy.callsMin, 1, 1_000],
    ["timeouts_in_row", policy.timeoutsInRow, 1, 1_000],
    ["probes_max", policy.probesMax, 1, 100],
    ["close_after", policy.closeAfter, 1, 100],
  ] as const;
  for (const [name, value, min, max] of counts) {
    if (value !== 0) checkRange(faults, `breaker_policy.${name}`, value, [min, max]);
  }
  const callsMin = policy.callsMin === 0 ? defaultBreakerPolicy.callsMin : policy.callsMin;
  if (callsMin <= callsMax) return;
  const message = `calls_min ${callsMin} is above calls_max ${callsMax}: the breaker would never judge`;
  faults.error("breaker_policy", "breaker-bounds", message);
}

function checkShares({ faults }: CheckInput, policy: BreakerPolicy): void {
  const { failureShare } = policy;
  if (failureShare < 0 || failureShare > 1) {
    const message = `${failureShare} is no share above 0 and at most 1`;
    faults.error("breaker_policy.failure_share", "out-of-range", message);
  }
  const normal = policy.normalShare === 0 ? defaultBreakerPolicy.normalShare : policy.normalShare;
  const broken = policy.brokenShare === 0 ? defaultBreakerPolicy.brokenShare : policy.brokenShare;
  for (const [name, share] of [
    ["normal_share", normal],
    ["broken_share", broken],
  ] as const) {
    if (share <= 0 || share >= 1) {
      const message = `${share} is no share above 0 and below 1`;
      faults.error(`breaker_policy.${name}`, "out-of-range", message);
    }
  }
  if (broken < normal) return;
  const message = `broken_share ${broken} is not below normal_share ${normal}: nothing could be told apart`;
  faults.error("breaker_policy", "breaker-bounds", message);
}
