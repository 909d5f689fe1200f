import { describe, expect, it } from "vitest";
import { createTestEnvironment } from "../../../test/helpers/cel-environment.ts";
import type { Expr } from "./expr.ts";
import { lowerCondition, lowerExpression } from "./lower.ts";

/** `line:column rule` of each fault, nothing where the text is accepted. */
function tellFaults(text: string): readonly string[] {
  const lowered = lowerCondition(text, createTestEnvironment());
  return lowered.ok ? [] : lowered.faults.map((fault) => `${fault.line}:${fault.column} ${fault.rule}`);
}

function lower(text: string): Expr {
  const lowered = lowerExpression(text, createTestEnvironment());
  if (!lowered.ok) throw new Error(JSON.stringify(lowered.faults));
  return lowered.expr;
}

const slot = (type: "bool" | "int" | "string" | "timestamp", index = 0): Expr => ({
  op: "slot",
  type,
  slot: index,
});
const text = (value: string): Expr => ({ op: "const", type: "string", value });

describe("the typed form of a condition", () => {
  const isVip: Expr = slot("bool");
  it.each<[string, string, Expr]>([
    ["a fact is a slot", "player.vip", isVip],
    [
      "a comparison keeps its sides",
      '"card" == payment.method',
      { op: "compare", type: "bool", how: "eq", left: text("card"), right: slot("string") },
    ],
    ["has asks for the slot", "has(player.vip)", { op: "has", type: "bool", slot: 0 }],
    [
      "nested conjunctions are one",
      "player.vip && (player.vip && (player.vip && player.vip))",
      { op: "and", type: "bool", args: [isVip, isVip, isVip, isVip] },
    ],
    [
      "a conjunction inside a disjunction stays",
      "player.vip || player.vip && player.vip",
      { op: "or", type: "bool", args: [isVip, { op: "and", type: "bool", args: [isVip, isVip] }] },
    ],
    ["true drops out of a conjunction", "true && player.vip", isVip],
    ["false drops out of a disjunction", "player.vip || false", isVip],
    ["true settles a disjunction", "player.vip || true", { op: "const", type: "bool", value: true }],
    [
      "between is both ends",
      "between(context.hour, 9, 17)",
      {
        op: "and",
        type: "bool",
        args: [
          {
            op: "compare",
            type: "bool",
            how: "ge",
            left: slot("int"),
            right: { op: "const", type: "int", value: 9 },
          },
          {
            op: "compare",
            type: "bool",
            how: "le",
            left: slot("int"),
            right: { op: "const", type: "int", value: 17 },
          },
        ],
      },
    ],
    ["days is a duration in ms", "days(2)", { op: "const", type: "duration", value: 172_800_000 }],
    ["ints fold", "-(2 + 3) * 4 % 7", { op: "const", type: "int", value: -6 }],
    ["a hexadecimal int is an int", "0x1F", { op: "const", type: "int", value: 31 }],
    [
      "instants fold",
      'timestamp("2026-01-02T00:00:00Z") - timestamp("2026-01-01T00:00:00Z")',
      { op: "const", type: "duration", value: 86_400_000 },
    ],
    [
      "a list literal is shared constants",
      'payment.method in ["card", "pix"]',
      {
        op: "in",
        type: "bool",
        left: slot("string"),
        right: { op: "listConst", type: { list: "string" }, values: ["card", "pix"] },
      },
    ],
    [
      "a computed list is one comparison per element",
      'payment.method in ["card", card.bin]',
      {
        op: "or",
        type: "bool",
        args: [
          { op: "compare", type: "bool", how: "eq", left: slot("string"), right: text("card") },
          { op: "compare", type: "bool", how: "eq", left: slot("string"), right: slot("string", 1) },
        ],
      },
    ],
    [
      "in a list of the rule set",
      'card.bin in list("bins")',
      { op: "inList", type: "bool", left: slot("string"), list: 0 },
    ],
    [
      "in_list is the same",
      'in_list(payment.method, "blocked")',
      { op: "inList", type: "bool", left: slot("string"), list: 1 },
    ],
    ["a segment has its ordinal", 'segment("new")', { op: "segment", type: "bool", segment: 1 }],
    [
      "the items of quantifiers count their depth",
      "payment.tags.exists(a, payment.tags.all(b, a == b))",
      {
        op: "exists",
        type: "bool",
        depth: 0,
        list: { op: "slot", type: { list: "string" }, slot: 0 },
        body: {
          op: "all",
          type: "bool",
          depth: 1,
          list: { op: "slot", type: { list: "string" }, slot: 0 },
          body: {
            op: "compare",
            type: "bool",
            how: "eq",
            left: { op: "local", type: "string", depth: 0 },
            right: { op: "local", type: "string", depth: 1 },
          },
        },
      },
    ],
    [
      "an inner item hides an outer one of its name",
      "payment.tags.exists(a, attr.stakes.all(a, a > 1))",
      {
        op: "exists",
        type: "bool",
        depth: 0,
        list: { op: "slot", type: { list: "string" }, slot: 0 },
        body: {
          op: "all",
          type: "bool",
          depth: 1,
          list: { op: "slot", type: { list: "int" }, slot: 1 },
          body: {
            op: "compare",
            type: "bool",
            how: "gt",
            left: { op: "local", type: "int", depth: 1 },
            right: { op: "const", type: "int", value: 1 },
          },
        },
      },
    ],
    [
      "the local hour of an instant is worked out there",
      'local_hour(player.created_at, "UTC")',
      { op: "localHour", type: "int", at: slot("timestamp"), zone: "UTC" },
    ],
    [
      "a method keeps its target on the left",
      'payment.method.startsWith("ca")',
      { op: "string", type: "bool", how: "startsWith", left: slot("string"), right: text("ca") },
    ],
    ["converting to the own type is nothing", "string(payment.method)", slot("string")],
    [
      "a double without a finite value stays as it is written",
      "1.0 / 0.0",
      {
        op: "arithmetic",
        type: "double",
        how: "div",
        left: { op: "const", type: "double", value: 1 },
        right: { op: "const", type: "double", value: 0 },
      },
    ],
  ])("%s", (_, source, want) => {
    expect(lower(source)).toEqual(want);
  });

  it("gives sources that name what a slot reads", () => {
    const environment = createTestEnvironment();
    const source =
      'payment.amount_in("EUR") > 5 && local_hour(now, "Europe/Berlin") > 8 && local_weekday(now, "UTC") < 6';
    expect(lowerCondition(source, environment).ok).toBe(true);
    expect(environment.slots).toEqual([
      { kind: "amountIn", currency: "EUR" },
      { kind: "now" },
      { kind: "localHour", zone: "Europe/Berlin" },
      { kind: "localWeekday", zone: "UTC" },
    ]);
  });

  it("counts the body of a quantifier once per element", () => {
    const lowered = lowerCondition("attr.stakes.exists(s, s > 10)", createTestEnvironment());
    expect(lowered).toMatchObject({ ok: true, cost: 66 });
  });
});

