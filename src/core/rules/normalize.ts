import { clone } from "@bufbuild/protobuf";
import { Card_Credential } from "../../gen/switchyard/v1/payment_pb.js";
import {
  Purpose_Kind,
  type Rule,
  Rule_Class,
  Rule_Mode,
  Rule_OnUnknown,
  type RuleSet,
  RuleSetSchema,
  ValueList_Kind,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import { ruleClasses } from "./rule-class.ts";

const purposesByClass: Partial<Record<Rule_Class, Purpose_Kind>> = {
  [Rule_Class.SAFER_GAMBLING]: Purpose_Kind.RG,
  [Rule_Class.RISK]: Purpose_Kind.FRAUD,
};

/**
 * A copy in the one form that all documents of the same meaning share: what the contract says of absent fields is filled in, and whatever has no
 * order is sorted, rules into total order (class, priority, id). What is hashed, compared and compiled is this form.
 */
export function normalizeRuleSet(source: RuleSet): RuleSet {
  const set = clone(RuleSetSchema, source);
  for (const psp of set.psps) {
    psp.enabled ??= true;
    psp.threeDs ??= true;
    if (psp.kinds.length === 0) psp.kinds = ["deposit"];
    if (psp.credentials.length === 0) psp.credentials = [Card_Credential.PAN, Card_Credential.NETWORK_TOKEN];
    const {
      methods,
      currencies,
      schemes,
      countries,
      excludedCountries,
      issuerCountries,
      excludedIssuerCountries,
    } = psp;
    sortAll(
      psp.kinds,
      methods,
      currencies,
      schemes,
      countries,
      excludedCountries,
      issuerCountries,
      excludedIssuerCountries,
    );
    for (const range of psp.amounts) sortAll(range.methods);
    for (const account of psp.accounts) sortAll(account.brands, account.licences, account.currencies);
    for (const fee of psp.fees) sortAll(fee.methods, fee.regions);
  }
  for (const list of set.lists) {
    if (list.kind === ValueList_Kind.KIND_UNSPECIFIED) list.kind = ValueList_Kind.STRING;
    // By UTF-16 unit: a million values are sorted twice as fast, and nobody sees the order.
    list.values.sort();
  }
  for (const declared of [...set.attributes, ...set.segments]) {
    if (declared.purposes.length === 0) declared.purposes = [Purpose_Kind.PAYMENTS, Purpose_Kind.FRAUD];
    declared.purposes.sort((a, b) => a - b);
  }
  for (const attribute of set.attributes) sortAll(attribute.values);
  for (const policy of set.retryPolicies) policy.rules.sort((a, b) => a.outcome - b.outcome);
  set.rules.forEach(normalizeRule);
  sortSections(set);
  return set;
}

/** The total order of rules: class, then priority (higher first), then id. */
export function compareRules(a: Rule, b: Rule): number {
  return a.class - b.class || b.priority - a.priority || compareCodePoints(a.id, b.id);
}

function normalizeRule(rule: Rule): void {
  const className = ruleClasses[rule.class - 1] ?? "";
  if (rule.kinds.length === 0) rule.kinds = ["deposit"];
  if (rule.mode === Rule_Mode.MODE_UNSPECIFIED) rule.mode = Rule_Mode.LIVE;
  // The other classes have nothing to say of unknown.
  const asksUnknown =
    rule.class <= Rule_Class.RISK && rule.onUnknown === Rule_OnUnknown.ON_UNKNOWN_UNSPECIFIED;
  if (asksUnknown) rule.onUnknown = Rule_OnUnknown.SKIP;
  if (rule.purposes.length === 0) rule.purposes = [purposesByClass[rule.class] ?? Purpose_Kind.PAYMENTS];
  rule.purposes.sort((a, b) => a - b);
  if (rule.reason === "") rule.reason = className;
  if (rule.reasonUnknown === "") rule.reasonUnknown = `${rule.reason}_UNKNOWN`;
  if (rule.rollout?.salt === "") rule.rollout.salt = rule.id;
  for (const span of rule.hours?.spans ?? []) span.days.sort((a, b) => a - b);
  sortAll(rule.kinds);
  const { effects } = rule;
  if (effects === undefined) return;
  if (effects.strategy?.id === "") effects.strategy.id = rule.id;
  sortAll(effects.excludePsps, effects.requirePsps, effects.experience?.hiddenMethods ?? []);
  const { how } = effects.strategy ?? {};
  if (how?.case === "weighted") how.value.weights.sort((a, b) => compareCodePoints(a.psp, b.psp));
  if (how?.case === "leastCost") sortAll(how.value.psps);
}

function sortSections(set: RuleSet): void {
  for (const section of [set.psps, set.lists, set.segments, set.retryPolicies, set.brands]) {
    section.sort((a, b) => compareCodePoints(a.id, b.id));
  }
  set.attributes.sort((a, b) => a.subject - b.subject || compareCodePoints(a.name, b.name));
  set.fxRates.sort((a, b) => compareCodePoints(a.from, b.from) || compareCodePoints(a.to, b.to));
  set.rules.sort(compareRules);
}

function sortAll(...lists: readonly string[][]): void {
  for (const list of lists) list.sort(compareCodePoints);
}
