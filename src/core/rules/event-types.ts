import {
  Attribute_Type,
  type EventType,
  type EventType_EventAttribute,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import type { EventAttribute, EventTypeInfo, EventValueType } from "../events/event.ts";
import { readPurposes } from "./names.ts";

/** A declared type of events; attributes without a type that events can have are left out. */
export function readEventType({
  name,
  description,
  attributes,
  hasAmount,
  purposes,
}: EventType): EventTypeInfo {
  const read = attributes.flatMap((attribute) => readEventAttribute(attribute) ?? []);
  return {
    name,
    amount: hasAmount ? "optional" : "none",
    attributes: new Map(read.map((attribute) => [attribute.name, attribute])),
    isPaymentFact: false,
    ...(purposes.length > 0 && { purposes: readPurposes(purposes) }),
    doc: description,
  };
}

/** A text whose values are listed, or a bool, has few values and is part of the row's label; all else is wide. */
function readEventAttribute({
  name,
  type,
  values,
  required,
}: EventType_EventAttribute): EventAttribute | undefined {
  if (type === Attribute_Type.TYPE_UNSPECIFIED || type === Attribute_Type.STRING_LIST) return undefined;
  const isPlain = type === Attribute_Type.BOOL || values.length > 0;
  return {
    name,
    type: Attribute_Type[type] as EventValueType,
    storage: isPlain ? "plain" : "wide",
    values,
    required,
    doc: "",
  };
}