describe("the currency of an amount", () => {
  it.each([
    'payment.currency == "EUR" && payment.amount_minor > 100',
    'payment.amount_minor > 100 && "EUR" == payment.currency',
    'payment.currency in ["EUR"] && payment.amount_minor > 100',
    '(player.vip && payment.currency == "EUR") && payment.amount_minor > 100',
    'payment.currency == "EUR" && (player.vip || !(payment.amount_minor > 100))',
    'payment.currency == "EUR" && payment.tags.exists(t, t == "x" && payment.amount_minor > 100)',
    '!(payment.currency == "EUR" && payment.amount_minor > 100)',
    '(payment.currency == "EUR" && payment.amount_minor > 1) || (payment.currency == "DKK" && payment.amount_minor > 7)',
    "has(payment.amount_minor)",
    'payment.amount_in("EUR") > 100',
  ])("is fixed in %s", (source) => {
    expect(tellFaults(source)).toEqual([]);
  });

  it.each([
    ["payment.amount_minor > 100", 1],
    ['payment.currency != "EUR" && payment.amount_minor > 100', 30],
    ['!(payment.currency == "EUR") && payment.amount_minor > 100', 33],
    ['payment.currency == "EUR" || payment.amount_minor > 100', 30],
    ['payment.currency in ["EUR", "DKK"] && payment.amount_minor > 100', 39],
    ["payment.currency == payment.method && payment.amount_minor > 100", 39],
    ['payment.method == "EUR" && payment.amount_minor > 100', 28],
    ['(payment.currency == "EUR" || player.vip) && payment.amount_minor > 100', 46],
    ['(payment.currency == "EUR" && player.vip) || payment.amount_minor > 100', 46],
    ['payment.currency == "EUR" ? payment.amount_minor > 100 : false', 29],
    ["has(payment.currency) && between(payment.amount_minor, 1, 5)", 34],
    ['payment.currency == "EUR" && payment.amount_minor > 1 || double(payment.amount_minor) > 7.0', 65],
  ])("is missing in %s", (source, column) => {
    expect(tellFaults(source)).toEqual([`1:${column} amount-without-currency`]);
  });
});

