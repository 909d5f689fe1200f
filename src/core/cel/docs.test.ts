import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTestEnvironment } from "../../../test/helpers/cel-environment.ts";
import { lowerCondition } from "./lower.ts";
import { faultRules, refusals } from "./refusals.ts";

/** Rules whose examples would be too long for a table, or cannot stand in a file; `lower.test.ts` has them. */
const withoutExample = ["list-too-long", "not-well-formed", "too-long", "too-many-nodes"];

const page = readFileSync(new URL("../../../docs/cel.md", import.meta.url), "utf8");

type Row = { readonly rule: string; readonly example: string; readonly at: string; readonly message: string };

/** Rows of the table of faults: | `rule` | `example` | line:column | message |, a | inside written \|. */
function readRows(): readonly Row[] {
  return page.split("\n").flatMap((line) => {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    const [, rule = "", example = "", at = "", message = ""] = cells;
    return /^\d+:\d+$/.test(at)
      ? [{ rule: rule.slice(1, -1), example: example.slice(1, -1), at, message }]
      : [];
  });
}

describe("docs/cel.md", () => {
  const rows = readRows();

  it.each(rows.map((row) => [row.rule, row.example, row] as const))("tells %s of %s", (_, example, row) => {
    const lowered = lowerCondition(example, createTestEnvironment());
    expect(lowered).toEqual({
      ok: false,
      faults: [
        {
          line: Number(row.at.split(":")[0]),
          column: Number(row.at.split(":")[1]),
          rule: row.rule,
          message: row.message,
        },
      ],
    });
  });

  it("has an example of every rule", () => {
    const rules = [...Object.keys(refusals), ...faultRules].sort();
    const told = new Set(rows.map((row) => row.rule));
    expect([...told, ...withoutExample].sort()).toEqual(rules);
  });
});
