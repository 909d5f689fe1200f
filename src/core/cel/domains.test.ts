import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SlotDomain } from "./domain-goals.ts";
import { findEmptiness, impliesCondition } from "./domains.ts";
import type { CompareOp, Expr, Frame, Scalar, ScalarType, Value } from "./expr.ts";
import { formatExpr } from "./format.ts";
import { buildPredicate } from "./predicate.ts";

/** A world so small that all its frames can be tried: a value of each slot, unknown included. */
const world: readonly {
  readonly name: string;
  readonly type: ScalarType;
  readonly values: readonly Value[];
}[] = [
  { name: "payment.kind", type: "string", values: [undefined, "A", "B"] },
  { name: "payment.amount_minor", type: "int", values: [undefined, 0, 1, 2] },
  { name: "context.flag", type: "bool", values: [undefined, false, true] },
  { name: "context.score", type: "double", values: [undefined, Number.NaN, 0, 1, 1.5] },
  { name: "player.seen_at", type: "timestamp", values: [undefined, 0, 3, 9] },
];
const tagLists: readonly Value[] = [undefined, [], ["A"], ["A", "C"]];
const tagSlot = world.length;
const nowMs = 5;
const lists = [
  { has: (value: string) => value === "A" || value === "C", values: ["A", "C"] },
  { has: (value: string) => value.startsWith("B") },
  { has: () => false, values: [] },
];
const names = {
  slot: (slot: number) => world[slot]?.name ?? "player.tags",
  segment: (segment: number) => ["vip", "at_risk"][segment]!,
  list: (list: number) => `list-${list}`,
};
const domainOf = (slot: number): SlotDomain | undefined =>
  slot === 0 ? { values: ["A", "B"] } : slot === 1 ? { min: 0, max: 2 } : undefined;

const frames: readonly Frame[] = listFrames();

function listFrames(): Frame[] {
  let rows: Value[][] = [[]];
  for (const values of [...world.map((slot) => slot.values), tagLists]) {
    rows = rows.flatMap((row) => values.map((value) => [...row, value]));
  }
  return rows.flatMap((values) =>
    [0, 1, 2].map((state) => ({
      values,
      segments: Uint8Array.of(state),
      lists,
      locals: [],
      nowMs,
      evalErrors: 0,
    })),
  );
}

const slot = (index: number): Expr => ({ op: "slot", type: world[index]!.type, slot: index });
const constant = (type: ScalarType, value: Scalar): Expr => ({ op: "const", type, value });
const compare = (left: Expr, how: CompareOp, right: Expr): Expr => ({
  op: "compare",
  type: "bool",
  how,
  left,
  right,
});
const not = (arg: Expr): Expr => ({ op: "not", type: "bool", arg });
const and = (...args: Expr[]): Expr => ({ op: "and", type: "bool", args });
const or = (...args: Expr[]): Expr => ({ op: "or", type: "bool", args });
const has = (index: number): Expr => ({ op: "has", type: "bool", slot: index });
const isOneOf = (left: Expr, type: ScalarType, values: readonly Scalar[]): Expr => ({
  op: "in",
  type: "bool",
  left,
  right: { op: "listConst", type: { list: type }, values },
});
const vip: Expr = { op: "segment", type: "bool", segment: 0 };
const kind = (...values: string[]): Expr => isOneOf(slot(0), "string", values);
const amount = (how: CompareOp, value: number): Expr => compare(slot(1), how, constant("int", value));
const score = (how: CompareOp, value: number): Expr => compare(slot(3), how, constant("double", value));
const since = (op: "within" | "silent", value: number): Expr => ({
  op,
  type: "bool",
  at: slot(4),
  duration: constant("duration", value),
});
const inList = (left: Expr, list: number): Expr => ({ op: "inList", type: "bool", left, list });
const local: Expr = { op: "local", type: "string", depth: 0 };
const eachTag = (op: "exists" | "all", body: Expr): Expr => ({
  op,
  type: "bool",
  depth: 0,
  list: { op: "slot", type: { list: "string" }, slot: tagSlot },
  body,
});

const hows = fc.constantFrom<CompareOp[]>("eq", "ne", "lt", "le", "gt", "ge");
const constants: { readonly [type in ScalarType]: readonly Scalar[] } = {
  string: ["A", "B", "C"],
  int: [-1, 0, 1, 2, 3],
  bool: [false, true],
  double: [Number.NaN, -1, 0, 1, 1.2, 1.5, 2, Number.POSITIVE_INFINITY],
  timestamp: [0, 3, 5],
  duration: [-1, 0, 2, 5, 6],
};
const anyConstant = (type: ScalarType): fc.Arbitrary<Expr> =>
  fc.constantFrom(...constants[type]).map((value) => constant(type, value));

