import type { Expr, Frame, Value } from "./expr.ts";

/** A compiled expression of any type: its value in this frame, or undefined where it is unknown. */
export type Evaluator = (frame: Frame) => Value;

/** Compiles a part of the expression at hand, sharing what was compiled before. */
export type BuildPart = (expr: Expr) => Evaluator;

/** Notes an evaluation error (`SEMANTICS.md` 2.1): the value is unknown, and the answer will say why. */
export function failEvaluation(frame: Frame): undefined {
  frame.evalErrors++;
  return undefined;
}
