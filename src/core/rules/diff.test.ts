import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../test/helpers/compile.ts";
import { judgeDocument } from "./compile/compile.ts";
import { type DiffSide, diffRuleSets } from "./diff.ts";

const base = `
name: base
psps:
  - { id: alpha, methods: [card], fees: [{ bps: 100 }, { bps: 200 }] }
  - { id: beta, methods: [card] }
lists:
  - { id: watched, values: [a, b] }
  - { id: other, values: [a] }
attributes:
  - { name: level, subject: PLAYER, type: INT }
  - { name: harm, subject: PLAYER, type: INT, purposes: [RG] }
segments:
  - { id: harmed, when: player.harm > 5 }
  - { id: worn, when: segment("harmed") && payment.method == "card" }
  - { id: vip, when: player.level > 2 }
brands: [{ id: lucky, licence: SE }]
fx_rates: [{ from: EUR, to: SEK, rate: "11" }]
rules:
  - id: ban
    class: REGULATORY
    description: why
    kinds: [deposit]
    when: card.funding == "credit" && "SE" in context.jurisdictions
    from: 2026-02-01T00:00:00Z
    until: 2027-02-01T00:00:00Z
    on_unknown: APPLY
    reason: BAN
    effects:
      deny: {}
      exclude_psps: [alpha]
      require_psps: [alpha, beta]
      amount_cap: { minor_units: 1000, currency_code: EUR }
      three_ds: { level: REQUIRE }
      actions: [{ kind: LIMIT_PROMPT, key: k }]
  - { id: rest, class: SAFER_GAMBLING, when: segment("worn") || payment.method in list("watched"), on_unknown: SKIP, effects: { deny: {} } }
  - { id: reviewed, class: SAFER_GAMBLING, on_unknown: SKIP, effects: { review: {}, actions: [{ kind: TIME_OUT }] } }
  - { id: drafted, class: SAFER_GAMBLING, mode: SHADOW, on_unknown: SKIP, effects: { deny: {} } }
  - { id: risky, class: RISK, when: segment("vip"), effects: { deny: {} } }
`;

function readSide(text: string): DiffSide {
  const judged = judgeDocument({
    document: new TextEncoder().encode(text),
    format: "YAML",
    nowMs: testNowMs,
    sha256,
  });
  if (judged.accepted === undefined) throw new Error(JSON.stringify(judged.compilation.faults));
  return judged.accepted;
}

function edit(from: string, to: string): string {
  if (!base.includes(from)) throw new Error(`${from} is not in the base`);
  return base.replace(from, to);
}

const diff = (after: string, before = base) => diffRuleSets(readSide(before), readSide(after));
/** `section id`, with `!` where it may loosen. */
const summarize = (after: string, before = base) =>
  diff(after, before).map(({ section, id, loosens }) => `${section} ${id}${loosens ? "!" : ""}`);

