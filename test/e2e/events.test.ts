/** Events that are wrong, late, twice there or of nobody, over the real service: each gets its verdict and is counted, and nothing falls over. */
import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type Event,
  type EventResult,
  EventResult_Verdict,
  EventSchema,
  EventService,
  IngestEventStreamRequestSchema,
} from "../../src/gen/switchyard/v1/event_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { connectAdmin, connectGateway, post, startService, type TestService } from "../helpers/service.ts";

const nowMs = Date.UTC(2026, 4, 4, 12);
const doors = ["gateway", "admin"] as const;
type Door = (typeof doors)[number];

const ruleSet = {
  name: "events",
  psps: [{ id: "psp", methods: ["card"] }],
  event_types: [
    {
      name: "seat_taken",
      attributes: [
        { name: "table", type: "STRING", required: true },
        { name: "seats", type: "INT" },
        { name: "vip", type: "BOOL" },
      ],
    },
  ],
  features: [
    {
      id: "deposited_30d",
      aggregate: {
        function: "SUM",
        events: ["payment_approved"],
        currency: "EUR",
        window: { rolling: "30d" },
      },
    },
    {
      id: "games_7d",
      aggregate: { function: "DISTINCT", of: "game", events: ["game_open"], window: { rolling: "7d" } },
    },
    { id: "seats_7d", aggregate: { function: "COUNT", events: ["seat_taken"], window: { rolling: "7d" } } },
  ],
  segments: [
    { id: "depositor", when: "feature.deposited_30d >= 1" },
    { id: "seated", when: "feature.seats_7d >= 1" },
  ],
  lifecycles: [{ id: "table", states: [{ id: "sitting", when: 'segment("seated")' }, { id: "standing" }] }],
  limits: [
    {
      id: "weekly",
      class: "SAFER_GAMBLING",
      on_unknown: "APPLY",
      measure: "GROSS",
      window: { rolling: "7d" },
      thresholds: [
        { segment: "depositor", amount: { minor_units: 50_000, currency_code: "EUR" } },
        { amount: { minor_units: 20_000, currency_code: "EUR" } },
      ],
    },
    {
      id: "velocity",
      class: "RISK",
      measure: "COUNT",
      counted: "AUTHORISATIONS",
      window: { rolling: "1h" },
      thresholds: [{ count: 50 }],
    },
  ],
};

let service: TestService;
let clients: Record<Door, Client<typeof EventService>>;
let lastEvent = 0;
/** By merchant and verdict: what the service has told. */
const told = new Map<string, number>();

beforeAll(async () => {
  const merchants = Object.fromEntries(doors.map((door) => [door, {}]));
  service = await startService({ merchants, clock: { nowMs: () => nowMs } });
  clients = { gateway: connectGateway(EventService, service), admin: connectAdmin(EventService, service) };
  for (const merchantId of doors) expect((await push(merchantId, ruleSet)).status).toBe(200);
});

afterAll(() => service.stop());

/** Whatever came before, a good event is taken in right after. */
afterEach(async () => {
  for (const door of doors) expect(await sendOne(door, {})).toBe("ACCEPTED");
});

function push(merchantId: string, document: object) {
  const content = Buffer.from(JSON.stringify(document)).toString("base64");
  return post(service, "RuleSetService/Push", {
    merchantId,
    document: { content, format: "JSON" },
    author: "test",
    activate: true,
    confirmLoosening: true,
  });
}

/** A deposit of EUR 50 a minute ago, of an id of its own. */
function makeEvent(part: JsonObject): JsonObject {
  const id = `e-${++lastEvent}`;
  return {
    eventId: id,
    playerId: "ann",
    type: "payment_approved",
    occurredAt: at(-60_000),
    source: "wallet",
    amount: { minorUnits: "5000", currencyCode: "EUR" },
    paymentId: id,
    ...part,
  };
}

function at(afterMs: number): string {
  return new Date(nowMs + afterMs).toISOString();
}

const game = { type: "game_open", amount: null, paymentId: "" };
const seat = { type: "seat_taken", amount: null, paymentId: "" };

