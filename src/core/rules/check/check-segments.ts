import type { RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Expr } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { readReads } from "../../cel/reads.ts";
import { fundingPath, strictFundingPath } from "../../facts.ts";
import { marketingActions } from "../effects-by-class.ts";
import type { Declarations } from "../environment.ts";
import { isProtectiveClass } from "../loosening.ts";
import { readPurposes } from "../names.ts";
import { createProtectedFinder } from "../protected-reads.ts";
import { actionKinds } from "../snapshot.ts";
import type { LoweredConditions } from "./check-conditions.ts";
import { checkPurposes } from "./check-declarations.ts";
import type { CheckInput } from "./check-input.ts";
import { checkId, checkSize, checkText, descriptionMax } from "./values.ts";

const segmentsMax = 2_000;
/** Longest chain of segments that read each other. */
const chainMax = 16;

/** Checks the section `segments`, but for the conditions. */
export function checkSegments({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "segments", ruleSet.segments.length, segmentsMax)) return;
  const seen = new Map<string, string>();
  for (const [index, segment] of ruleSet.segments.entries()) {
    const path = `segments[${index}]`;
    checkId(faults, `${path}.id`, segment.id, seen);
    checkText(faults, `${path}.description`, segment.description, descriptionMax);
    checkPurposes(faults, `${path}.purposes`, segment.purposes);
  }
}

/** The ids of all segments so that each follows those that it reads; circles and chains over 16 are faults. */
export function orderSegments(
  { ruleSet, faults }: CheckInput,
  exprs: ReadonlyMap<string, Expr>,
  { segments }: Declarations,
): readonly string[] {
  const ids = [...segments.keys()];
  const pathOf = new Map(ruleSet.segments.map(({ id }, index) => [id, `segments[${index}].when`]));
  const lengths = new Map<string, number>();
  const chain: string[] = [];
  const visit = (id: string): number => {
    const known = lengths.get(id);
    if (known !== undefined) return known;
    const at = chain.indexOf(id);
    if (at !== -1) {
      const circle = [...chain.slice(at), id].map(quote).join(" -> ");
      faults.error(
        pathOf.get(id) ?? "segments",
        "segment-cycle",
        `segments read each other in a circle: ${circle}`,
      );
      return 0;
    }
    chain.push(id);
    const expr = exprs.get(id);
    let length = 1;
    for (const ordinal of expr === undefined ? [] : readReads(expr).segments) {
      length = Math.max(length, 1 + visit(ids[ordinal]!));
    }
    chain.pop();
    lengths.set(id, length);
    if (length === chainMax + 1) {
      faults.error(
        pathOf.get(id) ?? "segments",
        "segments-too-deep",
        `more than ${chainMax} segments read each other in a chain`,
      );
    }
    return length;
  };
  for (const id of ids) visit(id);
  return [...lengths.keys()];
}

/**
 * Classes 1 and 2 see credit if either the caller or the BIN table says credit (`SEMANTICS.md` 2.4). Their own conditions do by themselves; a
 * segment is the same for all classes, so those that they read have to ask for it.
 */
export function checkFunding({ ruleSet, faults }: CheckInput, conditions: LoweredConditions): void {
  const trusting = findTrusting(conditions);
  if (trusting.size === 0) return;
  const ids = [...conditions.declarations.segments.keys()];
  for (const [index, rule] of ruleSet.rules.entries()) {
    const expr = conditions.rules.get(rule.id);
    if (!isProtectiveClass(rule.class) || expr === undefined) continue;
    for (const ordinal of readReads(expr).segments) {
      const culprit = trusting.get(ids[ordinal]!);
      if (culprit === undefined) continue;
      faults.error(
        `rules[${index}].when`,
        "strict-funding",
        `the segment ${quote(culprit)} believes the caller's card.funding, but this class must see credit if the BIN table says credit: write ${strictFundingPath} in that segment`,
      );
      break;
    }
  }
}

/** Segments that read `card.funding`, themselves or through others, each with the one that does. */
function findTrusting({
  declarations,
  environments,
  segments,
  segmentOrder,
}: LoweredConditions): ReadonlyMap<string, string> {
  const slot = environments.slots.findIndex(
    (source) => source.kind === "field" && source.path === fundingPath,
  );
  const trusting = new Map<string, string>();
  const ids = [...declarations.segments.keys()];
  for (const id of slot < 0 ? [] : segmentOrder) {
    const expr = segments.get(id);
    if (expr === undefined) continue;
    const reads = readReads(expr);
    const through = [...reads.segments].map((ordinal) => trusting.get(ids[ordinal]!));
    const culprit = reads.slots.has(slot) ? id : through.find((found) => found !== undefined);
    if (culprit !== undefined) trusting.set(id, culprit);
  }
  return trusting;
}

/** A marketing action never reads, itself or through segments, what only safer gambling or anti-money-laundering may use (`SEMANTICS.md` 3.9). */
export function checkMarketing({ ruleSet, faults }: CheckInput, conditions: LoweredConditions): void {
  const findProtected = findProtectedIn(ruleSet, conditions);
  for (const [index, rule] of ruleSet.rules.entries()) {
    const sells =
      rule.effects?.actions.some(({ kind }) => marketingActions.has(actionKinds[kind - 1]!)) ?? false;
    const expr = conditions.rules.get(rule.id);
    const what = sells && expr !== undefined ? findProtected(expr) : undefined;
    if (what === undefined) continue;
    faults.error(
      `rules[${index}].when`,
      "marketing-reads-protected",
      `a marketing action may not depend on ${what}`,
    );
  }
}

function findProtectedIn(
  ruleSet: RuleSet,
  { declarations, segments, environments: { slots } }: LoweredConditions,
): (expr: Expr) => string | undefined {
  const ids = [...declarations.segments.keys()];
  const purposes = new Map(ruleSet.segments.map(({ id, purposes }) => [id, readPurposes(purposes)]));
  const finder = createProtectedFinder({
    declarations,
    slots,
    segmentAt: (ordinal) => {
      const id = ids[ordinal]!;
      return { id, purposes: purposes.get(id) ?? [], expr: segments.get(id) };
    },
  });
  return (expr) => finder.inCondition(expr, slots);
}
