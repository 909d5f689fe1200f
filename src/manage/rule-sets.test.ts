import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openRuleCompiler } from "../adapters/compiler/rule-compiler.ts";
import type { OverrideStore, StoredOverride } from "../ports/override-store.ts";
import type { CompileInput, RuleCompiler } from "../ports/rule-compiler.ts";
import type { Activation, RuleSetStore, StoredRuleSet } from "../ports/rule-set-store.ts";
import { ActiveRules } from "./active-rules.ts";
import type { Managed } from "./failure.ts";
import { Overrides } from "./overrides.ts";
import { ChangeQueue } from "./queue.ts";
import { RuleSets } from "./rule-sets.ts";

const merchantId = "default";
const nowMs = Date.UTC(2026, 10, 16, 12);
const law = `
psps: [{ id: alpha, methods: [card] }]
lists: [{ id: watched, values: [a, b] }]
segments: [{ id: dane, when: payment.player_country == "DK" }]
fx_rates: [{ from: SEK, to: EUR, rate: "0.09" }]
rules:
  - { id: ban, class: REGULATORY, on_unknown: APPLY, when: 'segment("dane") && in_list(payment.method, "watched")', effects: { deny: {} } }
  - { id: cap, class: SAFER_GAMBLING, on_unknown: SKIP, effects: { amount_cap: { minor_units: 5000, currency_code: EUR } } }
`;
const bare = "psps: [{ id: alpha, methods: [card] }]";

/** What was asked of the compiler, such as `compile` or `compile beside 1`. */
let asked: string[];
/** Runs once, while the next document is being judged. */
let meanwhile: (() => Promise<unknown>) | undefined;
let ruleSets: RuleSets;
let overrides: Overrides;
let active: ActiveRules;

const compiler = openRuleCompiler();
afterAll(() => compiler.close());

beforeEach(() => {
  asked = [];
  meanwhile = undefined;
  const clock = { nowMs: () => nowMs };
  const audit = { append: async () => {}, list: () => [] };
  const queue = new ChangeQueue();
  active = new ActiveRules();
  overrides = new Overrides({ store: makeOverrideStore(), active, audit, clock, queue });
  const deps = { store: makeStore(), compiler: watch(compiler), active, overrides, audit, clock, queue };
  ruleSets = new RuleSets(deps);
});

describe("a push that activates", () => {
  test("has its document judged once, beside what is active", async () => {
    await push(law);
    expect(asked).toEqual(["compile"]);
    expect(active.current(merchantId)?.snapshot).toMatchObject({ version: 1 });
    await push(`${law}# again\n`);
    expect(asked).toEqual(["compile", "compile beside 1"]);
    expect(active.current(merchantId)?.snapshot).toMatchObject({ version: 2 });
    await push(bare, { confirmLoosening: true });
    expect(asked.at(-1)).toBe("compile");
  });

  test("is compared anew where another rule set became active meanwhile", async () => {
    await push(bare);
    meanwhile = () => push(law);
    expect(describeFailure(await push(bare))).toContain("rules ban goes");
    expect(asked).toEqual(["compile", "compile beside 1", "compile beside 1", "diff beside 2"]);
    expect(ruleSets.activeVersion(merchantId)).toBe(2);
    expect(ruleSets.list(merchantId)).toHaveLength(2);
  });

  test("does not keep overrides waiting while it compiles", async () => {
    await push(bare);
    meanwhile = async () => expect((await putOverride()).ok).toBe(true);
    await push(law);
    const current = active.current(merchantId)!;
    expect([...current.orphans.keys(), ...current.overrides.overrides.map(({ id }) => id)]).toEqual(["calm"]);
  });
});

