/** What is known of players for safer gambling, anti-money-laundering and marketing leaves by the admin's door only. */
import { toJson } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DecideResponseSchema, DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { EventService } from "../../src/gen/switchyard/v1/event_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { connectAdmin, connectGateway, post, startService, type TestService } from "../helpers/service.ts";

const nowMs = Date.UTC(2026, 4, 4, 12);

/** Whatever has `secret` in its name is for one of these. */
const ruleSet = {
  name: "purposes",
  psps: [{ id: "psp", methods: ["card"] }],
  attributes: [
    { name: "secret_score", subject: "PLAYER", type: "INT", purposes: ["RG"] },
    { name: "secret_source", subject: "PLAYER", type: "STRING", purposes: ["AML"] },
  ],
  features: [
    {
      id: "secret_declines",
      purposes: ["RG"],
      aggregate: { function: "COUNT", events: ["payment_declined"], window: { rolling: "24h" } },
    },
    { id: "made_of_secrets", derived: "feature.secret_declines * 1000 + 77" },
    { id: "made_twice", derived: "feature.made_of_secrets * 1000 + 33" },
  ],
  segments: [
    { id: "secret-harm", purposes: ["RG"], when: "feature.secret_declines >= 2 && player.secret_score >= 5" },
    { id: "secret-money", purposes: ["AML"], when: 'player.secret_source == "cash"' },
    { id: "secret-offer", purposes: ["MARKETING"], when: "player.id != ''" },
  ],
  limits: [
    {
      id: "secret-weekly",
      class: "SAFER_GAMBLING",
      on_unknown: "APPLY",
      measure: "GROSS",
      window: { rolling: "7d" },
      thresholds: [{ amount: { minor_units: 123_456, currency_code: "EUR" } }],
    },
    {
      id: "velocity",
      class: "RISK",
      measure: "COUNT",
      counted: "AUTHORISATIONS",
      window: { rolling: "1h" },
      thresholds: [{ segment: "secret-harm", count: 4 }, { count: 50 }],
    },
  ],
  rules: [
    {
      id: "secret-protect",
      class: "SAFER_GAMBLING",
      on_unknown: "SKIP",
      when: 'segment("secret-harm")',
      effects: { actions: [{ kind: "REFER_TO_HUMAN", key: "secret-case" }] },
    },
    {
      id: "open",
      class: "RISK",
      when: "feature.made_of_secrets > 0 && feature.made_twice > 0",
      effects: { score: 7 },
    },
  ],
};

let service: TestService;

beforeAll(async () => {
  const complete = { complete_since: "2026-01-01T00:00:00Z" };
  service = await startService({ merchants: { default: complete }, clock: { nowMs: () => nowMs } });
  const content = Buffer.from(JSON.stringify(ruleSet)).toString("base64");
  const pushed = await post(service, "RuleSetService/Push", {
    document: { content, format: "JSON" },
    author: "test",
    activate: true,
  });
  expect(pushed.status, JSON.stringify(pushed.body)).toBe(200);
  await connectAdmin(EventService, service).ingestEvents({
    events: [1, 2, 3].map((place) => ({
      eventId: `d-${place}`,
      playerId: "p",
      type: "payment_declined",
      occurredAt: { seconds: BigInt(nowMs / 1_000 - place) },
      source: "wallet",
      paymentId: `pay-${place}`,
    })),
  });
  await connectAdmin(PlayerService, service).updatePlayer({
    playerId: "p",
    attributes: {
      secret_score: { value: { kind: { case: "numberValue", value: 9 } } },
      secret_source: { value: { kind: { case: "stringValue", value: "cash" } } },
    },
  });
});

afterAll(() => service.stop());

const request = {
  playerId: "p",
  kind: "deposit",
  amount: { minorUnits: 5_000n, currencyCode: "EUR" },
  method: "card",
  playerCountry: "DK",
  trace: true,
};

