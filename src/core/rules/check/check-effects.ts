import type {
  Action,
  CashierView,
  Effects,
  Effects_LimitThreshold,
  Effects_ThreeDs,
  Strategy,
  Strategy_Weight,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { exemptionKinds } from "../../sca/sca-policy.ts";
import { relaxingIndicators } from "../challenge-indicator.ts";
import {
  type EffectName,
  effectNames,
  effectsByClass,
  marketingActions,
  type Permission,
} from "../effects-by-class.ts";
import type { RuleClass } from "../rule-class.ts";
import { actionKinds, threeDsLevels } from "../snapshot.ts";
import type { CheckInput } from "./check-input.ts";
import { checkCount } from "./check-thresholds.ts";
import {
  checkDuration,
  checkMethod,
  checkMoney,
  checkRange,
  checkReference,
  checkRequired,
  checkSet,
  checkSize,
  isId,
  keyMax,
} from "./values.ts";

const pspsMax = 256;
/** Draws are made over at most so many. */
const weightsMax = 32;
const weightMax = 1_000_000;
const viewMax = { methods: 64, amounts: 16, keys: 16 };
const actionsMax = 16;
const scoreMax = 1_000;
const allowMax = 64;
const limitThresholdsMax = 16;
const retryAfterMaxMs = 30 * 86_400_000;
const exemptions: readonly string[] = exemptionKinds.map((kind) => kind.toUpperCase());

/** What the checks of effects need to know beside the effects. */
export type EffectsInput = Pick<CheckInput, "faults" | "psps" | "policies"> & {
  readonly effects: Effects;
  readonly path: string;
  readonly ruleClass: RuleClass;
};

/** The effects that are used, in the order of the table. */
export function listEffects(effects: Effects): readonly EffectName[] {
  const used: Record<EffectName, boolean> = {
    deny: effects.deny !== undefined,
    review: effects.review !== undefined,
    allow: effects.allow.length > 0,
    limit_thresholds: effects.limitThresholds.length > 0,
    exclude_psps: effects.excludePsps.length > 0,
    require_psps: effects.requirePsps.length > 0,
    amount_cap: effects.amountCap !== undefined,
    three_ds: effects.threeDs !== undefined,
    strategy: effects.strategy !== undefined,
    retry_policy: effects.retryPolicy !== "",
    experience: effects.experience !== undefined,
    score: effects.score !== 0,
    actions: effects.actions.length > 0,
  };
  return effectNames.filter((name) => used[name]);
}

/** Checks what a rule or an override does: whether its class may, and whether it can be done. */
export function checkEffects(input: EffectsInput): void {
  const { faults, effects, path, ruleClass } = input;
  const used = listEffects(effects);
  if (used.length === 0) faults.error(path, "no-effect", "a rule needs an effect");
  for (const name of used) {
    const permission = effectsByClass[name][ruleClass];
    if (permission === "-") {
      faults.error(
        `${path}.${name}`,
        "effect-not-allowed",
        `${ruleClass} may not use ${name} (docs/rules.md has the table)`,
      );
    } else {
      checkEffect(input, name, permission);
    }
  }
}

function checkEffect(input: EffectsInput, name: EffectName, permission: Permission): void {
  const { faults, effects } = input;
  const path = `${input.path}.${name}`;
  switch (name) {
    case "deny":
      if (effects.deny?.retryAfter !== undefined) {
        const bounds = { min: 1, max: retryAfterMaxMs, said: "above 0 and at most 30 days" };
        checkDuration(faults, `${path}.retry_after`, effects.deny.retryAfter, bounds);
      }
      return;
    case "review":
      return;
    case "allow":
      checkSet(faults, { path, values: effects.allow, max: allowMax }, (at, id) => {
        if (!isId(id)) {
          const message = `${quote(id)} is no id of a rule or a limit; each is named`;
          faults.error(at, "bad-id", message);
        }
      });
      return;
    case "limit_thresholds":
      checkLimitThresholds(input, effects.limitThresholds, path);
      return;
    case "exclude_psps":
      checkPspSet(input, path, effects.excludePsps);
      return;
    case "require_psps":
      checkPspSet(input, path, effects.requirePsps);
      return;
    case "amount_cap":
      if (effects.amountCap !== undefined) checkMoney(faults, path, effects.amountCap);
      return;
    case "three_ds":
      if (effects.threeDs !== undefined) checkThreeDs(input, effects.threeDs, path, permission);
      return;
    case "strategy":
      if (effects.strategy !== undefined) checkStrategy(input, effects.strategy, path);
      return;
    case "retry_policy":
      checkReference(faults, path, effects.retryPolicy, {
        ids: input.policies,
        rule: "unknown-policy",
        noun: "retry policy",
      });
      return;
    case "experience":
      if (effects.experience !== undefined) checkView(input, effects.experience, path);
      return;
    case "score":
      checkRange(faults, path, effects.score, [0, scoreMax]);
      return;
    case "actions":
      checkActions(input, effects.actions, path, permission);
      return;
  }
}

/** Thresholds by their shape; what fits the limit that they are of is checked where that is known. */
function checkLimitThresholds(
  { faults }: EffectsInput,
  thresholds: readonly Effects_LimitThreshold[],
  path: string,
): void {
  if (!checkSize(faults, path, thresholds.length, limitThresholdsMax)) return;
  const seen = new Set<string>();
  for (const [index, { limit, amount, count }] of thresholds.entries()) {
    const at = `${path}[${index}]`;
    if (limit === "") faults.error(`${at}.limit`, "missing", "say of which limit the threshold is");
    else if (seen.has(limit))
      faults.error(`${at}.limit`, "duplicate", `${quote(limit)} has a threshold already`);
    seen.add(limit);
    if (amount === undefined) checkCount(faults, `${at}.count`, count);
    else if (count !== 0n) faults.error(at, "one-of", "a threshold is an amount or a number");
    else checkMoney(faults, `${at}.amount`, amount);
  }
}

function checkPspSet({ faults, psps }: EffectsInput, path: string, values: readonly string[]): void {
  checkSet(faults, { path, values, max: pspsMax }, (at, id) => checkPsp(faults, psps, at, id));
}

function checkPsp(faults: EffectsInput["faults"], psps: ReadonlySet<string>, path: string, id: string): void {
  checkReference(faults, path, id, { ids: psps, rule: "unknown-psp", noun: "PSP" });
}

function checkThreeDs(
  { faults }: EffectsInput,
  wish: Effects_ThreeDs,
  path: string,
  permission: Permission,
): void {
  const level = threeDsLevels[wish.level - 1];
  if (level === undefined) {
    faults.error(`${path}.level`, "missing", "say which level of 3DS");
    return;
  }
  if (permission === "floor" && level !== "CHALLENGE" && level !== "REQUIRE") {
    faults.error(
      `${path}.level`,
      "floor-only",
      `${level} may loosen what others ask for: here only CHALLENGE and REQUIRE can stand`,
    );
    return;
  }
  const { challengeIndicator: indicator, exemption } = wish;
  if (indicator !== "") {
    const at = `${path}.challenge_indicator`;
    if (!/^(?:0[1-9]|1[0-4])$/.test(indicator)) {
      faults.error(at, "bad-indicator", `${quote(indicator)} is none of 01 to 14`);
    } else if (level === "EXEMPT" || level === "SKIP") {
      faults.error(at, "bad-indicator", `${level} challenges nobody`);
    } else if (level === "CHALLENGE" && (indicator === "01" || relaxingIndicators.has(indicator))) {
      faults.error(at, "bad-indicator", `${indicator} does not ask for the challenge that the level is`);
    } else if (permission === "floor" && relaxingIndicators.has(indicator)) {
      faults.error(
        at,
        "floor-only",
        `${indicator} asks for no challenge, which may loosen what others ask for`,
      );
    }
  }
  if (level === "EXEMPT" && exemption === "") {
    faults.error(
      `${path}.exemption`,
      "bad-exemption",
      `EXEMPT needs its kind: one of ${exemptions.join(", ")}`,
    );
  } else if (exemption !== "" && (level !== "EXEMPT" || !exemptions.includes(exemption))) {
    const message =
      level === "EXEMPT"
        ? `${quote(exemption)} is none of ${exemptions.join(", ")}`
        : `${level} asks for no exemption`;
    faults.error(`${path}.exemption`, "bad-exemption", message);
  }
}

function checkStrategy(input: EffectsInput, strategy: Strategy, path: string): void {
  const { faults, psps } = input;
  const { id, how } = strategy;
  if (id !== "" && !isId(id)) faults.error(`${path}.id`, "bad-id", `${quote(id)} is no id`);
  switch (how.case) {
    case undefined:
      faults.error(path, "missing", "say how to order: priority, weighted or least_cost");
      return;
    case "priority":
      if (how.value.psps.length === 0)
        faults.error(`${path}.priority.psps`, "missing", "a priority needs a PSP");
      checkPspSet(input, `${path}.priority.psps`, how.value.psps);
      return;
    case "leastCost":
      checkPspSet(input, `${path}.least_cost.psps`, how.value.psps);
      return;
    case "weighted":
      checkWeights(faults, psps, how.value.weights, `${path}.weighted.weights`);
      return;
  }
}

function checkWeights(
  faults: EffectsInput["faults"],
  psps: ReadonlySet<string>,
  weights: readonly Strategy_Weight[],
  path: string,
): void {
  if (!checkSize(faults, path, weights.length, weightsMax)) return;
  const seen = new Set<string>();
  for (const [index, { psp, weight }] of weights.entries()) {
    const at = `${path}[${index}]`;
    if (seen.has(psp)) faults.error(`${at}.psp`, "duplicate", `${quote(psp)} has a weight already`);
    else checkPsp(faults, psps, `${at}.psp`, psp);
    seen.add(psp);
    checkRange(faults, `${at}.weight`, weight, [0, weightMax]);
  }
  if (!weights.some(({ weight }) => weight !== 0)) {
    faults.error(path, "weights-sum", "the sum of the weights must be positive");
  }
}

function checkView({ faults }: EffectsInput, view: CashierView, path: string): void {
  const { methodOrder, hiddenMethods, amounts, messageKeys } = view;
  if (methodOrder.length + hiddenMethods.length + amounts.length + messageKeys.length === 0) {
    faults.error(path, "no-effect", "an experience needs a field");
  }
  const checkName = (at: string, name: string) => checkMethod(faults, at, name);
  checkSet(faults, { path: `${path}.method_order`, values: methodOrder, max: viewMax.methods }, checkName);
  checkSet(
    faults,
    { path: `${path}.hidden_methods`, values: hiddenMethods, max: viewMax.methods },
    checkName,
  );
  if (checkSize(faults, `${path}.amounts`, amounts.length, viewMax.amounts)) {
    for (const [index, amount] of amounts.entries()) checkMoney(faults, `${path}.amounts[${index}]`, amount);
  }
  checkSet(faults, { path: `${path}.message_keys`, values: messageKeys, max: viewMax.keys }, (at, key) =>
    checkRequired(faults, at, key, keyMax),
  );
}

/** Checks actions of a rule, an override or a limit, of a class with this permission. */
export function checkActions(
  { faults, ruleClass }: Pick<EffectsInput, "faults" | "ruleClass">,
  actions: readonly Action[],
  path: string,
  permission: Permission,
): void {
  if (!checkSize(faults, path, actions.length, actionsMax)) return;
  const seen = new Set<string>();
  for (const [index, { kind, key }] of actions.entries()) {
    const at = `${path}[${index}]`;
    const name = actionKinds[kind - 1];
    if (name === undefined) {
      faults.error(`${at}.kind`, "missing", "say what should happen");
    } else if (permission === "protective" && marketingActions.has(name)) {
      faults.error(`${at}.kind`, "action-not-allowed", `${ruleClass} protects; ${name} sells`);
    }
    if (seen.has(`${kind} ${key}`)) faults.error(at, "duplicate", "this action is in this list already");
    seen.add(`${kind} ${key}`);
    if (key !== "") checkRequired(faults, `${at}.key`, key, keyMax);
  }
}
