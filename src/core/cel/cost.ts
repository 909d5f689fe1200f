import type { Expr } from "./expr.ts";

/** Most that one condition may cost, in units of about one comparison. */
export const costMax = 10_000;

/** Elements that a list variable is taken to have. */
const listLength = 32;

/** What the dearer operations cost beside their operands. */
const costs: Partial<Record<Expr["op"], number>> = {
  const: 0,
  matches: 50,
  convert: 4,
  inList: 8,
  cidr: 8,
  localHour: 20,
  localWeekday: 20,
};

/** Estimates what one evaluation costs at worst, in units of about one comparison; `exists` and `all` count once per element. */
export function estimateCost(expr: Expr): number {
  const own = costs[expr.op] ?? 1;
  switch (expr.op) {
    case "const":
    case "listConst":
    case "slot":
    case "local":
    case "has":
    case "segment":
      return own;
    case "not":
    case "negate":
    case "size":
    case "convert":
      return own + estimateCost(expr.arg);
    case "and":
    case "or":
      return expr.args.reduce((sum, arg) => sum + estimateCost(arg), own);
    case "cond":
      return own + estimateCost(expr.test) + estimateCost(expr.then) + estimateCost(expr.else);
    case "compare":
    case "in":
    case "arithmetic":
    case "string": {
      // Looking through a list variable is a walk; a constant list is hashed.
      const walk = expr.op === "in" && expr.right.op !== "listConst" ? listLength : 0;
      return own + walk + estimateCost(expr.left) + estimateCost(expr.right);
    }
    case "inList":
    case "matches":
      return own + estimateCost(expr.left);
    case "exists":
    case "all": {
      const length = expr.list.op === "listConst" ? expr.list.values.length : listLength;
      return own + estimateCost(expr.list) + length * estimateCost(expr.body);
    }
    case "within":
    case "silent":
      return own + estimateCost(expr.at) + estimateCost(expr.duration);
    case "localHour":
    case "localWeekday":
      return own + estimateCost(expr.at);
    case "cidr":
      return own + estimateCost(expr.ip);
  }
}
