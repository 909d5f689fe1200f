import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe("bench:compile", () => {
  it("runs small: a push is swapped in under traffic, and the last line is its result", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "compile.ts"),
      "--small",
    ]);
    const last = stdout.trimEnd().split("\n").at(-1)!;
    expect(last).toMatch(/^RESULT \{/);
    const result = JSON.parse(last.slice("RESULT ".length)) as Record<string, unknown>;
    const fields = ["compileMs", "maxStallMs", "p99Ratio", "rules", "maxStallCpuMs", "controlStallMs"];
    expect(Object.keys(result)).toEqual(fields);
    for (const field of fields) expect(result[field], field).toBeGreaterThan(0);
  });
});