/** Sends a batch; what was told is noted. */
async function send(door: Door, events: readonly JsonObject[]): Promise<readonly string[]> {
  const { results } = await clients[door].ingestEvents({
    merchantId: door,
    events: events.map((event) => fromJson(EventSchema, event)),
  });
  return results.map((result) => note(door, result));
}

async function sendOne(door: Door, part: JsonObject): Promise<string> {
  return (await send(door, [makeEvent(part)]))[0]!;
}

/** The verdict with its faults, as `REFUSED type declared`. */
function note(door: Door, { verdict, faults }: EventResult): string {
  const name = EventResult_Verdict[verdict];
  told.set(`${door} ${name}`, (told.get(`${door} ${name}`) ?? 0) + 1);
  return [name, ...faults.map(({ field, rule }) => `${field} ${rule}`)].join(" ");
}

const many = Object.fromEntries(Array.from({ length: 65 }, (_, place) => [`a${place}`, 1]));

/** What differs from a good event, and what becomes of it. */
const bad: readonly (readonly [name: string, part: JsonObject, verdict: string])[] = [
  ["no id", { eventId: "" }, "REFUSED event_id required"],
  ["no player", { playerId: "" }, "REFUSED player_id required"],
  ["no type", { type: "" }, "REFUSED type required"],
  ["an unknown type", { type: "payment_aproved" }, "REFUSED type declared"],
  ["no instant", { occurredAt: null }, "REFUSED occurred_at required"],
  ["1970", { occurredAt: "1970-01-01T00:00:00Z" }, "REFUSED occurred_at out-of-range"],
  ["2170", { occurredAt: "2170-01-01T00:00:00Z" }, "QUARANTINED"],
  ["5 minutes and 1 ms ahead", { occurredAt: at(300_001) }, "QUARANTINED"],
  ["5 minutes ahead", { occurredAt: at(300_000) }, "CLAMPED"],
  ["no amount", { amount: null }, "REFUSED amount required"],
  ["a negative amount", { amount: money("-1") }, "REFUSED amount.minor_units positive"],
  ["an amount of 0", { amount: money("0") }, "REFUSED amount.minor_units positive"],
  ["2^53", { amount: money("9007199254740992") }, "REFUSED amount.minor_units safe-integer"],
  ["the greatest int64", { amount: money("9223372036854775807") }, "REFUSED amount.minor_units safe-integer"],
  ["the least int64", { amount: money("-9223372036854775808") }, "REFUSED amount.minor_units safe-integer"],
  ["no currency", { amount: money("1", "") }, "REFUSED amount.currency_code iso-4217"],
  ["a currency that is none", { amount: money("1", "ZZZ") }, "REFUSED amount.currency_code iso-4217"],
  ["an amount where none belongs", { ...game, amount: money("1") }, "REFUSED amount not-allowed"],
  ["a number for a text", { ...game, attributes: { game: 7 } }, "REFUSED attributes.game type"],
  ["a list for a text", { ...game, attributes: { game: ["a"] } }, "REFUSED attributes.game type"],
  ["a map for a text", { ...game, attributes: { game: { a: 1 } } }, "REFUSED attributes.game type"],
  ["an undeclared attribute", { attributes: { colour: "red" } }, "REFUSED attributes.colour declared"],
  ["the attribute __proto__", { attributes: JSON.parse('{"__proto__":1}') }, "REFUSED attributes malformed"],
  [
    "the attribute constructor",
    { attributes: { constructor: 1 } },
    "REFUSED attributes.constructor declared",
  ],
  ["65 attributes", { attributes: many }, "REFUSED attributes too-many"],
  ["nothing where a custom type requires", seat, "REFUSED attributes.table required"],
  [
    "a fraction for an INT of a custom type",
    { ...seat, attributes: { table: "t", seats: 1.5 } },
    "REFUSED attributes.seats type",
  ],
  [
    "a text for a BOOL of a custom type",
    { ...seat, attributes: { table: "t", vip: "yes" } },
    "REFUSED attributes.vip type",
  ],
  ["a payment fact without a payment", { paymentId: "" }, "REFUSED payment_id required"],
  ["an attempt of no payment", { ...game, attemptId: "1" }, "REFUSED attempt_id needs-payment"],
  ["a reversal of nothing", { ...game, type: "event_reversed" }, "REFUSED reverses required"],
  ["a card number as id", { eventId: "4111111111111111" }, "REFUSED event_id no-card-number"],
  ["a long id", { eventId: "e".repeat(129) }, "REFUSED event_id too-long"],
  ["a line break in the player's id", { playerId: "a\nb" }, "REFUSED player_id malformed"],
  [
    "a player who is their own alias",
    { ...game, type: "player_alias", attributes: { alias: "ann" } },
    "REFUSED attributes.alias another-player",
  ],
];

