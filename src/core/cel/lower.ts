import { checkCondition } from "./check.ts";
import { costMax, estimateCost } from "./cost.ts";
import type { ConditionFault, Environment } from "./environment.ts";
import type { Expr, ExprType } from "./expr.ts";
import { createFaultSink } from "./faults.ts";
import { parseCondition } from "./parse.ts";
import { describeType, isSameType } from "./scope.ts";

/** A checked condition with its cost in units of about one comparison, or every fault that could be told, in order of place. */
export type Lowered =
  | { readonly ok: true; readonly expr: Expr; readonly cost: number }
  | { readonly ok: false; readonly faults: readonly ConditionFault[] };

/**
 * Takes the text of a condition to its typed form: scanned, parsed, type-checked against the environment, constants folded, `and` and `or`
 * flattened, cost estimated.
 *
 * Fails:  never throws on text; 1 to 20 faults, each with line, column, rule and message. `docs/cel.md` lists the rules.
 * Source: DESIGN.md 4.1, SEMANTICS.md 2.
 */
export function lowerCondition(text: string, environment: Environment): Lowered {
  const lowered = lowerExpression(text, environment, "bool");
  if (lowered.ok && lowered.expr.op === "const" && lowered.expr.value === false) {
    const message = "the condition is false whatever the payment";
    return { ok: false, faults: [{ line: 1, column: 1, rule: "never-holds", message }] };
  }
  return lowered;
}

/** The same for an expression of another type; any type where none is wanted. */
export function lowerExpression(text: string, environment: Environment, wanted?: ExprType): Lowered {
  const faults = createFaultSink(text);
  const node = parseCondition(text, faults);
  const checked = node && checkCondition(node, environment, faults);
  if (checked === undefined) return { ok: false, faults: faults.list() };
  const { expr, offset } = checked;
  if (wanted !== undefined && !isSameType(wanted, expr.type)) {
    faults.add(
      offset,
      "type-mismatch",
      `this must be ${describeType(wanted)}, it is ${describeType(expr.type)}`,
    );
  }
  const cost = estimateCost(expr);
  if (cost > costMax) {
    faults.add(0, "too-costly", `one evaluation would cost ${cost} steps, at most ${costMax} are allowed`);
  }
  const found = faults.list();
  return found.length > 0 ? { ok: false, faults: found } : { ok: true, expr, cost };
}
