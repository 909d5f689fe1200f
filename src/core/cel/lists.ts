import { isInDomain, makeCompare } from "./compare.ts";
import type { ExprType, Scalar } from "./expr.ts";
import { quote, suggest } from "./faults.ts";
import { roots } from "./names.ts";
import { refusals } from "./refusals.ts";
import {
  accept,
  type Checked,
  checkAs,
  describeType,
  elementOf,
  isSameType,
  readText,
  type Scope,
} from "./scope.ts";
import type { Node } from "./syntax.ts";

/** `left in right`, right a list literal, a list variable or `list("id")`. */
export function checkIn(offset: number, leftNode: Node, rightNode: Node, scope: Scope): Checked | undefined {
  const left = scope.check(leftNode);
  if (rightNode.kind === "call" && rightNode.name === "list" && rightNode.target === undefined) {
    const [id] = rightNode.args;
    if (id === undefined || rightNode.args.length !== 1) {
      return scope.faults.add(rightNode.offset, "wrong-arity", 'list takes 1 argument: list("id")');
    }
    const checkedId = checkAs(scope, id, ["string"], "the id of a list");
    return left && checkedId && makeInList(scope, offset, left, checkedId);
  }
  if (rightNode.kind === "list") {
    const items = checkItems(rightNode, scope);
    return left && items && makeInItems(scope, offset, left, items, rightNode.offset);
  }
  const right = scope.check(rightNode);
  return left && right && makeIn(scope, offset, left, right);
}

function makeIn(scope: Scope, offset: number, left: Checked, right: Checked): Checked | undefined {
  const element = elementOf(right.expr.type);
  if (element === undefined) {
    const message = `the right side of in must be a list, this is ${describeType(right.expr.type)}`;
    return scope.faults.add(right.offset, "type-mismatch", message);
  }
  if (!isSameType(element, left.expr.type)) return refuseElement(scope, offset, left, right.expr.type);
  const { subject } = right;
  if (left.expr.op === "const") {
    const isKnown = isInDomain(scope, left.offset, subject, left.expr.value, "this can never hold");
    if (!isKnown) return undefined;
  }
  return accept(scope, offset, { op: "in", type: "bool", left: left.expr, right: right.expr });
}

/** Each element is compared for its domain and range; one that is computed makes the whole a comparison per element. */
function makeInItems(
  scope: Scope,
  offset: number,
  left: Checked,
  items: readonly Checked[],
  listOffset: number,
): Checked | undefined {
  const [first] = items;
  if (first !== undefined && !isSameType(first.expr.type, left.expr.type)) {
    return typeof first.expr.type === "string"
      ? refuseElement(scope, offset, left, { list: first.expr.type })
      : undefined;
  }
  const equals = items.map((item) => {
    const { expr, offset: at } = item;
    // Told first, this stands for what the comparison would say at the same place.
    if (expr.op === "const") isInDomain(scope, at, left.subject, expr.value, "it has no place in this list");
    return makeCompare(scope, at, "eq", left, item);
  });
  const args = equals.flatMap((equal) => (equal === undefined ? [] : [equal.expr]));
  if (args.length < items.length) return undefined;
  if (items.some((item) => item.expr.op !== "const"))
    return accept(scope, offset, { op: "or", type: "bool", args });
  const list = makeListConst(listOffset, items);
  return list && accept(scope, offset, { op: "in", type: "bool", left: left.expr, right: list.expr });
}

function refuseElement(scope: Scope, offset: number, left: Checked, list: ExprType): undefined {
  return scope.faults.add(
    offset,
    "type-mismatch",
    `${describeType(left.expr.type)} is never in ${describeType(list)}`,
  );
}

