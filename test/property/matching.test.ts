import { inspect, isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { compareCodePoints } from "../../src/core/cel/code-points.ts";
import type { FactInput } from "../../src/core/facts.ts";
import { buildFrameReader, createFrame } from "../../src/core/features/frame-reader.ts";
import { judgeDocument } from "../../src/core/rules/compile/compile.ts";
import type { RuleSnapshot } from "../../src/core/rules/snapshot.ts";
import {
  arbitraryFactInput,
  arbitraryLargeRuleSet,
  arbitraryRuleSet,
  type RandomRuleSet,
  writeDocument,
} from "../helpers/arbitrary-rule-set.ts";
import { compileForTest, sha256, testNowMs } from "../helpers/compile.ts";
import { readPlainly, type Truth } from "../helpers/plain-rules.ts";
import { countRuns } from "../helpers/property-runs.ts";

/** A case is one rule judged for one payment. */
const casesPerRun = 800;
const runs = 125;

/** Every try to shrink compiles a rule set again, which would take minutes: the first failure tells all that it takes to see it. */
const endOnFailure = true;

/** Faults that depend on the values drawn, never on names or types. */
const valueFaults = new Set(["never-holds", "constant-error", "too-costly"]);

/** How a rule matched, as snapshots tell it: 0 true, 1 or more through unknown. */
type Match = { readonly id: string; readonly isUnknown: boolean };

type Answer = { readonly segments: ReadonlyMap<string, Truth>; readonly matches: readonly Match[] };

/** The random rule set with another condition where a push refuses one because of its values; fails where it refuses anything else. */
function makeAcceptable(ruleSet: RandomRuleSet): RandomRuleSet {
  const document = new TextEncoder().encode(stringify(writeDocument(ruleSet)));
  const { compilation } = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  const errors = compilation.faults.filter(({ severity }) => severity === "ERROR");
  if (errors.length === 0) return ruleSet;
  expect(errors.filter(({ rule }) => !valueFaults.has(rule))).toEqual([]);
  const refused = new Set(errors.map(({ path }) => path));
  const mend = <T extends { readonly when?: string }>(parts: readonly T[], section: string): T[] =>
    parts.map((part, index) =>
      refused.has(`${section}[${index}].when`) ? { ...part, when: "has(payment.method)" } : part,
    );
  return makeAcceptable({
    ...ruleSet,
    segments: mend(ruleSet.segments, "segments"),
    rules: mend(ruleSet.rules, "rules"),
  });
}

function compile(ruleSet: RandomRuleSet): RuleSnapshot {
  return compileForTest(stringify(writeDocument(ruleSet)));
}

/** What the compiled rule set answers, one payment after another through one frame, as decisions do. */
function answerCompiled(snapshot: RuleSnapshot): (input: FactInput) => Answer {
  const { slots, segments, rules } = snapshot;
  const read = buildFrameReader(slots, snapshot);
  const frame = createFrame(slots, snapshot);
  const matches = { ordinals: new Int32Array(rules.length), flags: new Uint8Array(rules.length) };
  return (input) => {
    read(input, frame);
    snapshot.matchSegments(frame);
    const found = snapshot.matchRules(frame, matches);
    return {
      segments: new Map(segments.map(({ id }, at) => [id, [false, true, undefined][frame.segments[at]!]])),
      matches: Array.from({ length: found }, (_, at) => ({
        id: rules[matches.ordinals[at]!]!.id,
        isUnknown: matches.flags[at] !== 0,
      })),
    };
  };
}

const ranks = ["REGULATORY", "SAFER_GAMBLING", "RISK", "EXPERIMENT", "SEGMENT"];

/** What the rule set means: every rule judged by itself, in total order (class, priority, id). */
function answerPlainly(ruleSet: RandomRuleSet): (input: FactInput) => Answer {
  const rules = ruleSet.rules.toSorted(
    (a, b) =>
      ranks.indexOf(a.class) - ranks.indexOf(b.class) ||
      b.priority - a.priority ||
      compareCodePoints(a.id, b.id),
  );
  const judge = readPlainly({ ...ruleSet, rules });
  return (input) => {
    const { segments, rules: truths } = judge(input);
    const matches = rules.flatMap(({ id, on_unknown }, at) => {
      const truth = truths[at];
      if (truth === undefined) return on_unknown === "APPLY" ? [{ id, isUnknown: true }] : [];
      return truth ? [{ id, isUnknown: false }] : [];
    });
    return { segments, matches };
  };
}

/** Much faster than `expect` where they are the same; where not, the conditions and the payment are told. */
function expectSame(got: Answer, wanted: Answer, { segments, rules }: RandomRuleSet, input: FactInput): void {
  if (isDeepStrictEqual(got, wanted)) return;
  const conditions = Object.fromEntries([...segments, ...rules].map(({ id, when }) => [id, when]));
  expect(got, inspect({ conditions, input }, { depth: null, maxArrayLength: null })).toEqual(wanted);
}

type Seen = { cases: number; matches: number; unknown: number; members: number; unsure: number };

/** Holds the compiled rule set against its plain reading for so many payments. */
function holdAgainst(drawn: RandomRuleSet, inputs: Iterable<FactInput>, seen: Seen): void {
  const ruleSet = makeAcceptable(drawn);
  const answer = answerCompiled(compile(ruleSet));
  const answerNaively = answerPlainly(ruleSet);
  for (const input of inputs) {
    const got = answer(input);
    const { segments, matches } = got;
    expectSame(got, answerNaively(input), ruleSet, input);
    seen.cases += ruleSet.rules.length;
    seen.matches += matches.length;
    seen.unknown += matches.filter(({ isUnknown }) => isUnknown).length;
    for (const truth of segments.values()) {
      if (truth === true) seen.members++;
      if (truth === undefined) seen.unsure++;
    }
  }
}

it("finds by the index just the rules and segments that CEL finds one by one, in total order", () => {
  const seen: Seen = { cases: 0, matches: 0, unknown: 0, members: 0, unsure: 0 };
  fc.assert(
    fc.property(arbitraryRuleSet, fc.infiniteStream(arbitraryFactInput), (ruleSet, inputs) => {
      holdAgainst(ruleSet, inputs.take(Math.ceil(casesPerRun / ruleSet.rules.length)), seen);
    }),
    { numRuns: countRuns(runs), endOnFailure },
  );
  expect(seen.cases).toBeGreaterThanOrEqual(countRuns(runs * casesPerRun));
  // Cases of which nothing matches would prove little.
  expect(seen.matches / seen.cases).toBeGreaterThan(0.1);
  expect(seen.unknown / seen.cases).toBeGreaterThan(0.02);
  expect(Math.min(seen.members, seen.unsure)).toBeGreaterThan(countRuns(runs));
});

it("finds the same among a thousand rules and two hundred segments, which are indexed too and have sparse rows", () => {
  const seen: Seen = { cases: 0, matches: 0, unknown: 0, members: 0, unsure: 0 };
  fc.assert(
    fc.property(arbitraryLargeRuleSet, fc.infiniteStream(arbitraryFactInput), (ruleSet, inputs) => {
      holdAgainst(ruleSet, inputs.take(12), seen);
    }),
    { numRuns: countRuns(5), endOnFailure },
  );
  expect(seen.cases).toBeGreaterThanOrEqual(countRuns(5 * 12 * 900));
});

const shuffled = <T>(parts: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...parts], { minLength: parts.length });