describe("what may loosen the law is refused until it is confirmed", () => {
  const edits: readonly (readonly [string, string, string, string])[] = [
    ["a condition", 'segment("dane") &&', 'payment.currency == "EUR" &&', "rules ban changes"],
    ["a shadow", "id: ban,", "id: ban, mode: SHADOW,", "rules ban changes"],
    ["a name", "id: ban,", "id: prohibition,", "rules ban goes"],
    ["a class", "REGULATORY, on_unknown: APPLY,", "RISK,", "rules ban changes"],
    ["unknown", "on_unknown: APPLY", "on_unknown: SKIP", "rules ban changes"],
    ["a start", "id: ban,", "id: ban, from: 2027-01-01T00:00:00Z,", "rules ban changes"],
    ["an end", "id: ban,", "id: ban, until: 2027-01-01T00:00:00Z,", "rules ban changes"],
    ["kinds", "id: ban,", "id: ban, kinds: [withdrawal],", "rules ban changes"],
    ["a cap", "minor_units: 5000", "minor_units: 5001", "rules cap changes"],
    ["a segment", '== "DK"', '== "SE"', "segments dane changes"],
    ["a list", "values: [a, b]", "values: [a]", "lists watched changes"],
    ["a rate", '"0.09"', '"0.08"', "fx_rates SEK/EUR changes"],
    [
      "a new rate",
      "fx_rates: [",
      'fx_rates: [{ from: JPY, to: EUR, rate: "0.001" }, ',
      "fx_rates JPY/EUR is new",
    ],
    [
      "a softer code",
      "fx_rates: [",
      'response_codes: [{ code: "57", outcome: GENERIC }]\nfx_rates: [',
      "response_codes 57 is new",
    ],
    [
      "a higher cap of a scheme",
      "fx_rates: [",
      "scheme_caps: [{ id: day, scheme: mastercard, window: 24h, key: CARD, declines: 99 }]\nfx_rates: [",
      "scheme_caps day is new",
    ],
    ["less SCA", "fx_rates: [", "sca_policy: { high_risk_score: 900 }\nfx_rates: [", "sca_policy is new"],
  ];

  test.each(edits)("%s, by push, by activation and by rollback", async (_, from, to, want) => {
    const looser = law.replace(from, to);
    expect(looser).not.toBe(law);
    await push(looser);
    await push(law, { confirmLoosening: true });
    expect(describeFailure(await push(looser))).toEqual([want]);
    expect(describeFailure(await activate(1))).toEqual([want]);
    expect(describeFailure(await rollback())).toEqual([want]);
    expect(ruleSets.activeVersion(merchantId)).toBe(2);
    expect((await rollback({ confirmLoosening: true })).ok).toBe(true);
    expect(ruleSets.activeVersion(merchantId)).toBe(1);
  });
});

const permissions = { confirmLoosening: false, allowOrphans: false, author: "ann" };

function push(text: string, more: { readonly confirmLoosening?: boolean } = {}) {
  const document = new TextEncoder().encode(text);
  const input = { merchantId, document, format: "YAML", baseVersion: undefined, comment: "" } as const;
  return ruleSets.push({ ...input, activate: true, ...permissions, ...more });
}

function activate(version: number) {
  return ruleSets.activate({ merchantId, version, expectedActiveVersion: undefined, ...permissions });
}

function rollback(more: { readonly confirmLoosening?: boolean } = {}) {
  return ruleSets.rollback({ merchantId, expectedActiveVersion: undefined, ...permissions, ...more });
}

function putOverride() {
  const override = {
    id: "calm",
    subject: { kind: "everyone" },
    when: "",
    kinds: ["deposit"],
    author: "ann",
    reason: "why",
    fromMs: undefined,
    untilMs: nowMs + 1000,
    priority: 0,
    effectsJson: '{"requirePsps":["alpha"]}',
  } as const;
  return overrides.put({ merchantId, override, expectedRevision: undefined });
}

/** The messages of a call that must not be carried out as things stand. */
function describeFailure(result: Managed<unknown>): readonly string[] {
  if (result.ok || result.failure.kind !== "precondition") throw new Error(JSON.stringify(result));
  return result.failure.faults.map(({ message }) => message.replace(/, which may loosen the law$/, ""));
}

function watch(real: RuleCompiler): RuleCompiler {
  const note = async (what: string, before: CompileInput | undefined): Promise<void> => {
    asked.push(before === undefined ? what : `${what} beside ${before.version}`);
    const other = meanwhile;
    meanwhile = undefined;
    await other?.();
  };
  return {
    check: async (input) => note("check", undefined).then(() => real.check(input)),
    compile: async (input, before) => note("compile", before).then(() => real.compile(input, before)),
    diff: async (before, after) => note("diff", before).then(() => real.diff(before, after)),
    close: () => real.close(),
  };
}

/** For one merchant. */
function makeStore(): RuleSetStore {
  const kept: { readonly ruleSet: StoredRuleSet; readonly document: Uint8Array }[] = [];
  const activations: Activation[] = [];
  return {
    list: () => kept.map(({ ruleSet }) => ruleSet).reverse(),
    get: (_, version) => kept[version - 1]?.ruleSet,
    document: (_, version) => kept[version - 1]?.document,
    newestVersion: () => kept.length,
    put: async (_, ruleSet, document) => void kept.push({ ruleSet, document }),
    activations: () => activations,
    activate: async (_, activation) => void activations.push(activation),
  };
}

/** For one merchant. */
function makeOverrideStore(): OverrideStore {
  const kept = new Map<string, StoredOverride>();
  let current = 0;
  return {
    list: () => [...kept.values()],
    revision: () => current,
    put: async (_, override, revision) => {
      kept.set(override.id, override);
      current = revision;
    },
  };
}
