import { Attribute_Subject, type Rule } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../../cel/code-points.ts";
import type { ListDomain } from "../../cel/domain-goals.ts";
import { findEmptiness } from "../../cel/domains.ts";
import type { Environment } from "../../cel/environment.ts";
import type { Expr } from "../../cel/expr.ts";
import type { ConditionNames } from "../../cel/format.ts";
import { lowerCondition } from "../../cel/lower.ts";
import { openList } from "../../lists.ts";
import { createEnvironments, type Declarations, type Environments, nameSource } from "../environment.ts";
import { readAttribute } from "../names.ts";
import type { AttributeInfo } from "../snapshot.ts";
import type { CheckInput } from "./check-input.ts";
import { classOf } from "./check-rules.ts";
import { orderSegments } from "./check-segments.ts";

/** The conditions of a rule set in typed form, as far as they are right. */
export type LoweredConditions = {
  readonly environments: Environments;
  readonly declarations: Declarations;
  /** By id. */
  readonly segments: ReadonlyMap<string, Expr>;
  /** Ids so that each segment follows those that it reads. */
  readonly segmentOrder: readonly string[];
  /** By id; rules without a condition have no entry. */
  readonly rules: ReadonlyMap<string, Expr>;
};

/** Checks all conditions: of segments, their references among each other, and of rules. */
export function checkConditions(input: CheckInput): LoweredConditions {
  const { ruleSet } = input;
  const declarations = collectDeclarations(input);
  const environments = createEnvironments(declarations);
  const context = {
    input,
    environments,
    listDomains: openListDomains(input, declarations),
    names: nameParts(environments, declarations),
  };
  const segments = new Map<string, Expr>();
  for (const [index, { id, when }] of ruleSet.segments.entries()) {
    const path = `segments[${index}].when`;
    if (when === "") input.faults.error(path, "missing", "a segment needs a condition");
    else setIfRight(segments, id, lowerOne(context, environments.plain, when, path));
  }
  const segmentOrder = orderSegments(input, segments, declarations);
  const rules = new Map<string, Expr>();
  for (const [index, rule] of ruleSet.rules.entries()) {
    if (rule.when === "") continue;
    setIfRight(
      rules,
      rule.id,
      lowerOne(context, environmentOf(rule, environments), rule.when, `rules[${index}].when`),
    );
  }
  return { environments, declarations, segments, segmentOrder, rules };
}

/** The environment of a rule: classes 1 and 2 read the funding of a card more strictly. */
function environmentOf(rule: Rule, environments: Environments): Environment {
  const ruleClass = classOf(rule);
  return ruleClass === "REGULATORY" || ruleClass === "SAFER_GAMBLING"
    ? environments.strict
    : environments.plain;
}

type Context = {
  readonly input: CheckInput;
  readonly environments: Environments;
  readonly listDomains: (list: number) => ListDomain | undefined;
  readonly names: ConditionNames;
};

function lowerOne(context: Context, environment: Environment, text: string, path: string): Expr | undefined {
  const { faults } = context.input;
  const lowered = lowerCondition(text, environment);
  if (!lowered.ok) {
    for (const { line, column, rule, message } of lowered.faults) {
      faults.add({
        severity: "ERROR",
        path,
        rule,
        message: `${line}:${column} ${message}`,
        inText: { line, column },
      });
    }
    return undefined;
  }
  const why = findEmptiness(lowered.expr, context.environments.domainOf, context.listDomains, context.names);
  if (why === undefined) return lowered.expr;
  faults.error(path, "never-holds", `1:1 this can be true for no payment: ${why}`);
  return undefined;
}

function setIfRight(exprs: Map<string, Expr>, id: string, expr: Expr | undefined): void {
  if (expr !== undefined) exprs.set(id, expr);
}

function collectDeclarations({ ruleSet, lists }: CheckInput): Declarations {
  const attributes = new Map<string, AttributeInfo>();
  const playerAttributes = new Map<string, AttributeInfo>();
  for (const attribute of ruleSet.attributes) {
    const info = readAttribute(attribute);
    const target = attribute.subject === Attribute_Subject.PLAYER ? playerAttributes : attributes;
    if (info !== undefined) target.set(attribute.name, info);
  }
  const listIds = [...lists.keys()].sort(compareCodePoints);
  const segmentIds = [...new Set(ruleSet.segments.map(({ id }) => id))].sort(compareCodePoints);
  return {
    attributes,
    playerAttributes,
    lists: new Map(listIds.map((id, ordinal) => [id, { ordinal, kind: lists.get(id)! }])),
    segments: new Map(segmentIds.map((id, ordinal) => [id, ordinal])),
  };
}

function openListDomains(
  { ruleSet, encodedLists }: CheckInput,
  declarations: Declarations,
): Context["listDomains"] {
  const domains: (ListDomain | undefined)[] = [];
  for (const { id, values } of ruleSet.lists) {
    const encoded = encodedLists.get(id);
    const ordinal = declarations.lists.get(id)?.ordinal;
    if (encoded === undefined || ordinal === undefined) continue;
    const isClosed = encoded.kind === "STRING" || values.length === 0;
    domains[ordinal] = { ...openList(encoded), ...(isClosed && { values }) };
  }
  return (list) => domains[list];
}

/** What the ordinals of the conditions of a rule set are called. */
export function nameParts({ slots }: Environments, { segments, lists }: Declarations): ConditionNames {
  const segmentIds = [...segments.keys()];
  const listIds = [...lists.keys()];
  return {
    slot: (slot) => {
      const source = slots[slot];
      return source === undefined ? "" : nameSource(source);
    },
    segment: (ordinal) => segmentIds[ordinal] ?? "",
    list: (ordinal) => listIds[ordinal] ?? "",
  };
}
