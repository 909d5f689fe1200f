import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Expr, Frame, MembershipList, Scalar, Value } from "../../cel/expr.ts";
import { buildPredicate } from "../../cel/predicate.ts";
import { buildIndex } from "./build.ts";
import { transferList } from "./image.ts";
import { createMatches, type RuleIndex } from "./match.ts";
import { openIndex, openIndexInSteps } from "./open.ts";
import type { IndexedCondition } from "./plan.ts";

/** Slots of the test vocabulary; from `rareFirst` on there are more texts than there may be dimensions. */
const slots = {
  country: 0,
  bin: 1,
  amount: 2,
  score: 3,
  isVip: 4,
  tags: 5,
  count: 6,
  rareFirst: 7,
  rareLast: 40,
};

const texts = ["", "DK", "SE", "__proto__", "constructor", "toString", "\ud800", "æøå", "457104", "45710435"];
const numbers = [
  0,
  -0,
  1,
  5,
  5.5,
  7,
  100,
  Number.MAX_SAFE_INTEGER,
  1e308,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

const lists: readonly MembershipList[] = [
  { has: (value) => value.startsWith("4571") },
  { has: (value) => value === "DK" || value === "__proto__" },
  { has: () => false },
];

const segmentCount = 5;

const text = fc.constantFrom(...texts);
const number = fc.oneof(
  fc.constantFrom(...numbers),
  fc.integer({ min: -3, max: 120 }),
  fc.double({ min: 0, max: 8 }),
);
const textSlot = fc.oneof(
  fc.constantFrom(slots.country, slots.bin),
  fc.integer({ min: slots.rareFirst, max: slots.rareLast }),
);
const numberSlot = fc.constantFrom(slots.amount, slots.score);

function slotOf(slot: number): Expr {
  if (slot === slots.tags) {
    return { op: "slot", type: { list: "string" }, slot };
  }
  const isNumber = slot === slots.amount || slot === slots.score;
  return { op: "slot", type: isNumber ? "double" : slot === slots.isVip ? "bool" : "string", slot };
}

function constOf(value: Scalar): Expr {
  const type = typeof value === "number" ? "double" : typeof value === "boolean" ? "bool" : "string";
  return { op: "const", type, value };
}

function compareOf(how: "eq" | "ne" | "lt" | "le" | "gt" | "ge", left: Expr, right: Expr): Expr {
  return { op: "compare", type: "bool", how, left, right };
}

const order = fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge");
const atom: fc.Arbitrary<Expr> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom("eq", "ne"), textSlot, text)
      .map(([how, slot, value]) => compareOf(how, slotOf(slot), constOf(value))),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(textSlot, fc.array(text, { minLength: 1, maxLength: 6 })).map(
      ([slot, values]): Expr => ({
        op: "in",
        type: "bool",
        left: slotOf(slot),
        right: { op: "listConst", type: { list: "string" }, values },
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(numberSlot, fc.array(number, { minLength: 1, maxLength: 9 })).map(
      ([slot, values]): Expr => ({
        op: "in",
        type: "bool",
        left: slotOf(slot),
        right: { op: "listConst", type: { list: "double" }, values },
      }),
    ),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(order, numberSlot, number, fc.boolean())
      .map(([how, slot, value, flipped]) =>
        flipped ? compareOf(how, constOf(value), slotOf(slot)) : compareOf(how, slotOf(slot), constOf(value)),
      ),
  },
  { weight: 1, arbitrary: order.map((how) => compareOf(how, slotOf(slots.country), constOf("SE"))) },
  { weight: 1, arbitrary: fc.constant(slotOf(slots.isVip)) },
  {
    weight: 1,
    arbitrary: fc.boolean().map((value) => compareOf("eq", slotOf(slots.isVip), constOf(value))),
  },
  {
    weight: 2,
    arbitrary: text.map(
      (value): Expr => ({ op: "in", type: "bool", left: constOf(value), right: slotOf(slots.tags) }),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.nat(segmentCount - 1).map((segment): Expr => ({ op: "segment", type: "bool", segment })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(slots.bin, slots.country), fc.nat(lists.length - 1))
      .map(([slot, list]): Expr => ({ op: "inList", type: "bool", left: slotOf(slot), list })),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 0, max: slots.rareFirst })
      .map((slot): Expr => ({ op: "has", type: "bool", slot })),
  },
  // Division by zero where the count is 0: an evaluation error.
  {
    weight: 1,
    arbitrary: number.map((value) => {
      const one: Expr = { op: "const", type: "int", value: 1 };
      const left: Expr = { op: "slot", type: "int", slot: slots.count };
      return compareOf(
        "ge",
        { op: "arithmetic", type: "int", how: "mod", left: one, right: left },
        constOf(value),
      );
    }),
  },
  {
    weight: 1,
    arbitrary: text.map(
      (value): Expr => ({
        op: "string",
        type: "bool",
        how: "startsWith",
        left: slotOf(slots.bin),
        right: constOf(value),
      }),
    ),
  },
  { weight: 1, arbitrary: fc.boolean().map(constOf) },
);