describe("faults", () => {
  it("are told together, in order of place", () => {
    const source = 'payment.methd == "card" &&\n  context.hour > 99 &&\r\n  segment("vp") && 1u == 2';
    expect(tellFaults(source)).toEqual(["3:20 no-uint"]);
    expect(tellFaults(source.replace("1u", '"x"'))).toEqual([
      "1:1 unknown-name",
      "2:18 never-holds",
      "3:11 unknown-segment",
      "3:24 type-mismatch",
    ]);
  });

  it("are at most 20", () => {
    expect(tellFaults(Array.from({ length: 30 }, (_, index) => `a.b${index}`).join(" && "))).toHaveLength(20);
  });

  it("are told once where one piece breaks one rule twice", () => {
    expect(tellFaults("between(payment.kind, 1, 2)")).toEqual(["1:23 type-mismatch", "1:26 type-mismatch"]);
    expect(tellFaults("context.hour in [24, 25]")).toEqual(["1:18 never-holds", "1:22 never-holds"]);
  });

  it.each([
    ["the lowest value of a range holds", "context.hour <= 0", []],
    ["below it never", "context.hour < 0", ["1:16 never-holds"]],
    ["the highest value holds", "context.hour >= 23", []],
    ["above it never", "23 < context.hour", ["1:1 never-holds"]],
    ["unequal to what never is", "context.hour != 24", ["1:17 never-holds"]],
    ["an int equal to a fraction", "feature.deposits_7d == 1.5", ["1:24 never-holds"]],
    ["an int beside a fraction", "feature.deposits_7d > 1.5", []],
    ["a value inside the domain", 'payment.kind != "deposit"', []],
    ["unequal to a value outside of the domain", 'payment.kind != "refund"', ["1:17 never-holds"]],
    ["a value outside of a list's domain", '"XX" in player.jurisdictions', ["1:1 never-holds"]],
    ["an item outside of a list's domain", 'player.jurisdictions.exists(j, j == "XX")', ["1:37 never-holds"]],
    ["a negative size", "size(payment.tags) == -1", ["1:23 never-holds"]],
    ["a condition that folds to false", "player.vip && 1 > 2", ["1:1 never-holds"]],
    ["a condition that folds to true", "player.vip || 1 < 2", []],
    ["a part that folds to false", "player.vip || 1 > 2", []],
    ["a currency that the hook does not know", 'payment.amount_in("XXX") > 1', ["1:19 bad-currency"]],
    ["a BIN that is no string", 'context.hour in list("bins")', ["1:1 type-mismatch"]],
    ["int and double beside each other", "attr.score > 5 && attr.score == 5", []],
    ["int and double in a sum", "attr.score + 5 > 1.0", ["1:12 type-mismatch"]],
    ["a field of a scalar", "payment.tags.exists(t, t.x == 1)", ["1:24 type-mismatch"]],
    ["a name below a name", "payment.method.x == 1", ["1:1 unknown-name"]],
    ["a method of nothing that exists", "payment.method.foo()", ["1:1 unknown-function"]],
    ["a pattern that is too long", `card.bin.matches("${"a".repeat(513)}")`, ["1:18 bad-pattern"]],
    ["the longest pattern", `card.bin.matches("${"a".repeat(512)}")`, []],
    ["a look-ahead, which RE2 has not", 'card.bin.matches("a(?=b)")', ["1:18 bad-pattern"]],
  ])("%s", (_, source, want) => {
    expect(tellFaults(source)).toEqual(want);
  });

  it("says what an expression of another type should have been", () => {
    const lowered = lowerExpression("now", createTestEnvironment(), "int");
    expect(lowered).toEqual({
      ok: false,
      faults: [
        { line: 1, column: 1, rule: "type-mismatch", message: "this must be an int, it is a timestamp" },
      ],
    });
  });
});

