import { Outcome_Class } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  type RetryPolicy,
  type RetryRule,
  RetryRule_Response,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { type OutcomeClass, outcomeClasses } from "../../retry/outcome-class.ts";
import type { FaultList } from "../document/fault.ts";
import { type RetryResponse, retryResponses } from "../snapshot.ts";
import type { CheckInput } from "./check-input.ts";
import {
  checkDuration,
  checkId,
  checkRange,
  checkReference,
  checkSet,
  checkSize,
  checkText,
  keyMax,
} from "./values.ts";

const policiesMax = 64;
const attemptsMax = 8;
const fieldsMax = 16;
const declinesMax = 1_000;
const singleTryMax = 16;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Responses that a class may lead to; classes that are not here may lead to any but DONE. */
const responsesOf: Partial<Record<OutcomeClass, readonly RetryResponse[]>> = {
  APPROVED: ["DONE"],
  // Another attempt would charge the player for more than he asked.
  PARTIAL: ["DONE"],
  // Never again with this card, at any PSP.
  HARD: ["STOP", "OTHER_METHOD"],
  // Until the status is known, anything else may be a second charge.
  UNKNOWN: ["STATUS_CHECK"],
  PENDING: ["STATUS_CHECK"],
};

/** Responses that a wait makes sense for. */
const waiting: readonly RetryResponse[] = [
  "NEXT_PSP",
  "STEP_UP",
  "STATUS_CHECK",
  "LOWER_AMOUNT",
  "ASK_AGAIN",
];

/** Checks the section `retry_policies`. */
export function checkRetryPolicies(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (!checkSize(faults, "retry_policies", ruleSet.retryPolicies.length, policiesMax)) return;
  const seen = new Map<string, string>();
  for (const [index, policy] of ruleSet.retryPolicies.entries()) {
    const path = `retry_policies[${index}]`;
    checkId(faults, `${path}.id`, policy.id, seen);
    checkPolicy(faults, policy, path);
    checkHarmGuards(input, policy, path);
  }
}

function checkPolicy(faults: FaultList, policy: RetryPolicy, path: string): void {
  if (policy.maxAttempts !== 0)
    checkRange(faults, `${path}.max_attempts`, policy.maxAttempts, [1, attemptsMax]);
  if (policy.validFor !== undefined) {
    const bounds = { min: minuteMs, max: dayMs, said: "from 1 minute to 24 hours" };
    checkDuration(faults, `${path}.valid_for`, policy.validFor, bounds);
  }
  if (!checkSize(faults, `${path}.rules`, policy.rules.length, outcomeClasses.length)) return;
  const seen = new Set<Outcome_Class>();
  for (const [index, rule] of policy.rules.entries()) {
    const at = `${path}.rules[${index}]`;
    if (seen.has(rule.outcome))
      faults.error(`${at}.outcome`, "duplicate", `${Outcome_Class[rule.outcome]} has a rule already`);
    seen.add(rule.outcome);
    checkRule(faults, rule, at);
  }
}

/** Bounds beside those of outcomes: declines of the player, and players who get one attempt. */
function checkHarmGuards({ faults, segments }: CheckInput, policy: RetryPolicy, path: string): void {
  const { playerDeclines, playerWindow, singleTry } = policy;
  checkRange(faults, `${path}.player_declines`, playerDeclines, [0, declinesMax]);
  if (playerWindow !== undefined) {
    const bounds = { min: minuteMs, max: 30 * dayMs, said: "from 1 minute to 30 days" };
    checkDuration(faults, `${path}.player_window`, playerWindow, bounds);
    if (playerDeclines === 0)
      faults.error(`${path}.player_declines`, "missing", "say how many declines player_window bounds");
  }
  checkSet(faults, { path: `${path}.single_try`, values: singleTry, max: singleTryMax }, (at, id) =>
    checkReference(faults, at, id, { ids: segments, rule: "unknown-segment", noun: "segment" }),
  );
}

function checkRule(faults: FaultList, rule: RetryRule, path: string): void {
  if (rule.outcome === Outcome_Class.CLASS_UNSPECIFIED)
    faults.error(`${path}.outcome`, "missing", "say which class of outcomes the rule is for");
  if (rule.response === RetryRule_Response.RESPONSE_UNSPECIFIED) {
    faults.error(`${path}.response`, "missing", "say what the class leads to");
    return;
  }
  const outcome = outcomeClasses[rule.outcome - 1];
  const response = retryResponses[rule.response - 1]!;
  if (outcome !== undefined) checkResponse(faults, outcome, response, path);
  if (rule.wait !== undefined) {
    checkDuration(faults, `${path}.wait`, rule.wait, { min: 0, max: 30 * dayMs, said: "at most 30 days" });
    if (!waiting.includes(response))
      faults.error(`${path}.wait`, "not-for-response", `${response} waits for nothing`);
  } else if (response === "ASK_AGAIN") {
    faults.error(`${path}.wait`, "missing", "ASK_AGAIN needs to know after how long");
  }
  checkSet(faults, { path: `${path}.fields`, values: rule.fields, max: fieldsMax }, (at, field) =>
    checkText(faults, at, field, keyMax),
  );
  if (response === "CHANGE_DATA") {
    if (rule.fields.length === 0)
      faults.error(`${path}.fields`, "missing", "CHANGE_DATA needs to know what to change");
  } else if (rule.fields.length > 0) {
    faults.error(`${path}.fields`, "not-for-response", `${response} changes no fields`);
  }
}

function checkResponse(
  faults: FaultList,
  outcome: OutcomeClass,
  response: RetryResponse,
  path: string,
): void {
  const allowed = responsesOf[outcome] ?? retryResponses.filter((one) => one !== "DONE");
  if (allowed.includes(response)) return;
  faults.error(
    `${path}.response`,
    "response-not-allowed",
    `${outcome} leads to ${allowed.join(" or ")}, not to ${response}`,
  );
}
