import { RE2JS } from "@bufbuild/re2";
import { buildCompare, buildIn, buildInList } from "./build-compare.ts";
import {
  buildCond,
  buildHas,
  buildJunction,
  buildNot,
  buildQuantifier,
  buildSegment,
} from "./build-logic.ts";
import { buildCidr, buildMatches, buildStringTest } from "./build-text.ts";
import { buildLocalTime, buildSpanTest } from "./build-time.ts";
import { buildArithmetic, buildConvert, buildNegate, buildSize } from "./build-value.ts";
import type { Evaluator } from "./evaluator.ts";
import type { Expr, Predicate } from "./expr.ts";
import { createInterner } from "./intern.ts";

/** What was compiled before, for sharing: one closure per expression, one automaton per pattern. Lives as long as its rule set. */
export type PredicateCache = {
  /** Canonical expression (see `intern.ts`) -> its closure. */
  readonly evaluators: Map<Expr, Evaluator>;
  readonly patterns: Map<string, RE2JS>;
  readonly intern: (expr: Expr) => Expr;
};

/** Makes an empty cache. */
export function createPredicateCache(): PredicateCache {
  return { evaluators: new Map(), patterns: new Map(), intern: createInterner().intern };
}

/**
 * Compiles a condition into a closure: three-valued (Kleene), parts judged from left to right up to the first that settles it.
 *
 * Shapes: an expression of type bool; with one cache, equal parts of all conditions share one closure.
 * Fails:  evaluation errors are unknown and counted in `frame.evalErrors`. Throws only for what the checker refuses (a pattern that is no
 *         RE2, an unknown zone, a malformed network, an order of lists).
 */
export function buildPredicate(expr: Expr, cache: PredicateCache = createPredicateCache()): Predicate {
  return buildInterned(cache.intern(expr), cache) as Predicate;
}

/** As `buildPredicate`, of an expression of any type. */
export function buildValue(expr: Expr, cache: PredicateCache = createPredicateCache()): Evaluator {
  return buildInterned(cache.intern(expr), cache);
}

/** As `buildPredicate`, of an expression whose equal parts are one object already (as `openExprs` decodes them). */
export function buildInternedPredicate(expr: Expr, cache: PredicateCache): Predicate {
  return buildInterned(expr, cache) as Predicate;
}

function buildInterned(expr: Expr, cache: PredicateCache): Evaluator {
  let evaluator = cache.evaluators.get(expr);
  if (evaluator === undefined) {
    evaluator = buildNode(expr, cache);
    cache.evaluators.set(expr, evaluator);
  }
  return evaluator;
}

function buildNode(expr: Expr, cache: PredicateCache): Evaluator {
  const build = (part: Expr): Evaluator => buildInterned(part, cache);
  switch (expr.op) {
    case "const": {
      const { value } = expr;
      return () => value;
    }
    case "listConst": {
      const { values } = expr;
      return () => values;
    }
    case "slot": {
      const { slot } = expr;
      return (frame) => frame.values[slot];
    }
    case "local": {
      const { depth } = expr;
      return (frame) => frame.locals[depth];
    }
    case "has":
      return buildHas(expr.slot);
    case "segment":
      return buildSegment(expr.segment);
    case "not":
      return buildNot(build(expr.arg) as Predicate);
    case "and":
      return buildJunction(expr.args.map(build) as Predicate[], false);
    case "or":
      return buildJunction(expr.args.map(build) as Predicate[], true);
    case "cond":
      return buildCond(expr, build);
    case "compare":
      return buildCompare(expr, build);
    case "in":
      return buildIn(expr, build);
    case "inList":
      return buildInList(expr, build);
    case "exists":
    case "all":
      return buildQuantifier(expr, build);
    case "arithmetic":
      return buildArithmetic(expr, build);
    case "negate":
      return buildNegate(expr, build);
    case "string":
      return buildStringTest(expr, build);
    case "matches":
      return buildMatches(expr, build, openPattern(expr.pattern, cache));
    case "size":
      return buildSize(expr, build);
    case "convert":
      return buildConvert(expr, build);
    case "within":
    case "silent":
      return buildSpanTest(expr, build);
    case "localHour":
    case "localWeekday":
      return buildLocalTime(expr, build);
    case "cidr":
      return buildCidr(expr, build);
  }
}

function openPattern(pattern: string, cache: PredicateCache): RE2JS {
  let compiled = cache.patterns.get(pattern);
  if (compiled === undefined) {
    compiled = RE2JS.compile(pattern);
    cache.patterns.set(pattern, compiled);
  }
  return compiled;
}
