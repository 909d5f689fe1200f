import type { Environment } from "./environment.ts";
import type { FaultSink } from "./faults.ts";
import { checkFunction } from "./functions.ts";
import { checkList, checkQuantifier } from "./lists.ts";
import { checkHas, checkMember, checkName } from "./names.ts";
import { checkOperator } from "./operators.ts";
import { accept, type Checked, makeConst, type Scope } from "./scope.ts";
import type { Node } from "./syntax.ts";

/**
 * Checks a syntax tree against the environment and gives its typed form.
 *
 * Fails:  undefined with faults in the sink, as many as can be told at once; what depends on a fault is not told again.
 * Source: DESIGN.md 4.1; SEMANTICS.md 2.2 for `amount-without-currency`.
 */
export function checkCondition(node: Node, environment: Environment, faults: FaultSink): Checked | undefined {
  const scope: Scope = {
    environment,
    faults,
    locals: [],
    amounts: [],
    currencySlot: undefined,
    check: (child) => checkNode(child, scope),
  };
  const checked = scope.check(node);
  for (const offset of scope.amounts) {
    const advice = environment.roots?.includes("event")
      ? 'add event.currency == "EUR" to the same conjunction'
      : 'add payment.currency == "EUR" to the same conjunction, or write payment.amount_in("EUR")';
    faults.add(offset, "amount-without-currency", `minor units mean nothing without a currency: ${advice}`);
  }
  return scope.amounts.length > 0 ? undefined : checked;
}

function checkNode(node: Node, scope: Scope): Checked | undefined {
  switch (node.kind) {
    case "literal":
      return accept(scope, node.offset, makeConst(node.type, node.value));
    case "name":
      return checkName(node, scope);
    case "member":
      return checkMember(node, scope);
    case "has":
      return checkHas(node, scope);
    case "list":
      return checkList(node, scope);
    case "quantifier":
      return checkQuantifier(node, scope);
    case "call": {
      const checked = checkOperator(node, scope);
      return checked === "none" ? checkFunction(node, scope) : checked;
    }
  }
}
