import type { Environment } from "./environment.ts";
import type { Expr, ExprType, Scalar, ScalarType } from "./expr.ts";
import type { FaultSink } from "./faults.ts";
import { foldExpr } from "./fold.ts";
import type { Node } from "./syntax.ts";

/** What is known about the values of an expression, for comparisons that can never hold. */
export type Subject = {
  /** As the author wrote it, such as `payment.kind`. */
  readonly name: string;
  readonly domain?: readonly string[] | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
};

/** An expression that passed the checks; `offset` is where faults about it are shown. */
export type Checked = {
  readonly expr: Expr;
  readonly offset: number;
  readonly subject?: Subject | undefined;
};

/** The item of an enclosing `exists` or `all`. */
type Local = {
  readonly name: string;
  readonly type: ScalarType;
  readonly subject: Subject | undefined;
};

/** What the checks of one condition share. */
export type Scope = {
  readonly environment: Environment;
  readonly faults: FaultSink;
  /** Items of the enclosing quantifiers, outermost first: the index is the depth. */
  readonly locals: Local[];
  /** Offsets where `payment.amount_minor` is read and no conjunction around has fixed the currency so far (SEMANTICS 2.2). */
  readonly amounts: number[];
  /** The slot of `payment.currency`, once something has read it. */
  currencySlot: number | undefined;
  /** Checks any node; undefined where that added a fault. */
  readonly check: (node: Node) => Checked | undefined;
};

/** Folds what is constant; an expression that fails whatever the payment is `constant-error`. */
export function accept(scope: Scope, offset: number, expr: Expr, subject?: Subject): Checked | undefined {
  const folded = foldExpr(expr);
  if (folded === undefined) {
    const why = "overflow, division by zero or a value that does not convert";
    return scope.faults.add(offset, "constant-error", `this fails whatever the payment: ${why}`);
  }
  return { expr: folded, offset, subject };
}

/** Checks a node and that its type is one of those wanted; `what` begins the message, such as `the condition`. */
export function checkAs(
  scope: Scope,
  node: Node,
  wanted: readonly ExprType[],
  what: string,
): Checked | undefined {
  const checked = scope.check(node);
  if (checked === undefined || wanted.some((type) => isSameType(type, checked.expr.type))) return checked;
  const names = wanted.map(describeType).join(" or ");
  const message = `${what} must be ${names}, this is ${describeType(checked.expr.type)}`;
  return scope.faults.add(checked.offset, "type-mismatch", message);
}

/** The value of an expression that must be constant text. */
export function readText(scope: Scope, checked: Checked, what: string): string | undefined {
  const { expr } = checked;
  if (expr.op === "const" && typeof expr.value === "string") return expr.value;
  return scope.faults.add(checked.offset, "not-constant", `${what} must be a string literal`);
}

/** A constant as an expression. */
export function makeConst(type: ScalarType, value: Scalar): Expr {
  return { op: "const", type, value };
}

/** Whether the type is int or double. */
export function isNumeric(type: ExprType): boolean {
  return type === "int" || type === "double";
}

/** The element type of a list, undefined for a scalar. */
export function elementOf(type: ExprType): ScalarType | undefined {
  return typeof type === "string" ? undefined : type.list;
}

/** Whether two types are one. */
export function isSameType(a: ExprType, b: ExprType): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : a.list === b.list;
}

/** A type with its article, such as `an int` or `a list of string`. */
export function describeType(type: ExprType): string {
  if (typeof type !== "string") return `a list of ${type.list}`;
  return type === "int" ? "an int" : `a ${type}`;
}
