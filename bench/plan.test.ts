import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe("bench:plan", () => {
  it("runs small: plans have three attempts and exemptions, and the last line is its result", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "plan.ts"),
      "--small",
    ]);
    const last = stdout.trimEnd().split("\n").at(-1)!;
    expect(last).toMatch(/^RESULT \{/);
    const result = JSON.parse(last.slice("RESULT ".length)) as Record<string, number>;
    expect(Object.keys(result)).toEqual(["usPerDecision", "usPerOutcome", "stepsPerPlan", "exemptShare"]);
    for (const [name, value] of Object.entries(result)) expect(value, name).toBeGreaterThan(0);
  });
});
