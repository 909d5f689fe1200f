import type { SlotSource } from "../core/cel/environment.ts";
import type { Expr } from "../core/cel/expr.ts";
import { readReads } from "../core/cel/reads.ts";
import type { Payment } from "../core/payment.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { JudgeOptions } from "./judge.ts";

/** What a player has yet to choose when the cashier is drawn; a bit each. */
const card = 1;
const amount = 2;

/** What each rule's condition reads of it, itself or through segments; found once for a rule set. */
const readings = new WeakMap<RuleSnapshot, ReadonlyMap<string, number>>();

/**
 * Before card and amount are chosen nothing is known of them: a rule that matches only through what it does not know of either is not heard, or no
 * British player would ever be shown cards. The payment itself, with both, is judged in full (docs/decisions/0003).
 */
export function listenBeforeChoice(snapshot: RuleSnapshot, payment: Payment): JudgeOptions {
  const open = (payment.card === undefined ? card : 0) | (payment.amountMinor === undefined ? amount : 0);
  if (open === 0) return { approvedReviews: [] };
  const readingOf = findReadings(snapshot);
  return {
    approvedReviews: [],
    heard: ({ flag, id }) => flag === 0 || ((readingOf.get(id) ?? 0) & open) === 0,
  };
}

function findReadings(snapshot: RuleSnapshot): ReadonlyMap<string, number> {
  const known = readings.get(snapshot);
  if (known !== undefined) return known;
  const ofSegment = new Map<number, number>();
  const readsOf = (expr: Expr): number => {
    const { slots, segments } = readReads(expr);
    let bits = 0;
    for (const slot of slots) bits |= bitsOf(snapshot.slots[slot]!);
    for (const segment of segments) {
      let inside = ofSegment.get(segment);
      if (inside === undefined) {
        inside = readsOf(snapshot.segmentCondition(segment));
        ofSegment.set(segment, inside);
      }
      bits |= inside;
    }
    return bits;
  };
  const found = new Map<string, number>();
  snapshot.rules.forEach(({ id, matchUnknown }, ordinal) => {
    const condition = matchUnknown ? snapshot.ruleCondition(ordinal) : undefined;
    if (condition !== undefined) found.set(id, readsOf(condition));
  });
  readings.set(snapshot, found);
  return found;
}

function bitsOf(source: SlotSource): number {
  if (source.kind === "amountIn") return amount;
  if (source.kind !== "field") return 0;
  if (source.path.startsWith("card.")) return card;
  return source.path === "payment.amount_minor" ? amount : 0;
}