/** `in_list(left, "id")` and `left in list("id")`. */
export function makeInList(scope: Scope, offset: number, left: Checked, id: Checked): Checked | undefined {
  const name = readText(scope, id, "the id of a list");
  if (name === undefined) return undefined;
  const list = scope.environment.list(name);
  if (list === undefined) {
    const known = suggest(name, scope.environment.names("list"));
    return scope.faults.add(id.offset, "unknown-list", `there is no list ${quote(name)}${known}`);
  }
  if (left.expr.type !== "string") {
    const holds = list.kind === "BIN" ? "BINs, which are strings" : "strings";
    const message = `the list ${quote(name)} holds ${holds}: ${describeType(left.expr.type)} cannot be looked up in it`;
    return scope.faults.add(left.offset, "type-mismatch", message);
  }
  return accept(scope, offset, { op: "inList", type: "bool", left: left.expr, list: list.ordinal });
}

/** A list literal outside of `in`: its elements are constants of one type. */
export function checkList(node: Extract<Node, { kind: "list" }>, scope: Scope): Checked | undefined {
  const items = checkItems(node, scope);
  const computed = items?.find((item) => item.expr.op !== "const");
  if (computed !== undefined) {
    return scope.faults.add(computed.offset, "no-computed-list", refusals["no-computed-list"]);
  }
  return items && makeListConst(node.offset, items);
}

function checkItems(node: Extract<Node, { kind: "list" }>, scope: Scope): readonly Checked[] | undefined {
  if (node.items.length === 0)
    return scope.faults.add(node.offset, "no-empty-list", refusals["no-empty-list"]);
  const items = node.items.flatMap((item) => scope.check(item) ?? []);
  const type = items[0]?.expr.type;
  for (const item of items) {
    if (elementOf(item.expr.type) !== undefined) {
      return scope.faults.add(item.offset, "no-nested-list", refusals["no-nested-list"]);
    }
    if (type !== undefined && !isSameType(type, item.expr.type)) {
      return scope.faults.add(item.offset, "no-mixed-list", refusals["no-mixed-list"]);
    }
  }
  return items.length === node.items.length ? items : undefined;
}

function makeListConst(offset: number, items: readonly Checked[]): Checked | undefined {
  const type = items[0]?.expr.type;
  if (typeof type !== "string") return undefined;
  const values = items.flatMap((item): readonly Scalar[] =>
    item.expr.op === "const" ? [item.expr.value] : [],
  );
  return { expr: { op: "listConst", type: { list: type }, values }, offset };
}

/** `range.exists(item, body)` and `range.all(item, body)`. */
export function checkQuantifier(
  node: Extract<Node, { kind: "quantifier" }>,
  scope: Scope,
): Checked | undefined {
  const { how, item, offset } = node;
  const range = scope.check(node.range);
  if (item === "now" || roots.some((root) => root === item)) {
    return scope.faults.add(
      offset,
      "shadowed-name",
      `the item of ${how} cannot be called ${item}: that name is taken`,
    );
  }
  if (range === undefined) return undefined;
  const type = elementOf(range.expr.type);
  if (type === undefined) {
    const message = `${how} goes over a list, this is ${describeType(range.expr.type)}`;
    return scope.faults.add(range.offset, "type-mismatch", message);
  }
  const depth = scope.locals.length;
  const subject = range.subject && { ...range.subject, name: item };
  scope.locals.push({ name: item, type, subject });
  const body = checkAs(scope, node.body, ["bool"], `the condition of ${how}`);
  scope.locals.pop();
  return body && accept(scope, offset, { op: how, type: "bool", list: range.expr, depth, body: body.expr });
}

/** `segment("id")`. */
export function makeSegment(scope: Scope, offset: number, id: Checked): Checked | undefined {
  const name = readText(scope, id, "the id of a segment");
  if (name === undefined) return undefined;
  const segment = scope.environment.segment(name);
  if (segment !== undefined) return accept(scope, offset, { op: "segment", type: "bool", segment });
  const known = suggest(name, scope.environment.names("segment"));
  return scope.faults.add(id.offset, "unknown-segment", `there is no segment ${quote(name)}${known}`);
}