test("a gateway is told nothing of them, in the answer or in the trace, and an admin all", async () => {
  const admin = await connectAdmin(DecisionService, service).decide({ ...request, paymentId: "a" });
  const told = JSON.stringify(toJson(DecideResponseSchema, admin));
  for (const { id } of [...ruleSet.segments, ...ruleSet.features, ...ruleSet.limits])
    expect(told).toContain(id);
  for (const value of ["secret-case", "3077", "3077033", "123456"]) expect(told).toContain(value);

  const gateway = await connectGateway(DecisionService, service).decide({ ...request, paymentId: "g" });
  const shown = toJson(DecideResponseSchema, gateway);
  expect(shown).toMatchObject({
    riskScore: 7,
    matchedRules: [{ id: "open" }],
    limits: [{ limitId: "velocity" }],
  });
  expect(JSON.stringify(shown)).not.toMatch(/secret|3077|123456|cash/);
});

const sell = { actions: [{ kind: "OFFER", key: "o" }] };
const campaign = { id: "c", campaign: true };
const rule = { id: "r", class: "SEGMENT", effects: sell };
const limit = {
  ...{ id: "l", class: "SEGMENT", measure: "COUNT", window: { rolling: "1d" }, breach: "NOTICE" },
  ...{ thresholds: [{ count: 3 }], ...sell },
};
/** Ways by which a fact for safer gambling only could come to those who sell. */
const ways = {
  ...ruleSet,
  event_types: [{ name: "harm_seen", purposes: ["RG"] }],
  features: [
    ...ruleSet.features,
    { id: "chased", marker: "chasing_losses" },
    { id: "scored", derived: "player.secret_score" },
    { id: "modelled", model: "mod" },
    { id: "seen", aggregate: { function: "COUNT", events: ["harm_seen"], window: { rolling: "7d" } } },
    { id: "bets", aggregate: { function: "COUNT", events: ["bet"], window: { rolling: "7d" } } },
  ],
  models: [
    {
      ...{ id: "mod", model_version: "1", inputs: ["scored"] },
      logistic: { intercept: 0.1, weights: [{ input: "scored", weight: 1 }] },
    },
  ],
  segments: [...ruleSet.segments, { id: "via", when: 'segment("secret-harm")' }],
  lifecycles: [{ id: "life", states: [{ id: "bad", when: "feature.made_twice > 0" }, { id: "rest" }] }],
};

test.each<[string, { segments?: object[]; rules?: object[]; limits?: object[] }]>([
  ["a marker, by a campaign", { segments: [{ ...campaign, when: "feature.chased" }] }],
  ["a derived feature, by a campaign", { segments: [{ ...campaign, when: "feature.made_twice > 0" }] }],
  ["a model, by a campaign", { segments: [{ ...campaign, when: "feature.modelled > 0.5" }] }],
  ["events, by a campaign", { segments: [{ ...campaign, when: "feature.seen > 0" }] }],
  ["a segment of a segment, by a campaign", { segments: [{ ...campaign, when: 'segment("via")' }] }],
  [
    "an exit, by a campaign",
    { segments: [{ ...campaign, when: "feature.bets > 1", exit_when: "feature.made_twice > 0" }] },
  ],
  ["the rest of a lifecycle, by a campaign", { segments: [{ ...campaign, when: 'segment("life.rest")' }] }],
  ["a model, by an offer", { rules: [{ ...rule, when: "feature.modelled > 0.5" }] }],
  ["a lifecycle, by an offer", { rules: [{ ...rule, when: 'segment("life.bad")' }] }],
  ["what a limit applies to", { limits: [{ ...limit, applies: 'segment("via")' }] }],
  [
    "the segment of a threshold",
    { limits: [{ ...limit, thresholds: [{ segment: "life.bad", count: 2 }, { count: 3 }] }] },
  ],
  ["the key of a limit", { limits: [{ ...limit, subject: "KEY", key: 'feature.chased ? "a" : "b"' }] }],
])("nobody sells by %s", async (_, { segments = [], rules = [], limits = [] }) => {
  const document = {
    ...ways,
    segments: [...ways.segments, ...segments],
    rules: [...ways.rules, ...rules],
    limits: [...ways.limits, ...limits],
  };
  const content = Buffer.from(JSON.stringify(document)).toString("base64");
  const { body } = await post(service, "RuleSetService/Validate", { document: { content, format: "JSON" } });
  const errors = (body.faults as { severity: string; rule: string }[]).filter(
    ({ severity }) => severity === "ERROR",
  );
  expect(errors.map((fault) => fault.rule)).toEqual(["marketing-reads-protected"]);
});
