import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createListedLabels, makeListedHistory } from "../../../test/helpers/listed-history.ts";
import type { Value } from "../cel/expr.ts";
import { buildFx } from "../money.ts";
import { functionRules } from "../rules/aggregates.ts";
import { buildAggregates } from "./aggregate.ts";
import type { AggregateFunction, AggregateSpec } from "./feature.ts";
import { markers } from "./markers.ts";

const page = readFileSync(new URL("../../../docs/features.md", import.meta.url), "utf8");
const built = buildFx({ rates: [] });
if (!built.ok) throw new Error("rates");
const { fx } = built;
const nowMs = 1_000_000;

/** Rows of the table below a heading, without its head. */
function readTable(heading: string): readonly (readonly string[])[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`))!;
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const functions = readTable("Functions").map(
  ([name, , nothing, tiles]) => [name!.replaceAll("`", "") as AggregateFunction, nothing!, tiles!] as const,
);

function compute(name: AggregateFunction, hasTile: boolean): Value {
  const spec: AggregateSpec = {
    function: name,
    events: ["bet"],
    where: undefined,
    hit: { op: "const", type: "bool", value: true },
    of: { kind: "amount", currency: "EUR" },
    window: { kind: "lifetime" },
    minSamples: 1,
    halfLifeMs: 1,
    percent: 50,
    answers: ["bet"],
    answerKey: "",
    answerWithinMs: 1,
    includeCurrent: false,
  };
  const labels = createListedLabels();
  const label = labels.intern({ type: "bet", atMs: 0, currency: "EUR" });
  const tile = { fromMs: 0, untilMs: 100, label, count: 2, sumMinor: 30, minMinor: 10, maxMinor: 20 };
  const values: Value[] = ["nothing"];
  const into = { values, errorBounds: new Float64Array(1) };
  const history = makeListedHistory([], { labels, tiles: hasTile ? [tile] : [] });
  buildAggregates([{ ordinal: 0, type: "int", spec }], { eventSlots: [], lists: [], fx })(
    { history, current: undefined, nowMs },
    into,
  );
  return values[0];
}

describe("docs/features.md", () => {
  test("tells of every function, in the order of the contract", () => {
    expect(functions.map(([name]) => name)).toEqual(Object.keys(functionRules));
  });

  test.each(functions)("%s of nothing is %s", (name, nothing) => {
    expect(compute(name, false)).toBe(nothing === "-" ? undefined : Number(nothing));
  });

  test.each(functions.filter(([name]) => name !== "LONGEST_SESSION"))(
    "%s: %s of nothing; with tiles: %s",
    (name, _, tiles) => {
      expect(compute(name, true) !== undefined).toBe(tiles === "yes");
    },
  );

  test("tells of every marker what it is", () => {
    const want = [...markers.values()].map(({ id, doc }) => [`\`${id}\``, doc]);
    expect(readTable("Markers of harm")).toEqual(want);
  });
});
