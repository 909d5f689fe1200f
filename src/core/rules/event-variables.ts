import type { Refusal, Variable } from "../cel/environment.ts";
import type { ExprType } from "../cel/expr.ts";
import { quote } from "../cel/faults.ts";
import type { EventAttribute, EventTypeInfo, EventValueType } from "../events/event.ts";

/** Types of values of events as conditions have them. */
export const eventValueTypes: Readonly<Record<EventValueType, ExprType>> = {
  BOOL: "bool",
  INT: "int",
  DOUBLE: "double",
  STRING: "string",
  TIMESTAMP: "timestamp",
};

/** What conditions over some types of events may read, and why not the rest. */
export type EventVariables = {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly refusal: (path: string) => Refusal | undefined;
};

/** The attributes of some types of events by name, each with the types that have it. */
export type SharedAttribute = {
  readonly attribute: EventAttribute;
  readonly owner: string;
  /** Another type of events where an attribute of this name is of another type, or kept in another way. */
  readonly conflict: { readonly attribute: EventAttribute; readonly owner: string } | undefined;
  /** Values that it can take in any of them; empty means any. */
  readonly values: readonly string[];
};

/** Brings the attributes of several types of events together. */
export function shareAttributes(types: readonly EventTypeInfo[]): ReadonlyMap<string, SharedAttribute> {
  const shared = new Map<string, SharedAttribute>();
  for (const { name: owner, attributes } of types) {
    for (const attribute of attributes.values()) {
      const known = shared.get(attribute.name);
      if (known === undefined) {
        shared.set(attribute.name, { attribute, owner, conflict: undefined, values: attribute.values });
        continue;
      }
      const isSame = attribute.type === known.attribute.type && attribute.storage === known.attribute.storage;
      const isOpen = known.values.length === 0 || attribute.values.length === 0;
      shared.set(attribute.name, {
        ...known,
        conflict: known.conflict ?? (isSame ? undefined : { attribute, owner }),
        values: isOpen ? [] : [...new Set([...known.values, ...attribute.values])],
      });
    }
  }
  return shared;
}

/** Says how two types of events differ in an attribute. */
export function describeConflict({ attribute, owner, conflict }: SharedAttribute): string {
  const say = (one: EventAttribute): string => `${one.type}${one.storage === "wide" ? ", wide" : ""}`;
  const other = conflict === undefined ? "" : `, of ${conflict.owner} ${say(conflict.attribute)}`;
  return `${quote(attribute.name)} of ${owner} is ${say(attribute)}${other}: look at one of them at a time`;
}

/** The variables of conditions over events of these types: what all events have, and the attributes that can be compared. */
export function listEventVariables(types: readonly EventTypeInfo[]): EventVariables {
  const shared = shareAttributes(types);
  const variables = new Map<string, Variable>([
    make("type", "string", { domain: types.map(({ name }) => name) }),
    make("at", "timestamp"),
    make("amount_minor", "int", { min: 0 }),
    make("currency", "string"),
  ]);
  for (const [name, { attribute, conflict, values }] of shared) {
    if (conflict !== undefined || isOnlyCounted(attribute)) continue;
    const [path, variable] = make(name, eventValueTypes[attribute.type], {
      ...(values.length > 0 && { domain: values }),
    });
    variables.set(path, variable);
  }
  return {
    variables,
    refusal: (path) => {
      const name = path.startsWith("event.") ? path.slice("event.".length) : "";
      const found = shared.get(name);
      if (found === undefined) return undefined;
      const message =
        found.conflict === undefined
          ? `${quote(path)} has too many values to be kept as text: it can be counted (DISTINCT), not compared`
          : describeConflict(found);
      return { kind: "fault", rule: "type-mismatch", message };
    },
  };
}

/** Whether a value is kept by its hash only. */
export function isOnlyCounted({ type, storage }: EventAttribute): boolean {
  return type === "STRING" && storage === "wide";
}

function make(
  name: string,
  type: ExprType,
  bounds: Pick<Variable, "domain" | "min"> = {},
): readonly [string, Variable] {
  return [`event.${name}`, { type, source: { kind: "event", name }, ...bounds }];
}
