import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { NullValue, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DecideResponse,
  DecideResponse_Verdict,
  DecisionService,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import { FieldFaultSchema, MissingSchema } from "../../src/gen/switchyard/v1/fault_pb.js";
import {
  OverrideSchema,
  OverrideService,
  OverrideStatus_State,
} from "../../src/gen/switchyard/v1/override_pb.js";
import { PlayerService, Restriction_Kind } from "../../src/gen/switchyard/v1/player_pb.js";
import { PspService, PspStatus_State } from "../../src/gen/switchyard/v1/psp_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { catchError, expectConflict, expectFaults } from "../helpers/refusals.ts";
import { connectAdmin, connectGateway, startService, type TestService } from "../helpers/service.ts";

const { APPROVE_ROUTE, DENY } = DecideResponse_Verdict;
const day = 86_400_000;
const startMs = Date.UTC(2026, 10, 16, 12);
const clock = { at: startMs, nowMs: () => clock.at };

const ruleSet = `
psps:
  - { id: alpha, methods: [card] }
  - { id: bravo, methods: [card] }
attributes:
  - { name: level, subject: PLAYER, type: INT }
  - { name: tier, subject: PLAYER, type: STRING, values: [none, gold] }
  - { name: seen_at, subject: PLAYER, type: TIMESTAMP }
  - { name: tags, subject: PLAYER, type: STRING_LIST }
segments:
  - { id: gold, when: has(player.tier) && player.tier == "gold" }
rules:
  - { id: order, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
  - { id: risky, class: RISK, when: 'payment.amount_in("EUR") > 100000', effects: { deny: {} } }
  - { id: law, class: REGULATORY, when: 'payment.player_country == "IN"', on_unknown: SKIP, effects: { deny: {} } }
`;

/** One merchant for each group, so that none sees what another left. */
const merchantIds = ["psps", "overrides", "players"] as const;
type MerchantId = (typeof merchantIds)[number];

let service: TestService;
let gateway: Client<typeof DecisionService>;

beforeAll(async () => {
  service = await startService({ clock, merchants: Object.fromEntries(merchantIds.map((id) => [id, {}])) });
  gateway = connectGateway(DecisionService, service);
  const rules = connectAdmin(RuleSetService, service);
  const document = { content: new TextEncoder().encode(ruleSet) };
  for (const merchantId of merchantIds)
    await rules.push({ merchantId, document, author: "test", activate: true });
});

afterAll(() => service.stop());

describe("states of PSPs", () => {
  const merchantId = "psps";
  const author = "ann";
  const reason = "an outage";

  test("act at once: a draining PSP is in no new plan, a disabled one is cut from those that stand", async () => {
    const psps = connectAdmin(PspService, service);
    const set = (state: PspStatus_State) =>
      psps.setPspState({ merchantId, psp: "alpha", state, author, reason });
    expect(listPsps(await decide(merchantId, "pay-1"))).toEqual(["alpha", "bravo"]);

    await set(PspStatus_State.DRAINING);
    expect(listPsps(await decide(merchantId, "pay-2"))).toEqual(["bravo"]);
    expect(listPsps(await decide(merchantId, "pay-1"))).toEqual(["alpha", "bravo"]);

    const { psp } = await set(PspStatus_State.DISABLED);
    expect(psp).toMatchObject({
      psp: "alpha",
      state: PspStatus_State.DISABLED,
      author,
      reason,
      methods: ["card"],
    });
    expect(psp?.since).toEqual(timestampFromMs(clock.at));
    expect(listPsps(await decide(merchantId, "pay-3"))).toEqual(["bravo"]);
    const cut = await decide(merchantId, "pay-1");
    expect(listPsps(cut)).toEqual(["bravo"]);
    expect(cut.plan?.cut.map(({ code }) => code)).toEqual(["PSP_DISABLED"]);

    await set(PspStatus_State.ENABLED);
    expect(listPsps(await decide(merchantId, "pay-4"))).toEqual(["alpha", "bravo"]);
    const listed = await psps.listPsps({ merchantId });
    expect(listed.psps.map(({ psp: id, state }) => [id, state])).toEqual([
      ["alpha", PspStatus_State.ENABLED],
      ["bravo", PspStatus_State.ENABLED],
    ]);
  });

  test("with all of them down the answer is ALL_ROUTES_DOWN", async () => {
    const psps = connectAdmin(PspService, service);
    for (const psp of ["alpha", "bravo"])
      await psps.setPspState({ merchantId, psp, state: PspStatus_State.DISABLED, author, reason });
    const { verdict, reasons } = await decide(merchantId, "pay-down");
    expect([verdict, reasons[0]?.code]).toEqual([DENY, "ALL_ROUTES_DOWN"]);
    for (const psp of ["alpha", "bravo"])
      await psps.setPspState({ merchantId, psp, state: PspStatus_State.ENABLED, author, reason });
  });

  test("take a known PSP, a state, an author and a reason", async () => {
    const psps = connectAdmin(PspService, service);
    expectFaults(
      await catchError(psps.setPspState({ merchantId })),
      "state required",
      "psp required",
      "author required",
      "reason required",
    );
    const state = PspStatus_State.DISABLED;
    const unknown = await catchError(psps.setPspState({ merchantId, psp: "zulu", state, author, reason }));
    expect(unknown.code).toBe(Code.NotFound);
    expect(unknown.findDetails(MissingSchema)).toMatchObject([{ kind: "psp", id: "zulu" }]);
  });
});

describe("overrides", () => {
  const merchantId = "overrides";
  const iso = (ms: number): string => new Date(ms).toISOString();
  const noted = {
    id: "trust",
    subject: { playerId: "player-1" },
    effects: { allow: ["risky"] },
  };
  const whole = { ...noted, author: "ann", reason: "known to the desk", until: iso(startMs + day) };
  /** Takes protobuf JSON, as a person would write it. */
  const put = (override: JsonObject, expectedRevision?: bigint) =>
    connectAdmin(OverrideService, service).putOverride({
      merchantId,
      override: fromJson(OverrideSchema, override),
      ...(expectedRevision === undefined ? {} : { expectedRevision }),
    });

  test("need an author, a reason and an end", async () => {
    expectFaults(
      await catchError(put(noted)),
      "override.until required",
      "override.author required",
      "override.reason required",
    );
    expectFaults(
      await catchError(put({})),
      "override.id required",
      "override.until required",
      "override.effects required",
      "override.subject required",
      "override.author required",
      "override.reason required",
    );
  });

  test.each([
    ["to the end of the 90th day", 90 * day, undefined],
    ["a millisecond longer", 90 * day + 1, "override.until at-most-90-days"],
    ["into the past", -1, "override.until after-from"],
  ])("live at most 90 days: %s", async (_, lifeMs, fault) => {
    const call = put({ ...whole, id: "long", from: iso(clock.at), until: iso(clock.at + lifeMs) });
    if (fault === undefined) {
      expect((await call).override?.state).toBe(OverrideStatus_State.ACTIVE);
      await connectAdmin(OverrideService, service).expireOverride({ merchantId, id: "long", author: "ann" });
    } else expect(await readFirstFault(call)).toBe(fault);
  });

  test.each([
    ["a PSP that does not exist", { effects: { requirePsps: ["zulu"] } }, "unknown-psp"],
    ["a rule that does not exist", { effects: { allow: ["nothing"] } }, "unknown-rule"],
    ["a rule of the law", { effects: { allow: ["law"] } }, "lifts-risk-only"],
    [
      "an effect of other classes",
      { effects: { amountCap: { minorUnits: "1", currencyCode: "EUR" } } },
      "effect-not-allowed",
    ],
    ["a condition with a fault", { when: "payment.nothing == 1" }, "unknown-name"],
    ["a segment that does not exist", { subject: { segment: "zulu" } }, "unknown-segment"],
  ] satisfies [string, JsonObject, string][])("may not name %s", async (_, more, rule) => {
    expect(await readFirstFault(put({ ...whole, ...more }))).toContain(` ${rule}`);
  });

  test("act from the next decision on until they are ended, at once", async () => {
    const overrides = connectAdmin(OverrideService, service);
    const large = { amount: { minorUnits: 100_001n, currencyCode: "EUR" } };
    expect((await decide(merchantId, "pay-1", large)).verdict).toBe(DENY);
    const { revision } = await put(whole);
    const allowed = await decide(merchantId, "pay-2", large);
    expect([allowed.verdict, allowed.overrideRevision]).toEqual([APPROVE_ROUTE, revision]);
    expectConflict(await catchError(put(whole, revision - 1n)), revision - 1n, revision);

    const ended = await overrides.expireOverride({ merchantId, id: "trust", author: "bob" });
    expect(ended.override?.state).toBe(OverrideStatus_State.EXPIRED);
    expect((await decide(merchantId, "pay-3", large)).verdict).toBe(DENY);
    // The plan that it allowed is cut too.
    expect(listPsps(await decide(merchantId, "pay-2", large))).toEqual([]);

    const listed = async (includeExpired: boolean) =>
      (await overrides.listOverrides({ merchantId, includeExpired })).overrides.map(
        (each) => each.override?.id,
      );
    expect(await listed(false)).toEqual([]);
    expect(await listed(true)).toContain("trust");
    expect((await catchError(overrides.expireOverride({ merchantId, id: "none", author: "bob" }))).code).toBe(
      Code.NotFound,
    );
  });

  test("of two that were put on one revision exactly one wins", async () => {
    const { revision } = await connectAdmin(OverrideService, service).listOverrides({ merchantId });
    const both = await Promise.allSettled(["one", "two"].map((id) => put({ ...whole, id }, revision)));
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("players", () => {
  const merchantId = "players";
  type Value = string | number | boolean | readonly string[] | null;

  const wire = (value: Value) => {
    if (value === null) return { kind: { case: "nullValue", value: NullValue.NULL_VALUE } } as const;
    if (typeof value === "string") return { kind: { case: "stringValue", value } } as const;
    if (typeof value === "number") return { kind: { case: "numberValue", value } } as const;
    if (typeof value === "boolean") return { kind: { case: "boolValue", value } } as const;
    const values = value.map((each) => ({ kind: { case: "stringValue", value: each } }) as const);
    return { kind: { case: "listValue", value: { values } } } as const;
  };
  const update = (playerId: string, name: string, value: Value, more: object = {}) =>
    connectAdmin(PlayerService, service).updatePlayer({
      merchantId,
      playerId,
      attributes: { [name]: { value: wire(value), ...more } },
    });
  const get = (playerId: string) => connectAdmin(PlayerService, service).getPlayer({ merchantId, playerId });

  test.each([
    ["level", 7, undefined],
    ["level", 7.5, "attributes.level.value type"],
    ["level", "7", "attributes.level.value type"],
    ["level", 2 ** 53, "attributes.level.value type"],
    ["tier", "gold", undefined],
    ["tier", "golden", "attributes.tier.value declared-value"],
    ["tier", true, "attributes.tier.value type"],
    ["tags", ["a", "b"], undefined],
    ["tags", "a", "attributes.tags.value type"],
    ["seen_at", "2026-01-01T00:00:00.000Z", undefined],
    ["seen_at", "yesterday", "attributes.seen_at.value type"],
    ["kyc_country", "DK", undefined],
    ["kyc_country", "XX", "attributes.kyc_country.value iso-3166"],
    ["birth_date", "1990-12-31", undefined],
    ["birth_date", "1990-02-30", "attributes.birth_date.value type"],
    ["unheard_of", 1, "attributes.unheard_of declared"],
  ] as const)("have typed attributes: %s may be %j, or why not: %s", async (name, value, fault) => {
    const call = update("typed", name, value);
    if (fault === undefined) expect((await call).player?.attributes[name]?.value).toMatchObject(wire(value));
    else expect(await readFirstFault(call)).toBe(fault);
  });

  test("forget an attribute when its time to live is over", async () => {
    await update("brief", "tier", "gold", { ttl: { seconds: 60n } });
    expect((await get("brief")).segments).toEqual(["gold"]);
    clock.at += 59_999;
    expect((await get("brief")).segments).toEqual(["gold"]);
    clock.at += 1;
    expect((await get("brief")).segments).toEqual([]);
  });

  test("ignore a value that is older than the stored one, and refuse one from the future", async () => {
    await update("late", "level", 2, { setAt: timestampFromMs(clock.at - 1_000) });
    const older = await update("late", "level", 1, { setAt: timestampFromMs(clock.at - 1_001) });
    expect(older.ignored).toEqual(["level"]);
    expect(older.player?.attributes.level?.value).toMatchObject(wire(2));
    const newer = await update("late", "level", 3, { setAt: timestampFromMs(clock.at - 999) });
    expect([newer.ignored, newer.player?.attributes.level?.value]).toMatchObject([[], wire(3)]);
    const removed = await update("late", "level", null, { setAt: timestampFromMs(clock.at - 500) });
    expect(removed.player?.attributes).not.toHaveProperty("level");
    const afterwards = await update("late", "level", 5, { setAt: timestampFromMs(clock.at - 501) });
    expect([afterwards.ignored, afterwards.player?.attributes.level]).toEqual([["level"], undefined]);
    const future = update("late", "level", 4, { setAt: timestampFromMs(clock.at + 1) });
    expect(await readFirstFault(future)).toBe("attributes.level.set_at not-in-the-future");
  });

  test("keep a restriction to its end: it is made longer, never shorter, and no update takes it away", async () => {
    const players = connectAdmin(PlayerService, service);
    const playerId = "excluded";
    const restrict = (untilMs: number, more: object = {}) =>
      players.setRestriction({
        merchantId,
        playerId,
        restriction: {
          kind: Restriction_Kind.SELF_EXCLUSION,
          source: "here",
          until: timestampFromMs(untilMs),
          ...more,
        },
      });
    const endMs = clock.at + 10 * day;
    await restrict(endMs);
    expect(await readFirstFault(restrict(endMs - 1))).toBe("restriction.until never-shorter");
    expect(await readFirstFault(restrict(endMs, { clear: true }))).toBe(
      "restriction.clear restriction-stands",
    );
    expect(await readFirstFault(restrict(endMs, { returned: true }))).toBe(
      "restriction.returned restriction-stands",
    );
    expect(await readFirstFault(restrict(endMs, { from: timestampFromMs(clock.at + day) }))).toBe(
      "restriction.from never-shorter",
    );
    await restrict(endMs + day);
    await update(playerId, "tier", "gold");
    const { player } = await get(playerId);
    expect(player?.restrictions).toMatchObject([{ until: timestampFromMs(endMs + day) }]);
    expect(player?.marketingSuppressed).toBe(true);
    expect((await decide(merchantId, "pay-1", { playerId })).verdict).toBe(DENY);
    clock.at = endMs + day;
    expect((await decide(merchantId, "pay-2", { playerId })).verdict).toBe(APPROVE_ROUTE);
    expect((await get(playerId)).player?.marketingSuppressed).toBe(true);
  });

  test("are NotFound where nothing was ever stored", async () => {
    const error = await catchError(get("nobody"));
    expect(error.code).toBe(Code.NotFound);
    expect(error.findDetails(MissingSchema)).toMatchObject([{ kind: "player", id: "nobody" }]);
  });
});

function decide(merchantId: MerchantId, paymentId: string, more: object = {}): Promise<DecideResponse> {
  return gateway.decide({
    merchantId,
    paymentId,
    playerId: "player-1",
    kind: "deposit",
    amount: { minorUnits: 5_000n, currencyCode: "EUR" },
    method: "card",
    playerCountry: "DK",
    ...more,
  });
}

/** PSPs of the plan, without the step-ups. */
function listPsps({ plan }: DecideResponse): readonly string[] {
  return [...new Set(plan?.steps.map(({ psp }) => psp))];
}

async function readFirstFault(call: Promise<unknown>): Promise<string> {
  const error = await catchError(call);
  expect(error.code).toBe(Code.InvalidArgument);
  const [fault] = error.findDetails(FieldFaultSchema);
  return `${fault?.field} ${fault?.rule}`;
}