function money(minorUnits: string, currencyCode = "EUR"): JsonObject {
  return { minorUnits, currencyCode };
}

describe.each(doors)("IngestEvents at the %s", (door) => {
  test.each(bad)("tells what is wrong with %s", async (_, part, verdict) => {
    expect(await sendOne(door, part)).toBe(verdict);
  });

  test("lets the first stand where the same id comes with another body", async () => {
    const first = makeEvent({ ...game, eventId: `twice-${door}`, attributes: { game: "a" } });
    const other = { ...first, attributes: { game: "b" } };
    expect(await send(door, [first, first, other, first])).toEqual([
      "ACCEPTED",
      "DUPLICATE",
      "CONFLICT",
      "DUPLICATE",
    ]);
  });

  test("merges a payment fact that another source tells with another amount", async () => {
    const first = makeEvent({ paymentId: `pay-${door}`, playerId: "mia" });
    const other = makeEvent({
      paymentId: `pay-${door}`,
      playerId: "mia",
      source: "psp",
      amount: money("4000"),
    });
    expect(await send(door, [first, other])).toEqual(["ACCEPTED", "MERGED"]);
    expect(await readFeature(door, "mia", "deposited_30d")).toMatchObject({ value: "5000" });
  });

  test("takes nothing in of a deleted player, but what protects the person", async () => {
    const playerId = "gone";
    await send(door, [makeEvent({ playerId })]);
    await connectAdmin(PlayerService, service).deletePlayer({
      merchantId: door,
      playerId,
      author: "test",
      reason: "asked to",
    });
    const late = makeEvent({ playerId });
    const exclusion = makeEvent({ ...game, playerId, type: "exclusion_set", source: "register" });
    expect(await send(door, [late, exclusion, late])).toEqual(Array(3).fill("DELETED_PLAYER"));
    const { body } = await decide(door, playerId, "after-deletion");
    expect(body).toMatchObject({
      verdict: "DENY",
      reasons: [{ code: expect.stringMatching(/EXCLU|RESTRICT/) }],
    });
  });

  test("takes an amount in without a rate, leaves what is converted missing, and denies what can't be measured", async () => {
    const playerId = "krona";
    const event = { playerId, amount: money("700", "KWD") };
    expect(await sendOne(door, event)).toBe("ACCEPTED");
    expect(await readFeature(door, playerId, "deposited_30d")).toMatchObject({ missing: true });
    const { body } = await decide(door, playerId, "no-rate");
    expect(body).toMatchObject({ verdict: "DENY", reasons: [{ code: "FX_MISSING" }] });
  });

  test("counts distinct values beyond what is exact with a bound that holds, and no longer where events are folded", async () => {
    // A million would take no other way: the estimate begins at 4,096 values, tiles at 16,384 events.
    const open = async (from: number, until: number) => {
      for (let first = from; first < until; first += 1_000) {
        const events = Array.from({ length: 1_000 }, (_, place) =>
          makeEvent({
            ...game,
            playerId: "many",
            occurredAt: at(first + place - 60_000),
            attributes: { game: `g-${first + place}` },
          }),
        );
        expect(new Set(await send(door, events))).toEqual(new Set(["ACCEPTED"]));
      }
    };
    await open(0, 5_000);
    const { value, errorBound } = await readFeature(door, "many", "games_7d");
    expect(Number(errorBound)).toBeGreaterThan(0);
    expect(Math.abs(Number(value) - 5_000)).toBeLessThanOrEqual(Number(errorBound));
    await open(5_000, 17_000);
    expect(await readFeature(door, "many", "games_7d")).toMatchObject({ missing: true });
    const { body } = await post(service, "PlayerService/GetPlayer", { merchantId: door, playerId: "many" });
    expect(Number(body.events)).toBeLessThanOrEqual(16_384);
  });

  test("takes 1,000 of the largest events in one batch, and refuses 1,001 and none as a whole", async () => {
    const attributes = { game: "g".repeat(256), session: "s".repeat(256), game_type: "t", channel: "c" };
    const makeLarge = (place: number) =>
      makeEvent({ ...game, eventId: `${place}-${"e".repeat(120)}`, playerId: "p".repeat(128), attributes });
    const events = Array.from({ length: 1_000 }, (_, place) => makeLarge(place));
    expect(new Set(await send(door, events))).toEqual(new Set(["ACCEPTED"]));
    await expect(send(door, [...events, makeLarge(1_000)])).rejects.toThrow(/at most 1000/);
    await expect(send(door, [])).rejects.toThrow(/at least one/);
    await expect(clients[door].ingestEvents({ merchantId: "nobody" })).rejects.toThrow(/nobody/);
  });

  test("takes a limit below what is used: it holds at once, and nothing is left of it", async () => {
    const playerId = "careful";
    await send(door, [makeEvent({ playerId })]);
    const set = (minorUnits: string) =>
      post(service, "PlayerService/SetPlayerLimit", {
        merchantId: door,
        playerId,
        period: "DAY",
        measure: "GROSS",
        amount: money(minorUnits),
        source: "player",
      });
    const { body } = await set("1000");
    expect(body).toMatchObject({
      detail: "the limit holds now; more is used already, so nothing is left of it",
      reading: { overrun: true, used: "5000", limit: "1000" },
    });
    expect((await decide(door, playerId, "below")).body).toMatchObject({ verdict: "DENY" });
    expect((await set("-1000")).status).toBe(400);
    expect((await set("9007199254740992")).status).toBe(400);
  });
});

