import { describe, expect, it } from "vitest";
import type { ArithmeticOp, CompareOp, Expr, Frame, Scalar, ScalarType, Value } from "./expr.ts";
import { buildPredicate, createPredicateCache } from "./predicate.ts";

const slot = (index: number, type: ScalarType): Expr => ({ op: "slot", type, slot: index });
const constant = (type: ScalarType, value: Scalar): Expr => ({ op: "const", type, value });
const compare = (how: CompareOp, left: Expr, right: Expr): Expr => ({
  op: "compare",
  type: "bool",
  how,
  left,
  right,
});
const arithmetic = (how: ArithmeticOp, type: ScalarType, left: Expr, right: Expr): Expr => ({
  op: "arithmetic",
  type,
  how,
  left,
  right,
});
const convert = (type: "int" | "double" | "string", arg: Expr): Expr => ({ op: "convert", type, arg });

function frameOf(values: Value[], rest: Partial<Frame> = {}): Frame {
  return { values, segments: new Uint8Array(), lists: [], locals: [], nowMs: 0, evalErrors: 0, ...rest };
}

/** Truth and count of evaluation errors. */
function judge(expr: Expr, frame: Frame): [boolean | undefined, number] {
  return [buildPredicate(expr)(frame), frame.evalErrors];
}

describe("and, or, not", () => {
  const truths = [false, true, undefined];
  const kleeneAnd = (parts: Value[]): Value =>
    parts.includes(false) ? false : parts.includes(undefined) ? undefined : true;
  const kleeneOr = (parts: Value[]): Value =>
    parts.includes(true) ? true : parts.includes(undefined) ? undefined : false;
  it.each([2, 3, 4, 5])("follow Kleene's tables over %i parts", (count) => {
    const args = Array.from({ length: count }, (_, index) => slot(index, "bool"));
    const and = buildPredicate({ op: "and", type: "bool", args });
    const or = buildPredicate({ op: "or", type: "bool", args });
    for (let code = 0; code < 3 ** count; code++) {
      const values = args.map((_, index) => truths[Math.floor(code / 3 ** index) % 3]);
      expect(and(frameOf(values))).toBe(kleeneAnd(values));
      expect(or(frameOf(values))).toBe(kleeneOr(values));
    }
  });

  it("leave parts after the deciding one alone", () => {
    const fails = compare(
      "eq",
      arithmetic("div", "int", constant("int", 1), constant("int", 0)),
      constant("int", 1),
    );
    const not: Expr = { op: "not", type: "bool", arg: fails };
    expect(judge({ op: "and", type: "bool", args: [constant("bool", false), fails] }, frameOf([]))).toEqual([
      false,
      0,
    ]);
    expect(judge({ op: "or", type: "bool", args: [not, constant("bool", true)] }, frameOf([]))).toEqual([
      true,
      1,
    ]);
    expect(judge(not, frameOf([]))).toEqual([undefined, 1]);
  });
});

describe("compare", () => {
  const nan = Number.NaN;
  it.each<[string, ScalarType, CompareOp, Value, Scalar, boolean | undefined]>([
    ["equal texts", "string", "eq", "EUR", "EUR", true],
    ["other texts", "string", "eq", "EUR", "USD", false],
    ["unknown == x", "string", "eq", undefined, "EUR", undefined],
    ["unknown != x", "string", "ne", undefined, "EUR", undefined],
    ["unknown < x", "int", "lt", undefined, 1, undefined],
    ["at the bound, below", "int", "lt", 5, 5, false],
    ["at the bound, up to", "int", "le", 5, 5, true],
    ["at the bound, above", "int", "gt", 5, 5, false],
    ["at the bound, from", "int", "ge", 5, 5, true],
    ["NaN == NaN", "double", "eq", nan, nan, false],
    ["NaN != NaN", "double", "ne", nan, nan, true],
    ["NaN < 1", "double", "lt", nan, 1, false],
    ["NaN >= 1", "double", "ge", nan, 1, false],
    ["-0 == 0", "double", "eq", -0, 0, true],
    ["-0 < 0", "double", "lt", -0, 0, false],
    ["false < true", "bool", "lt", false, true, true],
    ["astral text after the basic plane", "string", "gt", "\u{1F600}", "～", true],
    ["a prefix before the longer text", "string", "lt", "EU", "EUR", true],
  ])("judges %s", (_name, type, how, value, bound, want) => {
    expect(judge(compare(how, slot(0, type), constant(type, bound)), frameOf([value]))).toEqual([want, 0]);
    // The same against another slot takes the general way.
    expect(judge(compare(how, slot(0, type), slot(1, type)), frameOf([value, bound]))).toEqual([want, 0]);
  });

  it("refuses to order lists", () => {
    const list: Expr = { op: "listConst", type: { list: "int" }, values: [] };
    expect(() => buildPredicate(compare("lt", list, list))).toThrow("lists have no order");
  });
});