const { tree } = fc.letrec<{ tree: Expr }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    { weight: 4, arbitrary: atom },
    { weight: 1, arbitrary: tie("tree").map((arg): Expr => ({ op: "not", type: "bool", arg })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom("and", "or"), fc.array(tie("tree"), { minLength: 2, maxLength: 4 }))
        .map(([op, args]): Expr => ({ op, type: "bool", args })),
    },
  ),
}));

/** Mostly conjunctions of a few atoms, as rules are; sometimes anything. */
const condition: fc.Arbitrary<IndexedCondition> = fc.record({
  expr: fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .array(fc.oneof({ weight: 5, arbitrary: atom }, { weight: 1, arbitrary: tree }), {
          minLength: 2,
          maxLength: 5,
        })
        .map((args): Expr => ({ op: "and", type: "bool", args })),
    },
    { weight: 2, arbitrary: tree },
  ),
  matchUnknown: fc.boolean(),
});

/** Deterministic numbers in [0, 1) from a seed (a 32-bit xorshift). */
function createRandom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function fillFrame(random: () => number): Frame {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const known = <T extends Value>(value: T): T | undefined => (random() < 0.15 ? undefined : value);
  const anyNumber = (): number => (random() < 0.6 ? pick(numbers) : Math.floor(random() * 130) - 4);
  const values: Value[] = [];
  for (let slot = 0; slot <= slots.rareLast; slot++) {
    values.push(known(pick(texts)));
  }
  values[slots.amount] = known(anyNumber());
  values[slots.score] = known(random() < 0.3 ? random() * 8 : anyNumber());
  values[slots.count] = known(Math.floor(random() * 5) - 2);
  values[slots.isVip] = known(random() < 0.5);
  values[slots.tags] = known([pick(texts), pick(texts), pick(texts)].slice(Math.floor(random() * 4)));
  const segments = Uint8Array.from({ length: segmentCount }, () => Math.floor(random() * 3));
  return { values, segments, lists, locals: [], nowMs: 0, evalErrors: 0 };
}

type Found = { readonly ordinal: number; readonly flag: number };

function matchByIndex(index: RuleIndex, frame: Frame, matches = createMatches(index.conditions)): Found[] {
  const count = index.match(frame, matches);
  return Array.from({ length: count }, (_, i) => ({
    ordinal: matches.ordinals[i]!,
    flag: matches.flags[i]!,
  }));
}

/** The naive way: every condition by itself. */
function matchOneByOne(
  conditions: readonly IndexedCondition[],
  evaluate: (ordinal: number) => { readonly truth: boolean | undefined; readonly failed: boolean },
): Found[] {
  const found: Found[] = [];
  for (const [ordinal, { matchUnknown }] of conditions.entries()) {
    const { truth, failed } = evaluate(ordinal);
    if (truth === true) {
      found.push({ ordinal, flag: 0 });
    } else if (truth === undefined && matchUnknown) {
      found.push({ ordinal, flag: failed ? 2 : 1 });
    }
  }
  return found;
}

/** The meaning of the test's expressions, as plainly as it can be said; errors are unknown. */
function judge(expr: Expr, frame: Frame): Value {
  const both = (left: Expr, right: Expr, decide: (a: Value, b: Value) => Value): Value => {
    const a = judge(left, frame);
    const b = judge(right, frame);
    return a === undefined || b === undefined ? undefined : decide(a, b);
  };
  switch (expr.op) {
    case "const":
      return expr.value;
    case "listConst":
      return expr.values;
    case "slot":
      return frame.values[expr.slot];
    case "has":
      return frame.values[expr.slot] !== undefined;
    case "segment":
      return [false, true, undefined][frame.segments[expr.segment]!];
    case "not": {
      const truth = judge(expr.arg, frame);
      return truth === undefined ? undefined : !truth;
    }
    case "and":
    case "or": {
      const truths = expr.args.map((arg) => judge(arg, frame));
      const deciding = expr.op === "or";
      return truths.includes(deciding) ? deciding : truths.includes(undefined) ? undefined : !deciding;
    }
    case "compare":
      return both(expr.left, expr.right, (a, b) => {
        const less = a! < b!;
        const equal = a === b;
        const greater = a! > b!;
        return { eq: equal, ne: !equal, lt: less, le: less || equal, gt: greater, ge: greater || equal }[
          expr.how
        ];
      });
    case "in":
      return both(expr.left, expr.right, (a, b) => (b as readonly Scalar[]).some((value) => value === a));
    case "inList":
      return both(expr.left, expr.left, (a) => frame.lists[expr.list]!.has(a as string));
    case "string":
      return both(expr.left, expr.right, (a, b) => (a as string).startsWith(b as string));
    case "arithmetic":
      return both(expr.left, expr.right, (a, b) => (b === 0 ? undefined : (a as number) % (b as number)));
    default:
      throw new Error(`not in this test: ${expr.op}`);
  }
}

