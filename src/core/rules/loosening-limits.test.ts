import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../test/helpers/compile.ts";
import { judgeDocument } from "./compile/compile.ts";
import { type DiffSide, diffRuleSets } from "./diff.ts";

const base = `
psps: [{ id: alpha, methods: [card] }]
attributes: [{ name: level, subject: PLAYER, type: INT }]
lists: [{ id: watched, values: [card, sepa] }]
fx_rates: [{ from: EUR, to: SEK, rate: "11" }]
features:
  - { id: deposits, aggregate: { function: COUNT, events: [payment_approved] } }
  - { id: risk, model: linear }
models:
  - { id: linear, inputs: [deposits], logistic: { weights: [{ input: deposits, weight: 1 }] } }
  - { id: loose, inputs: [deposits], logistic: { weights: [{ input: deposits, weight: 3 }] } }
  - { id: trees, inputs: [deposits], xgboost_json: '[{ "nodeid": 0, "leaf": 0.5 }]' }
segments:
  - { id: young, when: player.level < 3 }
  - { id: risky, when: feature.risk > 0.5 }
limits:
  - id: weekly
    class: SAFER_GAMBLING
    on_unknown: APPLY
    kinds: [deposit]
    measure: GROSS
    window: { calendar: { period: WEEK, zone: Europe/Berlin } }
    counts: event.method in list("watched")
    applies: payment.method == "card" || segment("risky")
    thresholds: [{ segment: young, amount: { minor_units: 100, currency_code: EUR } }, { amount: { minor_units: 200, currency_code: EUR } }]
    breach: REVIEW
    from: 2026-02-01T00:00:00Z
    until: 2027-02-01T00:00:00Z
    actions: [{ kind: LIMIT_PROMPT, key: k }]
  - { id: net, class: REGULATORY, on_unknown: SKIP, measure: NET, window: { rolling: 7d }, thresholds: [{ amount: { minor_units: 300, currency_code: EUR } }] }
  - { id: often, class: RISK, measure: COUNT, window: { rolling: 24h }, thresholds: [{ count: 5 }] }
policy_packs:
  - id: gb
    jurisdiction: GB
    from: 2026-02-01T00:00:00Z
    until: 2027-02-01T00:00:00Z
    zone: Europe/London
    limit_increase_wait: 24h
    limits:
      - { id: daily, class: REGULATORY, on_unknown: APPLY, measure: COUNT, window: { calendar: { period: DAY } }, thresholds: [{ count: 7 }] }
    rules:
      - { id: ban, class: REGULATORY, on_unknown: APPLY, when: card.funding == "credit", effects: { deny: {} } }
  - { id: ie, jurisdiction: IE, zone: Europe/Dublin }
`;

function readSide(text: string): DiffSide {
  const document = new TextEncoder().encode(text);
  const judged = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  if (judged.accepted === undefined) throw new Error(JSON.stringify(judged.compilation.faults));
  return judged.accepted;
}

const before = readSide(base);

/** `section id` of what differs once this text stands for that one, with `!` where it may loosen. */
function edit(from: string, to: string): readonly string[] {
  if (!base.includes(from)) throw new Error(`${from} is not in the base`);
  return diffRuleSets(before, readSide(base.replace(from, to))).map(
    ({ section, id, loosens }) => `${section} ${id}${loosens ? "!" : ""}`,
  );
}

