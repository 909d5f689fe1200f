import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { judgeDocument } from "../compile/compile.ts";

type Fields = Readonly<Record<string, unknown>>;

const strategy = (psp: string) => ({ strategy: { priority: { psps: [psp] } } });

/** Ids of rules that are told to be unreachable, of an earlier rule and a later one. */
function findUnreachable(earlier: Fields, later: Fields): readonly string[] {
  const common = { class: "SEGMENT", effects: strategy("a") };
  const document = {
    psps: [{ id: "a", methods: ["card", "pix"] }],
    lists: [{ id: "l", values: ["x"] }],
    segments: [{ id: "s", when: 'payment.method == "card"' }],
    rules: [
      { id: "later", priority: 1, ...common, ...later },
      { id: "earlier", priority: 2, ...common, ...earlier },
    ],
  };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { compilation } = judgeDocument({ document: bytes, format: "JSON", nowMs: testNowMs, sha256 });
  expect(compilation.faults.filter(({ severity }) => severity === "ERROR")).toEqual([]);
  return compilation.faults.map(({ rule, path, id }) => `${rule} ${path} ${id}`);
}

const card = 'payment.method == "card"';
const danish = `${card} && payment.player_country == "DK"`;

describe("a rule of which nothing is ever heard", () => {
  const covered: readonly { name: string; earlier: Fields; later: Fields }[] = [
    { name: "behind one that always holds", earlier: {}, later: { when: card } },
    { name: "behind its twin", earlier: { when: danish }, later: { when: danish } },
    { name: "behind a broader one", earlier: { when: card }, later: { when: danish } },
    {
      name: "behind a broader range",
      earlier: { when: 'payment.amount_in("EUR") > 5' },
      later: { when: `${card} && payment.amount_in("EUR") > 9` },
    },
    {
      name: "behind one that reads the same segment",
      earlier: { when: 'segment("s")' },
      later: { when: `segment("s") && ${danish}` },
    },
    { name: "behind a stronger class", earlier: { class: "EXPERIMENT", priority: 0 }, later: {} },
    {
      name: "behind one that says more",
      earlier: { effects: { ...strategy("a"), retry_policy: "default" } },
      later: {},
    },
    { name: "behind one of more kinds", earlier: { kinds: ["deposit", "withdrawal"] }, later: {} },
    {
      name: "itself for a while only",
      earlier: {},
      later: { until: "2030-01-01T00:00:00Z", mode: "SHADOW" },
    },
  ];
  test.each(covered)("$name is told", ({ earlier, later }) => {
    expect(findUnreachable(earlier, later)).toEqual(["unreachable rules[0] later"]);
  });

  const hidden = { experience: { method_order: ["card"], hidden_methods: ["pix"] } };
  const heard: readonly { name: string; earlier: Fields; later: Fields }[] = [
    { name: "behind a narrower one", earlier: { when: danish }, later: { when: card } },
    { name: "behind another value", earlier: { when: card }, later: { when: 'payment.method == "pix"' } },
    { name: "that always holds, behind a condition", earlier: { when: card }, later: {} },
    { name: "behind one that begins later", earlier: { from: "2027-01-01T00:00:00Z" }, later: {} },
    { name: "behind one that ends", earlier: { until: "2027-01-01T00:00:00Z" }, later: {} },
    {
      name: "behind one with hours",
      earlier: { hours: { zone: "UTC", spans: [{ from: "08:00", until: "20:00" }] } },
      later: {},
    },
    { name: "behind a share of players", earlier: { rollout: { share_bps: 9_999 } }, later: {} },
    { name: "behind a shadow", earlier: { mode: "SHADOW" }, later: {} },
    { name: "behind one of another kind", earlier: { kinds: ["withdrawal"] }, later: {} },
    {
      name: "that says more",
      earlier: {},
      later: { effects: { ...strategy("a"), retry_policy: "default" } },
    },
    {
      name: "that also excludes",
      earlier: {},
      later: { effects: { ...strategy("a"), exclude_psps: ["a"] } },
    },
    { name: "that hides methods", earlier: { effects: hidden }, later: { effects: hidden } },
    { name: "that acts", earlier: {}, later: { effects: { actions: [{ kind: "REFER_TO_HUMAN" }] } } },
    {
      name: "with another field of the cashier",
      earlier: { effects: { experience: { method_order: ["card"] } } },
      later: { effects: { experience: { message_keys: ["k"] } } },
    },
    {
      name: "with a floor of RISK behind it",
      earlier: { class: "RISK", effects: { three_ds: { level: "REQUIRE" } } },
      later: { effects: { three_ds: { level: "CHALLENGE" } } },
    },
  ];
  test.each(heard)("is not one $name", ({ earlier, later }) => {
    expect(findUnreachable(earlier, later)).toEqual([]);
  });
});
