import type { OpenExprs } from "../../cel/encode.ts";
import type { Expr, Frame, Predicate } from "../../cel/expr.ts";
import type { IndexImage } from "../index/image.ts";
import { createMatches } from "../index/match.ts";
import { openIndexInSteps } from "../index/open.ts";
import type { RuleSnapshot, SegmentInfo } from "../snapshot.ts";
import type { CompiledImage, FurtherCondition, SegmentLevel } from "./image.ts";

/** Records and conditions that are opened between two yields: well under a millisecond even while the code is cold. */
export const stepItems = 8;

type Matching = Pick<
  RuleSnapshot,
  "matchSegments" | "matchRules" | "ruleCondition" | "segmentCondition" | "segmentExit"
>;

/** What a condition that is of neither a rule nor a segment says; undefined where the entry has none. */
export function furtherExpr(
  { furtherConditions }: CompiledImage,
  exprs: OpenExprs,
  name: FurtherCondition,
  ordinal: number,
): Expr | undefined {
  const condition = furtherConditions[name][ordinal]!;
  return condition < 0 ? undefined : exprs.expr(condition);
}

/** Opens the conditions of segments and rules. */
export function* openConditions(
  image: CompiledImage,
  exprs: OpenExprs,
  segments: readonly SegmentInfo[],
): Generator<void, Matching> {
  const { segmentLevels, ruleConditions } = image;
  const levels: ((frame: Frame) => void)[] = [];
  for (const level of segmentLevels) {
    levels.push(yield* openLevel(level, exprs.predicate));
    const settle = openSettling(level, segments, image);
    if (settle !== undefined) levels.push(settle);
  }
  const predicateOf = (rule: number): Predicate => {
    const condition = ruleConditions[rule]!;
    return condition < 0 ? () => true : exprs.predicate(condition);
  };
  yield* warmPredicates(image.index, predicateOf);
  const index = yield* openIndexInSteps(image.index, predicateOf);
  return {
    matchSegments: (frame) => {
      for (const match of levels) match(frame);
    },
    matchRules: (frame, matches) => (ruleConditions.length === 0 ? 0 : index.match(frame, matches)),
    ruleCondition: (ordinal) => {
      const condition = ruleConditions[ordinal]!;
      return condition < 0 ? undefined : exprs.expr(condition);
    },
    segmentCondition: (ordinal) => exprs.expr(ordinal),
    segmentExit: (ordinal) => furtherExpr(image, exprs, "segments.exit_when", ordinal),
  };
}

/** Builds what the index is going to ask for beforehand, one condition to a step: it may be long, or have patterns to compile. */
function* warmPredicates(
  { header, pool, ordinals }: IndexImage,
  predicateOf: (rule: number) => Predicate,
): Generator<void, void> {
  for (const [position, rule] of ordinals.entries()) {
    const isAsked = ((pool[header.predicateRow + (position >>> 5)]! >>> (position & 31)) & 1) === 1;
    if (isAsked) predicateOf(rule);
    if (isAsked || position % stepItems === stepItems - 1) yield;
  }
}

/** Opens what judges the segments of one level, those of the levels before being judged. */
function* openLevel(
  { ordinals, index: indexImage }: SegmentLevel,
  predicateOf: (segment: number) => Predicate,
): Generator<void, (frame: Frame) => void> {
  if (indexImage === undefined) {
    const inOrder: { readonly ordinal: number; readonly predicate: Predicate }[] = [];
    for (const ordinal of ordinals) {
      inOrder.push({ ordinal, predicate: predicateOf(ordinal) });
      yield;
    }
    return (frame) => {
      for (const { ordinal, predicate } of inOrder) {
        const truth = predicate(frame);
        frame.segments[ordinal] = truth === undefined ? 2 : truth ? 1 : 0;
      }
    };
  }
  const predicateAt = (place: number): Predicate => predicateOf(ordinals[place]!);
  yield* warmPredicates(indexImage, predicateAt);
  const index = yield* openIndexInSteps(indexImage, predicateAt);
  const matches = createMatches(ordinals.length);
  return (frame) => {
    for (const ordinal of ordinals) frame.segments[ordinal] = 0;
    const found = index.match(frame, matches);
    for (let at = 0; at < found; at++) {
      frame.segments[ordinals[matches.ordinals[at]!]!] = matches.flags[at] === 0 ? 1 : 2;
    }
  };
}

/**
 * What settles the segments of a level that are not what their condition says by itself: those with a memory, and those that may still be warming.
 * Lists of players come before both. Undefined where the level has no such segments.
 */
function openSettling(
  { ordinals }: SegmentLevel,
  segments: readonly SegmentInfo[],
  { slots }: CompiledImage,
): ((frame: Frame) => void) | undefined {
  const special = [...ordinals]
    .map((ordinal) => ({ ordinal, ...segments[ordinal]! }))
    .filter(({ hasMemory, windowMsMax }) => hasMemory || windowMsMax > 0);
  if (special.length === 0) return undefined;
  const playerSlot = slots.findIndex((source) => source.kind === "field" && source.path === "player.id");
  return (frame) => {
    const { coveredFromMs, remembered, nowMs } = frame;
    for (const { ordinal, hasMemory, windowMsMax, includeList, excludeList } of special) {
      const isWarming = coveredFromMs !== undefined && windowMsMax > 0 && nowMs - windowMsMax < coveredFromMs;
      if (!hasMemory && !isWarming) continue;
      let truth = isWarming || remembered === undefined ? 2 : remembered[ordinal]!;
      const playerId = frame.values[playerSlot];
      if (typeof playerId === "string") {
        if (includeList !== undefined && frame.lists[includeList]!.has(playerId)) truth = 1;
        else if (excludeList !== undefined && frame.lists[excludeList]!.has(playerId)) truth = 0;
      }
      frame.segments[ordinal] = truth;
    }
  };
}