describe("changes", () => {
  test("there are none between equal rule sets, however they are written", () => {
    expect(diff(base)).toEqual([]);
    expect(diff(edit("card.funding ==", "card.funding   =="))).toMatchObject([{ id: "ban", loosens: false }]);
    expect(
      diff(edit("name: base", "rules_comment: &x\nname: base").replace("rules_comment: &x\n", "# why\n")),
    ).toEqual([]);
    expect(diff(edit("{ id: other, values: [a] }", "{ id: other, kind: STRING, values: [a] }"))).toEqual([]);
  });

  test("name each field with its values", () => {
    expect(diff(edit("{ bps: 200 }", "{ bps: 250, methods: [card] }"))).toEqual([
      {
        kind: "CHANGED",
        section: "psps",
        id: "alpha",
        fields: [
          { path: "fees[1].bps", before: "200", after: "250" },
          { path: "fees[1].methods", before: "", after: '["card"]' },
        ],
        loosens: false,
      },
    ]);
    expect(diff(edit("name: base", "name: next\nrisk_thresholds: { deny_from: 5 }"))).toEqual([
      {
        kind: "CHANGED",
        section: "rule_set",
        id: "",
        fields: [
          { path: "name", before: '"base"', after: '"next"' },
          { path: "risk_thresholds", before: "", after: '{"deny_from":5}' },
        ],
        loosens: false,
      },
    ]);
  });

  test("of long lists show what one side has alone", () => {
    const values = (count: number) => Array.from({ length: count }, (_, n) => `v${n}`).join(", ");
    const before = readSide(edit("{ id: other, values: [a] }", `{ id: other, values: [${values(100)}] }`));
    const after = readSide(edit("{ id: other, values: [a] }", `{ id: other, values: [${values(101)}] }`));
    const [change] = diffRuleSets(before, after);
    expect(change?.fields).toEqual([
      {
        path: "values",
        before: '{"count":100,"only_here":[],"only_here_count":0}',
        after: '{"count":101,"only_here":["v100"],"only_here_count":1}',
      },
    ]);
  });

  test("added and removed entries are told field by field", () => {
    const [added] = diff(`${base}  - { id: new, class: RISK, effects: { score: 5 } }\n`);
    expect(added).toMatchObject({ kind: "ADDED", section: "rules", id: "new", loosens: false });
    expect(added?.fields).toContainEqual({ path: "effects", before: "", after: '{"score":5}' });
    const [removed] = diff(
      edit('  - { id: risky, class: RISK, when: segment("vip"), effects: { deny: {} } }\n', ""),
    );
    expect(removed).toMatchObject({ kind: "REMOVED", section: "rules", id: "risky", loosens: false });
  });
});

const ban = 'card.funding == "credit" && "SE" in context.jurisdictions';

