import { type CelInput, isCelError, run } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { createTestEnvironment, testVariables } from "../../../test/helpers/cel-environment.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { SlotSource } from "./environment.ts";
import type { Evaluator } from "./evaluator.ts";
import type { ExprType, Frame, Scalar, ScalarType, Value } from "./expr.ts";
import { lowerCondition } from "./lower.ts";
import { buildPredicate } from "./predicate.ts";

/** One expression twice: in the language of conditions, and in plain CEL with our functions written out. */
type Twin = { readonly ours: string; readonly cel: string };

const nowMs = Date.UTC(2026, 0, 31, 8);

/** Variables without declared domain or range: a random comparison with those may never hold. */
const variables = {
  bool: ["player.vip"],
  int: ["feature.deposits_7d"],
  double: ["attr.score", "feature.ratio"],
  string: ["payment.method", "card.bin"],
  timestamp: ["player.created_at", "feature.last_deposit_at"],
  duration: ["feature.idle"],
} as const satisfies Record<ScalarType, readonly string[]>;

const listVariables = [
  ["payment.tags", "string"],
  ["attr.stakes", "int"],
] as const;

/** Answers that depend on the values drawn and not on their types. */
const valueRules = new Set(["never-holds", "constant-error", "too-costly"]);

// Kept small, so that no product leaves what both sides compute exactly.
const smallInt = fc.integer({ min: -50, max: 50 });
const smallDouble = fc.integer({ min: -400, max: 400 }).map((value) => value / 8);
const word = fc.string({
  unit: fc.constantFrom("a", "b", "4", "é", '"', "'", "\\", "\n", "{", ")"),
  maxLength: 4,
});
const instant = fc.integer({ min: -72, max: 72 }).map((hours) => nowMs + hours * 1_800_000);
const span = fc.integer({ min: -48, max: 48 }).map((halves) => halves * 1_800_000);

function same(text: string): Twin {
  return { ours: text, cel: text };
}

/** Joins twins: strings of the template stand in both. */
function join(parts: TemplateStringsArray, ...twins: readonly Twin[]): Twin {
  const fill = (side: keyof Twin) =>
    parts.reduce((text, part, index) => `${text}${twins[index - 1]?.[side] ?? ""}${part}`);
  return { ours: fill("ours"), cel: fill("cel") };
}

function arbitraryLiteral(type: ScalarType): fc.Arbitrary<Twin> {
  switch (type) {
    case "bool":
      return fc.boolean().map((value) => same(String(value)));
    case "int":
      return smallInt.map((value) => same(`(${value})`));
    case "double":
      return smallDouble.map((value) => same(`(${value.toFixed(3)})`));
    case "string":
      return word.map((value) => same(JSON.stringify(value)));
    case "timestamp":
      return fc.oneof(
        fc.constant(same("now")),
        instant.map((ms) => same(`timestamp("${new Date(ms).toISOString()}")`)),
      );
    case "duration":
      return fc.oneof(
        span.map((ms) => same(`duration("${ms / 1000}s")`)),
        fc.integer({ min: -3, max: 3 }).map((n) => ({ ours: `days(${n})`, cel: `duration("${n * 24}h")` })),
      );
  }
}

/** Expressions of a type, at most so deep; `items` are the items of the quantifiers around. */
function arbitraryText(
  type: ScalarType,
  depth: number,
  items: readonly (readonly [string, ScalarType])[] = [],
): fc.Arbitrary<Twin> {
  const own = items.filter(([, itemType]) => itemType === type).map(([name]) => name);
  const leaf = fc.oneof(arbitraryLiteral(type), fc.constantFrom(...variables[type], ...own).map(same));
  if (depth === 0) return leaf;
  const of = (inner: ScalarType) => arbitraryText(inner, depth - 1, items);
  const pair = (inner: ScalarType, ...operators: readonly string[]) =>
    fc
      .tuple(of(inner), fc.constantFrom(...operators), of(inner))
      .map(([a, op, b]) => join`(${a} ${same(op)} ${b})`);
  const cond = fc.tuple(of("bool"), of(type), of(type)).map(([test, a, b]) => join`(${test} ? ${a} : ${b})`);
  switch (type) {
    case "bool":
      return fc.oneof(leaf, cond, ...arbitraryTests(depth, items), pair("bool", "&&", "||", "==", "!=", "<"));
    case "int":
      return fc.oneof(
        leaf,
        cond,
        pair("int", "+", "-", "*", "/", "%"),
        of("string").map((text) => join`size(${text})`),
        of("int").map((arg) => join`-${arg}`),
      );
    case "double":
      return fc.oneof(
        leaf,
        cond,
        pair("double", "+", "-", "*", "/"),
        of("int").map((arg) => join`double(${arg})`),
      );
    case "string":
      return fc.oneof(
        leaf,
        cond,
        of("int").map((arg) => join`string(${arg})`),
      );
    case "timestamp":
      return fc.oneof(
        leaf,
        fc
          .tuple(of("timestamp"), fc.constantFrom("+", "-"), of("duration"))
          .map(([t, op, d]) => join`(${t} ${same(op)} ${d})`),
      );
    case "duration":
      return fc.oneof(leaf, pair("duration", "+", "-"), pair("timestamp", "-"));
  }
}