const leaf: fc.Arbitrary<Expr> = fc.oneof(
  fc.nat({ max: world.length - 1 }).chain((index) => {
    const type = world[index]!.type;
    const left = slot(index);
    return fc.oneof(
      fc.tuple(hows, anyConstant(type)).map(([how, right]) => compare(left, how, right)),
      fc.tuple(hows, anyConstant(type)).map(([how, right]) => compare(right, how, left)),
      fc.subarray([...constants[type]]).map((values) => isOneOf(left, type, values)),
      fc.constant(has(index)),
    );
  }),
  fc.tuple(hows, anyConstant("double")).map(([how, right]) => compare(slot(1), how, right)),
  fc
    .tuple(hows, fc.constantFrom(1, 3), fc.constantFrom(1, 3))
    .map(([how, left, right]) => compare(slot(left), how, slot(right))),
  fc
    .tuple(hows, anyConstant("int"))
    .map(([how, right]) => compare({ op: "size", type: "int", arg: slot(0) }, how, right)),
  fc
    .tuple(hows, anyConstant("int"), anyConstant("int"))
    .map(([how, by, right]) =>
      compare({ op: "arithmetic", type: "int", how: "div", left: slot(1), right: by }, how, right),
    ),
  fc.constantFrom(vip, slot(2), constant("bool", false), constant("bool", true)),
  fc
    .tuple(
      fc.constantFrom<("within" | "silent")[]>("within", "silent"),
      fc.constantFrom(...constants.duration),
    )
    .map(([op, value]) => since(op, value as number)),
  fc
    .tuple(fc.constantFrom(slot(0), constant("string", "BX")), fc.nat({ max: 2 }))
    .map(([left, list]) => inList(left, list)),
  fc.constantFrom("A", "").map(
    (part): Expr => ({
      op: "string",
      type: "bool",
      how: "startsWith",
      left: slot(0),
      right: constant("string", part),
    }),
  ),
  fc
    .tuple(
      fc.constantFrom<("exists" | "all")[]>("exists", "all"),
      fc.constantFrom(local, slot(0)),
      fc.constantFrom(local, slot(0)),
      hows,
      anyConstant("string"),
      anyConstant("string"),
    )
    .map(([op, left, right, how, first, second]) =>
      eachTag(op, and(compare(left, "eq", first), compare(right, how, second))),
    ),
);

const truth = fc.constantFrom(vip, slot(2), has(1), has(2), constant("bool", true));

/** Leaves that may be known where a slot in them is not, or that depend on more than one slot. */
const oddLeaf: fc.Arbitrary<Expr> = fc.oneof(
  fc
    .tuple(truth, fc.constantFrom(slot(1), constant("int", 1)), fc.constantFrom(slot(1), constant("int", 0)))
    // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
    .map(([test, left, right]): Expr => ({ op: "cond", type: "int", test, then: left, else: right }))
    .chain((left) => fc.tuple(hows, anyConstant("int")).map(([how, right]) => compare(left, how, right))),
  fc
    .tuple(fc.constantFrom(and, or), truth, truth, hows, truth)
    .map(([join, first, second, how, right]) => compare(join(first, second), how, right)),
  fc
    .tuple(fc.constantFrom<("exists" | "all")[]>("exists", "all"), hows, anyConstant("string"))
    .map(([op, how, first]) => eachTag(op, and(compare(slot(0), "eq", first), compare(local, how, slot(0))))),
);

const condition: fc.Arbitrary<Expr> = fc.letrec<{ node: Expr }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    oddLeaf,
    tie("node").map(not),
    fc.array(tie("node"), { minLength: 2, maxLength: 4 }).map((args) => and(...args)),
    fc.array(tie("node"), { minLength: 2, maxLength: 3 }).map((args) => or(...args)),
    fc
      .tuple(tie("node"), tie("node"), tie("node"))
      // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
      .map(([test, left, right]): Expr => ({ op: "cond", type: "bool", test, then: left, else: right })),
    fc
      .tuple(tie("node"), fc.constantFrom<CompareOp[]>("eq", "ne"), fc.boolean())
      .map(([left, how, truth]) => compare(left, how, constant("bool", truth))),
  ),
})).node;

const runs = 3_000;

