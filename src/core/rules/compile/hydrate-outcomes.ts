import { Attribution as AttributionNumber, Outcome_Class } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  BreakerPolicy_AllDown,
  type BreakerPolicy as BreakerPolicyMessage,
  ResponseCode_Block,
  type ResponseCode as ResponseCodeMessage,
  type RetryPolicy as RetryPolicyMessage,
  SchemeCap_Key,
  type SchemeCap as SchemeCapMessage,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { BreakerPolicy } from "../../breakers/breaker-policy.ts";
import type { Attribution, Block, ResponseCode } from "../../retry/answer.ts";
import { defaultRetryPolicy } from "../../retry/default-policy.ts";
import type { OutcomeClass } from "../../retry/outcome-class.ts";
import type { SchemeCap } from "../../retry/scheme-cap.ts";
import { toMs } from "../names.ts";
import { defaultPlayerWindowMs } from "../outcome-defaults.ts";
import { type RetryPolicy, type RetryRule, retryResponses } from "../snapshot.ts";
import { readMoney } from "./hydrate-rule.ts";

/** A retry policy of a checked rule set; `segments` are ordinals by id. */
export function readPolicy(policy: RetryPolicyMessage, segments: ReadonlyMap<string, number>): RetryPolicy {
  const { id, maxAttempts, validFor, rules, playerDeclines, playerWindow, singleTry } = policy;
  const named = rules.map(({ outcome, response, wait, fields }): readonly [OutcomeClass, RetryRule] => [
    Outcome_Class[outcome] as OutcomeClass,
    { response: retryResponses[response - 1]!, waitMs: wait === undefined ? 0 : toMs(wait), fields },
  ]);
  const windowMs = playerWindow === undefined ? defaultPlayerWindowMs : toMs(playerWindow);
  return {
    id,
    maxAttempts: maxAttempts === 0 ? defaultRetryPolicy.maxAttempts : maxAttempts,
    validForMs: validFor === undefined ? defaultRetryPolicy.validForMs : toMs(validFor),
    playerDeclines: playerDeclines === 0 ? undefined : { count: playerDeclines, windowMs },
    singleTry: readSegments(singleTry, segments),
    rules: { ...defaultRetryPolicy.rules, ...Object.fromEntries(named) },
  };
}

const blocks: Readonly<Record<ResponseCode_Block, Block["what"] | undefined>> = {
  [ResponseCode_Block.BLOCK_UNSPECIFIED]: undefined,
  [ResponseCode_Block.CARD]: "card",
  [ResponseCode_Block.CARD_AMOUNT]: "card_amount",
  [ResponseCode_Block.BIN]: "bin",
  [ResponseCode_Block.AGREEMENT]: "agreement",
};

/** An entry of `response_codes` of a checked rule set. */
export function readResponseCode(entry: ResponseCodeMessage): ResponseCode {
  const { psp, pspCode, scheme, code, adviceCode, outcome, attribution, wait, fields, blockFor } = entry;
  const what = blocks[entry.block];
  return {
    ...(psp !== "" && { psp }),
    ...(pspCode !== "" && { pspCode }),
    ...(scheme !== "" && { scheme }),
    ...(code !== "" && { code }),
    ...(adviceCode !== "" && { adviceCode }),
    ...(entry.from && { fromMs: toMs(entry.from) }),
    ...(entry.until && { untilMs: toMs(entry.until) }),
    outcomeClass: Outcome_Class[outcome] as OutcomeClass,
    attribution:
      attribution === AttributionNumber.UNSPECIFIED
        ? undefined
        : (AttributionNumber[attribution] as Attribution),
    waitMs: wait === undefined ? 0 : toMs(wait),
    fields,
    block: what && { what, forMs: blockFor && toMs(blockFor) },
    alert: entry.alert,
    meaning: entry.meaning,
    origin: "",
  };
}

/** A scheme cap of a checked rule set. */
export function readCap({
  id,
  scheme,
  window,
  key,
  declines,
  resetOnApproval,
  from,
}: SchemeCapMessage): SchemeCap {
  return {
    id,
    scheme,
    windowMs: toMs(window!),
    key: SchemeCap_Key[key] as SchemeCap["key"],
    declines,
    resetOnApproval: resetOnApproval ?? true,
    fromMs: from && toMs(from),
  };
}

/** The breaker policy of a checked rule set in its normal form; `segments` are ordinals by id. */
export function readBreakers(
  policy: BreakerPolicyMessage,
  segments: ReadonlyMap<string, number>,
): BreakerPolicy {
  return {
    windowMs: toMs(policy.window!),
    callsMax: policy.callsMax,
    callsMin: policy.callsMin,
    failureShare: policy.failureShare,
    timeoutsInRow: policy.timeoutsInRow,
    openForMs: toMs(policy.openFor!),
    probesMax: policy.probesMax,
    closeAfter: policy.closeAfter,
    perMethod: policy.perMethod,
    allDown: BreakerPolicy_AllDown[policy.allDown] as BreakerPolicy["allDown"],
    probeAmountMax: readMoney(policy.probeAmountMax!),
    neverProbe: readSegments(policy.neverProbe, segments),
    normalShare: policy.normalShare,
    brokenShare: policy.brokenShare,
  };
}

function readSegments(ids: readonly string[], segments: ReadonlyMap<string, number>): readonly number[] {
  return ids.map((id) => segments.get(id)!);
}