function arbitraryTests(
  depth: number,
  items: readonly (readonly [string, ScalarType])[],
): readonly fc.Arbitrary<Twin>[] {
  const of = (inner: ScalarType) => arbitraryText(inner, depth - 1, items);
  const literals = (type: ScalarType) => fc.array(arbitraryLiteral(type), { minLength: 1, maxLength: 6 });
  const compared = fc.constantFrom<ScalarType>("int", "double", "string", "timestamp", "duration");
  const comparison = compared.chain((type) =>
    fc.tuple(of(type), fc.constantFrom("==", "!=", "<", "<=", ">", ">="), of(type)),
  );
  const mixed = fc.tuple(of("int"), fc.constantFrom("<", "<=", ">", ">=", "==", "!="), of("double"));
  return [
    fc
      .oneof(comparison, mixed)
      .map(([a, op, b]) => join`${a} ${same(op)} ${b}`)
      .map((twin) => join`(${twin})`),
    of("bool").map((arg) => join`!(${arg})`),
    fc
      .tuple(of("string"), fc.constantFrom("startsWith", "endsWith", "contains"), of("string"))
      .map(([a, name, b]) => join`${a}.${same(name)}(${b})`),
    fc
      .tuple(of("string"), fc.constantFrom("^a", "b+4", "[^a]$"))
      .map(([a, pattern]) => join`${a}.matches(${same(JSON.stringify(pattern))})`),
    fc
      .constantFrom<ScalarType>("int", "string", "double")
      .chain((type) =>
        fc
          .tuple(of(type), literals(type))
          .map(([a, list]) => join`(${a} in [${list.reduce((left, right) => join`${left}, ${right}`)}])`),
      ),
    fc
      .constantFrom(...listVariables)
      .chain(([name, type]) => of(type).map((a) => join`(${a} in ${same(name)})`)),
    fc
      .tuple(fc.constantFrom(...listVariables), fc.constantFrom("exists", "all"))
      .chain(([[name, type], how]) => {
        const item = `item${items.length}`;
        const body = arbitraryText("bool", depth - 1, [...items, [item, type]]);
        return body.map((twin) => join`${same(name)}.${same(how)}(${same(item)}, ${twin})`);
      }),
    fc.constantFrom(...Object.keys(testVariables)).map((path) => same(`has(${path})`)),
    fc.tuple(of("int"), of("int"), of("int")).map(([x, low, high]) => ({
      ours: join`between(${x}, ${low}, ${high})`.ours,
      cel: join`(${x} >= ${low} && ${x} <= ${high})`.cel,
    })),
    fc.tuple(of("timestamp"), arbitraryLiteral("duration")).map(([t, d]) => ({
      ours: join`within(${t}, ${d})`.ours,
      cel: join`(now - ${d} < ${t} && ${t} <= now)`.cel,
    })),
    fc.tuple(of("timestamp"), arbitraryLiteral("duration")).map(([t, d]) => ({
      ours: join`silent(${t}, ${d})`.ours,
      cel: join`(now - ${t} >= ${d})`.cel,
    })),
  ];
}

function arbitraryValue(type: ExprType): fc.Arbitrary<Value> {
  if (typeof type !== "string") return fc.array(arbitraryScalar(type.list), { maxLength: 3 });
  return arbitraryScalar(type);
}

