import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeDeposit, makeMarkedRuleSet } from "../helpers/rule-sets.ts";
import { post, startService, type TestService } from "../helpers/service.ts";

let service: TestService;

beforeAll(async () => {
  service = await startService({ merchants: { default: {}, left: {}, right: {} } });
  // The same ids in both, so that only the merchant tells them apart.
  for (const merchantId of ["left", "right"]) await push(merchantId, `comment of ${merchantId}`);
});

afterAll(() => service.stop());

const extra = `  - { id: risky, class: RISK, when: 'has(player.level) && player.level > 3', effects: { deny: {} } }
attributes:
  - { name: level, subject: PLAYER, type: INT }
`;

async function call(method: string, body: JsonObject): Promise<JsonObject> {
  const { status, body: answer } = await post(service, method, body);
  expect({ method, status, answer }).toMatchObject({ status: 200 });
  return answer as JsonObject;
}

function push(merchantId: string, comment: string): Promise<JsonObject> {
  const content = Buffer.from(makeMarkedRuleSet("same", extra)).toString("base64");
  return call("RuleSetService/Push", {
    merchantId,
    document: { content },
    author: "test",
    comment,
    activate: true,
  });
}

function decide(merchantId: string, paymentId: string, more: JsonObject = {}): Promise<JsonObject> {
  return call("DecisionService/Decide", { ...makeDeposit(paymentId), merchantId, ...more });
}

test("a payment of one merchant is not the payment of the other", async () => {
  const left = await decide("left", "pay-1");
  const right = await decide("right", "pay-1", { amount: { minorUnits: "7", currencyCode: "EUR" } });
  expect(left.decisionId).not.toBe(right.decisionId);
  expect(keysOf(left)).not.toEqual(keysOf(right));
  expect(await decide("left", "pay-1")).toMatchObject({ replayed: true, decisionId: left.decisionId! });
  expect(right).not.toHaveProperty("replayed");
});

function keysOf({ plan }: JsonObject): unknown {
  return ((plan as JsonObject).steps as JsonObject[]).map(({ idempotencyKey }) => idempotencyKey);
}

test("a player of one merchant is not the player of the other", async () => {
  const playerId = "player-7";
  await call("PlayerService/UpdatePlayer", {
    merchantId: "left",
    playerId,
    attributes: { level: { value: 9 } },
  });
  expect(await decide("left", "pay-2", { playerId })).toMatchObject({ reasons: [{ code: "RISK" }] });
  await call("PlayerService/SetRestriction", {
    merchantId: "left",
    playerId,
    restriction: { kind: "OPERATOR_BLOCK", source: "here" },
  });
  expect(await decide("left", "pay-2-b", { playerId })).toMatchObject({
    reasons: [{ code: "OPERATOR_BLOCK" }, { code: "RISK" }],
  });
  expect(await decide("right", "pay-2", { playerId })).toMatchObject({ verdict: "APPROVE_ROUTE" });
  const { status } = await post(service, "PlayerService/GetPlayer", { merchantId: "right", playerId });
  expect(status).toBe(404);
});

test("an override of one merchant is none of the other", async () => {
  const override = {
    id: "block",
    subject: { everyone: true },
    author: "ann",
    reason: "an incident",
    until: new Date(Date.now() + 60_000).toISOString(),
    effects: { deny: {} },
  };
  await call("OverrideService/PutOverride", { merchantId: "left", override });
  expect(await decide("left", "pay-3")).toMatchObject({ verdict: "DENY", overrideRevision: "1" });
  const right = await decide("right", "pay-3");
  expect(right).toMatchObject({ verdict: "APPROVE_ROUTE" });
  expect(right).not.toHaveProperty("overrideRevision");
  expect(await call("OverrideService/ListOverrides", { merchantId: "right" })).toEqual({});
  const ended = await post(service, "OverrideService/ExpireOverride", {
    merchantId: "right",
    id: "block",
    author: "ann",
  });
  expect(ended.status).toBe(404);
  await call("OverrideService/ExpireOverride", { merchantId: "left", id: "block", author: "ann" });
});

test("a PSP that one merchant disables serves the other on", async () => {
  const psp = { psp: "psp-same", author: "ann", reason: "an outage" };
  await call("PspService/SetPspState", { merchantId: "left", ...psp, state: "DISABLED" });
  expect(await decide("left", "pay-4")).toMatchObject({
    verdict: "DENY",
    reasons: [{ code: "ALL_ROUTES_DOWN" }],
  });
  expect(await decide("right", "pay-4")).toMatchObject({ verdict: "APPROVE_ROUTE" });
  const { psps } = await call("PspService/ListPsps", { merchantId: "right" });
  expect(psps).toMatchObject([{ psp: "psp-same", state: "ENABLED" }]);
  await call("PspService/SetPspState", { merchantId: "left", ...psp, state: "ENABLED" });
});

test("versions are counted, listed and activated for each merchant by itself", async () => {
  expect(await push("left", "another")).toMatchObject({ version: { version: "2" } });
  const list = async (merchantId: string) =>
    ((await call("RuleSetService/List", { merchantId })).versions as JsonObject[]).map(
      ({ comment }) => comment,
    );
  expect(await list("left")).toEqual(["another", "comment of left"]);
  expect(await list("right")).toEqual(["comment of right"]);
  expect(await decide("right", "pay-5")).toMatchObject({ ruleSet: { version: "1" } });
  const missing = await post(service, "RuleSetService/Get", { merchantId: "right", version: "2" });
  expect(missing.status).toBe(404);
});

test("a merchant without rules is not served by another one's", async () => {
  for (const merchantId of ["default", ""]) {
    const { status, body } = await post(service, "DecisionService/Decide", {
      ...makeDeposit("pay-6"),
      merchantId,
    });
    expect([status, body.code]).toEqual([400, "failed_precondition"]);
  }
  const unknown = await post(service, "RuleSetService/List", { merchantId: "Left" });
  expect([unknown.status, unknown.body.code]).toEqual([404, "not_found"]);
});
