import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../test/helpers/compile.ts";
import { judgeDocument } from "./compile/compile.ts";
import { type DiffSide, diffRuleSets } from "./diff.ts";

const head = "psps: [{ id: alpha, methods: [card] }, { id: peach, methods: [card] }]\n";

function readSide(text: string): DiffSide {
  const document = new TextEncoder().encode(head + text);
  const judged = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  if (judged.accepted === undefined) throw new Error(JSON.stringify(judged.compilation.faults));
  return judged.accepted;
}

/** `section id` of what differs, with `!` where it may loosen. */
function compare(before: string, after: string): readonly string[] {
  return diffRuleSets(readSide(before), readSide(after)).map(
    ({ section, id, loosens }) => `${section}${id === "" ? "" : ` ${id}`}${loosens ? "!" : ""}`,
  );
}

describe("response codes", () => {
  const codes = (...entries: string[]) => `response_codes: [${entries.join(", ")}]\n`;
  test.each<{ name: string; before?: string[]; after?: string[]; want: string[] }>([
    {
      name: "a HARD code of the house made softer",
      after: ['{ code: "57", outcome: GENERIC }'],
      want: ["response_codes 57!"],
    },
    {
      name: "a HARD code of the house made softer for one scheme",
      after: ['{ scheme: visa, code: "57", outcome: WAIT }'],
      want: ["response_codes visa 57!"],
    },
    {
      name: "a HARD code of the house made softer at one PSP",
      after: ['{ psp: alpha, code: "57", outcome: GENERIC }'],
      want: ["response_codes alpha 57!"],
    },
    {
      name: "the same from some day on",
      after: ['{ code: "57", outcome: GENERIC, from: 2027-01-01T00:00:00Z, until: 2027-02-01T00:00:00Z }'],
      want: ["response_codes 57 from 2027-01-01T00:00:00.000Z until 2027-02-01T00:00:00.000Z!"],
    },
    {
      name: "a HARD advice of the house made softer",
      after: ['{ scheme: mastercard, advice_code: "03", outcome: WAIT, wait: 24h }'],
      want: ["response_codes mastercard advice 03!"],
    },
    {
      name: "a HARD code that still is one, and blocks as long",
      after: ['{ code: "57", outcome: HARD, block: CARD, block_for: 30d }'],
      want: ["response_codes 57"],
    },
    {
      name: "a HARD code that no longer blocks",
      after: ['{ code: "57", outcome: HARD }'],
      want: ["response_codes 57!"],
    },
    {
      name: "a HARD code that blocks for less time",
      after: ['{ code: "57", outcome: HARD, block: CARD, block_for: 6d }'],
      want: ["response_codes 57!"],
    },
    {
      name: "a HARD code that blocks for a time instead of for good",
      after: ['{ code: "41", outcome: HARD, block: CARD, block_for: 1000d }'],
      want: ["response_codes 41!"],
    },
    {
      name: "a HARD code that blocks less of the card",
      after: ['{ code: "57", outcome: HARD, block: CARD_AMOUNT, block_for: 30d }'],
      want: ["response_codes 57!"],
    },
    {
      name: "a softer code made HARD",
      after: ['{ code: "05", outcome: HARD }'],
      want: ["response_codes 05"],
    },
    {
      name: "a code of a PSP's own",
      after: ["{ psp: alpha, psp_code: D-17, outcome: GENERIC }"],
      want: ['response_codes alpha "D-17"'],
    },
    {
      name: "a merchant's own HARD code that goes",
      before: ["{ psp: alpha, psp_code: D-17, outcome: HARD }"],
      want: ['response_codes alpha "D-17"!'],
    },
    {
      name: "a merchant's own HARD code that goes where the house has it",
      before: ['{ code: "57", outcome: HARD, block: CARD, block_for: 7d }'],
      want: ["response_codes 57"],
    },
    {
      name: "a merchant's own HARD code that changes",
      before: ["{ psp: alpha, psp_code: D-17, outcome: HARD }"],
      after: ["{ psp: alpha, psp_code: D-17, outcome: WAIT }"],
      want: ['response_codes alpha "D-17"!'],
    },
    {
      name: "what was softer already",
      before: ['{ code: "57", outcome: GENERIC }'],
      after: ['{ code: "57", outcome: WAIT }'],
      want: ["response_codes 57"],
    },
  ])("$name", ({ before = [], after = [], want }) => {
    expect(compare(codes(...before), codes(...after))).toEqual(want);
  });
});

