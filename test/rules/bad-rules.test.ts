import { describe, expect, test } from "vitest";
import { faultRules } from "../../src/core/rules/check/fault-rules.ts";
import type { DocumentFault } from "../../src/core/rules/compilation.ts";
import { compileDocument } from "../../src/core/rules/compile/compile.ts";
import { readBadRules } from "../helpers/bad-rules.ts";
import { sha256, testNowMs } from "../helpers/compile.ts";

const cases = readBadRules();

function describeFault({ severity, rule, path, line, column }: DocumentFault): string {
  return `${severity === "WARNING" ? "WARNING " : ""}${rule} ${path || "-"} ${line}:${column}`;
}

describe("documents with one fault", () => {
  test.each(cases)("$name has that fault, and no other", ({ bytes, format, want }) => {
    const input = { document: bytes, format, nowMs: testNowMs, sha256 };
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
