import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
} from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { quote, suggest } from "../../cel/faults.ts";
import type { FaultRule } from "../check/fault-rules.ts";
import type { FaultList } from "./fault.ts";
import { toCamelCase } from "./locate.ts";
import { classifyPlain, type DocNode, describeNode } from "./node.ts";
import { type Parsed, parseDouble, parseDuration, parseInteger, parseTimestamp } from "./read-values.ts";

/** Nodes that are read, those behind aliases counted each time: what stands between a small text and a huge message. */
const nodesMax = 4_000_000;

type Context = { readonly faults: FaultList; nodesLeft: number };
type Fields = Record<string, unknown>;
/** What one value is: a field, or an element of a repeated one. */
type Wanted =
  | { readonly kind: "scalar"; readonly scalar: ScalarType }
  | { readonly kind: "enum"; readonly enum: DescEnum }
  | { readonly kind: "message"; readonly message: DescMessage };

/**
 * Reads a tree as a message, by the protobuf JSON mapping with these differences, each the stricter side: null is refused, enums are names,
 * integers are decimal integers. Keys are names of fields in snake_case or camelCase.
 *
 * Fails:  with located faults in the list; the message then lacks what was wrong, and lists keep their indexes.
 */
export function readMessage<Desc extends DescMessage>(
  schema: Desc,
  node: DocNode,
  faults: FaultList,
): Message & Fields {
  const message = readFields(schema, node, "", { faults, nodesLeft: nodesMax });
  return message as Message & Fields;
}

function readFields(schema: DescMessage, node: DocNode, path: string, context: Context): Message {
  const message = create(schema);
  if (node.kind !== "map") {
    addFault(
      context,
      path,
      "wrong-type",
      `a map of fields must stand here, this is ${describeNode(node)}`,
      node,
    );
    return message;
  }
  const byKey = fieldsOf(schema);
  const seen = new Map<string, string>();
  for (const { key, keyStart, value } of node.entries) {
    const field = byKey.get(key);
    if (field === undefined) {
      const known = suggest(
        key,
        schema.fields.map(({ name }) => name),
      );
      context.faults.error(
        joinPath(path, key),
        "unknown-field",
        `there is no field ${quote(key)} here${known}`,
        keyStart,
      );
      continue;
    }
    // Members of a oneof stand for one thing.
    const slot = field.oneof?.name ?? field.name;
    const earlier = seen.get(slot);
    if (earlier === undefined) {
      seen.set(slot, field.name);
      setField(message as unknown as Fields, field, value, joinPath(path, field.name), context);
    } else if (earlier === field.name) {
      context.faults.error(
        joinPath(path, field.name),
        "duplicate-key",
        `${quote(key)} is here twice`,
        keyStart,
      );
    } else {
      const message = `only one of ${quote(earlier)} and ${quote(field.name)} may be here`;
      context.faults.error(joinPath(path, field.name), "one-of", message, keyStart);
    }
  }
  return message;
}

/** Fields by the keys that they may have; a map, so that `__proto__` and `constructor` are keys like any other. */
const fieldsBySchema = new Map<string, ReadonlyMap<string, DescField>>();

function fieldsOf(schema: DescMessage): ReadonlyMap<string, DescField> {
  let fields = fieldsBySchema.get(schema.typeName);
  if (fields === undefined) {
    fields = new Map(
      schema.fields.flatMap((field) => [field.name, toCamelCase(field.name)].map((key) => [key, field])),
    );
    fieldsBySchema.set(schema.typeName, fields);
  }
  return fields;
}

function setField(message: Fields, field: DescField, node: DocNode, path: string, context: Context): void {
  if (field.fieldKind === "map") throw new Error(`rule sets have no maps, yet ${field.name} is one`);
  const value =
    field.fieldKind === "list"
      ? readList(field, node, path, context)
      : readValue(wantedOf(field), node, path, context);
  if (value === undefined) return;
  if (field.oneof === undefined) message[field.localName] = value;
  else message[field.oneof.localName] = { case: field.localName, value };
}

function wantedOf(field: DescField): Wanted {
  const kind = field.fieldKind === "list" ? field.listKind : field.fieldKind;
  if (kind === "scalar" && field.scalar !== undefined) return { kind, scalar: field.scalar };
  if (kind === "enum" && field.enum !== undefined) return { kind, enum: field.enum };
  if (kind === "message" && field.message !== undefined) return { kind, message: field.message };
  throw new Error(`rule sets have no field like ${field.name}`);
}

function readList(
  field: DescField,
  node: DocNode,
  path: string,
  context: Context,
): readonly unknown[] | undefined {
  if (node.kind !== "list") {
    addFault(context, path, "wrong-type", `a list must stand here, this is ${describeNode(node)}`, node);
    return undefined;
  }
  const wanted = wantedOf(field);
  const values: unknown[] = [];
  for (const [index, item] of node.items.entries()) {
    if (context.nodesLeft < 0) break;
    values.push(readValue(wanted, item, `${path}[${index}]`, context) ?? "");
  }
  return values;
}

