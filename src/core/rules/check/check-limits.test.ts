import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { judgeDocument } from "../compile/compile.ts";

type Json = Readonly<Record<string, unknown>>;

/** `rule path` of every fault of a minimal document with these sections. */
function findFaults(sections: Json): readonly string[] {
  const document = { psps: [{ id: "a", methods: ["card"] }], ...sections };
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const { compilation } = judgeDocument({ document: bytes, format: "JSON", nowMs: testNowMs, sha256 });
  return compilation.faults.map(({ rule, path }) => `${rule} ${path}`);
}

const repeat = (count: number, make: (n: number) => unknown) =>
  Array.from({ length: count }, (_, n) => make(n));
const eur = (minorUnits: number, currency = "EUR") => ({
  amount: { minor_units: minorUnits, currency_code: currency },
});
const limit = (more: Json = {}, id = "l"): Json => ({
  id,
  class: "RISK",
  measure: "COUNT",
  window: { rolling: "24h" },
  thresholds: [{ count: 1 }],
  ...more,
});
const limits = (more: Json): Json => ({ limits: [limit(more)] });
const packOf = (more: Json, id = "p"): Json => ({ id, jurisdiction: "GB", ...more });
const packs = (more: Json): Json => ({ policy_packs: [packOf(more)] });
const packed = (id: string): Json => limit({ class: "REGULATORY", on_unknown: "APPLY" }, id);
const ban = (id: string, more: Json = {}): Json => ({
  id,
  class: "REGULATORY",
  on_unknown: "APPLY",
  effects: { deny: {} },
  ...more,
});
const features = repeat(257, (n) => ({
  id: `f${n}`,
  aggregate: { function: "COUNT", events: ["payment_approved"] },
}));
const model = (more: Json, id = "m"): Json => ({
  id,
  inputs: ["f0"],
  logistic: { weights: [{ input: "f0", weight: 1 }] },
  ...more,
});
const models = (more: Json): Json => ({ features, models: [model(more)] });
const segments = repeat(16, (n) => ({ id: `s${n}`, when: `player.age > ${n}` }));
const thresholds = (count: number) => [
  ...repeat(count - 1, (n) => ({ segment: `s${n}`, count: 1 })),
  { count: 1 },
];

describe("sizes, on both sides", () => {
  const inputs = (count: number) => repeat(count, (n) => `f${n}`);
  const sizes: readonly { name: string; inside: Json; beyond: Json; fault: string }[] = [
    {
      name: "256 limits",
      inside: { limits: repeat(256, (n) => limit({}, `l${n}`)) },
      beyond: { limits: repeat(257, (n) => limit({}, `l${n}`)) },
      fault: "too-many limits",
    },
    {
      name: "16 thresholds",
      inside: { segments, ...limits({ thresholds: thresholds(16) }) },
      beyond: { segments, ...limits({ thresholds: thresholds(17) }) },
      fault: "too-many limits[0].thresholds",
    },
    {
      name: "16 actions",
      inside: limits({ actions: repeat(16, (n) => ({ kind: "NUDGE", key: `k${n}` })) }),
      beyond: limits({ actions: repeat(17, (n) => ({ kind: "NUDGE", key: `k${n}` })) }),
      fault: "too-many limits[0].actions",
    },
    {
      name: "counts to 2^53 - 1",
      inside: limits({ thresholds: [{ count: "9007199254740991" }] }),
      beyond: limits({ thresholds: [{ count: "0" }] }),
      fault: "positive limits[0].thresholds[0].count",
    },
    {
      name: "amounts from 1",
      inside: limits({ measure: "GROSS", thresholds: [eur(1)] }),
      beyond: limits({ measure: "GROSS", thresholds: [eur(0)] }),
      fault: "positive limits[0].thresholds[0].amount.minor_units",
    },
    {
      name: "windows from 1 ms",
      inside: limits({ window: { rolling: "0.001s" } }),
      beyond: limits({ window: { rolling: "0s" } }),
      fault: "out-of-range limits[0].window.rolling",
    },
    {
      name: "64 packs",
      inside: { policy_packs: repeat(64, (n) => packOf({}, `p${n}`)) },
      beyond: { policy_packs: repeat(65, (n) => packOf({}, `p${n}`)) },
      fault: "too-many policy_packs",
    },
    {
      name: "32 limits of a pack",
      inside: packs({ limits: repeat(32, (n) => packed(`l${n}`)) }),
      beyond: packs({ limits: repeat(33, (n) => packed(`l${n}`)) }),
      fault: "too-many policy_packs[0].limits",
    },
    {
      name: "64 rules of a pack",
      inside: packs({ rules: repeat(64, (n) => ban(`r${n}`)) }),
      beyond: packs({ rules: repeat(65, (n) => ban(`r${n}`)) }),
      fault: "too-many policy_packs[0].rules",
    },
    {
      name: "waits of 366 days",
      inside: packs({ limit_increase_wait: "366d" }),
      beyond: packs({ limit_increase_wait: "367d" }),
      fault: "out-of-range policy_packs[0].limit_increase_wait",
    },
    {
      name: "names in packs of 64",
      inside: packs({ rules: [ban("r".repeat(62))] }),
      beyond: packs({ rules: [ban("r".repeat(63))] }),
      fault: "bad-id policy_packs[0].rules[0].id",
    },
    {
      name: "16 models",
      inside: { features, models: repeat(16, (n) => model({}, `m${n}`)) },
      beyond: { features, models: repeat(17, (n) => model({}, `m${n}`)) },
      fault: "too-many models",
    },
    {
      name: "256 inputs",
      inside: models({ inputs: inputs(256) }),
      beyond: models({ inputs: inputs(257) }),
      fault: "too-many models[0].inputs",
    },
  ];
  test.each(sizes)("$name", ({ inside, beyond, fault }) => {
    expect(findFaults(inside)).toEqual([]);
    expect(findFaults(beyond)).toEqual([fault]);
  });
});

