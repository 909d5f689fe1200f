import { ScalarType } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type RuleSet, RuleSetSchema } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { DocumentFormat } from "../compilation.ts";
import { createFaultList } from "./fault.ts";
import { documentBytesMax, readDocument } from "./read-document.ts";
import { reportFaults } from "./report.ts";

function read(text: string, format: DocumentFormat = "YAML") {
  const faults = createFaultList();
  const document = readDocument(new TextEncoder().encode(text), format, faults);
  return { ruleSet: document.ruleSet, ...reportFaults(faults, document) };
}

function rulesOf(text: string): readonly string[] {
  return read(text).faults.map(({ rule }) => rule);
}

describe("values", () => {
  const durations = [
    { text: "900s", seconds: 900n, nanos: 0 },
    { text: "1.5s", seconds: 1n, nanos: 500_000_000 },
    { text: "250ms", seconds: 0n, nanos: 250_000_000 },
    { text: "15m", seconds: 900n, nanos: 0 },
    { text: "24h", seconds: 86_400n, nanos: 0 },
    { text: "7d", seconds: 604_800n, nanos: 0 },
  ];
  test.each(durations)("$text is a duration", ({ text, seconds, nanos }) => {
    const { ruleSet, faults } = read(`retry_policies: [{ id: a, valid_for: ${text} }]`);
    expect(faults).toEqual([]);
    expect(ruleSet?.retryPolicies[0]?.validFor).toMatchObject({ seconds, nanos });
  });
  test.each(["-5s", "5", "PT15M", "1h30m", "1e3s", "s", "15M", ""])("%j is no duration", (text) => {
    expect(rulesOf(`retry_policies: [{ id: a, valid_for: ${JSON.stringify(text)} }]`)).toEqual([
      "not-a-duration",
    ]);
  });

  const instants = [
    { text: "2026-01-31T00:00:00Z", ms: Date.UTC(2026, 0, 31) },
    { text: "2026-01-31T01:30:00+01:30", ms: Date.UTC(2026, 0, 31) },
    { text: "2024-02-29t23:59:59.250z", ms: Date.UTC(2024, 1, 29, 23, 59, 59, 250) },
    { text: "0001-01-01T00:00:00Z", ms: -62_135_596_800_000 },
  ];
  test.each(instants)("$text is an instant", ({ text, ms }) => {
    const { ruleSet, faults } = read(`rules: [{ id: a, from: ${text} }]`);
    expect(faults).toEqual([]);
    const { seconds, nanos } = ruleSet!.rules[0]!.from!;
    expect(Number(seconds) * 1000 + nanos / 1e6).toBe(ms);
  });
  test.each([
    "2026-01-31",
    "2026-02-29T00:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T23:59:60Z",
    "0000-01-01T00:00:00Z",
  ])("%j is no instant", (text) => {
    expect(rulesOf(`rules: [{ id: a, from: "${text}" }]`)).toEqual(["not-an-instant"]);
  });

  const doubles: readonly (readonly [string, number | string])[] = [
    ["0.25", 0.25],
    ["-1e-3", -0.001],
    ['"1.5"', 1.5],
    ["7", 7],
    ["1e999", "out-of-range"],
    [".5", "wrong-type"],
    ["NaN", "wrong-type"],
    ["01", "wrong-type"],
    ["[1]", "wrong-type"],
  ];
  test.each(doubles)("%s as a double is %s", (text, wanted) => {
    const { ruleSet, faults } = read(`models: [{ id: a, base_score: ${text} }]`);
    expect(faults[0]?.rule ?? ruleSet?.models[0]?.baseScore).toBe(wanted);
  });

  test("integers keep all their digits, as numbers and as text", () => {
    const amount = (text: string) => `psps: [{ amounts: [{ min: { minor_units: ${text} } }] }]`;
    const minor = ({ ruleSet }: { ruleSet: RuleSet | undefined }) =>
      ruleSet?.psps[0]?.amounts[0]?.min?.minorUnits;
    expect(minor(read(amount("9007199254740991")))).toBe(9_007_199_254_740_991n);
    expect(minor(read(amount('"9007199254740991"')))).toBe(9_007_199_254_740_991n);
    expect(rulesOf(amount("9007199254740992"))).toEqual(["out-of-range"]);
    expect(rulesOf(amount("9007199254740993"))).toEqual(["out-of-range"]);
    expect(rulesOf(amount(`1${"0".repeat(100_000)}`))).toEqual(["wrong-type"]);
    expect(rulesOf(amount(`"1${"0".repeat(100_000)}"`))).toEqual(["out-of-range"]);
    expect(rulesOf(amount("1e3"))).toEqual(["wrong-type"]);
    expect(rulesOf(amount("0x10"))).toEqual(["wrong-type"]);
  });
});

