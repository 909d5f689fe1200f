import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { facts } from "../../src/core/facts.ts";
import { type FunctionRule, functionRules } from "../../src/core/rules/aggregates.ts";
import { faultRules } from "../../src/core/rules/check/fault-rules.ts";
import { effectNames, effectsByClass } from "../../src/core/rules/effects-by-class.ts";
import { ruleClasses } from "../../src/core/rules/rule-class.ts";
import { compileForTest } from "../helpers/compile.ts";

const readPage = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), "utf8");
const page = readPage("rules.md");

/** The rows of the table whose head begins so, without the head; cells are trimmed. */
function readTable(head: string, page: string): readonly (readonly string[])[] {
  const lines = page.slice(page.indexOf(`\n| ${head} |`) + 1).split("\n");
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("|")),
  );
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe("docs/rules.md", () => {
  test("has the table of effects by class that the checks go by", () => {
    const [head, , ...rows] = readTable("Effect", page);
    expect(head).toEqual(["Effect", ...ruleClasses.map((name) => `\`${name}\``)]);
    expect(rows).toEqual(
      effectNames.map((name) => [
        `\`${name}\``,
        ...ruleClasses.map((ruleClass) => effectsByClass[name][ruleClass]),
      ]),
    );
  });

  test("lists every rule that a document can break, with its meaning", () => {
    const [, , ...rows] = readTable("Rule", page);
    expect(rows).toEqual(Object.entries(faultRules).map(([rule, meaning]) => [`\`${rule}\``, meaning]));
  });

  test("has examples that compile together", () => {
    const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
      ([, yaml = ""]) => parse(yaml) as object,
    );
    expect(examples.length).toBeGreaterThan(6);
    const document = Object.assign({}, ...examples) as { psps: object[] };
    document.psps.push({ id: "beta", methods: ["sepa"] });
    const snapshot = compileForTest(JSON.stringify(document));
    expect(snapshot.rules.map(({ id }) => id)).toEqual(["dk.no-jcb", "uk-credit-ban", "vip-nights"]);
  });
});

describe("functions of aggregates", () => {
  const words = {
    nothing: "-",
    numbers: "numbers",
    ordered: "numbers, instants",
    texts: "texts that can be compared",
    values: "what can be compared",
    anything: "anything",
  } as const;
  const list = (fields: readonly string[]): string => fields.map((field) => `\`${field}\``).join(", ") || "-";
  const typeOf = ({ type }: FunctionRule): string => {
    if (type === "of") return "that of `of`";
    return type === "sum" ? "int for amounts and ints, else double" : String(type);
  };

  test("stand in docs/rules.md as the checks go by them", () => {
    const [, , ...rows] = readTable("Function", page);
    const wanted = Object.entries(functionRules).map(([name, rule]) => [
      `\`${name}\``,
      words[rule.of],
      typeOf(rule),
      list(rule.needs),
      list(rule.takes),
    ]);
    expect(rows).toEqual(wanted);
  });
});

test("docs/segments.md has an example that compiles", () => {
  const [, yaml = ""] = /^```yaml\n([\s\S]*?)^```/m.exec(readPage("segments.md")) ?? [];
  const snapshot = compileForTest(`psps: [{ id: a, methods: [card] }]\n${yaml}`);
  expect(snapshot.segments.map(({ id, hasMemory, isCampaign }) => [id, hasMemory, isCampaign])).toEqual([
    ["high-value", true, false],
    ["journey.active", true, false],
    ["journey.lapsed", true, false],
    ["journey.new", true, false],
    ["silent", false, true],
  ]);
});

test.each(["limits.md", "models.md"])("docs/%s has examples that compile", (name) => {
  const examples = [...readPage(name).matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    ([, yaml = ""]) => parse(yaml) as Readonly<Record<string, unknown>>,
  );
  const sections = Object.assign({}, ...examples.filter((example) => !("effects" in example))) as object;
  const { features = [], ...rest } = sections as { readonly features?: readonly object[] };
  const count = { function: "COUNT", events: ["payment_approved"] };
  const ratio = { function: "RATIO", events: ["payment_declined"], hit: 'event.kind == "deposit"' };
  const document = {
    psps: [{ id: "alpha", methods: ["card"] }],
    segments: [{ id: "young", when: "player.age < 25" }],
    features: [
      { id: "deposits_7d", aggregate: count },
      { id: "declined_share", aggregate: ratio },
      ...features,
    ],
    ...rest,
  };
  const { limits, packs, models } = compileForTest(JSON.stringify(document));
  expect(limits.length + packs.length + models.length).toBeGreaterThan(0);
});

test("docs/cel.md lists every fact", () => {
  const [, , ...rows] = readTable("Fact", readPage("cel.md"));
  const wanted = facts.map(({ path, type, doc }) => [
    `\`${path}\``,
    typeof type === "string" ? type : `list of ${type.list}`,
    doc,
  ]);
  expect(rows).toEqual(wanted);
});

describe("effects by class", () => {
  test("are those of SEMANTICS.md 3.1", () => {
    const allowed = (ruleClass: (typeof ruleClasses)[number]) =>
      effectNames.filter((name) => effectsByClass[name][ruleClass] !== "-");
    expect(Object.fromEntries(ruleClasses.map((name) => [name, allowed(name).join(" ")]))).toEqual({
      REGULATORY: "deny exclude_psps require_psps amount_cap three_ds actions",
      SAFER_GAMBLING: "deny review exclude_psps require_psps amount_cap three_ds actions",
      OVERRIDE:
        "deny review allow limit_thresholds exclude_psps require_psps three_ds strategy retry_policy experience actions",
      RISK: "deny review exclude_psps require_psps amount_cap three_ds score actions",
      EXPERIMENT: "exclude_psps require_psps three_ds strategy retry_policy experience actions",
      SEGMENT: "exclude_psps require_psps three_ds strategy retry_policy experience actions",
      DEFAULT: "three_ds strategy retry_policy experience",
    });
  });
});