const weeklyCases: readonly { name: string; from: string; to: string; loosens: boolean }[] = [
  { name: "a raised threshold", from: "minor_units: 200", to: "minor_units: 201", loosens: true },
  {
    name: "a raised threshold of a segment",
    from: "minor_units: 100",
    to: "minor_units: 101",
    loosens: true,
  },
  { name: "a lowered threshold", from: "minor_units: 200", to: "minor_units: 199", loosens: false },
  {
    name: "one segment less",
    from: "{ segment: young, amount: { minor_units: 100, currency_code: EUR } }, ",
    to: "",
    loosens: true,
  },
  { name: "a threshold for another segment", from: "segment: young,", to: "segment: risky,", loosens: true },
  { name: "a gentler breach", from: "breach: REVIEW", to: "breach: STEP_UP", loosens: true },
  { name: "a harder breach", from: "breach: REVIEW", to: "breach: DENY", loosens: false },
  {
    name: "an unknown that opens",
    from: "on_unknown: APPLY\n    kinds",
    to: "on_unknown: SKIP\n    kinds",
    loosens: true,
  },
  { name: "another window", from: "period: WEEK", to: "period: DAY", loosens: true },
  { name: "another zone", from: "zone: Europe/Berlin", to: "zone: Europe/Paris", loosens: true },
  {
    name: "another instant",
    from: "breach: REVIEW",
    to: "counted_at: CLEARED\n    breach: REVIEW",
    loosens: true,
  },
  { name: "another subject", from: "measure: GROSS", to: "subject: CARD\n    measure: GROSS", loosens: true },
  { name: "another measure", from: "measure: GROSS", to: "measure: NET", loosens: true },
  {
    name: "a weaker class",
    from: "class: SAFER_GAMBLING\n    on_unknown: APPLY",
    to: "class: RISK",
    loosens: true,
  },
  { name: "one kind more", from: "kinds: [deposit]", to: "kinds: [deposit, withdrawal]", loosens: false },
  { name: "other kinds", from: "kinds: [deposit]", to: "kinds: [withdrawal]", loosens: true },
  {
    name: "other payments that are counted",
    from: 'counts: event.method in list("watched")',
    to: 'counts: event.method == "card"',
    loosens: true,
  },
  {
    name: "other payments that are held up",
    from: 'payment.method == "card" ||',
    to: 'payment.method == "sepa" ||',
    loosens: true,
  },
  {
    name: "a condition written otherwise",
    from: 'payment.method == "card" ||',
    to: '(payment.method == "card") ||',
    loosens: false,
  },
  {
    name: "a later start",
    from: "from: 2026-02-01T00:00:00Z\n    until: 2027-02-01T00:00:00Z\n    actions",
    to: "from: 2026-02-02T00:00:00Z\n    until: 2027-02-01T00:00:00Z\n    actions",
    loosens: true,
  },
  {
    name: "an earlier end",
    from: "until: 2027-02-01T00:00:00Z\n    actions",
    to: "until: 2027-01-01T00:00:00Z\n    actions",
    loosens: true,
  },
  { name: "one action less", from: "    actions: [{ kind: LIMIT_PROMPT, key: k }]\n", to: "", loosens: true },
  {
    name: "another word for the player",
    from: "    breach: REVIEW",
    to: "    player_message_key: k\n    breach: REVIEW",
    loosens: false,
  },
];