describe("limits", () => {
  test("a document of 32 MiB is read, one byte more is not", () => {
    const faults = createFaultList();
    const bytes = new Uint8Array(documentBytesMax + 1).fill(0x20);
    readDocument(bytes, "JSON", faults);
    readDocument(bytes.subarray(1), "JSON", faults);
    expect(faults.faults.map(({ rule }) => rule)).toEqual(["too-large", "syntax"]);
  });

  test("aliases do not multiply without bound", () => {
    const names = (name: string) => `[${Array.from({ length: 900 }, () => `*${name}`).join(", ")}]`;
    const lists = Array.from({ length: 900 }, () => "  - { id: a, values: *many }").join("\n");
    const values = Array.from({ length: 10_000 }, (_, n) => `v${n}`).join(", ");
    const text = `lists:\n  - { id: first, values: &many [${values}] }\n${lists}\n`;
    expect(rulesOf(text)).toEqual(["too-many-nodes"]);
    expect(rulesOf(`brands: &b []\nrules: ${names("b")}\nsegments: ${names("b")}`)).toEqual(["alias"]);
  });

  test("an alias stands for what it names", () => {
    const { ruleSet, faults } = read(
      "psps:\n  - { id: a, methods: &m [card] }\n  - { id: b, methods: *m }\n  - { id: &c c, name: *c }\n",
    );
    expect(faults).toEqual([]);
    expect(ruleSet?.psps.map(({ methods, name }) => [methods, name])).toEqual([
      [["card"], ""],
      [["card"], ""],
      [[], "c"],
    ]);
  });

  const deep = [
    { name: "JSON", format: "JSON", text: "[".repeat(1_000_000) },
    { name: "flow YAML", format: "YAML", text: "[".repeat(200_000) },
    { name: "block YAML", format: "YAML", text: `${"- ".repeat(200_000)}a` },
    { name: "a YAML key", format: "YAML", text: `${"? ".repeat(200_000)}a` },
    { name: "33 levels of JSON", format: "JSON", text: `{"a":${"[".repeat(32)}${"]".repeat(32)}}` },
    { name: "33 levels of YAML", format: "YAML", text: `a: ${"[".repeat(32)}${"]".repeat(32)}` },
  ] as const;
  test.each(deep)("$name of great depth is told, not a crash", ({ text, format }) => {
    const { faults } = read(text, format);
    expect(faults.map(({ rule, path }) => [rule, path])).toEqual([["too-deep", ""]]);
  });

  test.each(["JSON", "YAML"] as const)(
    "32 levels of %s are read, and then there is no such field",
    (format) => {
      const text = `{"a":${"[".repeat(31)}${"]".repeat(31)}}`;
      expect(read(text, format).faults.map(({ rule }) => rule)).toEqual(["unknown-field"]);
    },
  );

  test("at most 200 faults are listed, in order of line, and the rest counted", () => {
    const lines = Array.from({ length: 300 }, (_, n) => `zz${n}: 1`);
    const { faults, faultsOmitted } = read(lines.join("\n"));
    expect(faults).toHaveLength(200);
    expect(faultsOmitted).toBe(100);
    expect(faults.map(({ line }) => line)).toEqual(faults.map((_, index) => index + 1));
  });

  test("warnings never crowd out an error", () => {
    const faults = createFaultList();
    const document = readDocument(new TextEncoder().encode("name: a\nrules: []\n"), "YAML", faults);
    for (let n = 0; n < 300; n++) {
      faults.add({ severity: "WARNING", path: "name", rule: "unreachable", message: `warning ${n}` });
    }
    faults.error("rules", "too-many", "the one error, on the last line");
    const report = reportFaults(faults, document);
    expect(report.faults).toHaveLength(200);
    expect(report.faults.at(-1)).toMatchObject({ severity: "ERROR", line: 2 });
    expect(report.faultsOmitted).toBe(101);
  });
});

describe("places", () => {
  test("a fault names the entry that it is in", () => {
    const { faults } = read(
      "rules:\n  - id: first\n  - id: second\n    effects: { deny: 1 }\nattributes:\n  - name: level\n    type: 1\n",
    );
    expect(faults.map(({ line, column, path, id }) => [line, column, path, id])).toEqual([
      [4, 22, "rules[1].effects.deny", "second"],
      [7, 11, "attributes[0].type", "level"],
    ]);
  });
});

describe("the schema", () => {
  test("has no field that the reader does not know", () => {
    const seen = new Set<string>();
    const visit = (schema: typeof RuleSetSchema | (typeof RuleSetSchema.fields)[number]["message"]): void => {
      if (schema === undefined || seen.has(schema.typeName) || schema.typeName.startsWith("google.")) return;
      seen.add(schema.typeName);
      for (const field of schema.fields) {
        expect(field.fieldKind, field.name).not.toBe("map");
        const known = [
          undefined,
          ScalarType.STRING,
          ScalarType.BOOL,
          ScalarType.INT32,
          ScalarType.INT64,
          ScalarType.DOUBLE,
        ];
        expect(known, field.name).toContain(field.scalar);
        visit(field.message);
      }
    };
    visit(RuleSetSchema);
    expect(seen.size).toBeGreaterThan(20);
  });
});
