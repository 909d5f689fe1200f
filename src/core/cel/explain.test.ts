import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryExpr, arbitraryFrame } from "../../../test/helpers/arbitrary-expr.ts";
import { explainCondition } from "./explain.ts";
import type { Expr, Frame, Value } from "./expr.ts";
import { buildPredicate } from "./predicate.ts";

const paths = [
  "payment.currency",
  "player.last_deposit_at",
  "payment.jurisdictions",
  "payment.amount_minor",
  "context.score",
];
const names = {
  slot: (slot: number) => paths[slot] ?? `slot${slot}`,
  segment: (segment: number) => ["vip", "at_risk"][segment] ?? `segment${segment}`,
  list: (list: number) => `list${list}`,
};

function frameOf(values: Value[], rest: Partial<Frame> = {}): Frame {
  return {
    values,
    segments: Uint8Array.of(1, 2),
    lists: [],
    locals: [],
    nowMs: 1_000,
    evalErrors: 7,
    ...rest,
  };
}

const isEuro: Expr = {
  op: "compare",
  type: "bool",
  how: "eq",
  left: { op: "slot", type: "string", slot: 0 },
  right: { op: "const", type: "string", value: "EUR" },
};

describe("explainCondition", () => {
  it("tells the truth of every part and what it read", () => {
    const expr: Expr = {
      op: "and",
      type: "bool",
      args: [
        isEuro,
        { op: "not", type: "bool", arg: { op: "segment", type: "bool", segment: 1 } },
        { op: "has", type: "bool", slot: 3 },
      ],
    };
    expect(explainCondition(expr, frameOf(["USD"]), names)).toEqual({
      kind: "and",
      truth: "false",
      parts: [
        {
          kind: "leaf",
          text: 'payment.currency == "EUR"',
          truth: "false",
          hasEvalError: false,
          reads: [{ name: "payment.currency", value: "USD", elementsHidden: 0 }],
        },
        {
          kind: "not",
          truth: "unknown",
          parts: [
            {
              kind: "leaf",
              text: 'segment("at_risk")',
              truth: "unknown",
              hasEvalError: false,
              reads: [{ name: 'segment("at_risk")', value: null, elementsHidden: 0 }],
            },
          ],
        },
        {
          kind: "leaf",
          text: "has(payment.amount_minor)",
          truth: "false",
          hasEvalError: false,
          reads: [{ name: "has(payment.amount_minor)", value: false, elementsHidden: 0 }],
        },
      ],
    });
  });

  it.each<[string, Expr, Value[], unknown[]]>([
    [
      "instants as RFC 3339, with now",
      {
        op: "silent",
        type: "bool",
        at: { op: "slot", type: "timestamp", slot: 1 },
        duration: { op: "const", type: "duration", value: 5 },
      },
      [undefined, 0],
      [
        { name: "now", value: "1970-01-01T00:00:01Z", elementsHidden: 0 },
        { name: "player.last_deposit_at", value: "1970-01-01T00:00:00Z", elementsHidden: 0 },
      ],
    ],
    [
      "the head of a long list",
      {
        op: "in",
        type: "bool",
        left: { op: "const", type: "string", value: "DE" },
        right: { op: "slot", type: { list: "string" }, slot: 2 },
      },
      [undefined, undefined, new Array<string>(40).fill("DK")],
      [{ name: "payment.jurisdictions", value: new Array<string>(32).fill("DK"), elementsHidden: 8 }],
    ],
    [
      "NaN as text, each slot once",
      {
        op: "compare",
        type: "bool",
        how: "eq",
        left: { op: "slot", type: "double", slot: 4 },
        right: { op: "slot", type: "double", slot: 4 },
      },
      [undefined, undefined, undefined, undefined, Number.NaN],
      [{ name: "context.score", value: "NaN", elementsHidden: 0 }],
    ],
  ])("shows %s", (_name, expr, values, reads) => {
    expect(explainCondition(expr, frameOf(values), names)).toMatchObject({ reads });
  });

  it("names an evaluation error and leaves the frame's count alone", () => {
    const quotient: Expr = {
      op: "arithmetic",
      type: "int",
      how: "div",
      left: { op: "const", type: "int", value: 1 },
      right: { op: "slot", type: "int", slot: 3 },
    };
    const frame = frameOf([undefined, undefined, undefined, 0]);
    const expr: Expr = {
      op: "compare",
      type: "bool",
      how: "eq",
      left: quotient,
      right: { op: "const", type: "int", value: 1 },
    };
    expect(explainCondition(expr, frame, names)).toMatchObject({ truth: "unknown", hasEvalError: true });
    expect(frame.evalErrors).toBe(7);
  });

  it("cuts the text of a long leaf", () => {
    const expr: Expr = {
      op: "in",
      type: "bool",
      left: { op: "slot", type: "string", slot: 0 },
      right: { op: "listConst", type: { list: "string" }, values: new Array<string>(200).fill("EUR") },
    };
    const trace = explainCondition(expr, frameOf(["EUR"]), names);
    expect(trace.kind === "leaf" && trace.text.length).toBe(500);
    expect(trace.kind === "leaf" && trace.text.endsWith("…")).toBe(true);
  });

  it("is plain data whose root says what the condition says", () => {
    fc.assert(
      fc.property(arbitraryExpr("bool", 3), arbitraryFrame, (expr, frame) => {
        const trace = explainCondition(expr, frame, names);
        const truth = buildPredicate(expr)(frame);
        expect(trace.truth).toBe(truth === undefined ? "unknown" : String(truth));
        expect(() => JSON.stringify(trace, refuseLoss)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

/** Fails on what JSON cannot say. */
function refuseLoss(_key: string, value: unknown): unknown {
  if (value === undefined || (typeof value === "number" && !Number.isFinite(value))) {
    throw new Error(`JSON cannot say ${value}`);
  }
  return value;
}