describe("what a limit may do when it is broken", () => {
  const said = { REGULATORY: "APPLY", SAFER_GAMBLING: "SKIP" };
  const allowed = {
    REGULATORY: ["DENY", "STEP_UP", "NOTICE"],
    SAFER_GAMBLING: ["DENY", "REVIEW", "STEP_UP", "NOTICE"],
    RISK: ["DENY", "REVIEW", "STEP_UP", "NOTICE"],
    SEGMENT: ["DENY", "NOTICE"],
    DEFAULT: ["DENY", "NOTICE"],
  };
  const table = Object.entries(allowed).flatMap(([ruleClass, breaches]) =>
    ["DENY", "REVIEW", "STEP_UP", "NOTICE"].map((breach) => ({
      ruleClass,
      breach,
      may: breaches.includes(breach),
    })),
  );
  test.each(table)("$ruleClass, $breach: $may", ({ ruleClass, breach, may }) => {
    const on_unknown = said[ruleClass as keyof typeof said];
    const found = findFaults(limits({ class: ruleClass, breach, ...(on_unknown && { on_unknown }) }));
    expect(found).toEqual(may ? [] : ["breach-not-allowed limits[0].breach"]);
  });

  test("PSPs and their accounts are excluded or told of, and nothing else", () => {
    for (const subject of ["PSP", "MID"]) {
      for (const breach of ["EXCLUDE_PSP", "NOTICE", undefined])
        expect(findFaults(limits({ subject, ...(breach && { breach }) }))).toEqual([]);
      for (const breach of ["DENY", "REVIEW", "STEP_UP"])
        expect(findFaults(limits({ subject, breach }))).toEqual(["breach-not-allowed limits[0].breach"]);
    }
  });

  test("actions are those that rules of the class may have", () => {
    const acting = (ruleClass: string, kind: string) =>
      findFaults(limits({ class: ruleClass, on_unknown: "SKIP", actions: [{ kind }] }));
    expect(acting("RISK", "OFFER")).toEqual([]);
    expect(acting("SAFER_GAMBLING", "COOL_OFF_PROMPT")).toEqual([]);
    expect(acting("REGULATORY", "OFFER")).toEqual(["action-not-allowed limits[0].actions[0].kind"]);
    expect(acting("DEFAULT", "COOL_OFF_PROMPT")).toEqual(["effect-not-allowed limits[0].actions"]);
  });
});