describe("scheme caps", () => {
  const caps = (...entries: string[]) => `scheme_caps: [${entries.join(", ")}]\n`;
  const cap = (id: string, { scheme = "mastercard", window = "24h", key = "CARD", declines = 10 } = {}) =>
    `{ id: ${id}, scheme: ${scheme}, window: ${window}, key: ${key}, declines: ${declines} }`;
  const month = cap("mc-month", { window: "30d", key: "CARD_AMOUNT", declines: 35 });
  const visa = cap("visa", { scheme: "visa", window: "30d", key: "CARD_AMOUNT", declines: 21 });
  const day = cap("mc-day");
  const house = caps(day, month, visa);

  test("those of the house, written out, loosen nothing", () => {
    expect(compare("", house)).toEqual(["scheme_caps mc-day", "scheme_caps mc-month", "scheme_caps visa"]);
    expect(compare(house, "")).toEqual(["scheme_caps mc-day", "scheme_caps mc-month", "scheme_caps visa"]);
  });

  test.each<{ name: string; entries: string[]; want: string[] }>([
    {
      name: "raised above the house's",
      entries: [cap("mc-day", { declines: 11 }), month, visa],
      want: ["scheme_caps mc-day!"],
    },
    { name: "lowered", entries: [cap("mc-day", { declines: 9 }), month, visa], want: ["scheme_caps mc-day"] },
    {
      name: "over a shorter window",
      entries: [cap("mc-day", { window: "12h" }), month, visa],
      want: ["scheme_caps mc-day!"],
    },
    {
      name: "over a longer window",
      entries: [cap("mc-day", { window: "48h" }), month, visa],
      want: ["scheme_caps mc-day"],
    },
    {
      name: "counted by amount instead of by card",
      entries: [cap("mc-day", { key: "CARD_AMOUNT" }), month, visa],
      want: ["scheme_caps mc-day!"],
    },
    {
      name: "counted by card instead of by amount",
      entries: [day, month, cap("visa", { scheme: "visa", window: "30d", declines: 21 })],
      want: ["scheme_caps visa"],
    },
    { name: "gone", entries: [month, visa], want: ["scheme_caps mc-day!"] },
    {
      name: "from some day on only",
      entries: [day.replace(" }", ", from: 2027-01-01T00:00:00Z }"), month, visa],
      want: ["scheme_caps mc-day!"],
    },
    {
      name: "raised from some day on",
      entries: [
        day,
        cap("mc-later", { declines: 20 }).replace(" }", ", from: 2027-01-01T00:00:00Z }"),
        month,
        visa,
      ],
      want: ["scheme_caps mc-later!"],
    },
    {
      name: "a scheme more",
      entries: [day, month, visa, cap("jcb", { scheme: "jcb" })],
      want: ["scheme_caps jcb"],
    },
  ])("$name", ({ entries, want }) => {
    expect(compare(house, caps(...entries))).toEqual(want);
  });

  test("a list without a scheme of the house has lost its caps", () => {
    expect(compare("", caps(visa))).toEqual(["scheme_caps visa!"]);
  });

  test("back to those of the house loosens nothing, nor does a cap of a scheme that the house has none of", () => {
    const strict = caps(cap("mc-day", { declines: 3 }), month, visa, cap("jcb", { scheme: "jcb" }));
    expect(compare(strict, house)).toEqual(["scheme_caps jcb", "scheme_caps mc-day"]);
  });

  test("one that does not begin again with an approval stays so", () => {
    const strict = caps(
      day.replace(" }", ", reset_on_approval: false, window: 24h }").replace("window: 24h, ", ""),
      month,
      visa,
    );
    const raised = caps(cap("mc-day", { declines: 12 }), month, visa);
    expect(compare(strict, raised)).toEqual(["scheme_caps mc-day!"]);
    expect(compare(house, strict)).toEqual(["scheme_caps mc-day"]);
  });
});

