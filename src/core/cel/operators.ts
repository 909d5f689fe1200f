import { makeCompare } from "./compare.ts";
import type { ArithmeticOp, CompareOp, Expr, ScalarType } from "./expr.ts";
import { checkIn } from "./lists.ts";
import { refusals } from "./refusals.ts";
import { accept, type Checked, checkAs, describeType, isSameType, type Scope } from "./scope.ts";
import type { Node } from "./syntax.ts";

type Call = Extract<Node, { kind: "call" }>;

const compares: ReadonlyMap<string, CompareOp> = new Map([
  ["_==_", "eq"],
  ["_!=_", "ne"],
  ["_<_", "lt"],
  ["_<=_", "le"],
  ["_>_", "gt"],
  ["_>=_", "ge"],
]);

const arithmetics: ReadonlyMap<string, ArithmeticOp> = new Map([
  ["_+_", "add"],
  ["_-_", "sub"],
  ["_*_", "mul"],
  ["_/_", "div"],
  ["_%_", "mod"],
]);

/** What the operands of an arithmetic operator make; any other pair is refused, as in CEL. */
const results: ReadonlyMap<string, ScalarType> = new Map([
  ...(["add", "sub", "mul", "div", "mod"] as const).map((how) => [`int ${how} int`, "int"] as const),
  ...(["add", "sub", "mul", "div"] as const).map((how) => [`double ${how} double`, "double"] as const),
  ["timestamp add duration", "timestamp"],
  ["duration add timestamp", "timestamp"],
  ["timestamp sub duration", "timestamp"],
  ["timestamp sub timestamp", "duration"],
  ["duration add duration", "duration"],
  ["duration sub duration", "duration"],
]);

/** Checks an operator, which the parser names like `_&&_`; `"none"` where the call is no operator. */
export function checkOperator(call: Call, scope: Scope): Checked | undefined | "none" {
  const [first, second, third] = call.args;
  if (first === undefined || call.target !== undefined) return "none";
  if (call.name === "!_") return checkNot(call, first, scope);
  if (call.name === "-_") return checkNegate(call, first, scope);
  if (second === undefined) return "none";
  if (call.name === "_&&_" || call.name === "_||_") return checkLogic(call, scope);
  if (call.name === "@in") return checkIn(call.offset, first, second, scope);
  if (call.name === "_[_]") return scope.faults.add(call.offset, "no-index", refusals["no-index"]);
  if (call.name === "_?_:_" && third !== undefined)
    return checkConditional(call, first, second, third, scope);
  const compare = compares.get(call.name);
  const arithmetic = arithmetics.get(call.name);
  if (compare === undefined && arithmetic === undefined) return "none";
  const left = scope.check(first);
  const right = scope.check(second);
  if (left === undefined || right === undefined) return undefined;
  if (compare !== undefined) return makeCompare(scope, call.offset, compare, left, right);
  return arithmetic && makeArithmetic(scope, call.offset, arithmetic, left, right);
}

/** A conjunction that fixes the currency makes the amounts in it comparable (SEMANTICS 2.2). */
function checkLogic(call: Call, scope: Scope): Checked | undefined {
  const amountsBefore = scope.amounts.length;
  const op = call.name === "_&&_" ? "and" : "or";
  const sides = flatten(call, call.name).map((node) =>
    checkAs(scope, node, ["bool"], `each side of ${op === "and" ? "&&" : "||"}`),
  );
  const args = sides.flatMap((side) => (side === undefined ? [] : [side.expr]));
  if (op === "and" && args.some((arg) => fixesCurrency(arg, scope))) scope.amounts.length = amountsBefore;
  if (args.length < sides.length) return undefined;
  return accept(scope, sides[0]?.offset ?? call.offset, { op, type: "bool", args });
}

function flatten(node: Node, name: string): readonly Node[] {
  return node.kind === "call" && node.name === name ? node.args.flatMap((arg) => flatten(arg, name)) : [node];
}

function fixesCurrency(expr: Expr, scope: Scope): boolean {
  if (expr.op === "and") return expr.args.some((arg) => fixesCurrency(arg, scope));
  const isCurrency = (side: Expr) => side.op === "slot" && side.slot === scope.currencySlot;
  if (expr.op === "compare" && expr.how === "eq") {
    return (
      (isCurrency(expr.left) && expr.right.op === "const") ||
      (isCurrency(expr.right) && expr.left.op === "const")
    );
  }
  return (
    expr.op === "in" &&
    isCurrency(expr.left) &&
    expr.right.op === "listConst" &&
    expr.right.values.length === 1
  );
}

function checkNot(call: Call, arg: Node, scope: Scope): Checked | undefined {
  const checked = checkAs(scope, arg, ["bool"], "what ! negates");
  return checked && accept(scope, call.offset, { op: "not", type: "bool", arg: checked.expr });
}

function checkNegate(call: Call, arg: Node, scope: Scope): Checked | undefined {
  const checked = checkAs(scope, arg, ["int", "double"], "what - negates");
  const type = checked?.expr.type;
  if (checked === undefined || (type !== "int" && type !== "double")) return undefined;
  return accept(scope, call.offset, { op: "negate", type, arg: checked.expr });
}

function checkConditional(
  call: Call,
  testNode: Node,
  thenNode: Node,
  elseNode: Node,
  scope: Scope,
): Checked | undefined {
  const test = checkAs(scope, testNode, ["bool"], "what stands before ?");
  const then = scope.check(thenNode);
  const otherwise = scope.check(elseNode);
  if (test === undefined || then === undefined || otherwise === undefined) return undefined;
  const { type } = then.expr;
  if (!isSameType(type, otherwise.expr.type)) {
    const message = `both results of ?: must have one type, these are ${describeType(type)} and ${describeType(otherwise.expr.type)}`;
    return scope.faults.add(otherwise.offset, "type-mismatch", message);
  }
  return accept(scope, call.offset, {
    op: "cond",
    type,
    test: test.expr,
    // biome-ignore lint/suspicious/noThenProperty: the typed form names its branches so; it is never awaited.
    then: then.expr,
    else: otherwise.expr,
  });
}

function makeArithmetic(
  scope: Scope,
  offset: number,
  how: ArithmeticOp,
  left: Checked,
  right: Checked,
): Checked | undefined {
  const a = left.expr.type;
  const b = right.expr.type;
  const type = typeof a === "string" && typeof b === "string" ? results.get(`${a} ${how} ${b}`) : undefined;
  if (type !== undefined) {
    return accept(scope, offset, { op: "arithmetic", type, how, left: left.expr, right: right.expr });
  }
  if (how === "add" && isSameType(a, b) && (a === "string" || typeof a !== "string")) {
    return scope.faults.add(offset, "no-concatenation", refusals["no-concatenation"]);
  }
  const isMixed = (a === "int" && b === "double") || (a === "double" && b === "int");
  const hint = isMixed ? ": convert one with int() or double()" : "";
  const message = `${describeType(a)} and ${describeType(b)} do not calculate together with this operator${hint}`;
  return scope.faults.add(offset, "type-mismatch", message);
}
