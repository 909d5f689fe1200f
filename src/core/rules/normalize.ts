import { clone, create } from "@bufbuild/protobuf";
import { Card_Credential } from "../../gen/switchyard/v1/payment_pb.js";
import {
  type Aggregate,
  type Limit,
  type Model,
  type PolicyPack,
  Purpose_Kind,
  type Rule,
  Rule_Class,
  Rule_Mode,
  Rule_OnUnknown,
  type RuleSet,
  RuleSetSchema,
  ValueList_Kind,
  WeeklyHours_Day,
  type Window,
  Window_Calendar_Period,
  WindowSchema,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import { functionOf, functionRules, ofName } from "./aggregates.ts";
import { purposesByDefault } from "./features.ts";
import { fillLimit, fillPack } from "./limit-defaults.ts";
import { toMs } from "./names.ts";
import { normalizeOutcomes } from "./normalize-outcomes.ts";
import { ruleClasses } from "./rule-class.ts";
import { calendarDefaults } from "./windows.ts";

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
  for (const feature of set.features) {
    if (feature.purposes.length === 0) feature.purposes = [...purposesByDefault(feature)];
    if (feature.how.case === "aggregate") normalizeAggregate(feature.how.value);
  }
  const declarations = [
    ...set.attributes,
    ...set.segments,
    ...set.eventTypes,
    ...set.features,
    ...set.lifecycles,
  ];
  for (const declared of declarations) {
    if (declared.purposes.length === 0) declared.purposes = [Purpose_Kind.PAYMENTS, Purpose_Kind.FRAUD];
    declared.purposes.sort((a, b) => a - b);
  }
  for (const attribute of set.attributes) sortAll(attribute.values);
  for (const { attributes } of set.eventTypes) {
    attributes.sort((a, b) => compareCodePoints(a.name, b.name));
    for (const attribute of attributes) sortAll(attribute.values);
  }
  for (const staying of [...set.segments, ...set.lifecycles.flatMap(({ states }) => states)]) {
    if (staying.dwellMin !== undefined && toMs(staying.dwellMin) === 0) delete staying.dwellMin;
  }
  for (const policy of set.retryPolicies) policy.rules.sort((a, b) => a.outcome - b.outcome);
  normalizeOutcomes(set);
  set.rules.forEach(normalizeRule);
  for (const limit of set.limits) normalizeLimit(limit);
  for (const pack of set.policyPacks) normalizePack(pack);
  for (const model of set.models) normalizeModel(model);
  sortSections(set);
  return set;
}

function normalizeLimit(limit: Limit, pack?: PolicyPack): void {
  fillLimit(limit, pack);
  fillPurposes(limit);
}

function normalizePack(pack: PolicyPack): void {
  fillPack(pack);
  pack.rules.forEach(normalizeRule);
  for (const limit of pack.limits) normalizeLimit(limit, pack);
  pack.rules.sort(compareRules);
  pack.limits.sort((a, b) => compareCodePoints(a.id, b.id));
}

function normalizeModel(model: Model): void {
  model.sigmoid ??= true;
  const { how } = model;
  if (how.case === "logistic") how.value.weights.sort((a, b) => compareCodePoints(a.input, b.input));
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
  fillPurposes(rule);
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

function normalizeAggregate(aggregate: Aggregate): void {
  const name = functionOf(aggregate);
  const rule = name && functionRules[name];
  if (rule !== undefined && rule.of !== "nothing") aggregate.of = ofName(aggregate);
  if (rule?.takes.includes("min_samples") && aggregate.minSamples === 0) aggregate.minSamples = 1;
  const isLocal = aggregate.of === "local_day" || aggregate.of === "local_week";
  if (isLocal && aggregate.zone === "") aggregate.zone = "UTC";
  aggregate.window ??= create(WindowSchema, { span: { case: "lifetime", value: true } });
  normalizeWindow(aggregate.window);
  sortAll(aggregate.events, aggregate.answers);
}

/** Fills in what a window takes where it does not say its own. */
function normalizeWindow(window: Window): void {
  if (window.offset !== undefined && toMs(window.offset) === 0) delete window.offset;
  if (window.span.case !== "calendar") return;
  const calendar = window.span.value;
  if (calendar.zone === "") calendar.zone = calendarDefaults.zone;
  const isWeek = calendar.period === Window_Calendar_Period.WEEK;
  if (isWeek && calendar.weekStart === WeeklyHours_Day.DAY_UNSPECIFIED)
    calendar.weekStart = calendarDefaults.weekStart;
}

function fillPurposes(entry: Pick<Rule, "class" | "purposes">): void {
  if (entry.purposes.length === 0) entry.purposes = [purposesByClass[entry.class] ?? Purpose_Kind.PAYMENTS];
  entry.purposes.sort((a, b) => a - b);
}

function sortSections(set: RuleSet): void {
  const sections = [
    set.psps,
    set.lists,
    set.segments,
    set.retryPolicies,
    set.brands,
    set.features,
    set.lifecycles,
    set.limits,
    set.models,
    set.policyPacks,
  ];
  for (const section of sections) {
    section.sort((a, b) => compareCodePoints(a.id, b.id));
  }
  set.eventTypes.sort((a, b) => compareCodePoints(a.name, b.name));
  set.attributes.sort((a, b) => a.subject - b.subject || compareCodePoints(a.name, b.name));
  set.fxRates.sort((a, b) => compareCodePoints(a.from, b.from) || compareCodePoints(a.to, b.to));
  set.rules.sort(compareRules);
}

function sortAll(...lists: readonly string[][]): void {
  for (const list of lists) list.sort(compareCodePoints);
}
