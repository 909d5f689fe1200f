import type { BuildPart, Evaluator } from "./evaluator.ts";
import type { Expr, Predicate, Scalar } from "./expr.ts";

/** Truth of a segment from the frame's 0 false, 1 true, 2 unknown. */
export function buildSegment(ordinal: number): Predicate {
  return (frame) => {
    const state = frame.segments[ordinal];
    return state === 1 ? true : state === 0 ? false : undefined;
  };
}

/** Whether a slot has a value; never unknown. */
export function buildHas(slot: number): Predicate {
  return (frame) => frame.values[slot] !== undefined;
}

/** Kleene negation. */
export function buildNot(arg: Predicate): Predicate {
  return (frame) => {
    const truth = arg(frame);
    return truth === undefined ? undefined : !truth;
  };
}

/** The value of one branch; unknown where the test is. */
export function buildCond(expr: Extract<Expr, { op: "cond" }>, build: BuildPart): Evaluator {
  const test = build(expr.test);
  const onTrue = build(expr.then);
  const onFalse = build(expr.else);
  return (frame) => {
    const truth = test(frame);
    return truth === undefined ? undefined : truth === true ? onTrue(frame) : onFalse(frame);
  };
}

/**
 * Kleene conjunction (`deciding` false) or disjunction (`deciding` true): the first part with the deciding truth settles it, in order, and
 * parts after it are not evaluated; else unknown if any part is.
 */
export function buildJunction(parts: readonly Predicate[], deciding: boolean): Predicate {
  const [a, b, c, d] = parts;
  switch (parts.length) {
    case 2:
      return joinTwo(a!, b!, deciding);
    case 3:
      return joinThree([a!, b!, c!], deciding);
    case 4:
      return joinFour([a!, b!, c!, d!], deciding);
    default:
      return joinMany(parts, deciding);
  }
}

function joinTwo(a: Predicate, b: Predicate, deciding: boolean): Predicate {
  return (frame) => {
    const first = a(frame);
    if (first === deciding) {
      return deciding;
    }
    const second = b(frame);
    if (second === deciding) {
      return deciding;
    }
    return first === undefined ? undefined : second;
  };
}

function joinThree([a, b, c]: readonly [Predicate, Predicate, Predicate], deciding: boolean): Predicate {
  return (frame) => {
    const first = a(frame);
    if (first === deciding) {
      return deciding;
    }
    const second = b(frame);
    if (second === deciding) {
      return deciding;
    }
    const third = c(frame);
    if (third === deciding) {
      return deciding;
    }
    return first === undefined || second === undefined ? undefined : third;
  };
}

function joinFour(
  [a, b, c, d]: readonly [Predicate, Predicate, Predicate, Predicate],
  deciding: boolean,
): Predicate {
  return (frame) => {
    const first = a(frame);
    if (first === deciding) {
      return deciding;
    }
    const second = b(frame);
    if (second === deciding) {
      return deciding;
    }
    const third = c(frame);
    if (third === deciding) {
      return deciding;
    }
    const fourth = d(frame);
    if (fourth === deciding) {
      return deciding;
    }
    return first === undefined || second === undefined || third === undefined ? undefined : fourth;
  };
}

function joinMany(parts: readonly Predicate[], deciding: boolean): Predicate {
  return (frame) => {
    let result: boolean | undefined = !deciding;
    for (const part of parts) {
      const truth = part(frame);
      if (truth === deciding) {
        return deciding;
      }
      if (truth === undefined) {
        result = undefined;
      }
    }
    return result;
  };
}

/** `exists` (deciding true) or `all` (deciding false) over a list: a junction of the body over the elements, unknown for an unknown list. */
export function buildQuantifier(expr: Extract<Expr, { op: "exists" | "all" }>, build: BuildPart): Predicate {
  const list = build(expr.list);
  const body = build(expr.body);
  const { depth } = expr;
  const deciding = expr.op === "exists";
  return (frame) => {
    const elements = list(frame) as readonly Scalar[] | undefined;
    if (elements === undefined) {
      return undefined;
    }
    let result: boolean | undefined = !deciding;
    for (const element of elements) {
      frame.locals[depth] = element;
      const truth = body(frame);
      if (truth === deciding) {
        return deciding;
      }
      if (truth === undefined) {
        result = undefined;
      }
    }
    return result;
  };
}