describe("a limit of class 1 or 2", () => {
  test.each(weeklyCases)("$name", ({ from, to, loosens }) => {
    expect(edit(from, to)).toEqual([`limits weekly${loosens ? "!" : ""}`]);
  });

  test("may be stronger, and be more", () => {
    const stronger = "class: REGULATORY, on_unknown: SKIP, measure: NET";
    expect(edit(stronger, stronger.replace("REGULATORY", "SAFER_GAMBLING"))).toEqual(["limits net!"]);
    expect(
      edit(
        "limits:\n",
        "limits:\n  - { id: new, class: RISK, measure: COUNT, window: { rolling: 1h }, thresholds: [{ count: 1 }] }\n",
      ),
    ).toEqual(["limits new"]);
  });

  test("loosens by going, and by a floor that goes", () => {
    const net = / {2}- \{ id: net,.*\n/.exec(base)![0];
    expect(edit(net, "")).toEqual(["limits net!"]);
    expect(edit("measure: NET", "net_floor_none: true, measure: NET")).toEqual(["limits net!"]);
  });

  test("rests on segments, lists, features, models and rates", () => {
    expect(edit("player.level < 3", "player.level < 2")).toEqual(["segments young!"]);
    expect(edit("values: [card, sepa]", "values: [card]")).toEqual(["lists watched!"]);
    expect(edit("feature.risk > 0.5", "feature.risk > 0.6")).toEqual(["segments risky!"]);
    expect(edit("{ input: deposits, weight: 1 }", "{ input: deposits, weight: 2 }")).toEqual([
      "models linear!",
    ]);
    expect(edit("model: linear", "model: loose")).toEqual(["features risk!"]);
    expect(edit('rate: "11"', 'rate: "12"')).toEqual(["fx_rates EUR/SEK!"]);
  });

  test("does not rest on what it does not read", () => {
    expect(edit("{ input: deposits, weight: 3 }", "{ input: deposits, weight: 2 }")).toEqual([
      "models loose",
    ]);
    expect(
      edit(
        "inputs: [deposits], logistic: { weights: [{ input: deposits, weight: 1 }",
        "description: d, inputs: [deposits], logistic: { weights: [{ input: deposits, weight: 1 }",
      ),
    ).toEqual(["models linear"]);
  });
});

test("a limit of RISK may be loosened by anybody", () => {
  expect(edit("thresholds: [{ count: 5 }]", "thresholds: [{ count: 500 }]")).toEqual(["limits often"]);
});

describe("a pack", () => {
  const cases: readonly { name: string; from: string; to: string; loosens: boolean }[] = [
    { name: "of another country", from: "jurisdiction: GB", to: "jurisdiction: IE", loosens: true },
    {
      name: "that looks at where the player is too",
      from: "jurisdiction: GB",
      to: "jurisdiction: GB\n    physical: true",
      loosens: true,
    },
    {
      name: "that begins later",
      from: "from: 2026-02-01T00:00:00Z\n    until: 2027-02-01T00:00:00Z\n    zone",
      to: "from: 2026-02-02T00:00:00Z\n    until: 2027-02-01T00:00:00Z\n    zone",
      loosens: true,
    },
    {
      name: "that ends earlier",
      from: "until: 2027-02-01T00:00:00Z\n    zone",
      to: "until: 2027-01-01T00:00:00Z\n    zone",
      loosens: true,
    },
    {
      name: "that ends later",
      from: "until: 2027-02-01T00:00:00Z\n    zone",
      to: "until: 2027-03-01T00:00:00Z\n    zone",
      loosens: false,
    },
    {
      name: "with a shorter wait",
      from: "limit_increase_wait: 24h",
      to: "limit_increase_wait: 23h",
      loosens: true,
    },
    {
      name: "with a longer wait",
      from: "limit_increase_wait: 24h",
      to: "limit_increase_wait: 25h",
      loosens: false,
    },
    {
      name: "that asks for confirmation",
      from: "limit_increase_wait: 24h",
      to: "confirm_after_wait: true",
      loosens: false,
    },
    { name: "with a raised threshold", from: "count: 7", to: "count: 8", loosens: true },
    { name: "with a lowered threshold", from: "count: 7", to: "count: 6", loosens: false },
    { name: "in another zone", from: "zone: Europe/London", to: "zone: Europe/Dublin", loosens: true },
    {
      name: "with another condition",
      from: 'card.funding == "credit"',
      to: 'card.funding == "charge"',
      loosens: true,
    },
    {
      name: "with a rule that does less",
      from: "effects: { deny: {} }",
      to: "effects: { three_ds: { level: REQUIRE } }",
      loosens: true,
    },
    {
      name: "with a rule more",
      from: "    rules:\n",
      to: "    rules:\n      - { id: all, class: REGULATORY, on_unknown: SKIP, effects: { deny: {} } }\n",
      loosens: false,
    },
  ];
  test.each(cases)("$name", ({ from, to, loosens }) => {
    expect(edit(from, to)).toEqual([`policy_packs gb${loosens ? "!" : ""}`]);
  });

  test("loosens by going, whole or in part", () => {
    expect(edit(base.slice(base.indexOf("policy_packs:")), "")).toEqual([
      "policy_packs gb!",
      "policy_packs ie!",
    ]);
    expect(edit(/ {4}limits:\n {6}- \{ id: daily,.*\n/.exec(base)![0], "")).toEqual(["policy_packs gb!"]);
    expect(edit(/ {4}rules:\n {6}- \{ id: ban,.*\n/.exec(base)![0], "")).toEqual(["policy_packs gb!"]);
  });
});

test("the zone of a pack is that of players' own limits", () => {
  expect(edit("zone: Europe/Dublin", "zone: Europe/London")).toEqual(["policy_packs ie!"]);
});

test("a dump is told by its size and its hash", () => {
  const after = readSide(base.replace('"leaf": 0.5', '"leaf": 0.75'));
  const [change] = diffRuleSets(before, after);
  expect(change).toMatchObject({ section: "models", id: "trees", loosens: false });
  expect(change?.fields).toEqual([
    {
      path: "xgboost_json",
      before: expect.stringMatching(/^"30 characters, [0-9a-f]{32}"$/),
      after: expect.stringMatching(/^"31 characters, [0-9a-f]{32}"$/),
    },
  ]);
});
