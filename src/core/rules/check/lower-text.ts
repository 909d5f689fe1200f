import type { ListDomain, SlotDomain } from "../../cel/domain-goals.ts";
import { findEmptiness } from "../../cel/domains.ts";
import type { Environment } from "../../cel/environment.ts";
import type { Expr, ExprType } from "../../cel/expr.ts";
import type { ConditionNames } from "../../cel/format.ts";
import { listChildren } from "../../cel/intern.ts";
import { lowerCondition, lowerExpression } from "../../cel/lower.ts";
import type { FaultList } from "../document/fault.ts";
import type { Environments } from "../environment.ts";

/** What the conditions of one rule set are lowered by. */
export type LoweringContext = {
  readonly faults: FaultList;
  readonly environments: Environments;
  readonly listDomains: (list: number) => ListDomain | undefined;
  readonly names: ConditionNames;
  /** The names of what conditions over events read. */
  readonly eventNames: ConditionNames;
};

/** A condition in its typed form; undefined where it is faulty, or can hold for no payment. */
export function lowerText(
  context: LoweringContext,
  environment: Environment,
  text: string,
  path: string,
): Expr | undefined {
  const expr = addFaults(context.faults, path, lowerCondition(text, environment));
  const { names, environments } = context;
  return (
    expr && refuseEmpty(context, expr, path, { domainOf: environments.domainOf, names, noun: "payment" })
  );
}

/** The same for an expression of another type; any type where none is wanted. */
export function lowerValue(
  { faults }: Pick<LoweringContext, "faults">,
  environment: Environment,
  { text, path, type }: { readonly text: string; readonly path: string; readonly type?: ExprType },
): Expr | undefined {
  return addFaults(faults, path, lowerExpression(text, environment, type));
}

/** A condition over events, which reads nothing but the event. */
export function lowerEventText(
  context: LoweringContext,
  over: { readonly environment: Environment; readonly domainOf: (slot: number) => SlotDomain | undefined },
  text: string,
  path: string,
): Expr | undefined {
  const expr = addFaults(context.faults, path, lowerCondition(text, over.environment));
  if (expr === undefined) return undefined;
  if (!readsEventOnly(expr)) {
    const message = "1:1 a condition over events reads the event only: no now, within or silent";
    context.faults.error(path, "event-only", message);
    return undefined;
  }
  return refuseEmpty(context, expr, path, {
    domainOf: over.domainOf,
    names: context.eventNames,
    noun: "event",
  });
}

/** Whether a condition over events reads nothing else: neither the time nor what belongs to a payment. */
function readsEventOnly(expr: Expr): boolean {
  const rest = [expr];
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if ((part.op === "slot" || part.op === "has") && part.slot < 0) return false;
    if (part.op === "within" || part.op === "silent") return false;
    rest.push(...listChildren(part));
  }
  return true;
}

function addFaults(
  faults: FaultList,
  path: string,
  lowered: ReturnType<typeof lowerCondition>,
): Expr | undefined {
  if (lowered.ok) return lowered.expr;
  for (const { line, column, rule, message } of lowered.faults) {
    const inText = { line, column };
    faults.add({ severity: "ERROR", path, rule, message: `${line}:${column} ${message}`, inText });
  }
  return undefined;
}

function refuseEmpty(
  { faults, listDomains }: LoweringContext,
  expr: Expr,
  path: string,
  over: {
    readonly domainOf: (slot: number) => SlotDomain | undefined;
    readonly names: ConditionNames;
    readonly noun: "payment" | "event";
  },
): Expr | undefined {
  const why = findEmptiness(expr, over.domainOf, listDomains, over.names);
  if (why === undefined) return expr;
  faults.error(path, "never-holds", `1:1 this can be true for no ${over.noun}: ${why}`);
  return undefined;
}