describe("in", () => {
  const some = (values: readonly Scalar[]): Expr => ({ op: "listConst", type: { list: "double" }, values });
  it.each<[string, readonly Scalar[], Value, boolean | undefined]>([
    ["a member of two", [1, 2], 2, true],
    ["none of two", [1, 2], 3, false],
    ["a member of three", [1, 2, 3], 3, true],
    ["a member of many", [1, 2, 3, 4, 5], 5, true],
    ["none of many", [1, 2, 3, 4, 5], 6, false],
    ["NaN in few", [Number.NaN], Number.NaN, false],
    ["NaN in many", [1, 2, 3, 4, Number.NaN], Number.NaN, false],
    ["-0 in many", [0, 1, 2, 3, 4], -0, true],
    ["nothing in an empty list", [], 1, false],
    ["unknown in few", [1, 2], undefined, undefined],
    ["unknown in many", [1, 2, 3, 4, 5], undefined, undefined],
  ])("judges %s", (_name, values, value, want) => {
    const left = slot(0, "double");
    expect(judge({ op: "in", type: "bool", left, right: some(values) }, frameOf([value]))).toEqual([want, 0]);
    const right: Expr = { op: "slot", type: { list: "double" }, slot: 1 };
    expect(judge({ op: "in", type: "bool", left, right }, frameOf([value, values]))).toEqual([want, 0]);
  });
});

describe("arithmetic and conversion", () => {
  const max = Number.MAX_SAFE_INTEGER;
  it.each<[string, Expr, Scalar | undefined]>([
    ["the greatest int", arithmetic("add", "int", constant("int", max - 1), constant("int", 1)), max],
    ["beyond 2^53", arithmetic("add", "int", constant("int", max), constant("int", 1)), undefined],
    ["a product beyond 2^53", arithmetic("mul", "int", constant("int", max), constant("int", -2)), undefined],
    ["division toward zero", arithmetic("div", "int", constant("int", -7), constant("int", 2)), -3],
    ["the sign of a rest", arithmetic("mod", "int", constant("int", -7), constant("int", 2)), -1],
    ["int division by zero", arithmetic("div", "int", constant("int", 1), constant("int", 0)), undefined],
    ["int rest by zero", arithmetic("mod", "int", constant("int", 1), constant("int", 0)), undefined],
    [
      "a double over the int zero of -1/2",
      arithmetic(
        "div",
        "double",
        constant("double", 1),
        convert("double", arithmetic("div", "int", constant("int", -1), constant("int", 2))),
      ),
      Number.POSITIVE_INFINITY,
    ],
    ["int of a text", convert("int", constant("string", "-12")), -12],
    ["int of no number", convert("int", constant("string", "12a")), undefined],
    ["int of an empty text", convert("int", constant("string", "")), undefined],
    ["int of hexadecimal", convert("int", constant("string", "0x10")), undefined],
    ["int of a text beyond 2^53", convert("int", constant("string", "9007199254740992")), undefined],
    ["int of a double", convert("int", constant("double", -1.9)), -1],
    ["int of NaN", convert("int", constant("double", Number.NaN)), undefined],
    ["int of an instant", convert("int", constant("timestamp", -1)), -1],
    ["double of a text", convert("double", constant("string", "1.5e3")), 1500],
    ["double of a text out of range", convert("double", constant("string", "1e999")), undefined],
    ["double of a blank", convert("double", constant("string", " ")), undefined],
    ["string of an instant", convert("string", constant("timestamp", 1_000_500)), "1970-01-01T00:16:40.500Z"],
    ["string of a duration", convert("string", constant("duration", -1_500)), "-1.500s"],
    [
      "an instant after year 9999",
      arithmetic("add", "timestamp", constant("timestamp", 253_402_300_799_999), constant("duration", 1)),
      undefined,
    ],
    [
      "a duration of more than 292 years",
      arithmetic("add", "duration", constant("duration", 9_223_372_036_854), constant("duration", 1)),
      undefined,
    ],
    ["size in code points", { op: "size", type: "int", arg: constant("string", "a\u{1F600}") }, 2],
  ])("gives %s", (_name, expr, want) => {
    const equals = compare("eq", expr, slot(0, expr.type as ScalarType));
    const expected = want === undefined ? [undefined, 1] : [true, 0];
    expect(judge(equals, frameOf([want ?? 0]))).toEqual(expected);
  });
});