describe("findEmptiness", () => {
  it("never calls a condition empty that some frame meets", () => {
    fc.assert(
      fc.property(condition, (expr) => {
        const reason = findEmptiness(expr, domainOf, (list) => lists[list], names);
        if (reason !== undefined) {
          const test = buildPredicate(expr);
          expect(
            frames.find((frame) => test(frame) === true),
            `${formatExpr(expr, names)}: ${reason}`,
          ).toBeUndefined();
        }
      }),
      { numRuns: runs },
    );
  });

  it.each<[string, Expr, string]>([
    [
      "two values of one slot",
      and(compare(slot(0), "eq", constant("string", "A")), compare(slot(0), "eq", constant("string", "B"))),
      'payment.kind == "A" && payment.kind == "B" can never hold',
    ],
    [
      "a value outside the closed set",
      compare(slot(0), "eq", constant("string", "C")),
      'payment.kind == "C" can never hold',
    ],
    [
      "disjoint sets",
      and(kind("A"), kind("B", "C")),
      'payment.kind in ["A"] && payment.kind in ["B", "C"] can never hold',
    ],
    [
      "every value excluded",
      and(not(kind("A")), not(kind("B"))),
      '!(payment.kind in ["A"]) && !(payment.kind in ["B"]) can never hold',
    ],
    [
      "an empty interval",
      and(score("gt", 5), score("lt", 3)),
      "context.score > 5.0 && context.score < 3.0 can never hold",
    ],
    [
      "an interval without an int",
      and(amount("gt", 0), amount("lt", 1)),
      "payment.amount_minor > 0 && payment.amount_minor < 1 can never hold",
    ],
    ["above the greatest value", amount("gt", 2), "payment.amount_minor > 2 can never hold"],
    [
      "an int equal to a fraction",
      compare(slot(1), "eq", constant("double", 1.5)),
      "payment.amount_minor == 1.5 can never hold",
    ],
    ["anything equal to NaN", score("eq", Number.NaN), 'context.score == double("NaN") can never hold'],
    [
      "a value of what is missing",
      and(not(has(1)), amount("ge", 0)),
      "!(has(payment.amount_minor)) && payment.amount_minor >= 0 can never hold",
    ],
    [
      "has and not has",
      and(has(3), not(has(3))),
      "has(context.score) && !(has(context.score)) can never hold",
    ],
    ["a segment and its opposite", and(vip, not(vip)), 'segment("vip") && !(segment("vip")) can never hold'],
    [
      "a comparison and its opposite side",
      and(compare(slot(1), "lt", slot(3)), compare(slot(3), "le", slot(1))),
      "payment.amount_minor < context.score && context.score <= payment.amount_minor can never hold",
    ],
    [
      "within the time of silence",
      and(since("within", 5), since("silent", 6)),
      'within(player.seen_at, duration("0.005s")) && silent(player.seen_at, duration("0.006s")) can never hold',
    ],
    [
      "within less but not within more",
      and(since("within", 2), not(since("within", 5))),
      'within(player.seen_at, duration("0.002s")) && !(within(player.seen_at, duration("0.005s"))) can never hold',
    ],
    ["a list that is empty", inList(slot(0), 2), 'in_list(payment.kind, "list-2") can never hold'],
    [
      "a value that the list lacks",
      and(kind("B"), inList(slot(0), 0)),
      'payment.kind in ["B"] && in_list(payment.kind, "list-0") can never hold',
    ],
    [
      "a list of prefixes and a value without them",
      and(kind("A"), inList(slot(0), 1)),
      'payment.kind in ["A"] && in_list(payment.kind, "list-1") can never hold',
    ],
    [
      "an hour after midnight and before",
      and(compare({ op: "localHour", type: "int", at: slot(4), zone: "UTC" }, "ge", constant("int", 24))),
      'local_hour(player.seen_at, "UTC") >= 24 can never hold',
    ],
    [
      "a negative size",
      compare({ op: "size", type: "int", arg: slot(0) }, "lt", constant("int", 0)),
      "size(payment.kind) < 0 can never hold",
    ],
    ["constants", compare(constant("int", 1), "eq", constant("int", 2)), "1 == 2 can never hold"],
    [
      "each of two alternatives",
      and(kind("A"), or(kind("B"), compare(slot(0), "eq", constant("string", "C")))),
      'payment.kind in ["A"] && payment.kind in ["B"] can never hold',
    ],
    [
      "under a negated disjunction",
      not(or(vip, not(vip))),
      '!(segment("vip")) && segment("vip") can never hold',
    ],
    [
      "a body that no element meets",
      eachTag(
        "exists",
        and(compare(local, "eq", constant("string", "A")), compare(local, "eq", constant("string", "B"))),
      ),
      'x == "A" && x == "B" can never hold',
    ],
  ])("finds %s", (_name, expr, reason) => {
    expect(
      findEmptiness(
        expr.op === "and" && expr.args.length === 1 ? expr.args[0]! : expr,
        domainOf,
        (list) => lists[list],
        names,
      ),
    ).toBe(reason);
  });

  it.each<[string, Expr]>([
    ["a negated comparison, which NaN meets", and(not(score("lt", 1)), not(score("ge", 1)))],
    ["an interval with one int", and(amount("gt", 0), amount("le", 1))],
    ["neither a segment nor its opposite where it may be unknown", or(vip, not(vip))],
    ["a list that is not known", inList(slot(4), 7)],
    ["not within, as the future is neither", and(not(since("within", 5)), not(since("silent", 5)))],
  ])("does not claim: %s", (_name, expr) => {
    expect(findEmptiness(expr, domainOf, (list) => lists[list])).toBeUndefined();
  });

  it("proves nothing beyond its budget, and soon", () => {
    const segment = (ordinal: number): Expr => ({ op: "segment", type: "bool", segment: ordinal });
    const clauses = Array.from({ length: 40 }, (_, index) => or(segment(2 * index), segment(2 * index + 1)));
    const never = eachTag("exists", constant("bool", false));
    expect(findEmptiness(and(...clauses.slice(0, 5), never), domainOf)).toBe("false can never hold");
    expect(findEmptiness(and(...clauses, never), domainOf)).toBeUndefined();
    expect(impliesCondition(or(segment(0), segment(1)), and(...clauses))).toBe(true);
    expect(impliesCondition(vip, and(...clauses))).toBe(false);
  });
});

