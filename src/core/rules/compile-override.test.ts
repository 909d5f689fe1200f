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
