import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe("bench:limits", () => {
  it("runs small: sums say what rows say, and the last line is its result", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "limits.ts"),
      "--small",
    ]);
    const last = stdout.trimEnd().split("\n").at(-1)!;
    expect(last).toMatch(/^RESULT \{/);
    const result = JSON.parse(last.slice("RESULT ".length));
    expect(Object.keys(result)).toEqual(["rows", "overrunMs", "isEqual"]);
    expect(Object.keys(result.rows)).toEqual(["100", "2000", "capped"]);
    const fields = ["usPerDecision", "usByRow", "ratio", "usPerPayment", "usPerPaymentPlain"];
    for (const measured of Object.values<Record<string, number>>(result.rows)) {
      expect(Object.keys(measured)).toEqual([...fields, "bytesPerRow", "makeMs"]);
      for (const name of fields) expect(measured[name], name).toBeGreaterThan(0);
    }
    expect(result).toMatchObject({ isEqual: true });
  });
});
