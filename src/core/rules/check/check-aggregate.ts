import type { Aggregate } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import type { EventTypeInfo } from "../../events/event.ts";
import {
  type FunctionField,
  type FunctionRule,
  functionOf,
  functionRules,
  ofName,
  ofType,
} from "../aggregates.ts";
import type { FaultList } from "../document/fault.ts";
import { describeConflict, isOnlyCounted, shareAttributes } from "../event-variables.ts";
import { checkWindow, checkZone, spanMaxMs } from "./check-window.ts";
import { checkCurrency, checkDuration, checkRange, checkReference, checkSet } from "./values.ts";

const eventsMax = 64;
const samplesMax = 1_000_000;

export type EventTypes = ReadonlyMap<string, EventTypeInfo>;

/**
 * Checks an aggregate, but for its conditions. Returns the types of its events and of its answers, or undefined where it is too faulty for its type to be told.
 */
export function checkAggregate(
  faults: FaultList,
  path: string,
  aggregate: Aggregate,
  eventTypes: EventTypes,
): { readonly types: readonly EventTypeInfo[]; readonly answers: readonly EventTypeInfo[] } | undefined {
  const name = functionOf(aggregate);
  if (name === undefined) faults.error(`${path}.function`, "missing", "say what is made of the events");
  const types = checkEvents(faults, `${path}.events`, aggregate.events, eventTypes);
  if (aggregate.events.length === 0)
    faults.error(`${path}.events`, "missing", "name at least one type of events");
  if (aggregate.window !== undefined) checkWindow(faults, `${path}.window`, aggregate.window, "feature");
  if (aggregate.includeCurrent && !aggregate.events.includes("payment_attempted")) {
    const why = "the current payment counts as payment_attempted, which is not among the events";
    faults.error(`${path}.include_current`, "not-for-function", why);
  }
  if (name === undefined || types === undefined) return undefined;
  const rule = functionRules[name];
  const answers = checkFields(faults, path, aggregate, rule, eventTypes);
  if (name === "LONGEST_SESSION" && !aggregate.events.includes("session_start"))
    faults.error(`${path}.events`, "not-for-function", "sessions are told by session_start and session_end");
  const isOfRight = checkOf(faults, path, aggregate, rule, types);
  if (answers === undefined || !isOfRight) return undefined;
  if (aggregate.answerKey !== "") checkAnswerKey(faults, path, aggregate, types, answers);
  return { types, answers };
}

function checkEvents(
  faults: FaultList,
  path: string,
  names: readonly string[],
  eventTypes: EventTypes,
): readonly EventTypeInfo[] | undefined {
  checkSet(faults, { path, values: names, max: eventsMax }, (at, name) =>
    checkReference(faults, at, name, {
      ids: eventTypes,
      rule: "unknown-event-type",
      noun: "type of events",
    }),
  );
  const types = names.flatMap((name) => eventTypes.get(name) ?? []);
  return types.length === names.length && types.length > 0 ? types : undefined;
}

/** Fields that only some functions have. Returns the types of the answers. */
function checkFields(
  faults: FaultList,
  path: string,
  aggregate: Aggregate,
  rule: FunctionRule,
  eventTypes: EventTypes,
): readonly EventTypeInfo[] | undefined {
  const given: Readonly<Record<FunctionField, boolean>> = {
    hit: aggregate.hit !== "",
    min_samples: aggregate.minSamples !== 0,
    half_life: aggregate.halfLife !== undefined,
    percent: aggregate.percent !== 0,
    answers: aggregate.answers.length > 0,
    answer_key: aggregate.answerKey !== "",
    answer_within: aggregate.answerWithin !== undefined,
  };
  for (const [field, isGiven] of Object.entries(given) as [FunctionField, boolean][]) {
    if (!isGiven && rule.needs.includes(field))
      faults.error(`${path}.${field}`, "missing", "this function needs it");
    if (isGiven && !rule.needs.includes(field) && !rule.takes.includes(field))
      faults.error(`${path}.${field}`, "not-for-function", "this function does without it");
  }
  checkRange(faults, `${path}.min_samples`, aggregate.minSamples, [0, samplesMax]);
  checkRange(faults, `${path}.percent`, aggregate.percent, [0, 100]);
  const span = { min: 1, max: spanMaxMs, said: "from 1 ms to 10 years" };
  if (aggregate.halfLife !== undefined) checkDuration(faults, `${path}.half_life`, aggregate.halfLife, span);
  if (aggregate.answerWithin !== undefined)
    checkDuration(faults, `${path}.answer_within`, aggregate.answerWithin, span);
  if (aggregate.answers.length === 0) return [];
  return checkEvents(faults, `${path}.answers`, aggregate.answers, eventTypes);
}

