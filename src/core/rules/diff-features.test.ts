import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../test/helpers/compile.ts";
import { RuleSetSchema } from "../../gen/switchyard/v1/rule_set_pb.js";
import { judgeDocument } from "./compile/compile.ts";
import { type DiffSide, diffRuleSets } from "./diff.ts";

const base = `
psps: [{ id: alpha, methods: [card] }]
lists: [{ id: staff, values: [p-1] }, { id: games, values: [g-1] }]
attributes: [{ name: level, subject: PLAYER, type: INT }]
fx_rates: [{ from: EUR, to: SEK, rate: "11" }]
event_types:
  - { name: spin, description: spins, has_amount: true, attributes: [{ name: wheel, type: STRING, values: [red, blue] }] }
  - { name: roll, attributes: [{ name: speed, type: INT }] }
features:
  - { id: spins, aggregate: { function: COUNT, events: [spin, bet], where: event.wheel == "red", window: { rolling: 7d } } }
  - { id: rolls, aggregate: { function: COUNT, events: [roll] } }
  - { id: twice, description: doubled, derived: feature.spins * 2 }
  - { id: staked, aggregate: { function: SUM, events: [bet], currency: SEK, where: 'event.game_type in list("games")' } }
segments:
  - { id: fast, when: feature.twice > 100, exit_when: feature.twice < 50, dwell_min: 2d, exclude_list: staff }
  - { id: vip, when: player.level > 2, dwell_min: 1d }
  - { id: rolling, when: feature.rolls > 3 }
lifecycles:
  - { id: journey, states: [{ id: a, when: player.level > 5 }, { id: b, when: player.level > 3 }, { id: c }] }
  - { id: other, states: [{ id: a, when: player.level > 5 }, { id: b }] }
rules:
  - { id: rest, class: SAFER_GAMBLING, when: segment("fast") || segment("journey.b"), on_unknown: SKIP, effects: { deny: {} } }
  - { id: risky, class: RISK, when: segment("vip") && segment("rolling"), effects: { deny: {} } }
`;

function readSide(text: string): DiffSide {
  const document = new TextEncoder().encode(text);
  const judged = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  if (judged.accepted === undefined) throw new Error(JSON.stringify(judged.compilation.faults));
  return judged.accepted;
}

/** `section id` of each change, with `!` where it may loosen. */
function summarize(from: string, to: string): readonly string[] {
  if (!base.includes(from)) throw new Error(`${from} is not in the base`);
  const changes = diffRuleSets(readSide(base), readSide(base.replace(from, to)));
  return changes.map(({ section, id, loosens }) => `${section} ${id}${loosens ? "!" : ""}`);
}

describe("a change of what a protecting rule reads", () => {
  test.each([
    ["the window of a feature", "rolling: 7d", "rolling: 8d", ["features spins!"]],
    ["the filter of a feature", 'wheel == "red"', 'wheel == "blue"', ["features spins!"]],
    ["the expression of a feature", "feature.spins * 2", "feature.spins * 3", ["features twice!"]],
    ["the writing of a feature", "feature.spins * 2", "feature.spins*2", ["features twice"]],
    ["what a feature is for people", "description: doubled", "description: two", ["features twice"]],
    ["a feature that it does not read", "events: [roll]", "events: [roll, bet]", ["features rolls"]],
    ["an attribute of events", "values: [red, blue]", "values: [red, blue, green]", ["event_types spin!"]],
    ["what events are for people", "description: spins", "description: turns", ["event_types spin"]],
    ["events that it does not look at", "type: INT }] }", "type: DOUBLE }] }", ["event_types roll"]],
    ["an exit", "feature.twice < 50", "feature.twice < 60", ["segments fast!"]],
    ["a least stay", "dwell_min: 2d", "dwell_min: 1d", ["segments fast!"]],
    ["that there is a list", ", exclude_list: staff", "", ["segments fast!"]],
    ["a list of players", "[p-1]", "[p-1, p-2]", ["lists staff!"]],
    ["a least stay that it does not read", "dwell_min: 1d", "dwell_min: 3d", ["segments vip"]],
    [
      "an earlier state",
      "when: player.level > 5 }, { id: b, when",
      "when: player.level > 6 }, { id: b, when",
      ["lifecycles journey!"],
    ],
    [
      "a state that it does not read",
      "level > 5 }, { id: b }",
      "level > 6 }, { id: b }",
      ["lifecycles other"],
    ],
    ["what it reads of amounts", 'rate: "11"', 'rate: "12"', ["fx_rates EUR/SEK"]],
  ])("%s", (_, from, to, wanted) => {
    expect(summarize(from, to)).toEqual(wanted);
  });

  test("rates count where a feature converts amounts", () => {
    const reading = base.replace("feature.spins * 2", "feature.spins + feature.staked");
    const changes = diffRuleSets(readSide(reading), readSide(reading.replace('rate: "11"', 'rate: "12"')));
    expect(changes).toMatchObject([{ section: "fx_rates", loosens: true }]);
    const listed = diffRuleSets(readSide(reading), readSide(reading.replace("[g-1]", "[g-2]")));
    expect(listed).toMatchObject([{ section: "lists", id: "games", loosens: true }]);
  });
});

describe("the normal form", () => {
  const hashOf = (text: string): string =>
    judgeDocument({ document: new TextEncoder().encode(text), format: "YAML", nowMs: testNowMs, sha256 })
      .compilation.hash;

  test.each([
    ["events: [spin, bet]", "events: [bet, spin]"],
    ["events: [roll] }", "events: [roll], window: { lifetime: true } }"],
    ["currency: SEK", "currency: SEK, of: amount"],
    ["rolling: 7d }", "rolling: 168h, offset: 0s }"],
    ["values: [red, blue]", "values: [blue, red]"],
    ["{ id: rolling, when", "{ id: rolling, dwell_min: 0s, when"],
    ["{ id: journey, states", "{ id: journey, purposes: [FRAUD, PAYMENTS], states"],
    ["{ id: twice, desc", "{ id: twice, purposes: [PAYMENTS, FRAUD], desc"],
    ["{ name: roll,", "{ name: roll, purposes: [FRAUD, PAYMENTS],"],
  ])("%s is the same as %s", (from, to) => {
    expect(base).toContain(from);
    expect(hashOf(base.replace(from, to))).toBe(hashOf(base));
    expect(hashOf(base)).not.toBe("");
  });

  test("is its own normal form, in every format", () => {
    const { ruleSet } = readSide(base);
    const forms = [
      { format: "PROTOBUF", document: toBinary(RuleSetSchema, ruleSet) },
      { format: "JSON", document: new TextEncoder().encode(toJsonString(RuleSetSchema, ruleSet)) },
    ] as const;
    for (const form of forms) {
      expect(judgeDocument({ ...form, nowMs: testNowMs, sha256 }).compilation.hash).toBe(hashOf(base));
    }
  });

  test("has no order of sections", () => {
    const [head = "", ...rest] = base.split(/^(?=event_types:|features:|segments:|lifecycles:)/m);
    expect(rest).toHaveLength(4);
    expect(hashOf(head + rest.toReversed().join(""))).toBe(hashOf(base));
    const turned = base.replace(/(lifecycles:\n)(.*\n)(.*\n)/, "$1$3$2");
    expect(turned).not.toBe(base);
    expect(hashOf(turned)).toBe(hashOf(base));
  });
});
