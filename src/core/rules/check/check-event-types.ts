import { Attribute_Type, type EventType } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { eventTypes as builtInEventTypes } from "../../events/event-types.ts";
import type { FaultList } from "../document/fault.ts";
import { checkPurposes } from "./check-declarations.ts";
import type { CheckInput } from "./check-input.ts";
import { checkSet, checkSize, checkText, descriptionMax } from "./values.ts";

const eventTypesMax = 64;
const attributesMax = 32;
const valuesMax = 1_024;
const valueTextMax = 128;
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

/** What `event.` and `of` call by these names is of every event. */
const reservedNames: ReadonlySet<string> = new Set([
  "id",
  "type",
  "at",
  "amount",
  "amount_minor",
  "currency",
  "local_day",
  "local_week",
]);

/** Checks the section `event_types`. */
export function checkEventTypes({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "event_types", ruleSet.eventTypes.length, eventTypesMax)) return;
  const seen = new Map<string, string>();
  for (const [index, eventType] of ruleSet.eventTypes.entries()) {
    const path = `event_types[${index}]`;
    checkName(faults, `${path}.name`, eventType.name, seen);
    if (builtInEventTypes.has(eventType.name))
      faults.error(`${path}.name`, "shadows-fact", `the type of events ${quote(eventType.name)} is built in`);
    checkText(faults, `${path}.description`, eventType.description, descriptionMax);
    checkPurposes(faults, `${path}.purposes`, eventType.purposes);
    checkEventAttributes(faults, path, eventType);
  }
}

/** A name of lower case letters, digits and underscores, the first of its section. */
export function checkName(faults: FaultList, path: string, name: string, seen: Map<string, string>): void {
  if (name === "") {
    faults.error(path, "missing", "this name must be set");
    return;
  }
  if (!namePattern.test(name)) {
    const shape = "a lower case letter, then letters, digits and underscores, at most 64";
    faults.error(path, "bad-name", `${quote(name)} is no name: ${shape}`);
    return;
  }
  const first = seen.get(name);
  if (first === undefined) seen.set(name, path);
  else faults.error(path, "duplicate-id", `${quote(name)} is the name of ${first} already`);
}

function checkEventAttributes(faults: FaultList, path: string, { attributes }: EventType): void {
  if (!checkSize(faults, `${path}.attributes`, attributes.length, attributesMax)) return;
  const seen = new Map<string, string>();
  for (const [index, { name, type, values }] of attributes.entries()) {
    const at = `${path}.attributes[${index}]`;
    checkName(faults, `${at}.name`, name, seen);
    if (reservedNames.has(name))
      faults.error(`${at}.name`, "shadows-fact", `${quote(name)} is built into every event`);
    if (type === Attribute_Type.TYPE_UNSPECIFIED)
      faults.error(`${at}.type`, "missing", "say of which type it is");
    if (type === Attribute_Type.STRING_LIST)
      faults.error(`${at}.type`, "unknown-value", "attributes of events are no lists");
    if (values.length > 0 && type !== Attribute_Type.STRING)
      faults.error(
        `${at}.values`,
        "values-not-allowed",
        `${quote(name)} holds no texts, so it has no values to list`,
      );
    checkSet(faults, { path: `${at}.values`, values, max: valuesMax }, (valuePath, value) =>
      checkText(faults, valuePath, value, valueTextMax),
    );
  }
}