function openConditions(conditions: readonly IndexedCondition[]) {
  const predicates = conditions.map(({ expr }) => buildPredicate(expr));
  const index = openIndex(buildIndex(conditions), (ordinal) => predicates[ordinal]!);
  const matches = createMatches(conditions.length);
  return {
    expectSame(frame: Frame): void {
      const naive = matchOneByOne(conditions, (ordinal) => {
        frame.evalErrors = 0;
        const truth = predicates[ordinal]!(frame);
        return { truth, failed: frame.evalErrors > 0 };
      });
      const found = matchByIndex(index, frame, matches);
      if (JSON.stringify(found) !== JSON.stringify(naive)) {
        expect(found).toEqual(naive);
      }
    },
    expectPlain(frame: Frame): void {
      const plain = matchOneByOne(conditions, (ordinal) => ({
        truth: judge(conditions[ordinal]!.expr, frame) as boolean | undefined,
        failed: false,
      }));
      const found = matchByIndex(index, frame, matches);
      expect(found.map(({ ordinal }) => ordinal)).toEqual(plain.map(({ ordinal }) => ordinal));
    },
  };
}

describe("rule index", () => {
  it("finds what evaluating every condition finds, for many small rule sets", () => {
    fc.assert(
      fc.property(fc.array(condition, { maxLength: 60 }), fc.integer(), (conditions, seed) => {
        const random = createRandom(seed);
        const { expectSame, expectPlain } = openConditions(conditions);
        for (let i = 0; i < 250; i++) {
          expectSame(fillFrame(random));
        }
        for (let i = 0; i < 10; i++) {
          expectPlain(fillFrame(random));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("finds the same where rows are long enough for summaries and sparse postings", () => {
    const many = fc.array(condition, { minLength: 1100, maxLength: 1500, size: "max" });
    fc.assert(
      fc.property(many, fc.integer(), (conditions, seed) => {
        const random = createRandom(seed);
        const { expectSame } = openConditions(conditions);
        for (let i = 0; i < 40; i++) {
          expectSame(fillFrame(random));
        }
      }),
      { numRuns: 10, endOnFailure: true },
    );
  });

  it("verifies survivors where there are more thresholds than bounds", () => {
    const random = createRandom(7);
    const conditions = Array.from({ length: 3000 }, (_, i): IndexedCondition => {
      const low = compareOf("ge", slotOf(slots.amount), constOf(i * 3));
      const high = compareOf("lt", slotOf(slots.amount), constOf(i * 3 + 1 + Math.floor(random() * 900)));
      return { expr: { op: "and", type: "bool", args: [low, high] }, matchUnknown: i % 5 === 0 };
    });
    const { expectSame } = openConditions(conditions);
    for (let i = 0; i < 300; i++) {
      const frame = fillFrame(random);
      frame.values[slots.amount] = i % 50 === 0 ? undefined : Math.floor(random() * 9500);
      expectSame(frame);
    }
  });

  it("finds the same with thousands of constants in one condition", () => {
    const values = Array.from({ length: 5000 }, (_, i) => `bin-${i}`);
    const bins: Expr = { op: "listConst", type: { list: "string" }, values };
    const isListed: Expr = { op: "in", type: "bool", left: slotOf(slots.bin), right: bins };
    const others = values.map((value) => compareOf("eq", slotOf(slots.bin), constOf(value)));
    const conditions = [isListed, { op: "not", type: "bool", arg: isListed } as Expr, ...others].map(
      (expr) => ({
        expr,
        matchUnknown: false,
      }),
    );
    const { expectSame } = openConditions(conditions);
    const frame = fillFrame(createRandom(3));
    for (const bin of ["bin-0", "bin-4999", "bin-5000", "", undefined]) {
      frame.values[slots.bin] = bin;
      expectSame(frame);
    }
  });

  it("remembers what lists hold for a bounded number of values", () => {
    let asked = 0;
    const list: MembershipList = {
      has: (value) => {
        asked++;
        return value.endsWith("7");
      },
    };
    const expr: Expr = { op: "inList", type: "bool", left: slotOf(slots.bin), list: 0 };
    const conditions = Array.from({ length: 20 }, () => ({ expr, matchUnknown: false }));
    const index = openIndex(buildIndex(conditions), () => buildPredicate(expr));
    const frame: Frame = { ...fillFrame(createRandom(1)), lists: [list] };
    const countAsked = (bins: readonly string[]): number => {
      asked = 0;
      for (const bin of bins) {
        frame.values[slots.bin] = bin;
        expect(matchByIndex(index, frame).length).toBe(bin.endsWith("7") ? 20 : 0);
      }
      return asked;
    };
    const bins = Array.from({ length: 2048 }, (_, i) => `bin-${i}`);
    const long = "7".repeat(33);
    expect(countAsked(bins)).toBe(2048);
    expect(countAsked(bins)).toBe(0);
    expect(countAsked([long, long])).toBe(2);
    expect(countAsked(["one-more", "bin-7", "bin-7"])).toBe(2);
  });

  it("takes a list slot that holds one element many times", () => {
    const conditions = ["DK", "SE"].map((value) => ({
      expr: { op: "in", type: "bool", left: constOf(value), right: slotOf(slots.tags) } as Expr,
      matchUnknown: false,
    }));
    const { expectSame } = openConditions(conditions);
    const frame = fillFrame(createRandom(1));
    frame.values[slots.tags] = [...Array.from({ length: 50 }, () => "DK"), "SE"];
    expectSame(frame);
  });

  it("answers from an image that was transferred to another thread", () => {
    const conditions = texts.map((value) => ({
      expr: compareOf("eq", slotOf(slots.country), constOf(value)),
      matchUnknown: false,
    }));
    const image = buildIndex(conditions);
    const transferred = structuredClone(image, { transfer: transferList(image) });
    expect(image.pool.length).toBe(0);
    const index = openIndex(transferred, (ordinal) => buildPredicate(conditions[ordinal]!.expr));
    const frame = fillFrame(createRandom(1));
    const found = texts.map((value) => {
      frame.values[slots.country] = value;
      return matchByIndex(index, frame).map(({ ordinal }) => ordinal);
    });
    expect(found).toEqual(texts.map((_, ordinal) => [ordinal]));
  });

  it("yields while it opens, and asks for predicates only where its rows do not decide", () => {
    const exact = compareOf("eq", slotOf(slots.country), constOf("DK"));
    const inexact = compareOf("lt", slotOf(slots.country), constOf("SE"));
    const conditions = Array.from({ length: 2000 }, (_, i) => ({
      expr: i === 1234 ? inexact : exact,
      matchUnknown: i === 7,
    }));
    const asked: number[] = [];
    const steps = openIndexInSteps(buildIndex(conditions), (ordinal) => {
      asked.push(ordinal);
      return buildPredicate(conditions[ordinal]!.expr);
    });
    let yields = 0;
    while (steps.next().done !== true) {
      yields++;
    }
    expect(yields).toBeGreaterThanOrEqual(7);
    expect(asked.sort((a, b) => a - b)).toEqual([7, 1234]);
  });

  it("answers an empty rule set, and refuses matches without room", () => {
    const empty = openIndex(buildIndex([]), () => () => true);
    expect(matchByIndex(empty, fillFrame(createRandom(1)))).toEqual([]);
    const always = { expr: constOf(true), matchUnknown: false };
    const one = openIndex(buildIndex([always]), () => () => true);
    expect(() => one.match(fillFrame(createRandom(1)), createMatches(0))).toThrow(RangeError);
  });

  it("is whole again after a predicate that threw", () => {
    const isDanish = compareOf("eq", slotOf(slots.country), constOf("DK"));
    const bySegment: Expr = { op: "segment", type: "bool", segment: 0 };
    const inexact = compareOf("lt", slotOf(slots.bin), constOf("SE"));
    const expr: Expr = { op: "and", type: "bool", args: [isDanish, bySegment, inexact] };
    // So many more conditions that the posting of the segment is sparse.
    const others = Array.from({ length: 2000 }, (): Expr => ({ op: "segment", type: "bool", segment: 1 }));
    const conditions = [isDanish, expr, ...others].map((each) => ({ expr: each, matchUnknown: false }));
    let broken = true;
    const index = openIndex(buildIndex(conditions), () => (frame) => {
      if (broken) {
        throw new Error("a bug");
      }
      return buildPredicate(expr)(frame);
    });
    const frame = fillFrame(createRandom(1));
    frame.values[slots.bin] = "DK";
    const match = (country: string, segment: number): readonly number[] => {
      frame.values[slots.country] = country;
      frame.segments.set([segment, 0]);
      return matchByIndex(index, frame).map(({ ordinal }) => ordinal);
    };
    expect(() => match("DK", 1)).toThrow("a bug");
    expect(match("SE", 1)).toEqual([]);
    expect(() => match("DK", 1)).toThrow("a bug");
    expect(match("DK", 0)).toEqual([0]);
    broken = false;
    expect(match("DK", 1)).toEqual([0, 1]);
  });
});