describe("what may loosen a rule of classes 1 and 2", () => {
  type Loosening = {
    readonly name: string;
    readonly before?: string;
    readonly after: string;
    readonly id: string;
  };
  const loosening: readonly Loosening[] = [
    { name: "another condition", after: edit(ban, 'card.funding == "credit"'), id: "ban" },
    { name: "a shadowed rule", after: edit("description: why", "mode: SHADOW"), id: "ban" },
    { name: "a weaker class", after: edit("class: REGULATORY", "class: SAFER_GAMBLING"), id: "ban" },
    { name: "fewer kinds", after: edit("kinds: [deposit]", "kinds: [withdrawal]"), id: "ban" },
    { name: "a later start", after: edit("from: 2026-02-01", "from: 2026-02-02"), id: "ban" },
    { name: "an earlier end", after: edit("until: 2027-02-01", "until: 2027-01-31"), id: "ban" },
    { name: "unknown no longer applying", after: edit("on_unknown: APPLY", "on_unknown: SKIP"), id: "ban" },
    { name: "no denial", after: edit("      deny: {}\n", ""), id: "ban" },
    { name: "no review", after: edit("review: {}, ", ""), id: "reviewed" },
    { name: "fewer excluded PSPs", after: edit("      exclude_psps: [alpha]\n", ""), id: "ban" },
    {
      name: "more required PSPs than before",
      after: edit("      require_psps: [alpha, beta]\n", ""),
      id: "ban",
    },
    { name: "a higher cap", after: edit("minor_units: 1000,", "minor_units: 1001,"), id: "ban" },
    {
      name: "a cap in another currency",
      after: edit("currency_code: EUR }", "currency_code: SEK }"),
      id: "ban",
    },
    { name: "no 3DS", after: edit("      three_ds: { level: REQUIRE }\n", ""), id: "ban" },
    {
      name: "another challenge indicator",
      after: edit("{ level: REQUIRE }", '{ level: REQUIRE, challenge_indicator: "03" }'),
      id: "ban",
    },
    {
      name: "a higher level whose indicator asks for less",
      after: edit("{ level: REQUIRE }", '{ level: CHALLENGE, challenge_indicator: "09" }'),
      before: edit("{ level: REQUIRE }", '{ level: REQUIRE, challenge_indicator: "04" }'),
      id: "ban",
    },
    { name: "another protective action", after: edit("key: k", "key: l"), id: "ban" },
  ];
  test.each(loosening)("$name", ({ before, after, id }) => {
    expect(summarize(after, before)).toEqual([`rules ${id}!`]);
  });

  test("its removal", () => {
    const after = base.replace(/ {2}- \{ id: rest.*\n/, "");
    expect(summarize(after)).toEqual(["rules rest!"]);
  });

  const beneath = [
    {
      name: "a segment that it reads",
      after: edit("player.harm > 5", "player.harm > 6"),
      want: ["segments harmed!"],
    },
    { name: "a list that it reads", after: edit("values: [a, b]", "values: [a]"), want: ["lists watched!"] },
    {
      name: "the type of an attribute that it reads",
      after: edit(
        "name: harm, subject: PLAYER, type: INT",
        "name: harm, subject: PLAYER, type: DOUBLE",
      ).replace("player.harm > 5", "player.harm > 5.0"),
      want: ["attributes player.harm!", "segments harmed!"],
    },
    {
      name: "a licence where it asks for jurisdictions",
      after: edit("licence: SE", "licence: DK"),
      want: ["brands lucky!"],
    },
    { name: "a rate where it caps", after: edit('rate: "11"', 'rate: "12"'), want: ["fx_rates EUR/SEK!"] },
    {
      name: "a new rate where it caps: without one it denies",
      after: edit('rate: "11" }', 'rate: "11" }, { from: JPY, to: EUR, rate: "0.0001" }'),
      want: ["fx_rates JPY/EUR!"],
    },
  ];
  test.each(beneath)("$name", ({ after, want }) => {
    expect(summarize(after)).toEqual(want);
  });
});

describe("what loosens nothing", () => {
  const harmless = [
    {
      name: "what people read",
      after: edit("description: why", "description: because\n    player_message_key: m").replace(
        "reason: BAN",
        "reason: BANNED",
      ),
      want: ["rules ban"],
    },
    {
      name: "a longer, broader, stricter rule",
      after: edit("until: 2027-02-01", "until: 2028-02-01")
        .replace("kinds: [deposit]", "kinds: [deposit, withdrawal]")
        .replace("level: REQUIRE", "level: CHALLENGE")
        .replace("minor_units: 1000,", "minor_units: 999,")
        .replace("require_psps: [alpha, beta]", "require_psps: [beta]"),
      want: ["rules ban"],
    },
    { name: "a rule that now always holds", after: edit(`    when: ${ban}\n`, ""), want: ["rules ban"] },
    { name: "a denial instead of a review", after: edit("review: {}", "deny: {}"), want: ["rules reviewed"] },
    { name: "a shadow that acts", after: edit("mode: SHADOW, ", ""), want: ["rules drafted"] },
    {
      name: "a shadow that goes",
      after: base.replace(/ {2}- \{ id: drafted.*\n/, ""),
      want: ["rules drafted"],
    },
    {
      name: "a segment that only other classes read",
      after: edit("player.level > 2", "player.level > 3"),
      want: ["segments vip"],
    },
    {
      name: "a list that nobody reads",
      after: edit("{ id: other, values: [a] }", "{ id: other, values: [c] }"),
      want: ["lists other"],
    },
    {
      name: "a description of a segment that it reads",
      after: edit("{ id: harmed,", "{ id: harmed, description: d,"),
      want: ["segments harmed"],
    },
    {
      name: "a new rule",
      after: `${base}  - { id: new, class: REGULATORY, on_unknown: SKIP, effects: { deny: {} } }\n`,
      want: ["rules new"],
    },
    { name: "another priority", after: edit("description: why", "priority: 7"), want: ["rules ban"] },
  ];
  test.each(harmless)("$name", ({ after, want }) => {
    expect(summarize(after)).toEqual(want);
  });
});