function arbitraryScalar(type: ScalarType): fc.Arbitrary<Scalar> {
  switch (type) {
    case "bool":
      return fc.boolean();
    case "int":
      return smallInt;
    case "double":
      return smallDouble;
    case "string":
      return word;
    case "timestamp":
      return instant;
    case "duration":
      return span;
  }
}

/** A value for each variable, or none. */
const arbitraryFacts: fc.Arbitrary<Record<string, Value>> = fc.record(
  Object.fromEntries(
    Object.entries(testVariables).map(([path, { type }]) => [
      path,
      fc.option(arbitraryValue(type), { nil: undefined, freq: 6 }),
    ]),
  ),
);

function evaluateOurs(
  evaluator: Evaluator,
  slots: readonly SlotSource[],
  facts: Record<string, Value>,
): Value {
  const values = slots.map((source) => (source.kind === "field" ? facts[source.path] : nowMs));
  const frame: Frame = { values, segments: new Uint8Array(0), lists: [], locals: [], nowMs, evalErrors: 0 };
  return evaluator(frame);
}

/** The facts as CEL takes them: a map per root, without the keys that have no value. */
function bindFacts(facts: Record<string, Value>): Record<string, CelInput> {
  const roots: Record<string, Record<string, CelInput>> = {
    payment: {},
    card: {},
    player: {},
    context: {},
    attr: {},
    feature: {},
  };
  for (const [path, value] of Object.entries(facts)) {
    const [root = "", name = ""] = path.split(".");
    const type = testVariables[path]?.type ?? "bool";
    if (value === undefined) continue;
    roots[root]![name] =
      typeof value === "object"
        ? value.map((element) => toCel(element, typeof type === "string" ? type : type.list))
        : toCel(value, typeof type === "string" ? type : type.list);
  }
  return { ...roots, now: toCel(nowMs, "timestamp") };
}

function toCel(value: Scalar, type: ScalarType): CelInput {
  if (typeof value !== "number" || type === "double") return value;
  const seconds = BigInt(Math.floor(value / 1000));
  switch (type) {
    case "timestamp":
      return create(TimestampSchema, { seconds, nanos: (value - Number(seconds) * 1000) * 1_000_000 });
    case "duration":
      // Both parts of a duration have one sign; all that is drawn here are whole seconds.
      return create(DurationSchema, { seconds });
    default:
      return BigInt(value);
  }
}

it("accepts well-typed conditions, and CEL's own evaluator agrees with what comes of them", () => {
  let judged = 0;
  fc.assert(
    fc.property(arbitraryText("bool", 3), arbitraryFacts, ({ ours, cel }, facts) => {
      fc.pre(ours.length <= 4096);
      const environment = createTestEnvironment();
      const lowered = lowerCondition(ours, environment);
      if (!lowered.ok) {
        expect(lowered.faults.filter((fault) => !valueRules.has(fault.rule))).toEqual([]);
        return;
      }
      const want = run(cel, bindFacts(facts));
      const got = evaluateOurs(buildPredicate(lowered.expr), environment.slots, facts);
      judged++;
      // A missing value and an evaluation error are errors to CEL, unknown to us; nothing may fail for its type.
      if (isCelError(want)) expect(want.message).not.toMatch(/overload|type/i);
      expect(got).toBe(isCelError(want) ? undefined : want);
    }),
    { numRuns: countRuns(2_000) },
  );
  expect(judged).toBeGreaterThan(1_000);
});

it("tells a fault for any text at all, and never throws", () => {
  const token = fc.constantFrom(
    "payment.method",
    "now",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ".",
    "?",
    ":",
    "&&",
    "||",
    "!",
    "-",
    "in",
    "==",
    '"',
    "'",
    "\\",
    "//",
    "\n",
    "1",
    "1u",
    "0x",
    "b",
    "r",
    "has",
    "exists",
    " ",
    "\u2028",
    "\u{1f600}",
  );
  const text = fc.oneof(
    fc.array(token, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(text, (source) => {
      const lowered = lowerCondition(source, createTestEnvironment());
      if (lowered.ok) return;
      expect(lowered.faults.length).toBeGreaterThan(0);
      for (const fault of lowered.faults) {
        const line = source.split(/\r\n|\r|\n/)[fault.line - 1];
        expect(fault.column).toBeLessThanOrEqual((line?.length ?? -1) + 1);
      }
    }),
    { numRuns: countRuns(5_000) },
  );
});