it("answers the same whatever the order of segments and rules in the file", () => {
  const arbitraryPair = arbitraryRuleSet.chain((ruleSet) =>
    fc
      .record({ segments: shuffled(ruleSet.segments), rules: shuffled(ruleSet.rules) })
      .map((reordered) => ({ ruleSet, reordered })),
  );
  const inputsPerRun = 20;
  fc.assert(
    fc.property(arbitraryPair, fc.infiniteStream(arbitraryFactInput), ({ ruleSet, reordered }, inputs) => {
      const acceptable = makeAcceptable(ruleSet);
      const byId = new Map([...acceptable.segments, ...acceptable.rules].map((part) => [part.id, part]));
      const snapshot = compile(acceptable);
      const other = compile({
        ...acceptable,
        segments: reordered.segments.map(({ id }) => byId.get(id) as RandomRuleSet["segments"][number]),
        rules: reordered.rules.map(({ id }) => byId.get(id) as RandomRuleSet["rules"][number]),
      });
      expect(other.hash).toBe(snapshot.hash);
      expect(other.rules.map(({ id }) => id)).toEqual(snapshot.rules.map(({ id }) => id));
      const [answer, answerOther] = [answerCompiled(snapshot), answerCompiled(other)];
      for (const input of inputs.take(inputsPerRun)) {
        expectSame(answerOther(input), answer(input), acceptable, input);
      }
    }),
    { numRuns: countRuns(25), endOnFailure },
  );
});
