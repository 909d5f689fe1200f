import { describe, expect, test } from "vitest";
import { compileForTest, testNowMs } from "../../../test/helpers/compile.ts";
import { createOverrideCompiler, type OverrideDraft } from "./compile-override.ts";

const snapshot = compileForTest(`
psps: [{ id: alpha, methods: [card] }]
attributes:
  - { name: harm, subject: PLAYER, type: INT, purposes: [RG] }
  - { name: level, subject: PLAYER, type: INT }
segments:
  - { id: harmed, when: player.harm > 2 }
  - { id: watched, when: segment("harmed") && payment.method == "card" }
  - { id: sanctioned, when: payment.player_country == "KP", purposes: [AML] }
  - { id: vip, when: player.level > 2 }
rules:
  - { id: ban, class: REGULATORY, on_unknown: SKIP, when: payment.player_country == "IN", effects: { deny: {} } }
  - { id: care, class: SAFER_GAMBLING, on_unknown: SKIP, when: segment("harmed"), effects: { review: {} } }
  - { id: risky, class: RISK, when: segment("vip"), effects: { score: 5 } }
  - { id: rest, class: DEFAULT, effects: { retry_policy: default } }
limits:
  - { id: often, class: RISK, measure: COUNT, window: { rolling: 24h }, thresholds: [{ count: 5 }] }
  - { id: much, class: DEFAULT, measure: GROSS, window: { rolling: 24h }, thresholds: [{ amount: { minor_units: 5, currency_code: EUR } }] }
  - { id: lawful, class: REGULATORY, on_unknown: APPLY, measure: COUNT, window: { rolling: 24h }, thresholds: [{ count: 5 }] }
policy_packs:
  - { id: gb, jurisdiction: GB, rules: [{ id: ban, class: REGULATORY, on_unknown: SKIP, effects: { deny: {} } }] }
`);

const draft: OverrideDraft = {
  id: "one",
  subject: { kind: "everyone" },
  when: "",
  kinds: ["deposit"],
  fromMs: testNowMs,
  untilMs: testNowMs + 1000,
  priority: 0,
  author: "ann",
  reason: "why",
  effectsJson: "{}",
};

/** `field rule` of each fault. */
function findFaults(effects: object, more: Partial<OverrideDraft> = {}): readonly string[] {
  const effectsJson = JSON.stringify(effects);
  const result = createOverrideCompiler(snapshot).compile({ ...draft, effectsJson, ...more });
  return result.ok ? [] : result.faults.map(({ field, rule }) => `${field} ${rule}`);
}

describe("what an override may do", () => {
  const cases = [
    { name: "lifts a rule of RISK", effects: { allow: ["risky"] }, want: [] },
    { name: "lifts a limit of RISK", effects: { allow: ["often"] }, want: [] },
    {
      name: "lifts no other limit",
      effects: { allow: ["much"] },
      want: ["effects.allow[0] lifts-risk-only"],
    },
    { name: "lifts no pack", effects: { allow: ["gb.ban"] }, want: ["effects.allow[0] lifts-risk-only"] },
    {
      name: "replaces thresholds of classes 4 to 7",
      effects: {
        limit_thresholds: [
          { limit: "often", count: "9" },
          { limit: "much", amount: { minor_units: "9", currency_code: "EUR" } },
        ],
      },
      want: [],
    },
    {
      name: "replaces no threshold of the law",
      effects: { limit_thresholds: [{ limit: "lawful", count: "9" }] },
      want: ["effects.limit_thresholds[0].limit threshold-protected"],
    },
    {
      name: "replaces no threshold that there is not",
      effects: { limit_thresholds: [{ limit: "never", count: "9" }] },
      want: ["effects.limit_thresholds[0].limit unknown-limit"],
    },
    {
      name: "replaces thresholds in their own measure and currency",
      effects: {
        limit_thresholds: [
          { limit: "often", amount: { minor_units: "9", currency_code: "EUR" } },
          { limit: "much", amount: { minor_units: "9", currency_code: "SEK" } },
        ],
      },
      want: [
        "effects.limit_thresholds[0] threshold-measure",
        "effects.limit_thresholds[1] threshold-measure",
      ],
    },
    {
      name: "replaces each threshold once, by a number or an amount",
      effects: {
        limit_thresholds: [
          { limit: "often", count: "9" },
          { limit: "often", count: "8" },
          { limit: "much", count: "1", amount: { minor_units: "9", currency_code: "EUR" } },
        ],
      },
      want: ["effects.limit_thresholds[1].limit duplicate", "effects.limit_thresholds[2] one-of"],
    },
    {
      name: "opens no limit to nothing",
      effects: { limit_thresholds: [{ limit: "often" }] },
      want: ["effects.limit_thresholds[0].count positive"],
    },
    { name: "lifts no law", effects: { allow: ["ban"] }, want: ["effects.allow[0] lifts-risk-only"] },
    { name: "lifts no care", effects: { allow: ["care"] }, want: ["effects.allow[0] lifts-risk-only"] },
    { name: "lifts no default", effects: { allow: ["rest"] }, want: ["effects.allow[0] lifts-risk-only"] },
    {
      name: "lifts nothing by a wildcard",
      effects: { allow: ["*"] },
      want: ["effects.allow[0] bad-id", "effects.allow[0] unknown-rule"],
    },
    {
      name: "caps nothing",
      effects: { amountCap: { minorUnits: "5", currencyCode: "EUR" } },
      want: ["effects.amount_cap effect-not-allowed"],
    },
    { name: "scores nothing", effects: { score: 5 }, want: ["effects.score effect-not-allowed"] },
    { name: "does something", effects: {}, want: ["effects no-effect"] },
  ];
  test.each(cases)("$name", ({ effects, want }) => {
    expect(findFaults(effects)).toEqual(want);
  });
});

describe("an override that sells depends on nothing that protects", () => {
  const offer = { actions: [{ kind: "OFFER", key: "spins" }] };
  const pause = { actions: [{ kind: "COOL_OFF_PROMPT", key: "pause" }] };
  const segment = (id: string): Partial<OverrideDraft> => ({ subject: { kind: "segment", id } });
  const cases = [
    { name: "an attribute", more: { when: "player.harm > 2" }, want: "when" },
    { name: "a segment in the condition", more: { when: '!segment("watched")' }, want: "when" },
    { name: "a segment as the subject", more: segment("harmed"), want: "subject.segment" },
    { name: "a segment that reads one", more: segment("watched"), want: "subject.segment" },
    { name: "a segment of that purpose", more: segment("sanctioned"), want: "subject.segment" },
  ];
  test.each(cases)("$name", ({ more, want }) => {
    expect(findFaults(offer, more)).toEqual([`${want} marketing-reads-protected`]);
    expect(findFaults(pause, more)).toEqual([]);
  });

  test("but on all else", () => {
    expect(findFaults(offer, { ...segment("vip"), when: "player.level > 5" })).toEqual([]);
  });
});
