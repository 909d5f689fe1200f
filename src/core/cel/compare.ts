import type { CompareOp, Expr, Scalar } from "./expr.ts";
import { quote, suggest } from "./faults.ts";
import {
  accept,
  type Checked,
  describeType,
  elementOf,
  isNumeric,
  isSameType,
  type Scope,
  type Subject,
} from "./scope.ts";

/** Values of a domain that a message lists at most. */
const listedMax = 6;

const mirrored = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;

/**
 * A comparison of two checked sides: one type, or int and double.
 *
 * Fails: `type-mismatch`, and `never-holds` where the declared domain or range of one side leaves no choice.
 */
export function makeCompare(
  scope: Scope,
  offset: number,
  how: CompareOp,
  left: Checked,
  right: Checked,
): Checked | undefined {
  const a = left.expr.type;
  const b = right.expr.type;
  if (!isSameType(a, b) && !(isNumeric(a) && isNumeric(b))) {
    const message = `${describeType(a)} cannot be compared with ${describeType(b)}`;
    return scope.faults.add(offset, "type-mismatch", message);
  }
  if (elementOf(a) !== undefined && how !== "eq" && how !== "ne") {
    return scope.faults.add(offset, "type-mismatch", "lists have no order: compare them with == or !=");
  }
  if (!isPossible(scope, how, left, right) || !isPossible(scope, mirrored[how], right, left))
    return undefined;
  if (!meetDomains(scope, offset, left.subject, right.subject)) return undefined;
  return accept(scope, offset, { op: "compare", type: "bool", how, left: left.expr, right: right.expr });
}

/** Adds a fault and returns false where the subject on the left can never compare so with the constant on the right. */
function isPossible(scope: Scope, how: CompareOp, left: Checked, right: Checked): boolean {
  const { subject } = left;
  if (right.expr.op !== "const" || subject === undefined) return true;
  const { value } = right.expr;
  const outcome = how === "ne" ? "this holds always" : "this can never hold";
  if (typeof value === "string") {
    return (how !== "eq" && how !== "ne") || isInDomain(scope, right.offset, subject, value, outcome);
  }
  if (typeof value !== "number") return true;
  const why = explainRange(left.expr, subject, how, value);
  if (why !== undefined) scope.faults.add(right.offset, "never-holds", why);
  return why === undefined;
}

/** Whether the text may be a value of the subject; a fault where it may not, `outcome` telling what that means. */
export function isInDomain(
  scope: Scope,
  offset: number,
  subject: Subject | undefined,
  value: Scalar,
  outcome: string,
): boolean {
  if (subject?.domain === undefined || typeof value !== "string" || subject.domain.includes(value))
    return true;
  const { domain, name } = subject;
  const known =
    domain.length <= listedMax ? `: it is one of ${domain.map(quote).join(", ")}` : suggest(value, domain);
  scope.faults.add(offset, "never-holds", `${name} is never ${quote(value)}, so ${outcome}${known}`);
  return false;
}

function explainRange(expr: Expr, subject: Subject, how: CompareOp, value: number): string | undefined {
  const { name, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = subject;
  const isEquality = how === "eq" || how === "ne";
  const outcome = how === "ne" ? "this holds always" : "this can never hold";
  if (isEquality && expr.type === "int" && !Number.isInteger(value)) {
    return `${name} is an int and never ${value}, so ${outcome}`;
  }
  const isBelow = isEquality || how === "le" ? value < min : how === "lt" && value <= min;
  const isAbove = isEquality || how === "ge" ? value > max : how === "gt" && value >= max;
  if (isBelow) return `${name} is never below ${min}, so ${outcome}`;
  return isAbove ? `${name} is never above ${max}, so ${outcome}` : undefined;
}

function meetDomains(scope: Scope, offset: number, a: Subject | undefined, b: Subject | undefined): boolean {
  if (a?.domain === undefined || b?.domain === undefined) return true;
  const other = new Set(b.domain);
  if (a.domain.some((value) => other.has(value))) return true;
  scope.faults.add(offset, "never-holds", `${a.name} and ${b.name} have no value in common`);
  return false;
}
