import type { Evaluator } from "./evaluator.ts";
import type { Expr, Frame } from "./expr.ts";
import { listChildren } from "./intern.ts";
import { buildPredicate } from "./predicate.ts";

/**
 * Replaces an expression whose operands are constants by its value, worked out by the very closures that judge payments, and drops
 * constants from `and` and `or` where Kleene logic lets them go. Operands must have been folded already.
 *
 * Fails: undefined where the value is an evaluation error (overflow, division by zero, text that does not convert).
 */
export function foldExpr(expr: Expr): Expr | undefined {
  switch (expr.op) {
    case "const":
    case "listConst":
    case "slot":
    case "local":
    case "has":
    case "segment":
    case "inList":
    case "within":
    case "silent":
      return expr;
    case "and":
    case "or":
      return foldJunction(expr.op, expr.args);
    case "cond":
      return expr.test.op === "const" ? (expr.test.value === true ? expr.then : expr.else) : expr;
    default:
      return listChildren(expr).every((child) => child.op === "const" || child.op === "listConst")
        ? evaluateConstant(expr)
        : expr;
  }
}

function foldJunction(op: "and" | "or", args: readonly Expr[]): Expr {
  const flat = args.flatMap((arg) => (arg.op === op ? arg.args : [arg]));
  const deciding = op === "or";
  if (flat.some((arg) => arg.op === "const" && arg.value === deciding)) {
    return { op: "const", type: "bool", value: deciding };
  }
  const open = flat.filter((arg) => arg.op !== "const");
  const [first] = open;
  if (first === undefined) return { op: "const", type: "bool", value: !deciding };
  return open.length === 1 ? first : { op, type: "bool", args: open };
}

/** A double that is no finite number has no literal, so such an expression stays as it is. */
function evaluateConstant(expr: Expr): Expr | undefined {
  const frame: Frame = {
    values: [],
    segments: new Uint8Array(0),
    lists: [],
    locals: [],
    nowMs: 0,
    evalErrors: 0,
  };
  const evaluate: Evaluator = buildPredicate(expr);
  const value = evaluate(frame);
  if (value === undefined) return undefined;
  if (typeof value === "object" || typeof expr.type !== "string") return expr;
  if (typeof value === "number" && !Number.isFinite(value)) return expr;
  return { op: "const", type: expr.type, value };
}
