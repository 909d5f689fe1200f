import type { Limit } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Environment, Variable } from "../../cel/environment.ts";
import type { Expr } from "../../cel/expr.ts";
import { facts } from "../../facts.ts";
import type { EventEnvironment } from "../environment.ts";
import { isProtectiveClass } from "../loosening.ts";
import { conditionOfPack, type Placed } from "../packs.ts";
import { type LoweringContext, lowerEventText, lowerText, lowerValue } from "./lower-text.ts";

/** The conditions of a limit in typed form, as far as they are there and right. */
export type LoweredLimit = {
  readonly key: Expr | undefined;
  /** Over events. */
  readonly counts: Expr | undefined;
  readonly applies: Expr | undefined;
};

/** What `counts` may ask of a payment; those with a closed set of values by the fact that has them. */
const countedValues: Readonly<Record<string, string | undefined>> = {
  kind: "payment.kind",
  method: undefined,
  psp: undefined,
  scheme: undefined,
  funding: "card.funding",
  brand: undefined,
};

/** Lowers the conditions of limits, each with its id. A limit of a pack applies only where the pack does. */
export function lowerLimits(
  context: LoweringContext,
  limits: readonly Placed<Limit>[],
): ReadonlyMap<string, LoweredLimit> {
  const overPayments = openPayments(context);
  return new Map(
    limits.map((placed) => [placed.entry.id, lowerLimit(context, placed, overPayments)] as const),
  );
}

/** The environment of rules and limits by class: 1 and 2 read the funding of a card more strictly. */
export function environmentOf(
  { environments }: Pick<LoweringContext, "environments">,
  entry: { readonly class: Limit["class"] },
): Environment {
  return isProtectiveClass(entry.class) ? environments.strict : environments.plain;
}

/** A condition of a part of a pack, and that the pack applies; of anything else the condition itself. */
export function joinPack(
  context: LoweringContext,
  { entry, pack }: Placed<{ readonly class: Limit["class"] }>,
  condition: Expr | undefined,
): Expr | undefined {
  if (pack === undefined) return condition;
  const where = lowerText(context, environmentOf(context, entry), conditionOfPack(pack), "policy_packs");
  if (where === undefined || condition === undefined) return where ?? condition;
  const partsOf = (expr: Expr): readonly Expr[] => (expr.op === "and" ? expr.args : [expr]);
  return { op: "and", type: "bool", args: [...partsOf(where), ...partsOf(condition)] };
}

function lowerLimit(
  context: LoweringContext,
  placed: Placed<Limit>,
  overPayments: EventEnvironment,
): LoweredLimit {
  const { entry, path } = placed;
  const environment = environmentOf(context, entry);
  const applies =
    entry.applies === "" ? undefined : lowerText(context, environment, entry.applies, `${path}.applies`);
  return {
    key:
      entry.key === ""
        ? undefined
        : lowerValue(context, environment, { text: entry.key, path: `${path}.key`, type: "string" }),
    counts:
      entry.counts === "" ? undefined : lowerEventText(context, overPayments, entry.counts, `${path}.counts`),
    applies: joinPack(context, placed, applies),
  };
}

function openPayments({ environments }: LoweringContext): EventEnvironment {
  const variables = new Map<string, Variable>();
  for (const [name, path] of Object.entries(countedValues)) {
    const domain = facts.find((fact) => fact.path === path)?.domain;
    const source = { kind: "event", name } as const;
    variables.set(`event.${name}`, { type: "string", source, ...(domain && { domain }) });
  }
  return environments.overEvents(variables);
}
