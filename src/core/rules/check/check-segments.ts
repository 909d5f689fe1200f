import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Action, Rule_Class, RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Expr } from "../../cel/expr.ts";
import { quote } from "../../cel/faults.ts";
import { readReads } from "../../cel/reads.ts";
import { fundingPath, strictFundingPath } from "../../facts.ts";
import type { FaultList } from "../document/fault.ts";
import { marketingActions } from "../effects-by-class.ts";
import { isProtectiveClass } from "../loosening.ts";
import { readPurposes } from "../names.ts";
import { placeLimits, placeRules } from "../packs.ts";
import { createProtectedFinder } from "../protected-reads.ts";
import type { SegmentFacts } from "../segment-facts.ts";
import type { ListedSegment } from "../segments.ts";
import { actionKinds } from "../snapshot.ts";
import type { LoweredConditions } from "./check-conditions.ts";
import { checkPurposes } from "./check-declarations.ts";
import type { CheckInput } from "./check-input.ts";
import { spanMaxMs } from "./check-window.ts";
import type { LoweredSegments } from "./lower-segments.ts";
import { checkDuration, checkId, checkReference, checkSize, checkText, descriptionMax } from "./values.ts";

const segmentsMax = 2_000;
const dwellMaxMs = spanMaxMs;
/** Longest chain of segments that read each other. */
const chainMax = 16;

/** Checks the section `segments`, but for the conditions. */
export function checkSegments({ ruleSet, faults, lists }: CheckInput): void {
  if (!checkSize(faults, "segments", ruleSet.segments.length, segmentsMax)) return;
  const seen = new Map<string, string>();
  for (const [index, segment] of ruleSet.segments.entries()) {
    const path = `segments[${index}]`;
    checkId(faults, `${path}.id`, segment.id, seen);
    checkText(faults, `${path}.description`, segment.description, descriptionMax);
    checkPurposes(faults, `${path}.purposes`, segment.purposes);
    if (segment.dwellMin !== undefined) checkDwell(faults, `${path}.dwell_min`, segment.dwellMin);
    checkPlayerList(faults, `${path}.include_list`, segment.includeList, lists);
    checkPlayerList(faults, `${path}.exclude_list`, segment.excludeList, lists);
  }
}

/** How long who entered stays at least. */
export function checkDwell(faults: FaultList, path: string, dwell: Duration): void {
  checkDuration(faults, path, dwell, { min: 0, max: dwellMaxMs, said: "from 0 to 10 years" });
}

/** A list of ids of players, empty where there is none. */
function checkPlayerList(faults: FaultList, path: string, id: string, lists: CheckInput["lists"]): void {
  if (id === "") return;
  checkReference(faults, path, id, { ids: lists, rule: "unknown-list", noun: "list" });
  if (lists.get(id) === "BIN")
    faults.error(path, "not-a-text-list", `the list ${quote(id)} holds BINs, and players are wanted`);
}

