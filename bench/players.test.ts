import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

describe("bench:players", () => {
  it("runs small: features are equal to naive ones, all is accepted, and the last line is its result", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, "players.ts"),
      "--small",
    ]);
    const last = stdout.trimEnd().split("\n").at(-1)!;
    expect(last).toMatch(/^RESULT \{/);
    const result = JSON.parse(last.slice("RESULT ".length)) as Record<string, unknown>;
    const fields = [
      "rssMiB",
      "mappedMiB",
      "bytesPerEvent",
      "ingestPerSecond",
      "usPerDecision",
      "maxStallMs",
      "maxStallCpuMs",
      "restartSeconds",
      "vsNaiveMemory",
      "vsNaiveTime",
      "vsNaiveTimeActive",
      "evictions",
    ];
    expect(Object.keys(result)).toEqual(fields);
    const rates = result.ingestPerSecond as Record<string, unknown>;
    expect(Object.keys(rates)).toEqual(["inProcess", "stream", "streamPerCpuSecond"]);
    for (const [name, value] of Object.entries({ ...result, ...rates, ingestPerSecond: 1 })) {
      expect(value, name).toBeGreaterThan(0);
    }
  });
});
