import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reasonStages } from "./reason.ts";
import { reasonCodes } from "./reason-codes.ts";

const root = join(import.meta.dirname, "../..");

test("docs/reasons.md lists the codes that the code gives, with stage and meaning", () => {
  const lines = readFileSync(join(root, "docs/reasons.md"), "utf8").split("\n");
  const rows = lines
    .filter((line) => line.startsWith("| `"))
    .map((line) => line.slice(2, -2).split(" | "))
    .map(([code, stage, meaning]) => ({ code: code!.replaceAll("`", ""), stage, meaning }));
  const wanted = reasonCodes.map(({ code, stage, meaning }) => ({
    code,
    stage: stage === "rule" ? "class of the rule" : stage.replace("_", " "),
    meaning,
  }));
  expect(rows).toEqual(wanted);
});

test("codes are listed once, in the order of the stages", () => {
  const codes = reasonCodes.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  const stages = reasonCodes.flatMap(({ stage }) => (stage === "rule" ? [] : [reasonStages.indexOf(stage)]));
  expect(stages).toEqual(stages.toSorted((a, b) => a - b));
});

test("every code that the sources of a decision write is in the list", () => {
  const files = ["src/core", "src/decide"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /^[^.]+\.ts$/.test(name.split("/").at(-1)!))
      .filter((name) => name !== "reason-codes.ts")
      .map((name) => readFileSync(join(root, folder, name), "utf8")),
  );
  const given = files.flatMap((text) => [
    ...text.matchAll(
      /(?:code: |make(?:Speaker)?Reason\((?:speaker, |each, |smallest!, |unconverted, |restriction, |"\w+", )?)"([A-Z][A-Z_]+)"/g,
    ),
  ]);
  const written = new Set(given.map(([, code]) => code!));
  expect(written.size).toBeGreaterThan(8);
  const listed = new Set(reasonCodes.map(({ code }) => code));
  expect([...written].filter((code) => !listed.has(code))).toEqual([]);
});