describe("what a limit measures", () => {
  test("each subject has its measures", () => {
    for (const subject of ["PLAYER", "CARD", "DEVICE", "IP", "BIN", "BRAND"]) {
      const hasNet = subject === "PLAYER" || subject === "BRAND";
      expect(findFaults(limits({ subject, measure: "NET", thresholds: [eur(5)] }))).toEqual(
        hasNet ? [] : ["not-for-subject limits[0].measure"],
      );
      for (const distinct_of of ["card", "device", "ip", "player", "method"]) {
        const isSelf = subject.toLowerCase() === distinct_of;
        expect(findFaults(limits({ subject, measure: "DISTINCT", distinct_of }))).toEqual(
          isSelf ? ["not-for-subject limits[0].distinct_of"] : [],
        );
      }
    }
  });

  test("clearing is for payments", () => {
    expect(findFaults(limits({ counted_at: "CLEARED" }))).toEqual([]);
    expect(findFaults(limits({ counted_at: "CLEARED", counted: "AUTHORISATIONS" }))).toEqual([
      "not-for-measure limits[0].counted_at",
    ]);
  });

  test("thresholds may be for states of lifecycles", () => {
    const lifecycles = [{ id: "life", states: [{ id: "old", when: "player.age > 60" }, { id: "new" }] }];
    const staged = limits({ thresholds: [{ segment: "life.old", count: 2 }, { count: 1 }] });
    expect(findFaults({ lifecycles, ...staged })).toEqual([]);
  });

  test("currencies that cannot be converted are a warning, those that can are none", () => {
    const psps = [{ id: "a", methods: ["card"], currencies: ["EUR", "SEK", "GBP"] }];
    const fx_rates = [{ from: "EUR", to: "SEK", rate: "11" }];
    const sums = limits({ measure: "GROSS", thresholds: [eur(5)] });
    expect(findFaults({ psps, fx_rates, ...sums })).toEqual(["no-rate limits[0].thresholds"]);
    const both = [...fx_rates, { from: "GBP", to: "EUR", rate: "1.1" }];
    expect(findFaults({ psps, fx_rates: both, ...sums })).toEqual([]);
    expect(findFaults({ psps, ...limits({}) })).toEqual([]);
  });
});

describe("packs", () => {
  test("their parts must say what unknown does", () => {
    const parts = { rules: [ban("r", { on_unknown: undefined })], limits: [limit({ class: "REGULATORY" })] };
    expect(findFaults(packs(parts))).toEqual([
      "on-unknown-missing policy_packs[0].rules[0].on_unknown",
      "on-unknown-missing policy_packs[0].limits[0].on_unknown",
    ]);
  });

  test("no two parts have one name", () => {
    const twice = {
      policy_packs: [packOf({ rules: [ban("b.c")] }, "a"), packOf({ rules: [ban("c")] }, "a.b")],
    };
    expect(findFaults(twice)).toEqual(["duplicate-id policy_packs[1].rules[0].id"]);
    const alike = packs({ rules: [ban("x")], limits: [packed("x")] });
    expect(findFaults(alike)).toEqual(["duplicate-id policy_packs[0].rules[0].id"]);
    expect(
      findFaults({ policy_packs: [packOf({ rules: [ban("x")] }, "a"), packOf({ rules: [ban("x")] }, "b")] }),
    ).toEqual([]);
  });

  test("keep what was the law, but end after they begin", () => {
    const past = { from: "2020-01-01T00:00:00Z", until: "2021-01-01T00:00:00Z" };
    expect(
      findFaults(packs({ ...past, rules: [ban("r", past)], limits: [{ ...packed("l"), ...past }] })),
    ).toEqual([]);
    expect(findFaults({ rules: [ban("r", past)] })).toEqual(["until-in-past rules[0].until"]);
    expect(findFaults(limits(past))).toEqual(["until-in-past limits[0].until"]);
    const turned = { from: past.until, until: past.from };
    expect(findFaults(packs(turned))).toEqual(["until-not-after-from policy_packs[0].until"]);
  });

  test("have rules that count", () => {
    const document = {
      psps: [{ id: "a", methods: ["card"] }],
      rules: [ban("r")],
      ...packs({ rules: [ban("r")] }),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const judged = judgeDocument({ document: bytes, format: "JSON", nowMs: testNowMs, sha256 });
    expect(judged.compilation.ruleCount).toBe(2);
  });

  test("believe the BIN table like all of the law", () => {
    const trusting = [{ id: "debit", when: 'card.funding == "debit"' }];
    const rules = [ban("r", { when: 'segment("debit")' })];
    expect(findFaults({ segments: trusting, ...packs({ rules }) })).toEqual([
      "strict-funding policy_packs[0].rules[0].when",
    ]);
  });
});
