import type { RE2JS } from "@bufbuild/re2";
import { isInPrefix, parseIp, parseIpPrefix } from "../ip.ts";
import { type BuildPart, failEvaluation } from "./evaluator.ts";
import type { Expr, Predicate } from "./expr.ts";

/** The longest subject, in UTF-16 units, that a pattern is tried on: bounds the time of one `matches`. */
const matchSubjectMax = 1024;

/** Compiles `startsWith`, `endsWith` and `contains`. */
export function buildStringTest(expr: Extract<Expr, { op: "string" }>, build: BuildPart): Predicate {
  const left = build(expr.left);
  const right = build(expr.right);
  const { how } = expr;
  return (frame) => {
    const text = left(frame) as string | undefined;
    if (text === undefined) {
      return undefined;
    }
    const part = right(frame) as string | undefined;
    if (part === undefined) {
      return undefined;
    }
    switch (how) {
      case "startsWith":
        return text.startsWith(part);
      case "endsWith":
        return text.endsWith(part);
      case "contains":
        return text.includes(part);
    }
  };
}

/** Compiles `matches`: true where the pattern is found anywhere in the text, as in CEL. A subject that is too long is an error. */
export function buildMatches(
  expr: Extract<Expr, { op: "matches" }>,
  build: BuildPart,
  pattern: RE2JS,
): Predicate {
  const read = build(expr.left);
  return (frame) => {
    const text = read(frame) as string | undefined;
    if (text === undefined) {
      return undefined;
    }
    return text.length > matchSubjectMax ? failEvaluation(frame) : pattern.test(text);
  };
}

/** Compiles `cidr(ip, prefix)`. Text that is no address is an error; a prefix that is none is a bug (the checker refuses it). */
export function buildCidr(expr: Extract<Expr, { op: "cidr" }>, build: BuildPart): Predicate {
  const read = build(expr.ip);
  const prefix = parseIpPrefix(expr.prefix);
  if (prefix === undefined) {
    throw new Error(`no network: ${expr.prefix}`);
  }
  return (frame) => {
    const text = read(frame) as string | undefined;
    if (text === undefined) {
      return undefined;
    }
    const ip = parseIp(text);
    return ip === undefined ? failEvaluation(frame) : isInPrefix(ip, prefix);
  };
}
