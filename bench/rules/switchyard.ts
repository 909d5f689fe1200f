import type { Frame, Predicate, Scalar } from "../../src/core/cel/expr.ts";
import { lowerCondition } from "../../src/core/cel/lower.ts";
import { buildPredicate, createPredicateCache } from "../../src/core/cel/predicate.ts";
import { buildIndex } from "../../src/core/rules/index/build.ts";
import { createMatches, type Matches } from "../../src/core/rules/index/match.ts";
import { openIndex } from "../../src/core/rules/index/open.ts";
import { createCorpusEnvironment, makeMembershipLists, type SlotReader } from "../corpus/environment.ts";
import { type CorpusPayment, segmentIds } from "../corpus/payments.ts";
import type { CorpusRule } from "../corpus/rules.ts";
import type { Contender } from "./contender.ts";

/** How many matches an answer lists (`SEMANTICS.md` 1.10); the rest is counted. */
const listedMax = 32;

/** The matched rules of one answer with their reasons, best first. Reused from decision to decision. */
export type Reasons = {
  readonly rules: CorpusRule[];
  readonly flags: Uint8Array;
  listed: number;
  rest: number;
};

/** Our index, and the closures that it is made to agree with. */
export type Switchyard = Contender & {
  /** Fills the frame, matches, lists the reasons. */
  readonly decide: (payment: number) => Reasons;
  /** Every rule by its own closure. */
  readonly matchNaively: (payment: number) => readonly number[];
};

/** Compiles the rules' CEL texts. Throws where a text does not compile: the corpus is wrong then. */
export function compileSwitchyard(
  rules: readonly CorpusRule[],
  payments: readonly CorpusPayment[],
): Switchyard {
  const { environment, readers } = createCorpusEnvironment();
  const conditions = rules.map((rule) => {
    const lowered = lowerCondition(rule.when, environment);
    if (!lowered.ok) {
      throw new Error(`${rule.id}: ${rule.when}: ${JSON.stringify(lowered.faults)}`);
    }
    return { expr: lowered.expr, matchUnknown: rule.matchUnknown };
  });
  const cache = createPredicateCache();
  const predicates = conditions.map(({ expr }) => buildPredicate(expr, cache));
  const index = openIndex(buildIndex(conditions), (ordinal) => predicates[ordinal]!);
  const segmentStates = payments.map(({ segments }) =>
    Uint8Array.from(segmentIds, (id) => Number(segments.includes(id))),
  );
  const frame: Frame = {
    values: readers.map(() => undefined),
    segments: new Uint8Array(segmentIds.length),
    lists: makeMembershipLists(),
    locals: [] as (Scalar | undefined)[],
    nowMs: 0,
    evalErrors: 0,
  };
  const fill = (payment: number): void =>
    fillFrame(frame, payments[payment]!, segmentStates[payment]!, readers);
  const matches = createMatches(rules.length);
  const reasons: Reasons = { rules: [], flags: new Uint8Array(listedMax), listed: 0, rest: 0 };
  const decide = (payment: number): Reasons => {
    fill(payment);
    listReasons(reasons, rules, matches, index.match(frame, matches));
    return reasons;
  };
  return {
    name: "switchyard",
    form: "CEL compiled to the bitmap index, frame filled and reasons listed in the measured time",
    decide,
    match: (payment) => {
      fill(payment);
      const count = index.match(frame, matches);
      return [...matches.ordinals.subarray(0, count)];
    },
    matchNaively: (payment) => {
      fill(payment);
      return matchNaively(rules, predicates, frame);
    },
    run: (first, count) => {
      let found = 0;
      for (let i = 0; i < count; i++) {
        const answer = decide((first + i) % payments.length);
        found += answer.listed + answer.rest;
      }
      return found;
    },
  };
}

function fillFrame(
  frame: Frame,
  payment: CorpusPayment,
  segments: Uint8Array,
  readers: readonly SlotReader[],
): void {
  for (let slot = 0; slot < readers.length; slot++) {
    frame.values[slot] = readers[slot]!(payment);
  }
  frame.segments.set(segments);
  frame.evalErrors = 0;
}

function listReasons(reasons: Reasons, rules: readonly CorpusRule[], matches: Matches, count: number): void {
  const listed = Math.min(count, listedMax);
  for (let i = 0; i < listed; i++) {
    reasons.rules[i] = rules[matches.ordinals[i]!]!;
    reasons.flags[i] = matches.flags[i]!;
  }
  reasons.listed = listed;
  reasons.rest = count - listed;
}

function matchNaively(
  rules: readonly CorpusRule[],
  predicates: readonly Predicate[],
  frame: Frame,
): readonly number[] {
  const found: number[] = [];
  for (const [ordinal, predicate] of predicates.entries()) {
    const truth = predicate(frame);
    if (truth === true || (truth === undefined && rules[ordinal]!.matchUnknown)) {
      found.push(ordinal);
    }
  }
  return found;
}
