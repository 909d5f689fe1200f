import {
  getCheckingSuite,
  getComprehensionSuite,
  getConformanceSuite,
  getParsingSuite,
  type IncrementalTest,
  type IncrementalTestSuite,
} from "@bufbuild/cel-spec/testdata/tests.js";
import { describe, expect, it } from "vitest";
import type { Environment } from "./environment.ts";
import type { Evaluator } from "./evaluator.ts";
import type { ExprType, Frame, Value } from "./expr.ts";
import { lowerExpression } from "./lower.ts";
import { buildPredicate } from "./predicate.ts";
import { faultRules, refusals } from "./refusals.ts";

/** The suites know no variables of ours: only constants and items of quantifiers can be accepted. */
const environment: Environment = {
  variable: () => undefined,
  names: () => [],
  list: () => undefined,
  segment: () => undefined,
  slot: () => 0,
};

/** What cel-go refuses and we accept, each with the reason. */
const acceptedBeyond = new Map([
  ["1.0 == 1", "the specification compares numbers across types, and the suite's own answer is true"],
  [`${"(".repeat(32)}7${")".repeat(32)}`, "the suite's parser counts one bracket less"],
  [
    "1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17 + 18 + 19 + 20 + 21 + 22 + 23 + 24 + 25 + 26 + 27 + 28 + 29 + 30 + 31 + 32 + 33 + 34",
    "the suite's parser is limited to 32 operators in a row",
  ],
]);

function listTests(suite: IncrementalTestSuite): readonly IncrementalTest[] {
  return [...suite.tests, ...suite.suites.flatMap(listTests)];
}

/** The type as the suites write it. */
function nameType(type: ExprType): string {
  if (typeof type !== "string") return `list(${nameType(type.list)})`;
  return type;
}

function evaluate(evaluator: Evaluator): { readonly value: Value; readonly errors: number } {
  const frame: Frame = {
    values: [],
    segments: new Uint8Array(0),
    lists: [],
    locals: [],
    nowMs: 0,
    evalErrors: 0,
  };
  return { value: evaluator(frame), errors: frame.evalErrors };
}

/** The expected value as ours, "other" where it is of a kind that we have not. */
function readExpected(test: IncrementalTest): Value | "error" | "other" {
  const { resultMatcher } = test.original;
  switch (resultMatcher.case) {
    case undefined:
      return true;
    case "evalError":
      return "error";
    case "value":
      break;
    default:
      return "other";
  }
  const { kind } = resultMatcher.value;
  switch (kind.case) {
    case "boolValue":
    case "stringValue":
    case "doubleValue":
      return kind.value;
    case "int64Value":
      return Number(kind.value);
    default:
      return "other";
  }
}

describe.each([
  ["conformance", getConformanceSuite(), { tests: 2344, accepted: 387, compared: 381 }],
  ["checking", getCheckingSuite(), { tests: 135, accepted: 12, compared: 0 }],
  ["parsing", getParsingSuite(), { tests: 194, accepted: 24, compared: 0 }],
  ["comprehension", getComprehensionSuite(), { tests: 92, accepted: 0, compared: 0 }],
])("the %s suite of CEL", (name, suite, want) => {
  const judged = listTests(suite).map((test) => ({
    test,
    lowered: lowerExpression(test.original.expr, environment),
  }));
  const accepted = judged.flatMap(({ test, lowered }) => (lowered.ok ? [{ test, expr: lowered.expr }] : []));

  it("is either accepted or refused by a rule that is declared", () => {
    const declared = new Set<string>([...Object.keys(refusals), ...faultRules]);
    const refused = judged.flatMap(({ lowered }) => (lowered.ok ? [] : [lowered.faults]));
    for (const faults of refused) {
      expect(faults.length).toBeGreaterThan(0);
      expect(faults.filter((fault) => !declared.has(fault.rule))).toEqual([]);
    }
    expect({ tests: judged.length, accepted: accepted.length }).toEqual({
      tests: want.tests,
      accepted: want.accepted,
    });
  });

  it("refuses by the rule that the construct breaks first", () => {
    const counts: Record<string, number> = {};
    for (const { lowered } of judged) {
      const rule = lowered.ok ? undefined : lowered.faults[0]?.rule;
      if (rule !== undefined) counts[rule] = (counts[rule] ?? 0) + 1;
    }
    expect(counts).toMatchSnapshot();
  });

  it("has nothing accepted that CEL's checker refuses", () => {
    const beyond = accepted
      .filter(({ test }) => test.error !== undefined)
      .map(({ test }) => test.original.expr.replace(/\s+/g, " "));
    expect(beyond.filter((text) => !acceptedBeyond.has(text))).toEqual([]);
  });

  it("gives what is accepted the type that CEL's checker gives it", () => {
    const typed = accepted.filter(({ test }) => test.error === undefined);
    const differing = typed.filter(({ test, expr }) => test.type !== nameType(expr.type));
    expect(differing.map(({ test, expr }) => [test.original.expr, test.type, nameType(expr.type)])).toEqual(
      [],
    );
  });

  // The other suites tell no values.
  it("gives what is accepted the value that CEL gives it", () => {
    let compared = 0;
    for (const { test, expr } of name === "conformance" ? accepted : []) {
      const expected = readExpected(test);
      if (expected === "other") continue;
      compared++;
      const got = evaluate(buildPredicate(expr));
      const shown = [test.original.expr, got.value];
      if (expected === "error")
        expect([...shown, got.errors > 0]).toEqual([test.original.expr, undefined, true]);
      else expect(shown).toEqual([test.original.expr, expected]);
    }
    expect(compared).toBe(want.compared);
  });
});