function readValue(wanted: Wanted, node: DocNode, path: string, context: Context): unknown {
  if (context.nodesLeft-- === 0) {
    context.faults.error(
      "",
      "too-many-nodes",
      `more than ${nodesMax} values, those behind aliases counted each time`,
    );
  }
  if (context.nodesLeft < 0) return undefined;
  if (node.kind === "scalar" && node.style === "plain" && classifyPlain(node.text) === "null") {
    const advice =
      wanted.kind === "message" ? "write {} for one without fields, or leave it out" : "leave it out";
    addFault(context, path, "null-value", `null is not a value: ${advice}`, node);
    return wanted.kind === "message" ? create(wanted.message) : undefined;
  }
  switch (wanted.kind) {
    case "message":
      return readSubmessage(wanted.message, node, path, context);
    case "enum":
      return readEnum(wanted.enum, node, path, context);
    case "scalar":
      return readScalar(wanted.scalar, node, path, context);
  }
}

function readSubmessage(schema: DescMessage, node: DocNode, path: string, context: Context): Message {
  if (schema.typeName === TimestampSchema.typeName) {
    return (
      readText(node, path, context, "an instant as RFC 3339 text", parseTimestamp) ?? create(TimestampSchema)
    );
  }
  if (schema.typeName === DurationSchema.typeName) {
    return (
      readText(node, path, context, 'a duration such as "900s"', parseDuration) ?? create(DurationSchema)
    );
  }
  return readFields(schema, node, path, context);
}

function readEnum(schema: DescEnum, node: DocNode, path: string, context: Context): number | undefined {
  const names = schema.values.map(({ name }) => name);
  const text = textOf(node);
  const value = schema.values.find(({ name }) => name === text);
  if (value !== undefined) return value.number;
  const listed = names.filter((name) => !name.endsWith("_UNSPECIFIED"));
  const told =
    text === undefined ? describeNode(node) : `${quote(text)}${suggest(text.toUpperCase(), listed)}`;
  addFault(
    context,
    path,
    "unknown-value",
    `one of ${listed.join(", ")} must stand here, this is ${told}`,
    node,
  );
  return undefined;
}

function readScalar(scalar: ScalarType, node: DocNode, path: string, context: Context): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      return readText(node, path, context, "text", checkWellFormed);
    case ScalarType.BOOL:
      if (node.kind === "scalar" && node.style === "plain" && classifyPlain(node.text) === "bool") {
        return node.text.toLowerCase() === "true";
      }
      addFault(
        context,
        path,
        "wrong-type",
        `true or false must stand here, this is ${describeNode(node)}`,
        node,
      );
      return undefined;
    case ScalarType.INT32:
    case ScalarType.INT64: {
      const parsed = parseInteger(node, scalar === ScalarType.INT32 ? 32 : 53);
      if (!parsed.ok) addFault(context, path, parsed.rule, parsed.message, node);
      else return scalar === ScalarType.INT32 ? Number(parsed.value) : parsed.value;
      return undefined;
    }
    case ScalarType.DOUBLE: {
      const parsed = parseDouble(node);
      if (parsed.ok) return parsed.value;
      addFault(context, path, parsed.rule, parsed.message, node);
      return undefined;
    }
    default:
      throw new Error(`rule sets have no scalars of type ${ScalarType[scalar]}`);
  }
}

function readText<T>(
  node: DocNode,
  path: string,
  context: Context,
  what: string,
  parse: (text: string) => Parsed<T>,
): T | undefined {
  const text = textOf(node);
  if (text === undefined) {
    const advice = node.kind === "scalar" ? `; write it in quotes: "${node.text.slice(0, 40)}"` : "";
    addFault(
      context,
      path,
      "wrong-type",
      `${what} must stand here, this is ${describeNode(node)}${advice}`,
      node,
    );
    return undefined;
  }
  const parsed = parse(text);
  if (parsed.ok) return parsed.value;
  addFault(context, path, parsed.rule, parsed.message, node);
  return undefined;
}

function checkWellFormed(text: string): Parsed<string> {
  if (text.isWellFormed()) return { ok: true, value: text };
  return { ok: false, rule: "not-well-formed", message: "this text holds half of a surrogate pair" };
}

/** The text of a node; undefined where it is no text. */
function textOf(node: DocNode): string | undefined {
  if (node.kind !== "scalar") return undefined;
  return node.style !== "plain" || classifyPlain(node.text) === "text" ? node.text : undefined;
}

/** A key that is no plain name stands in brackets, quoted, escaped and cut, so that a path never looks like another. */
function joinPath(path: string, key: string): string {
  if (!/^[A-Za-z_]\w{0,63}$/.test(key)) return `${path}[${quote(key).replace(/[^ -~]/g, escapeUnit)}]`;
  return path === "" ? key : `${path}.${key}`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function addFault(context: Context, path: string, rule: FaultRule, message: string, node: DocNode): void {
  context.faults.error(path, rule, message, node.start);
}
