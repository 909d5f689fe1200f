import type { Expr } from "./expr.ts";
import { listChildren } from "./intern.ts";

/** Most that one condition may cost, in units of about one comparison. */
export const costMax = 10_000;

/** Elements that a list variable is taken to have. */
const listLength = 32;

/** What the dearer operations cost beside their operands; others cost 1. */
const costs: Partial<Record<Expr["op"], number>> = {
  const: 0,
  matches: 50,
  convert: 4,
  inList: 8,
  cidr: 8,
  localHour: 20,
  localWeekday: 20,
};

/** Estimates what one evaluation costs at worst, in units of about one comparison; `exists` and `all` pay their body per element. */
export function estimateCost(expr: Expr): number {
  const own = costs[expr.op] ?? 1;
  switch (expr.op) {
    case "exists":
    case "all": {
      const length = expr.list.op === "listConst" ? expr.list.values.length : listLength;
      return own + estimateCost(expr.list) + length * estimateCost(expr.body);
    }
    case "in": {
      // A constant list is hashed, a list variable is walked.
      const walk = expr.right.op === "listConst" ? 0 : listLength;
      return own + walk + estimateCost(expr.left) + estimateCost(expr.right);
    }
    default:
      return listChildren(expr).reduce((sum, child) => sum + estimateCost(child), own);
  }
}