describe("impliesCondition", () => {
  const pair = fc.oneof(
    fc.tuple(condition, condition),
    fc.tuple(condition, condition).map(([a, b]): [Expr, Expr] => [a, and(a, b)]),
    fc.tuple(condition, condition).map(([a, b]): [Expr, Expr] => [or(a, b), a]),
    fc.tuple(fc.oneof(leaf, oddLeaf), fc.oneof(leaf, oddLeaf)),
  );

  it("never claims what some frame denies", () => {
    fc.assert(
      fc.property(pair, ([earlier, later]) => {
        if (impliesCondition(earlier, later)) {
          const [wide, narrow] = [buildPredicate(earlier), buildPredicate(later)];
          const denial = frames.find((frame) => narrow(frame) === true && wide(frame) !== true);
          expect(denial, `${formatExpr(later, names)} => ${formatExpr(earlier, names)}`).toBeUndefined();
        }
      }),
      { numRuns: runs },
    );
  });

  const five = constant("double", 5);
  const bySegment: Expr = {
    op: "cond",
    type: "int",
    test: vip,
    // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
    then: slot(1),
    else: constant("int", 1),
  };
  it.each<[string, Expr, Expr, boolean]>([
    ["anything, from always", constant("bool", true), vip, true],
    ["itself", vip, vip, true],
    ["a part of a conjunction", vip, and(slot(2), vip), true],
    ["a conjunction of the parts in another order", and(slot(2), vip), and(vip, has(0), slot(2)), true],
    ["a disjunction, from a part", or(vip, slot(2)), slot(2), true],
    ["a wider set", kind("A", "B"), kind("B"), true],
    ["a narrower set", kind("B"), kind("A", "B"), false],
    [
      "a set told as alternatives",
      or(compare(slot(0), "eq", constant("string", "A")), kind("B")),
      kind("A", "B"),
      true,
    ],
    ["not another value", compare(slot(0), "ne", constant("string", "A")), kind("B"), true],
    ["a wider interval", score("gt", 1), score("ge", 2), true],
    ["an interval with the bound, from one without", score("ge", 1), score("gt", 1), true],
    ["an interval without the bound, from one with", score("gt", 1), score("ge", 1), false],
    ["ints above 0, from ints from 1", amount("gt", 0), amount("ge", 1), true],
    [
      "an interval, from a comparison that NaN passes",
      compare(slot(3), "ge", five),
      not(compare(slot(3), "lt", five)),
      false,
    ],
    [
      "a comparison that NaN passes, from an interval",
      not(compare(slot(3), "lt", five)),
      compare(slot(3), "ge", five),
      true,
    ],
    ["that a value is there, from its comparison", has(1), amount("ne", 0), true],
    ["a tautology, which may be unknown", or(vip, not(vip)), has(0), false],
    [
      "that a value is there, from a branch that may not be taken",
      has(1),
      compare(bySegment, "gt", constant("int", 0)),
      false,
    ],
    ["longer silence", since("silent", 5), since("silent", 9), true],
    ["anything, from what is never true", kind("A"), and(vip, not(vip)), true],
    [
      "each of the later alternatives",
      has(0),
      or(kind("A"), compare(slot(0), "eq", constant("string", "B"))),
      true,
    ],
    ["only one of the later alternatives", has(0), or(kind("A"), vip), false],
    [
      "what the value says of a text",
      { op: "string", type: "bool", how: "startsWith", left: slot(0), right: constant("string", "A") },
      kind("A", "AB"),
      true,
    ],
  ])("judges %s", (_name, earlier, later, want) => {
    expect(impliesCondition(earlier, later)).toBe(want);
  });
});