describe("hostile text", () => {
  const isVip = "player.vip";
  it.each([
    ["nothing", "", ["1:1 syntax"]],
    ["blanks", " \n\t ", ["1:1 syntax"]],
    ["only a comment", "// player.vip", ["1:1 syntax"]],
    ["100 kB", `${isVip} || `.repeat(7_500) + isVip, ["1:4097 too-long"]],
    ["one unit too long", `${isVip}${" ".repeat(4087)}`, ["1:4097 too-long"]],
    ["as long as may be", `${isVip}${" ".repeat(4086)}`, []],
    ["a lone surrogate in a string", 'payment.method == "a\ud800"', ["1:21 not-well-formed"]],
    ["a lone surrogate in an escape", 'payment.method == "a\\ud800"', ["1:21 syntax"]],
    ["a surrogate pair", 'payment.method == "\u{1f600}" && nope.x', ["1:27 unknown-name"]],
    ["a code point beyond Unicode", '"\\U00110000" == payment.method', ["1:2 syntax"]],
    ["U+2028 outside of a string", `${isVip}\u2028&& ${isVip}`, ["1:11 syntax"]],
    ["U+2028 in a string", 'payment.method == "\u2028" && nope.x', ["1:26 unknown-name"]],
    ["a no-break space", `${isVip}\u00a0`, ["1:11 syntax"]],
    ["NUL", `${isVip}\0`, ["1:11 syntax"]],
    [
      "a prototype's name below a root",
      "payment.__proto__ == payment.constructor",
      ["1:1 unknown-name", "1:22 unknown-name"],
    ],
    [
      "a prototype's name as a root",
      "__proto__.x == constructor.y",
      ["1:1 unknown-name", "1:16 unknown-name"],
    ],
    [
      "a prototype's name as a function",
      "toString() == constructor()",
      ["1:1 unknown-function", "1:15 unknown-function"],
    ],
    ["a prototype's name as an item", "payment.tags.exists(__proto__, __proto__ == payment.method)", []],
    ["a prototype's name as a list", 'payment.method in list("__proto__")', ["1:24 unknown-list"]],
    ["a quote that ends nowhere", 'payment.method == "x\n"', ["1:19 unbalanced"]],
    ["three quotes that end nowhere", 'payment.method == """x"', ["1:19 unbalanced"]],
    ["brackets and quotes in a string", 'payment.method == "((((\'" || player.vip', []],
    ["brackets in a comment", `${isVip} // )))`, []],
    ["comments on every line", `// a\n// b\n${isVip} // c\n// d`, []],
    ["a comment's sign in a string", 'payment.method == "http://x" && nope.x', ["1:33 unknown-name"]],
    ["32 brackets", `${"(".repeat(32)}${isVip}${")".repeat(32)}`, []],
    ["33 brackets", `${"(".repeat(33)}${isVip}${")".repeat(33)}`, ["1:33 nesting-too-deep"]],
    ["2,000 brackets", `${"(".repeat(2000)}${isVip}${")".repeat(2000)}`, ["1:33 nesting-too-deep"]],
    ["4,000 exclamation marks", `${"!".repeat(4000)}${isVip}`, ["1:33 nesting-too-deep"]],
    ["33 conditionals", `${"player.vip ? true : ".repeat(33)}true`, ["1:652 nesting-too-deep"]],
    [
      "conditionals side by side",
      `[${"player.vip ? 1 : 2, ".repeat(40)}1].exists(x, x == 1)`,
      ["1:2 no-computed-list"],
    ],
    ["a long sum", `${"feature.deposits_7d + ".repeat(150)}1 > 5`, ["1:505 nesting-too-deep"]],
    ["a long disjunction", `${"player.vip || ".repeat(250)}player.vip`, []],
    ["too many parts", `${"now>now||".repeat(450)}player.vip`, []],
    ["a list that is too long", `feature.deposits_7d in [${"1,".repeat(1000)}1]`, ["1:24 list-too-long"]],
    ["the longest list", `feature.deposits_7d in [${"1,".repeat(999)}1]`, []],
    [
      "too many nodes",
      `feature.deposits_7d in [${"1,".repeat(999)}1] || feature.deposits_7d in [${"1,".repeat(999)}1]`,
      ["1:4035 too-many-nodes"],
    ],
    ["crossed brackets", "(payment.tags.exists(t, true])", ["1:29 unbalanced"]],
    ["a reserved word", `${isVip} && if`, ["1:15 syntax"]],
    ["a name in backticks", "payment.`method` == 1", ["1:9 syntax"]],
    ["an optional", "payment.?method == 1", ["1:9 syntax"]],
    ["a number that runs into a name", "12abc == 1", ["1:3 syntax"]],
    ["a conditional without its end", `${isVip} ? true`, ["1:12 syntax"]],
    ["a colon without a conditional", `${isVip} : true`, ["1:12 syntax"]],
    ["a comma outside of brackets", `${isVip}, ${isVip}`, ["1:11 syntax"]],
    ["an assignment", 'payment.method = "x"', ["1:16 syntax"]],
  ])("%s is judged without harm", (_, source, want) => {
    expect(tellFaults(source)).toEqual(want);
  });

  it("puts no more of the text in a message than 40 characters", () => {
    const lowered = lowerCondition(`payment.${"x".repeat(3000)} == 1`, createTestEnvironment());
    expect(lowered.ok ? 0 : lowered.faults[0]?.message.length).toBeLessThan(100);
  });
});
