import type { RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { EncodedList } from "../../lists.ts";
import type { EncodedModel } from "../../models/encoded-model.ts";
import type { FaultList } from "../document/fault.ts";
import { checkBreakerPolicy } from "./check-breakers.ts";
import { checkConditions, type LoweredConditions } from "./check-conditions.ts";
import { checkDeclarations } from "./check-declarations.ts";
import { checkEventTypes } from "./check-event-types.ts";
import { checkFeatures } from "./check-features.ts";
import { collectIds } from "./check-input.ts";
import { checkLifecycles } from "./check-lifecycles.ts";
import { checkLimitRates, checkLimits } from "./check-limits.ts";
import { checkModelInputs, checkModels } from "./check-models.ts";
import { checkPacks } from "./check-packs.ts";
import { checkPsps } from "./check-psps.ts";
import { checkReach } from "./check-reach.ts";
import { checkResponseCodes } from "./check-response-codes.ts";
import { checkRetryPolicies } from "./check-retry.ts";
import { checkRules } from "./check-rules.ts";
import { checkScaPolicy } from "./check-sca.ts";
import { checkSchemeCaps } from "./check-scheme-caps.ts";
import { checkFunding, checkMarketing, checkRemembered, checkSegments } from "./check-segments.ts";

/** What the checks worked out on the way, for the compiler. */
export type CheckedRuleSet = {
  readonly conditions: LoweredConditions;
  /** By id. */
  readonly encodedLists: ReadonlyMap<string, EncodedList>;
  readonly encodedModels: ReadonlyMap<string, EncodedModel>;
};

/**
 * Checks all that the schema cannot say. The result is whole where the list of faults holds no errors.
 *
 * Units: `nowMs` is the instant of the push, ms since the epoch.
 */
export function checkRuleSet(ruleSet: RuleSet, faults: FaultList, nowMs: number): CheckedRuleSet {
  const input = collectIds(ruleSet, faults, nowMs);
  checkDeclarations(input);
  checkPsps(input);
  checkRetryPolicies(input);
  checkResponseCodes(input);
  checkSchemeCaps(input);
  checkScaPolicy(input);
  checkBreakerPolicy(input);
  checkEventTypes(input);
  checkFeatures(input);
  checkSegments(input);
  checkLifecycles(input);
  checkModels(input);
  checkLimits(input);
  checkRules(input);
  checkPacks(input);
  checkLimitRates(input);
  const conditions = checkConditions(input);
  checkModelInputs(input, conditions.declarations);
  checkFunding(input, conditions);
  checkRemembered(input, conditions.listedSegments, conditions.segmentFacts);
  checkMarketing(input, conditions);
  checkReach(input, conditions);
  return { conditions, encodedLists: input.encodedLists, encodedModels: input.encodedModels };
}
