/**
 * Random typed expressions and frames over one small vocabulary, for property tests of all that reads the typed form. Values are few and
 * chosen to collide: equal, neighbouring, out of range, NaN, -0, astral text.
 */
import fc from "fast-check";
import type { Expr, ExprType, Frame, Scalar, ScalarType, Value } from "../../src/core/cel/expr.ts";

/** The type of each slot; `slotTypes[i]` is that of slot i. */
export const slotTypes: readonly ExprType[] = [
  "string",
  "string",
  "int",
  "int",
  "double",
  "bool",
  "timestamp",
  "duration",
  { list: "string" },
  { list: "int" },
];
const segmentCount = 3;
/** The lists that frames hold: one of exact texts, one of prefixes. */
const frameLists = [
  { has: (value: string) => value === "A" || value === "12" },
  { has: (value: string) => value.startsWith("4") },
];

const zones = ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"];
const samples: { readonly [type in ScalarType]: readonly Scalar[] } = {
  bool: [false, true],
  int: [0, 1, 2, 3, -1, 7, 4_503_599_627_370_496, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  double: [0, -0, 1, 2.5, -1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300],
  string: [
    "",
    "A",
    "B",
    "\u{1F600}",
    "～",
    "12",
    "4",
    "45x",
    "-7.5",
    "10.1.2.3",
    "::ffff:10.9.9.9",
    "2001:db8::1",
  ],
  timestamp: [0, 1_000, 1_792_890_000_000, 1_792_893_600_500, -62_135_596_800_000, 253_402_300_799_999],
  duration: [0, 1, 1_000, -1_500, 3_600_000, 259_200_000, 9_223_372_036_854],
};

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(undefined) });

const scalar = (type: ScalarType): fc.Arbitrary<Scalar> => fc.constantFrom(...samples[type]);

const arbitraryValue = (type: ExprType): fc.Arbitrary<Value> =>
  maybe<Scalar | readonly Scalar[]>(
    typeof type === "string" ? scalar(type) : fc.array(scalar(type.list), { maxLength: 3 }),
  );

/** Random frames: each value unknown now and then, segments in all three states. */
export const arbitraryFrame: fc.Arbitrary<Frame> = fc
  .tuple(
    fc.tuple(...slotTypes.map(arbitraryValue)),
    fc.array(fc.integer({ min: 0, max: 2 }), { minLength: segmentCount, maxLength: segmentCount }),
    fc.constantFrom(0, 1_001, 1_792_893_600_000),
  )
  .map(([values, segments, nowMs]) => ({
    values,
    segments: Uint8Array.from(segments),
    lists: frameLists,
    locals: [],
    nowMs,
    evalErrors: 0,
  }));

/** The element types of the enclosing quantifiers, outermost first. */
type Scope = readonly ScalarType[];

const known = new Map<string, fc.Arbitrary<Expr>>();

/** Random expressions of a type, at most `depth` operations deep. */
export function arbitraryExpr(type: ExprType, depth: number, scope: Scope = []): fc.Arbitrary<Expr> {
  const key = JSON.stringify([type, depth, scope]);
  let arbitrary = known.get(key);
  if (arbitrary === undefined) {
    const leaves = listLeaves(type, scope);
    arbitrary =
      depth === 0 || typeof type !== "string"
        ? fc.oneof(...leaves)
        : fc.oneof(fc.oneof(...leaves), ...listNodes(type, depth - 1, scope));
    known.set(key, arbitrary);
  }
  return arbitrary;
}

function listLeaves(type: ExprType, scope: Scope): fc.Arbitrary<Expr>[] {
  const slots = slotTypes.flatMap((slotType, slot) =>
    JSON.stringify(slotType) === JSON.stringify(type) ? [slot] : [],
  );
  const leaves: fc.Arbitrary<Expr>[] = [
    fc.constantFrom(...slots).map((slot): Expr => ({ op: "slot", type, slot })),
  ];
  if (typeof type !== "string") {
    const constants = fc.array(scalar(type.list), { maxLength: 7 });
    leaves.push(constants.map((values): Expr => ({ op: "listConst", type, values })));
    return leaves;
  }
  leaves.push(scalar(type).map((value): Expr => ({ op: "const", type, value })));
  for (const [depth, element] of scope.entries()) {
    if (element === type) {
      leaves.push(fc.constant({ op: "local", type, depth }));
    }
  }
  if (type === "bool") {
    leaves.push(
      fc.nat({ max: slotTypes.length - 1 }).map((slot): Expr => ({ op: "has", type, slot })),
      fc.nat({ max: segmentCount - 1 }).map((segment): Expr => ({ op: "segment", type, segment })),
    );
  }
  return leaves;
}

function listNodes(type: ScalarType, depth: number, scope: Scope): fc.Arbitrary<Expr>[] {
  const part = (partType: ExprType): fc.Arbitrary<Expr> => arbitraryExpr(partType, depth, scope);
  const cond = fc
    .tuple(part("bool"), part(type), part(type))
    // biome-ignore lint/suspicious/noThenProperty: the typed form names the branches as CEL does; nobody awaits it.
    .map(([test, left, right]): Expr => ({ op: "cond", type, test, then: left, else: right }));
  switch (type) {
    case "bool":
      return [cond, ...listTests(depth, scope)];
    case "int":
      return [cond, ...listIntNodes(part)];
    case "double":
      return [
        cond,
        arithmetic("double", ["add", "sub", "mul", "div"], part("double"), part("double")),
        part("double").map((arg): Expr => ({ op: "negate", type: "double", arg })),
        ...convertFrom("double", ["int", "double", "string"], part),
      ];
    case "string":
      return [
        cond,
        arithmetic("string", ["add"], part("string"), part("string")),
        ...convertFrom("string", ["bool", "int", "double", "timestamp", "duration"], part),
      ];
    case "timestamp":
      return [cond, arithmetic("timestamp", ["add", "sub"], part("timestamp"), part("duration"))];
    case "duration":
      return [
        cond,
        arithmetic("duration", ["add", "sub"], part("duration"), part("duration")),
        arithmetic("duration", ["sub"], part("timestamp"), part("timestamp")),
        part("duration").map((arg): Expr => ({ op: "negate", type: "duration", arg })),
      ];
  }
}

