import type { SlotSource } from "../cel/environment.ts";
import type { Expr } from "../cel/expr.ts";
import { formatExpr } from "../cel/format.ts";
import { readReads } from "../cel/reads.ts";
import { type LoweredConditions, nameParts } from "./check/check-conditions.ts";
import type { DiffSide } from "./diff.ts";
import { nameSource } from "./environment.ts";
import { isProtecting } from "./loosening.ts";

/** What the protecting rules of the earlier of two rule sets rest on. */
export type Rulings = {
  /** Ids of the lists and segments, and paths of the attributes, that they read, themselves or through segments. */
  readonly lists: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  readonly attributes: ReadonlySet<string>;
  /** Whether they convert amounts. */
  readonly convert: boolean;
  /** Whether they ask for the licence of a brand. */
  readonly licences: boolean;
  /** Whether the condition of the rule or segment with this id is, but for its writing, the same on both sides. */
  readonly conditionStands: (ruleId: string) => boolean;
  readonly segmentStands: (segmentId: string) => boolean;
};

/** Facts that a brand's licence goes into. */
const licenceFacts: ReadonlySet<string> = new Set(["context.licence", "context.jurisdictions"]);

/** Finds what the protecting rules of `before` rest on. */
export function findRulings(before: DiffSide, after: DiffSide): Rulings {
  const { conditions } = before.checked;
  const found = { lists: new Set<string>(), segments: new Set<string>(), sources: new Set<SlotSource>() };
  const protecting = before.ruleSet.rules.filter(isProtecting);
  for (const { id } of protecting) {
    const expr = conditions.rules.get(id);
    if (expr !== undefined) follow(expr, conditions, found);
  }
  const sources = [...found.sources];
  return {
    lists: found.lists,
    segments: found.segments,
    attributes: new Set(sources.map(nameSource)),
    convert:
      sources.some(({ kind }) => kind === "amountIn") ||
      protecting.some(({ effects }) => effects?.amountCap !== undefined),
    licences: sources.some((source) => source.kind === "field" && licenceFacts.has(source.path)),
    conditionStands: (id) => stands(id, ({ rules }) => rules, before, after),
    segmentStands: (id) => stands(id, ({ segments }) => segments, before, after),
  };
}

type Found = {
  readonly lists: Set<string>;
  readonly segments: Set<string>;
  readonly sources: Set<SlotSource>;
};

function follow(expr: Expr, conditions: LoweredConditions, found: Found): void {
  const { declarations, environments, segments } = conditions;
  const reads = readReads(expr);
  const listIds = [...declarations.lists.keys()];
  const segmentIds = [...declarations.segments.keys()];
  for (const slot of reads.slots) found.sources.add(environments.slots[slot]!);
  for (const list of reads.lists) found.lists.add(listIds[list]!);
  for (const ordinal of reads.segments) {
    const id = segmentIds[ordinal]!;
    if (found.segments.has(id)) continue;
    found.segments.add(id);
    const inner = segments.get(id);
    if (inner !== undefined) follow(inner, conditions, found);
  }
}

function stands(
  id: string,
  pick: (conditions: LoweredConditions) => ReadonlyMap<string, Expr>,
  before: DiffSide,
  after: DiffSide,
): boolean {
  return describe(id, pick, before) === describe(id, pick, after);
}

function describe(
  id: string,
  pick: (conditions: LoweredConditions) => ReadonlyMap<string, Expr>,
  { checked }: DiffSide,
): string {
  const { conditions } = checked;
  const expr = pick(conditions).get(id);
  return expr === undefined
    ? ""
    : formatExpr(expr, nameParts(conditions.environments, conditions.declarations));
}
