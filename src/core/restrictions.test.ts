import { describe, expect, test } from "vitest";
import type { Restriction, RestrictionKind } from "./player.ts";
import { findMarketingStop, isMarketingSuppressed, judgeRestrictions } from "./restrictions.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const dayMs = 86_400_000;

function restrict(parts: Partial<Restriction> & { kind?: RestrictionKind } = {}): Restriction {
  return {
    kind: "SELF_EXCLUSION",
    source: "GAMSTOP",
    fromMs: nowMs - dayMs,
    checkedAtMs: nowMs - dayMs,
    clear: false,
    returned: false,
    ...parts,
  };
}

describe("restrictions", () => {
  test.each<{
    name: string;
    restriction: Restriction;
    deposit: string[];
    withdrawal: string[];
    stops: boolean;
  }>([
    {
      name: "one that holds",
      restriction: restrict(),
      deposit: ["SELF_EXCLUSION"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that has not begun",
      restriction: restrict({ fromMs: nowMs + 1 }),
      deposit: [],
      withdrawal: [],
      stops: false,
    },
    {
      name: "one that begins now",
      restriction: restrict({ fromMs: nowMs }),
      deposit: ["SELF_EXCLUSION"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that ends now",
      restriction: restrict({ untilMs: nowMs }),
      deposit: [],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that ends in a ms",
      restriction: restrict({ untilMs: nowMs + 1 }),
      deposit: ["SELF_EXCLUSION"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that is over, with a return",
      restriction: restrict({ untilMs: nowMs, returned: true }),
      deposit: [],
      withdrawal: [],
      stops: false,
    },
    {
      name: "one that holds in spite of a return",
      restriction: restrict({ returned: true }),
      deposit: ["SELF_EXCLUSION"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "a clear answer",
      restriction: restrict({ clear: true }),
      deposit: [],
      withdrawal: [],
      stops: false,
    },
    {
      name: "a clear answer of just max_age",
      restriction: restrict({ clear: true, maxAgeMs: dayMs }),
      deposit: [],
      withdrawal: [],
      stops: false,
    },
    {
      name: "a clear answer older than max_age",
      restriction: restrict({ clear: true, maxAgeMs: dayMs - 1 }),
      deposit: ["RESTRICTION_UNKNOWN"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that holds, by an old answer",
      restriction: restrict({ maxAgeMs: 1 }),
      deposit: ["SELF_EXCLUSION", "RESTRICTION_UNKNOWN"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "one that is over, by an old answer",
      restriction: restrict({ untilMs: nowMs - 1, maxAgeMs: 1, returned: true }),
      deposit: ["RESTRICTION_UNKNOWN"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "a sanction",
      restriction: restrict({ kind: "SANCTION" }),
      deposit: ["SANCTION"],
      withdrawal: ["SANCTION"],
      stops: true,
    },
    {
      name: "a sanction by an old answer",
      restriction: restrict({ kind: "SANCTION", clear: true, maxAgeMs: 1 }),
      deposit: ["RESTRICTION_UNKNOWN"],
      withdrawal: ["RESTRICTION_UNKNOWN"],
      stops: true,
    },
    {
      name: "a court order",
      restriction: restrict({ kind: "COURT_ORDER" }),
      deposit: ["COURT_ORDER"],
      withdrawal: [],
      stops: true,
    },
    {
      name: "an operator's block",
      restriction: restrict({ kind: "OPERATOR_BLOCK" }),
      deposit: ["OPERATOR_BLOCK"],
      withdrawal: [],
      stops: true,
    },
  ])("$name", ({ restriction, deposit, withdrawal, stops }) => {
    const codes = (kind: "deposit" | "withdrawal"): readonly string[] =>
      judgeRestrictions([restriction], { kind, nowMs }).map(({ code }) => code);
    expect(codes("deposit")).toEqual(deposit);
    expect(codes("withdrawal")).toEqual(withdrawal);
    expect(findMarketingStop([restriction], nowMs) !== undefined).toBe(stops);
  });

  test("a clear answer of one source clears nothing that another says", () => {
    const both = [restrict({ clear: true }), restrict({ source: "here" })];
    expect(judgeRestrictions(both, { kind: "deposit", nowMs })).toMatchObject([
      { sourceId: "SELF_EXCLUSION/here" },
    ]);
  });

  test("what is stored suppresses marketing until an explicit return", () => {
    expect(isMarketingSuppressed([restrict({ untilMs: nowMs - 1 })])).toBe(true);
    expect(isMarketingSuppressed([restrict({ untilMs: nowMs - 1, returned: true })])).toBe(false);
    expect(isMarketingSuppressed([restrict({ clear: true })])).toBe(false);
  });
});
