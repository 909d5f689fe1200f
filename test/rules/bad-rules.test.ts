import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { faultRules } from "../../src/core/rules/check/fault-rules.ts";
import type { DocumentFault, DocumentFormat } from "../../src/core/rules/compilation.ts";
import { compileDocument } from "../../src/core/rules/compile/compile.ts";
import { sha256, testNowMs } from "../helpers/compile.ts";

/**
 * Documents with one fault each. What is wanted stands in the first line of a YAML file and in want.json for the others, as
 * `[WARNING ]rule path line:column`, with `-` for the document as a whole.
 */
const folder = fileURLToPath(new URL("../cases/bad-rules/", import.meta.url));
const wantedElsewhere = JSON.parse(readFileSync(`${folder}want.json`, "utf8")) as Readonly<
  Record<string, string>
>;
const files = readdirSync(folder).filter((name) => name !== "want.json");
const cases = files.map((name) => {
  const bytes = readFileSync(folder + name);
  const header = /^# want: (.*)/.exec(bytes.toString("latin1"))?.[1];
  return { name, bytes, want: header ?? wantedElsewhere[name] ?? "" };
});

function formatOf(name: string): DocumentFormat {
  if (name.endsWith(".bin")) return "PROTOBUF";
  return name.endsWith(".json") ? "JSON" : "YAML";
}

function describeFault({ severity, rule, path, line, column }: DocumentFault): string {
  return `${severity === "WARNING" ? "WARNING " : ""}${rule} ${path || "-"} ${line}:${column}`;
}

describe("documents with one fault", () => {
  test.each(cases)("$name has that fault, and no other", ({ name, bytes, want }) => {
    const input = { document: bytes, format: formatOf(name), nowMs: testNowMs, sha256 };
    const { compilation, image } = compileDocument(input);
    expect(compilation.faults.map(describeFault)).toEqual([want]);
    const isWarning = want.startsWith("WARNING ");
    expect(image !== undefined).toBe(isWarning);
    expect(compilation.hash !== "").toBe(isWarning);
  });

  test("exist for every rule but those of sheer size and of the compiler itself", () => {
    const rules = new Set(cases.map(({ want }) => want.replace("WARNING ", "").split(" ")[0]));
    const untold = Object.keys(faultRules).filter((rule) => !rules.has(rule));
    expect(untold).toEqual(["too-large", "too-many-nodes", "compiler-failed"]);
  });
});
