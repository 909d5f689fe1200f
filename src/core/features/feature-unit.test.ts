import { expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { findUnit } from "./feature-unit.ts";

test("amounts have their currency, lengths of time are ms, and all else has no unit", () => {
  const aggregates = {
    average: { function: "AVG", of: "amount", currency: "SEK" },
    count: { function: "COUNT" },
    gap: { function: "MEDIAN_GAP" },
    methods: { function: "DISTINCT", of: "method" },
    newest: { function: "LAST", of: "at" },
    sum: { function: "SUM", of: "amount", currency: "EUR" },
  };
  const window = { rolling: "7d" };
  const features = Object.entries(aggregates).map(([id, aggregate]) => ({
    id,
    aggregate: { ...aggregate, events: ["payment_approved"], window },
  }));
  const { features: compiled } = compileForTest(
    JSON.stringify({
      name: "units",
      psps: [{ id: "a", methods: ["card"] }],
      features: [...features, { id: "twice", derived: "2 * feature.count" }],
    }),
  );
  expect(compiled.map((feature) => [feature.id, findUnit(feature)])).toEqual([
    ["average", "SEK"],
    ["count", ""],
    ["gap", "ms"],
    ["methods", ""],
    ["newest", ""],
    ["sum", "EUR"],
    ["twice", ""],
  ]);
});