describe("the stream", () => {
  test.each(doors)(
    "at the %s acknowledges good and bad batches in order, with all that was not simply accepted",
    async (door) => {
      const batches: readonly (readonly JsonObject[])[] = [
        [makeEvent({}), makeEvent({})],
        [makeEvent({ eventId: "" }), makeEvent({}), makeEvent({ occurredAt: "2170-01-01T00:00:00Z" })],
        [makeEvent({ type: "nothing" })],
        Array.from({ length: 1_000 }, () => makeEvent({ playerId: "stream" })),
        [makeEvent({ playerId: "gone" }), makeEvent({})],
      ];
      async function* requests() {
        for (const [index, events] of batches.entries()) {
          yield create(IngestEventStreamRequestSchema, {
            sequence: BigInt(10 * (index + 1)),
            merchantId: door,
            events: events.map((event): Event => fromJson(EventSchema, event)),
          });
        }
      }
      const acks: unknown[] = [];
      for await (const { sequence, accepted, exceptions } of clients[door].ingestEventStream(requests())) {
        countTold(door, "ACCEPTED", accepted);
        acks.push([
          Number(sequence),
          accepted,
          ...exceptions.map(({ index, result }) => `${index} ${note(door, result!)}`),
        ]);
      }
      expect(acks).toEqual([
        [10, 2],
        [20, 1, "0 REFUSED event_id required", "2 QUARANTINED"],
        [30, 0, "0 REFUSED type declared"],
        [40, 1_000],
        [50, 1, "0 DELETED_PLAYER"],
      ]);
    },
  );

  test.each(doors)(
    "at the %s gives the acknowledgements before a batch that is none, then says what is wrong with it",
    async (door) => {
      async function* requests() {
        const events = [fromJson(EventSchema, makeEvent({}))];
        yield create(IngestEventStreamRequestSchema, { sequence: 1n, merchantId: door, events });
        yield create(IngestEventStreamRequestSchema, { sequence: 2n, merchantId: door });
      }
      const acks: bigint[] = [];
      const read = async () => {
        for await (const { sequence, accepted } of clients[door].ingestEventStream(requests())) {
          countTold(door, "ACCEPTED", accepted);
          acks.push(sequence);
        }
      };
      await expect(read()).rejects.toThrow(/at least one/);
      expect(acks).toEqual([1n]);
    },
  );
});