describe("SCA", () => {
  const eur = (minorUnits: number) => `{ minor_units: ${minorUnits}, currency_code: EUR }`;
  const zones = "zones: [{ id: EEA, countries: [EEA, MC] }, { id: UK, countries: [UK] }]";
  const full = {
    zones,
    treated_as_one: "treated_as_one: [EEA, UK]",
    low_value: `low_value: [{ zone: EEA, amount: ${eur(3_000)}, cumulative: ${eur(10_000)}, count: 5 }]`,
    tra: `tra: [{ zone: EEA, amount: ${eur(10_000)}, fraud_rate_bps: 13 }, { zone: EEA, amount: ${eur(25_000)}, fraud_rate_bps: 6 }]`,
    mandates: "mandates: [{ country: JP, fundings: [credit, charge] }, { country: IN, domestic_only: true }]",
    exemption_order: "exemption_order: [low_value, tra]",
    high_risk_score: "high_risk_score: 500",
  };
  const policy = (changes: Partial<Record<keyof typeof full, string>> = {}) =>
    `sca_policy: { ${Object.values({ ...full, ...changes })
      .filter((part) => part !== "")
      .join(", ")} }\n`;

  test.each<{ name: string; changes: Partial<Record<keyof typeof full, string>>; loosens: boolean }>([
    { name: "a country less", changes: { zones: zones.replace(", MC", "") }, loosens: true },
    { name: "a country more", changes: { zones: zones.replace(", MC", ", MC, CH") }, loosens: false },
    { name: "zones apart", changes: { treated_as_one: "treated_as_one: []" }, loosens: true },
    {
      name: "other names of zones",
      changes: {
        zones: zones.replace("id: EEA", "id: europe"),
        treated_as_one: "treated_as_one: [europe, UK]",
        low_value: full.low_value.replace("zone: EEA", "zone: europe"),
        tra: full.tra.replaceAll("zone: EEA", "zone: europe"),
      },
      loosens: false,
    },
    {
      name: "a higher low value",
      changes: { low_value: full.low_value.replace("3000", "3001") },
      loosens: true,
    },
    {
      name: "a lower low value",
      changes: { low_value: full.low_value.replace("3000", "2999") },
      loosens: false,
    },
    {
      name: "a greater sum",
      changes: { low_value: full.low_value.replace("10000", "10001") },
      loosens: true,
    },
    {
      name: "a greater count",
      changes: { low_value: full.low_value.replace("count: 5", "count: 6") },
      loosens: true,
    },
    {
      name: "a higher low value later",
      changes: {
        low_value: full.low_value.replace(
          "count: 5 }]",
          `count: 5 }, { zone: EEA, amount: ${eur(5_000)}, cumulative: ${eur(10_000)}, count: 5, from: 2027-01-01T00:00:00Z }]`,
        ),
      },
      loosens: true,
    },
    {
      name: "another currency",
      changes: { low_value: full.low_value.replaceAll("EUR", "USD") },
      loosens: true,
    },
    { name: "a higher tier", changes: { tra: full.tra.replace("25000", "25001") }, loosens: true },
    { name: "a tier for more fraud", changes: { tra: full.tra.replace("13", "14") }, loosens: true },
    { name: "a tier less", changes: { tra: full.tra.replace(/, { zone[^[]*6 }/, "") }, loosens: false },
    {
      name: "a mandate less",
      changes: { mandates: full.mandates.replace(/, { country: IN.*}/, "") },
      loosens: true,
    },
    {
      name: "a mandate for less",
      changes: { mandates: full.mandates.replace(", charge", "") },
      loosens: true,
    },
    {
      name: "a mandate at home only",
      changes: { mandates: full.mandates.replace("charge]", "charge], domestic_only: true") },
      loosens: true,
    },
    {
      name: "a mandate abroad too, for all",
      changes: { mandates: "mandates: [{ country: JP }, { country: IN }]" },
      loosens: false,
    },
    {
      name: "a mandate later",
      changes: { mandates: full.mandates.replace("charge]", "charge], from: 2027-01-01T00:00:00Z") },
      loosens: true,
    },
    {
      name: "an exemption more",
      changes: { exemption_order: "exemption_order: [low_value, tra, recurring]" },
      loosens: true,
    },
    {
      name: "another order",
      changes: { exemption_order: "exemption_order: [tra, low_value]" },
      loosens: false,
    },
    {
      name: "an exemption less",
      changes: { exemption_order: "exemption_order: [low_value]" },
      loosens: false,
    },
    { name: "more risk", changes: { high_risk_score: "high_risk_score: 501" }, loosens: true },
    { name: "any risk", changes: { high_risk_score: "" }, loosens: true },
    { name: "less risk", changes: { high_risk_score: "high_risk_score: 100" }, loosens: false },
  ])("$name", ({ changes, loosens }) => {
    const after = policy(changes);
    expect(after).not.toBe(policy());
    expect(compare(policy(), after)).toEqual([`sca_policy${loosens ? "!" : ""}`]);
  });

  test("is compared with the policy of the house where there is none", () => {
    expect(compare("", "sca_policy: { high_risk_score: 500 }\n")).toEqual(["sca_policy"]);
    expect(compare("", "sca_policy: { high_risk_score: 900 }\n")).toEqual(["sca_policy!"]);
    expect(compare("sca_policy: { high_risk_score: 100 }\n", "")).toEqual(["sca_policy!"]);
    expect(compare("sca_policy: { high_risk_score: 500 }\n", "")).toEqual(["sca_policy"]);
    expect(
      compare("", "sca_policy: { high_risk_score: 500, zones: [{ id: EEA, countries: [EEA] }] }\n"),
    ).toEqual(["sca_policy!"]);
  });
});

test("breakers and how PSPs behave loosen no law", () => {
  const policy = "breaker_policy: { calls_min: 10 }\n";
  expect(compare("", policy)).toEqual(["breaker_policy"]);
  expect(compare(policy, "breaker_policy: { calls_min: 20 }\n")).toEqual(["breaker_policy"]);
});