describe("text", () => {
  const test = (pattern: string): Expr => ({ op: "matches", type: "bool", left: slot(0, "string"), pattern });
  it.each<[string, string, string, boolean | undefined, number]>([
    ["finds the pattern anywhere", "b+", "abbc", true, 0],
    ["keeps to anchors", "^b+$", "abbc", false, 0],
    ["takes a subject of the greatest length", "a$", "a".repeat(1024), true, 0],
    ["refuses a longer subject", "a$", "a".repeat(1025), undefined, 1],
    ["is linear where backtracking explodes", "^(a+)+$", `${"a".repeat(1000)}b`, false, 0],
  ])("matches: %s", (_name, pattern, subject, want, errors) => {
    expect(judge(test(pattern), frameOf([subject]))).toEqual([want, errors]);
  });

  it("takes a pattern that is no RE2 for a bug", () => {
    expect(() => buildPredicate(test("(?=a)"))).toThrow();
  });

  it.each<[string, Value, boolean | undefined, number]>([
    ["inside", "10.255.0.1", true, 0],
    ["outside", "11.0.0.1", false, 0],
    ["a mapped address", "::ffff:10.0.0.1", true, 0],
    ["text that is no address", "10.0.0", undefined, 1],
    ["unknown", undefined, undefined, 0],
  ])("cidr: judges %s", (_name, ip, want, errors) => {
    expect(
      judge({ op: "cidr", type: "bool", ip: slot(0, "string"), prefix: "10.0.0.0/8" }, frameOf([ip])),
    ).toEqual([want, errors]);
  });
});

describe("within and silent", () => {
  const hourMs = 3_600_000;
  it.each<[string, number | undefined, boolean | undefined, boolean | undefined]>([
    ["now", 0, true, false],
    ["just inside", 1 - hourMs, true, false],
    ["at the far end", -hourMs, false, true],
    ["in the future", 1, false, false],
    ["unknown", undefined, undefined, undefined],
  ])("judge an instant %s", (_name, atMs, within, silent) => {
    const parts = { type: "bool", at: slot(0, "timestamp"), duration: constant("duration", hourMs) } as const;
    const frame = frameOf([atMs === undefined ? undefined : atMs + 1_000_000_000_000], {
      nowMs: 1_000_000_000_000,
    });
    expect(judge({ op: "within", ...parts }, frame)).toEqual([within, 0]);
    expect(judge({ op: "silent", ...parts }, frame)).toEqual([silent, 0]);
  });
});