/** The ids of all segments so that each follows those that it reads; circles and chains over 16 are faults. */
export function orderSegments(
  { faults }: Pick<CheckInput, "faults">,
  listed: readonly ListedSegment[],
  { segments, exits }: LoweredSegments,
): readonly string[] {
  const ids = listed.map(({ segment }) => segment.id);
  const pathOf = new Map(listed.map(({ segment, path }) => [segment.id, `${path}.when`]));
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
    let length = 1;
    for (const expr of [segments.get(id), exits.get(id)]) {
      for (const ordinal of expr === undefined ? [] : readReads(expr).segments) {
        length = Math.max(length, 1 + visit(ids[ordinal]!));
      }
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
  for (const { path, ruleClass, expr } of listUses(ruleSet, conditions)) {
    if (!isProtectiveClass(ruleClass)) continue;
    for (const ordinal of readReads(expr).segments) {
      const culprit = trusting.get(ids[ordinal]!);
      if (culprit === undefined) continue;
      faults.error(
        path,
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

/** What is remembered of a player, and the state that a player is in, has to be known without a payment. */
export function checkRemembered(
  { faults }: Pick<CheckInput, "faults">,
  listed: readonly ListedSegment[],
  facts: readonly SegmentFacts[],
): void {
  const ofPayment = new Set(
    listed.filter((_, ordinal) => facts[ordinal]?.ofPayment !== undefined).map(({ segment }) => segment.id),
  );
  for (const [ordinal, { path, earlier, isState, hasMemory }] of listed.entries()) {
    const foreign = facts[ordinal]?.ofPayment;
    if (foreign === undefined || !(isState || hasMemory)) continue;
    // A state reads what the earlier ones do, and is not to blame for it.
    if (earlier.some((id) => ofPayment.has(id))) continue;
    const why = isState ? "the state of a player" : "a membership with a memory";
    faults.error(
      `${path}.when`,
      "not-of-player",
      `1:1 ${why} cannot depend on ${foreign}, which only a payment tells`,
    );
  }
}

/**
 * Neither a marketing action nor a campaign ever reads, itself, through segments or through features, what only safer gambling or
 * anti-money-laundering may use (`SEMANTICS.md` 3.9).
 */
export function checkMarketing({ ruleSet, faults }: CheckInput, conditions: LoweredConditions): void {
  const finder = createFinder(conditions);
  const refuse = (path: string, seller: string, what: string | undefined): void => {
    if (what === undefined) return;
    faults.error(path, "marketing-reads-protected", `${seller} may not depend on ${what}`);
  };
  for (const { path, actions, expr } of listUses(ruleSet, conditions)) {
    const sells = actions.some(({ kind }) => marketingActions.has(actionKinds[kind - 1]!));
    if (sells) refuse(path, "a marketing action", finder.inCondition(expr, conditions.environments.slots));
  }
  for (const [ordinal, { segment, path }] of conditions.listedSegments.entries()) {
    if (segment.campaign) refuse(`${path}.campaign`, "a campaign", finder.inSegment(ordinal));
  }
}

/** What a rule or a limit asks for: a condition or the segment of a threshold. */
type Use = {
  readonly path: string;
  readonly ruleClass: Rule_Class;
  readonly actions: readonly Action[];
  readonly expr: Expr;
};

/** What rules and limits ask for, those of packs included. */
function listUses(ruleSet: RuleSet, { rules, limits, declarations }: LoweredConditions): readonly Use[] {
  const ofRules = placeRules(ruleSet).flatMap(({ entry, path }): readonly Use[] => {
    const expr = rules.get(entry.id);
    const actions = entry.effects?.actions ?? [];
    return expr === undefined ? [] : [{ path: `${path}.when`, ruleClass: entry.class, actions, expr }];
  });
  const ofLimits = placeLimits(ruleSet).flatMap(({ entry, path }): readonly Use[] => {
    const { class: ruleClass, actions, thresholds } = entry;
    const lowered = limits.get(entry.id);
    const conditions = (["key", "applies"] as const).flatMap((name): readonly Use[] => {
      const expr = lowered?.[name];
      return expr === undefined ? [] : [{ path: `${path}.${name}`, ruleClass, actions, expr }];
    });
    const segments = thresholds.flatMap(({ segment: id }, index): readonly Use[] => {
      const segment = declarations.segments.get(id);
      if (segment === undefined) return [];
      const at = `${path}.thresholds[${index}].segment`;
      return [{ path: at, ruleClass, actions, expr: { op: "segment", type: "bool", segment } }];
    });
    return [...conditions, ...segments];
  });
  return [...ofRules, ...ofLimits];
}

function createFinder({
  declarations,
  segments,
  exits,
  listedSegments,
  features,
  eventTypes,
  environments: { slots },
}: LoweredConditions): ReturnType<typeof createProtectedFinder> {
  return createProtectedFinder({
    declarations,
    slots,
    segmentAt: (ordinal) => {
      const { id, purposes } = listedSegments[ordinal]!.segment;
      return { id, purposes: readPurposes(purposes), exprs: [segments.get(id), exits.get(id)] };
    },
    features: features.specs,
    eventTypes,
  });
}