function countTold(door: Door, verdict: string, count: number): void {
  told.set(`${door} ${verdict}`, (told.get(`${door} ${verdict}`) ?? 0) + count);
}

describe("a rule set that drops what is in use", () => {
  test.each<[string, object, string, RegExp]>([
    [
      "a feature",
      { features: ruleSet.features.filter(({ id }) => id !== "deposited_30d") },
      "segments[0]",
      /deposited_30d/,
    ],
    [
      "a segment of a limit",
      { segments: ruleSet.segments.slice(1) },
      "limits[0].thresholds[0].segment",
      /depositor/,
    ],
    [
      "a segment of a lifecycle",
      { segments: ruleSet.segments.slice(0, 1) },
      "lifecycles[0].states[0]",
      /seated/,
    ],
    ["an event type", { event_types: [] }, "features[2]", /seat_taken/],
  ])("is refused: %s, naming the user", async (_, part, path, message) => {
    const { status, body } = await push("admin", { ...ruleSet, ...part });
    expect(status).toBe(400);
    const faults = (body.details as { debug: { path: string; message: string } }[]).map(({ debug }) => debug);
    expect(faults).toContainEqual(
      expect.objectContaining({
        path: expect.stringContaining(path),
        message: expect.stringMatching(message),
      }),
    );
  });

  test("is refused: a limit that an override names", async () => {
    const put = await post(service, "OverrideService/PutOverride", {
      merchantId: "admin",
      override: {
        id: "room",
        subject: { playerId: "ann" },
        author: "test",
        reason: "event",
        until: at(86_400_000),
        effects: { limitThresholds: [{ limit: "velocity", count: "80" }] },
      },
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    const dropped = { ...ruleSet, limits: ruleSet.limits.slice(0, 1) };
    const { status, body } = await push("admin", dropped);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(body)).toContain("room");
    expect(
      (
        await post(service, "OverrideService/ExpireOverride", {
          merchantId: "admin",
          id: "room",
          author: "test",
        })
      ).status,
    ).toBe(200);
    expect((await push("admin", dropped)).status).toBe(200);
  });
});

test("every event that came is counted, under its verdict", async () => {
  const page = await (await fetch(`${service.adminUrl}/metrics`)).text();
  for (const door of doors) {
    const counted = new Map(
      [...page.matchAll(/^switchyard_events_total\{merchant="(\w+)",verdict="(\w+)"\} (\d+)$/gm)]
        .filter(([, merchant]) => merchant === door)
        .map(([, , verdict, count]) => [verdict!, Number(count)]),
    );
    const want = new Map(
      [...told]
        .filter(([key]) => key.startsWith(`${door} `))
        .map(([key, count]) => [key.split(" ")[1]!, count]),
    );
    expect(counted).toEqual(want);
    const { sources } = await connectAdmin(EventService, service).listEventSources({ merchantId: door });
    expect(sources.map(({ source }) => source)).toEqual(["psp", "register", "wallet"]);
    const summed = new Map<string, number>();
    for (const { verdicts } of sources) {
      for (const [verdict, count] of Object.entries(verdicts)) {
        summed.set(verdict, (summed.get(verdict) ?? 0) + Number(count));
      }
    }
    expect(summed).toEqual(want);
  }
});

function decide(merchantId: Door, playerId: string, paymentId: string) {
  return post(service, "DecisionService/Decide", {
    merchantId,
    paymentId,
    playerId,
    kind: "deposit",
    amount: money("1500"),
    method: "card",
    playerCountry: "DK",
  });
}

async function readFeature(merchantId: Door, playerId: string, id: string): Promise<Record<string, unknown>> {
  const { status, body } = await post(service, "PlayerService/GetPlayer", { merchantId, playerId });
  expect(status).toBe(200);
  return (body.features as Record<string, unknown>[]).find((feature) => feature.id === id)!;
}