type Part = (type: ExprType) => fc.Arbitrary<Expr>;

function arithmetic(
  type: ScalarType,
  hows: readonly ("add" | "sub" | "mul" | "div" | "mod")[],
  left: fc.Arbitrary<Expr>,
  right: fc.Arbitrary<Expr>,
): fc.Arbitrary<Expr> {
  return fc
    .tuple(fc.constantFrom(...hows), left, right)
    .map(([how, a, b]): Expr => ({ op: "arithmetic", type, how, left: a, right: b }));
}

function convertFrom(
  type: "int" | "double" | "string",
  sources: readonly ScalarType[],
  part: Part,
): fc.Arbitrary<Expr>[] {
  return sources.map((source) => part(source).map((arg): Expr => ({ op: "convert", type, arg })));
}

function listIntNodes(part: Part): fc.Arbitrary<Expr>[] {
  return [
    arithmetic("int", ["add", "sub", "mul", "div", "mod"], part("int"), part("int")),
    part("int").map((arg): Expr => ({ op: "negate", type: "int", arg })),
    part("string").map((arg): Expr => ({ op: "size", type: "int", arg })),
    part({ list: "int" }).map((arg): Expr => ({ op: "size", type: "int", arg })),
    ...convertFrom("int", ["int", "double", "string", "timestamp", "duration"], part),
    fc
      .tuple(fc.constantFrom("localHour", "localWeekday"), part("timestamp"), fc.constantFrom(...zones))
      .map(([op, at, zone]): Expr => ({ op, type: "int", at, zone })),
  ];
}

function listTests(depth: number, scope: Scope): fc.Arbitrary<Expr>[] {
  const part: Part = (type) => arbitraryExpr(type, depth, scope);
  const parts = fc.array(part("bool"), { minLength: 2, maxLength: 6 });
  const compare = (left: ExprType, right: ExprType): fc.Arbitrary<Expr> =>
    fc
      .tuple(fc.constantFrom("eq", "ne", "lt", "le", "gt", "ge"), part(left), part(right))
      .map(([how, a, b]): Expr => ({ op: "compare", type: "bool", how, left: a, right: b }));
  return [
    part("bool").map((arg): Expr => ({ op: "not", type: "bool", arg })),
    fc
      .tuple(fc.constantFrom("and", "or"), parts)
      .map(([op, args]): Expr => ({ op, type: "bool", args: flatten(op, args) })),
    ...(["bool", "int", "double", "string", "timestamp", "duration"] as const).map((type) =>
      compare(type, type),
    ),
    compare("int", "double"),
    fc
      .tuple(fc.constantFrom("eq", "ne"), part({ list: "int" }), part({ list: "int" }))
      .map(([how, left, right]): Expr => ({ op: "compare", type: "bool", how, left, right })),
    ...(["string", "int", "double"] as const).map((type) =>
      fc
        .tuple(part(type), part({ list: type === "string" ? "string" : "int" }))
        .map(([left, right]): Expr => ({ op: "in", type: "bool", left, right })),
    ),
    fc
      .tuple(part("string"), fc.nat({ max: 1 }))
      .map(([left, list]): Expr => ({ op: "inList", type: "bool", left, list })),
    ...(["string", "int"] as const).map((element) => quantifier(element, depth, scope)),
    fc
      .tuple(fc.constantFrom("startsWith", "endsWith", "contains"), part("string"), part("string"))
      .map(([how, left, right]): Expr => ({ op: "string", type: "bool", how, left, right })),
    fc
      .tuple(part("string"), fc.constantFrom("^[0-9]+$", "A|B", "", "\\d"))
      .map(([left, pattern]): Expr => ({ op: "matches", type: "bool", left, pattern })),
    fc
      .tuple(fc.constantFrom("within", "silent"), part("timestamp"), part("duration"))
      .map(([op, at, duration]): Expr => ({ op, type: "bool", at, duration })),
    fc
      .tuple(part("string"), fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"))
      .map(([ip, prefix]): Expr => ({ op: "cidr", type: "bool", ip, prefix })),
  ];
}

function quantifier(element: ScalarType, depth: number, scope: Scope): fc.Arbitrary<Expr> {
  return fc
    .tuple(
      fc.constantFrom("exists", "all"),
      arbitraryExpr({ list: element }, depth, scope),
      arbitraryExpr("bool", depth, [...scope, element]),
    )
    .map(([op, list, body]): Expr => ({ op, type: "bool", list, depth: scope.length, body }));
}

/** The typed form holds no `and` directly inside `and`. */
function flatten(op: "and" | "or", args: readonly Expr[]): readonly Expr[] {
  return args.flatMap((arg) => (arg.op === op ? arg.args : [arg]));
}
