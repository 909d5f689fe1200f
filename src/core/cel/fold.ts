import { RE2JS } from "@bufbuild/re2";
import type { ArithmeticOp, CompareOp, Expr, Scalar, ScalarType } from "./expr.ts";

/** Instants that CEL knows, ms since the epoch: years 1 to 9999. */
const timestampMin = Date.UTC(2000, 0, 1) - 63_082_281_600_000;
const timestampMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * Replaces an expression whose operands are constants by its value, and drops constants from `and` and `or` where Kleene logic lets them
 * go. Operands must have been folded already.
 *
 * Fails: undefined where the value is an evaluation error (overflow, division by zero, text that does not convert).
 */
export function foldExpr(expr: Expr): Expr | undefined {
  switch (expr.op) {
    case "and":
    case "or":
      return foldLogic(expr.op, expr.args);
    case "not":
      return expr.arg.op === "const" ? makeBool(expr.arg.value !== true) : expr;
    case "cond":
      return expr.test.op === "const" ? (expr.test.value === true ? expr.then : expr.else) : expr;
    case "compare":
      return isConst(expr.left) && isConst(expr.right)
        ? makeBool(compareScalars(expr.how, expr.left.value, expr.right.value))
        : expr;
    case "in":
      return isConst(expr.left) && expr.right.op === "listConst"
        ? makeBool(expr.right.values.includes(expr.left.value))
        : expr;
    case "arithmetic":
      return isConst(expr.left) && isConst(expr.right)
        ? makeNumber(expr.type, calculate(expr.how, expr.type, numberOf(expr.left), numberOf(expr.right)))
        : expr;
    case "negate":
      return isConst(expr.arg) ? makeNumber(expr.type, -numberOf(expr.arg)) : expr;
    case "string":
      return isConst(expr.left) && isConst(expr.right)
        ? makeBool(String(expr.left.value)[mapStringOp[expr.how]](String(expr.right.value)))
        : expr;
    case "matches":
      return isConst(expr.left) ? makeBool(RE2JS.compile(expr.pattern).test(String(expr.left.value))) : expr;
    case "size":
      if (expr.arg.op === "listConst") return { op: "const", type: "int", value: expr.arg.values.length };
      return isConst(expr.arg)
        ? { op: "const", type: "int", value: [...String(expr.arg.value)].length }
        : expr;
    case "convert":
      return isConst(expr.arg) ? convert(expr, expr.arg) : expr;
    case "exists":
    case "all":
      return expr.list.op === "listConst" && isConst(expr.body) ? expr.body : expr;
    default:
      return expr;
  }
}

const mapStringOp = { startsWith: "startsWith", endsWith: "endsWith", contains: "includes" } as const;

type ConstExpr = Extract<Expr, { op: "const" }>;

function isConst(expr: Expr): expr is ConstExpr {
  return expr.op === "const";
}

function makeBool(value: boolean): Expr {
  return { op: "const", type: "bool", value };
}

function numberOf(expr: ConstExpr): number {
  return typeof expr.value === "number" ? expr.value : Number.NaN;
}

function foldLogic(op: "and" | "or", args: readonly Expr[]): Expr {
  const flat = args.flatMap((arg) => (arg.op === op ? arg.args : [arg]));
  const decisive = op === "or";
  if (flat.some((arg) => isConst(arg) && arg.value === decisive)) return makeBool(decisive);
  const open = flat.filter((arg) => !isConst(arg));
  const [first] = open;
  if (first === undefined) return makeBool(!decisive);
  return open.length === 1 ? first : { op, type: "bool", args: open };
}

function compareScalars(how: CompareOp, left: Scalar, right: Scalar): boolean {
  const order =
    typeof left === "string" && typeof right === "string"
      ? compareText(left, right)
      : Number(left) - Number(right);
  switch (how) {
    case "eq":
      return order === 0;
    case "ne":
      return order !== 0;
    case "lt":
      return order < 0;
    case "le":
      return order <= 0;
    case "gt":
      return order > 0;
    case "ge":
      return order >= 0;
  }
}

/** By Unicode code point, which is the order of the UTF-8 bytes and not that of UTF-16 units. */
function compareText(left: string, right: string): number {
  const a = [...left];
  const b = [...right];
  const at = a.findIndex((point, index) => point !== b[index]);
  if (at === -1) return a.length - b.length;
  return b[at] === undefined ? 1 : a[at]!.codePointAt(0)! - b[at].codePointAt(0)!;
}

function calculate(how: ArithmeticOp, type: ScalarType, left: number, right: number): number {
  switch (how) {
    case "add":
      return left + right;
    case "sub":
      return left - right;
    case "mul":
      return left * right;
    case "div":
      return type === "int" ? Math.trunc(left / right) : left / right;
    case "mod":
      return left % right;
  }
}

/** NaN stands for an error, except among doubles, where it is a value that no literal can hold: an error as well. */
function makeNumber(type: ScalarType, value: number): Expr | undefined {
  const isGood =
    type === "double"
      ? Number.isFinite(value)
      : Number.isSafeInteger(value) &&
        (type !== "timestamp" || (value >= timestampMin && value <= timestampMax));
  return isGood ? { op: "const", type, value: type === "double" ? value : value + 0 } : undefined;
}

function convert(expr: Extract<Expr, { op: "convert" }>, arg: ConstExpr): Expr | undefined {
  const { value } = arg;
  switch (expr.type) {
    case "int":
      if (typeof value === "string" && !/^[+-]?\d+$/.test(value)) return undefined;
      return makeNumber("int", Math.trunc(Number(value)));
    case "double":
      if (typeof value === "string" && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value))
        return undefined;
      return makeNumber("double", Number(value));
    case "string":
      return arg.type === "double" ? expr : { op: "const", type: "string", value: String(value) };
  }
}
