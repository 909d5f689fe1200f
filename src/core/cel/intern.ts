import type { Expr, ExprType, Scalar } from "./expr.ts";

/** Makes equal expressions one object, so that whatever is built from them is shared (hash-consing). */
export type Interner = {
  /** The one expression that stands for all equal to this one; its parts are interned too. */
  readonly intern: (expr: Expr) => Expr;
  /** The number of an interned expression: equal numbers, equal expressions. Counts from 0, parts before the whole. */
  readonly idOf: (expr: Expr) => number;
};

/** Makes an interner without any expression. Its memory is held as long as it is. */
export function createInterner(): Interner {
  const ids = new Map<Expr, number>();
  const byKey = new Map<string, Expr>();
  const intern = (expr: Expr): Expr => {
    if (ids.has(expr)) {
      return expr;
    }
    const children = listChildren(expr).map(intern);
    const key = `${describeNode(expr)}|${children.map((child) => ids.get(child)).join(",")}`;
    let canonical = byKey.get(key);
    if (canonical === undefined) {
      canonical = withChildren(expr, children);
      byKey.set(key, canonical);
      ids.set(canonical, ids.size);
    }
    return canonical;
  };
  return { intern, idOf: (expr) => ids.get(intern(expr))! };
}

/** The parts of an expression, in the order of evaluation. */
export function listChildren(expr: Expr): readonly Expr[] {
  switch (expr.op) {
    case "const":
    case "listConst":
    case "slot":
    case "local":
    case "has":
    case "segment":
      return [];
    case "not":
    case "negate":
    case "size":
    case "convert":
      return [expr.arg];
    case "and":
    case "or":
      return expr.args;
    case "cond":
      return [expr.test, expr.then, expr.else];
    case "compare":
    case "in":
    case "arithmetic":
    case "string":
      return [expr.left, expr.right];
    case "inList":
    case "matches":
      return [expr.left];
    case "exists":
    case "all":
      return [expr.list, expr.body];
    case "within":
    case "silent":
      return [expr.at, expr.duration];
    case "localHour":
    case "localWeekday":
      return [expr.at];
    case "cidr":
      return [expr.ip];
  }
}

/** The same node over other parts, given in the order of `listChildren`. */
function withChildren(expr: Expr, children: readonly Expr[]): Expr {
  const [first, second, third] = children as readonly [Expr, Expr, Expr];
  switch (expr.op) {
    case "const":
    case "listConst":
    case "slot":
    case "local":
    case "has":
    case "segment":
      return expr;
    case "not":
    case "negate":
    case "size":
    case "convert":
      return { ...expr, arg: first };
    case "and":
    case "or":
      return { ...expr, args: children };
    case "cond":
      // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
      return { ...expr, test: first, then: second, else: third };
    case "compare":
    case "in":
    case "arithmetic":
    case "string":
      return { ...expr, left: first, right: second };
    case "inList":
    case "matches":
      return { ...expr, left: first };
    case "exists":
    case "all":
      return { ...expr, list: first, body: second };
    case "within":
    case "silent":
      return { ...expr, at: first, duration: second };
    case "localHour":
    case "localWeekday":
      return { ...expr, at: first };
    case "cidr":
      return { ...expr, ip: first };
  }
}

/** All of a node but its parts, as text that differs wherever the nodes do. */
function describeNode(expr: Expr): string {
  const head = `${expr.op}:${describeType(expr.type)}`;
  switch (expr.op) {
    case "const":
      return `${head}:${describeScalar(expr.value)}`;
    case "listConst":
      return `${head}:${expr.values.map(describeScalar).join(",")}`;
    case "slot":
    case "has":
      return `${head}:${expr.slot}`;
    case "local":
    case "exists":
    case "all":
      return `${head}:${expr.depth}`;
    case "segment":
      return `${head}:${expr.segment}`;
    case "inList":
      return `${head}:${expr.list}`;
    case "compare":
    case "arithmetic":
    case "string":
      return `${head}:${expr.how}`;
    case "matches":
      return `${head}:${JSON.stringify(expr.pattern)}`;
    case "localHour":
    case "localWeekday":
      return `${head}:${JSON.stringify(expr.zone)}`;
    case "cidr":
      return `${head}:${JSON.stringify(expr.prefix)}`;
    case "not":
    case "and":
    case "or":
    case "cond":
    case "in":
    case "negate":
    case "size":
    case "convert":
    case "within":
    case "silent":
      return head;
  }
}

function describeType(type: ExprType): string {
  return typeof type === "string" ? type : `list(${type.list})`;
}

function describeScalar(value: Scalar): string {
  if (typeof value === "string") {
    return JSON.stringify(value);
  }
  return Object.is(value, -0) ? "-0" : String(value);
}