describe("segments, lists and has", () => {
  it.each<[number, boolean | undefined]>([
    [0, false],
    [1, true],
    [2, undefined],
  ])("reads a segment's state %i as %o", (state, want) => {
    expect(
      judge({ op: "segment", type: "bool", segment: 1 }, frameOf([], { segments: Uint8Array.of(9, state) })),
    ).toEqual([want, 0]);
  });

  it.each<[Value, boolean | undefined]>([
    ["45710435", true],
    ["51", false],
    [undefined, undefined],
  ])("looks %o up in a list", (value, want) => {
    const lists = [{ has: (text: string) => text.startsWith("4571") }];
    const left = slot(0, "string");
    expect(judge({ op: "inList", type: "bool", left, list: 0 }, frameOf([value], { lists }))).toEqual([
      want,
      0,
    ]);
    const computed = arithmetic("add", "string", left, constant("string", ""));
    expect(
      judge({ op: "inList", type: "bool", left: computed, list: 0 }, frameOf([value], { lists })),
    ).toEqual([want, 0]);
  });

  it("tells a missing value from false, 0 and empty text", () => {
    const has = (index: number): Expr => ({ op: "has", type: "bool", slot: index });
    expect([0, 1, 2, 3].map((index) => judge(has(index), frameOf([false, 0, "", undefined]))[0])).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

describe("exists and all", () => {
  const body = compare("gt", { op: "local", type: "int", depth: 0 }, slot(1, "int"));
  const over = (op: "exists" | "all"): Expr => ({
    op,
    type: "bool",
    depth: 0,
    list: { op: "slot", type: { list: "int" }, slot: 0 },
    body,
  });
  it.each<[string, Value, Value, boolean | undefined, boolean | undefined]>([
    ["an empty list", [], 1, false, true],
    ["some elements", [1, 3], 2, true, false],
    ["every element", [3, 4], 2, true, true],
    ["an unknown list", undefined, 2, undefined, undefined],
    ["an unknown body", [1], undefined, undefined, undefined],
    ["an unknown body over nothing", [], undefined, false, true],
  ])("judge %s", (_name, list, bound, exists, all) => {
    expect(judge(over("exists"), frameOf([list, bound]))).toEqual([exists, 0]);
    expect(judge(over("all"), frameOf([list, bound]))).toEqual([all, 0]);
  });

  it("keep the elements of nested lists apart", () => {
    const inner: Expr = {
      op: "exists",
      type: "bool",
      depth: 1,
      list: { op: "slot", type: { list: "int" }, slot: 1 },
      body: compare("eq", { op: "local", type: "int", depth: 0 }, { op: "local", type: "int", depth: 1 }),
    };
    const outer: Expr = {
      op: "all",
      type: "bool",
      depth: 0,
      list: { op: "slot", type: { list: "int" }, slot: 0 },
      body: inner,
    };
    expect(
      judge(
        outer,
        frameOf([
          [1, 2],
          [2, 1],
        ]),
      ),
    ).toEqual([true, 0]);
    expect(
      judge(
        outer,
        frameOf([
          [1, 2],
          [2, 3],
        ]),
      ),
    ).toEqual([false, 0]);
  });
});

describe("sharing", () => {
  it("gives equal conditions one closure and one automaton", () => {
    const cache = createPredicateCache();
    const make = (): Expr => ({ op: "matches", type: "bool", left: slot(0, "string"), pattern: "^a" });
    const other: Expr = { op: "matches", type: "bool", left: slot(1, "string"), pattern: "^a" };
    expect(buildPredicate(make(), cache)).toBe(buildPredicate(make(), cache));
    expect(buildPredicate(other, cache)).not.toBe(buildPredicate(make(), cache));
    expect(cache.patterns.size).toBe(1);
  });

  it("keeps constants of different type or sign of zero apart", () => {
    const cache = createPredicateCache();
    const inverse = (zero: number): Expr =>
      compare(
        "gt",
        arithmetic("div", "double", constant("double", 1), constant("double", zero)),
        constant("double", 0),
      );
    expect([0, -0].map((zero) => buildPredicate(inverse(zero), cache)(frameOf([])))).toEqual([true, false]);
    expect(cache.intern(constant("string", "1"))).not.toBe(cache.intern(constant("int", 1)));
  });
});
