import { readFileSync } from "node:fs";
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