/** What is aggregated: there, of a type that the function takes, with a currency or a zone where it has one. */
function checkOf(
  faults: FaultList,
  path: string,
  aggregate: Aggregate,
  rule: FunctionRule,
  types: readonly EventTypeInfo[],
): boolean {
  const name = ofName(aggregate);
  const isUnused = rule.of === "nothing";
  const [isAmount, isLocal] = [name === "amount", name === "local_day" || name === "local_week"];
  if (isUnused && aggregate.of !== "")
    faults.error(`${path}.of`, "not-for-function", "this function looks at no value");
  if (isAmount && !isUnused) checkCurrency(faults, `${path}.currency`, aggregate.currency);
  else if (aggregate.currency !== "")
    faults.error(`${path}.currency`, "not-for-function", "only amounts are converted");
  if (isLocal) checkZone(faults, `${path}.zone`, aggregate.zone);
  else if (aggregate.zone !== "")
    faults.error(`${path}.zone`, "not-for-function", "only local_day and local_week have a zone");
  if (isUnused) return true;
  if (isLocal && rule.of !== "anything") {
    faults.error(`${path}.of`, "not-for-function", "local days and weeks can only be counted (DISTINCT)");
    return false;
  }
  if (isAmount && types.every(({ amount }) => amount === "none")) {
    faults.error(`${path}.of`, "unknown-attribute", "none of these events has an amount: say what `of` is");
    return false;
  }
  return checkAttribute(faults, path, name, rule, types);
}

function checkAttribute(
  faults: FaultList,
  path: string,
  name: string,
  rule: FunctionRule,
  types: readonly EventTypeInfo[],
): boolean {
  const shared = shareAttributes(types);
  const type = ofType(name, types);
  if (type === undefined) {
    const ids = new Set(["amount", "at", "local_day", "local_week", ...shared.keys()]);
    checkReference(faults, `${path}.of`, name, {
      ids,
      rule: "unknown-attribute",
      noun: "value of these events",
    });
    return false;
  }
  const found = shared.get(name);
  if (found?.conflict !== undefined) {
    faults.error(`${path}.of`, "attribute-conflict", describeConflict(found));
    return false;
  }
  const isHash = found !== undefined && isOnlyCounted(found.attribute);
  if (takes(rule.of, type, isHash)) return true;
  const what = isHash
    ? "a text that is kept by its hash, which can only be counted (DISTINCT)"
    : `of type ${type}`;
  faults.error(
    `${path}.of`,
    "not-for-function",
    `${quote(name)} is ${what}: this function takes ${wanted[rule.of]}`,
  );
  return false;
}

const wanted: Readonly<Record<FunctionRule["of"], string>> = {
  nothing: "nothing",
  numbers: "numbers",
  ordered: "numbers and instants",
  texts: "texts that can be compared",
  values: "what can be compared",
  anything: "anything",
};

function takes(of: FunctionRule["of"], type: ReturnType<typeof ofType>, isHash: boolean): boolean {
  switch (of) {
    case "nothing":
      return false;
    case "numbers":
      return type === "int" || type === "double";
    case "ordered":
      return type === "int" || type === "double" || type === "timestamp";
    case "texts":
      return type === "string" && !isHash;
    case "values":
      return !isHash;
    case "anything":
      return true;
  }
}

/** Event and answer share it: both have it, kept in one way. */
function checkAnswerKey(
  faults: FaultList,
  path: string,
  { answerKey }: Aggregate,
  types: readonly EventTypeInfo[],
  answers: readonly EventTypeInfo[],
): void {
  const at = `${path}.answer_key`;
  const without = [...types, ...answers].find(({ attributes }) => !attributes.has(answerKey));
  if (without !== undefined) {
    const message = `${quote(without.name)} has no attribute ${quote(answerKey)}`;
    faults.error(at, "unknown-attribute", message);
    return;
  }
  const shared = shareAttributes([...types, ...answers]).get(answerKey);
  if (shared?.conflict !== undefined) faults.error(at, "attribute-conflict", describeConflict(shared));
}
