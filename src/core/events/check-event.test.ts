import { describe, expect, test } from "vitest";
import { checkEvent, type EventCheck, type RawEvent } from "./check-event.ts";
import type { EventTypeInfo } from "./event.ts";

const nowMs = Date.UTC(2026, 10, 22, 12);
const minuteMs = 60_000;

const ticket: EventTypeInfo = {
  name: "ticket",
  amount: "none",
  isPaymentFact: false,
  doc: "",
  attributes: new Map(
    (
      [
        ["open", "BOOL", "plain", true],
        ["seats", "INT", "wide", false],
        ["odds", "DOUBLE", "wide", false],
        ["due", "TIMESTAMP", "wide", false],
        ["colour", "STRING", "plain", false],
      ] as const
    ).map(([name, type, storage, required]) => [
      name,
      { name, type, storage, required, values: name === "colour" ? ["red", "blue"] : [], doc: "" },
    ]),
  ),
};

const check: EventCheck = {
  nowMs,
  declaredTypes: new Map([["ticket", ticket]]),
  exemptFields: new Set(),
};

const bet: RawEvent = {
  eventId: "e-1",
  playerId: "ann",
  type: "bet",
  occurredAtMs: nowMs - minuteMs,
  source: "games",
  amount: { minorUnits: 500, currencyCode: "EUR" },
  attributes: { game: "g-1", game_type: "slots" },
  paymentId: "",
  attemptId: "",
  reverses: "",
};

const ticketEvent: RawEvent = { ...bet, type: "ticket", amount: undefined, attributes: { open: true } };

function faultsOf(raw: RawEvent, context: EventCheck = check): readonly string[] {
  const checked = checkEvent(raw, context);
  return checked.ok ? [] : checked.faults.map(({ field, rule }) => `${field} ${rule}`);
}

describe("checkEvent", () => {
  test("gives an event that is right as it is, with its type", () => {
    const checked = checkEvent(bet, check);
    expect(checked).toMatchObject({ ok: true, clamped: false, info: { name: "bet" } });
    expect(checked.ok && checked.event).toEqual({
      eventId: "e-1",
      playerId: "ann",
      type: "bet",
      occurredAtMs: nowMs - minuteMs,
      source: "games",
      amount: { minorUnits: 500, currencyCode: "EUR" },
      attributes: new Map([
        ["game", "g-1"],
        ["game_type", "slots"],
      ]),
    });
  });

  test("reads declared types, timestamps as ms", () => {
    const attributes = { open: false, seats: 3, odds: 1.5, due: "2026-01-31T00:00:00Z", colour: "red" };
    const checked = checkEvent({ ...ticketEvent, attributes }, check);
    expect(checked.ok && Object.fromEntries(checked.event.attributes)).toEqual({
      ...attributes,
      due: Date.UTC(2026, 0, 31),
    });
  });

  test("calls a source without a name unknown", () => {
    const checked = checkEvent({ ...bet, source: "" }, check);
    expect(checked.ok && checked.event.source).toBe("unknown");
  });

  const card = "4111 1111 1111 1111";
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`a${at}`, 1]));
  test.each<readonly [string, Partial<RawEvent>, readonly string[]]>([
    ["no event id", { eventId: "" }, ["event_id required"]],
    ["a long event id", { eventId: "x".repeat(129) }, ["event_id too-long"]],
    ["a control character in an id", { eventId: "a\nb" }, ["event_id malformed"]],
    ["half of a surrogate pair", { playerId: "\ud800" }, ["player_id malformed"]],
    ["a card number as an id", { eventId: "4111111111111111" }, ["event_id no-card-number"]],
    ["no player", { playerId: "" }, ["player_id required"]],
    ["no type", { type: "" }, ["type required"]],
    ["an unknown type", { type: "bett" }, ["type declared"]],
    ["a card number as a type", { type: "4111111111111111" }, ["type no-card-number"]],
    ["a long source", { source: "s".repeat(65) }, ["source too-long"]],
    ["no amount where there must be one", { amount: undefined }, ["amount required"]],
    ["an amount where there is none", { type: "session_start", attributes: {} }, ["amount not-allowed"]],
    [
      "a negative amount",
      { amount: { minorUnits: -1, currencyCode: "EUR" } },
      ["amount.minor_units positive"],
    ],
    [
      "an amount of nothing",
      { amount: { minorUnits: 0, currencyCode: "EUR" } },
      ["amount.minor_units positive"],
    ],
    [
      "an amount beyond 2^53 - 1",
      { amount: { minorUnits: 2 ** 53, currencyCode: "EUR" } },
      ["amount.minor_units safe-integer"],
    ],
    [
      "a currency that is none",
      { amount: { minorUnits: 1, currencyCode: "EUX" } },
      ["amount.currency_code iso-4217"],
    ],
    ["no instant", { occurredAtMs: undefined }, ["occurred_at required"]],
    ["an instant that is none", { occurredAtMs: NaN }, ["occurred_at out-of-range"]],
    ["1970", { occurredAtMs: 0 }, ["occurred_at out-of-range"]],
    ["the end of 1999", { occurredAtMs: Date.UTC(2000, 0, 1) - 1 }, ["occurred_at out-of-range"]],
    ["the year 10000", { occurredAtMs: Date.UTC(10_000, 0, 1) }, ["occurred_at out-of-range"]],
    ["2170", { occurredAtMs: Date.UTC(2170, 0, 1) }, ["occurred_at not-in-the-future"]],
    ["an attribute nobody declared", { attributes: { colour: "red" } }, ["attributes.colour declared"]],
    ["a name that is none", { attributes: { "a b": 1 } }, ["attributes malformed"]],
    [
      "an attribute that is filled in",
      { type: "payment_approved", paymentId: "p", attributes: { player: "x" } },
      ["attributes.player declared"],
    ],
    ["a number for a text", { attributes: { game: 7 } }, ["attributes.game type"]],
    ["a list for a text", { attributes: { game: [] } }, ["attributes.game type"]],
    ["a card number in an attribute", { attributes: { game: card } }, ["attributes.game no-card-number"]],
    ["a long plain text", { attributes: { game_type: "t".repeat(65) } }, ["attributes.game_type too-long"]],
    ["a long wide text", { attributes: { game: "t".repeat(257) } }, ["attributes.game too-long"]],
    ["too many attributes", { attributes: many }, ["attributes too-many"]],
    ["a payment where there is none", { paymentId: "p" }, ["payment_id not-allowed"]],
    [
      "an attempt of no payment",
      { type: "payment_approved", attributes: {}, attemptId: "1" },
      ["attempt_id needs-payment"],
    ],
    ["a reversal of itself", { reverses: "e-1" }, ["reverses another-event"]],
    [
      "a reversal of nothing",
      { type: "event_reversed", amount: undefined, attributes: {} },
      ["reverses required"],
    ],
    [
      "a reversal of a payment that does not say of which fact",
      { type: "event_reversed", amount: undefined, attributes: {}, reverses: "e-0", paymentId: "p" },
      ["attributes.reversed_type required"],
    ],
    [
      "a reversal of a fact of no payment",
      {
        type: "event_reversed",
        amount: undefined,
        attributes: { reversed_type: "payment_approved" },
        reverses: "e-0",
      },
      ["payment_id required"],
    ],
  ])("refuses %s", (_, part, want) => {
    expect(faultsOf({ ...bet, ...part })).toEqual([...want]);
  });

  test.each<readonly [string, RawEvent["attributes"], string]>([
    ["a text for a bool", { open: "true" }, "attributes.open type"],
    ["a fraction for an int", { open: true, seats: 1.5 }, "attributes.seats type"],
    ["an int beyond 2^53", { open: true, seats: 2 ** 53 }, "attributes.seats type"],
    ["infinity for a double", { open: true, odds: Infinity }, "attributes.odds type"],
    ["a day for a timestamp", { open: true, due: "2026-01-31" }, "attributes.due type"],
    ["30 February", { open: true, due: "2026-02-30T00:00:00Z" }, "attributes.due type"],
    ["a value that is not declared", { open: true, colour: "green" }, "attributes.colour declared-value"],
    ["nothing where something is required", {}, "attributes.open required"],
  ])("refuses %s", (_, attributes, want) => {
    expect(faultsOf({ ...ticketEvent, attributes })).toEqual([want]);
  });

  test("takes what is up to 5 minutes ahead as of now, and quarantines what is 1 ms further", () => {
    const at = (aheadMs: number) => checkEvent({ ...bet, occurredAtMs: nowMs + aheadMs }, check);
    expect(at(0)).toMatchObject({ ok: true, clamped: false });
    expect(at(1)).toMatchObject({ ok: true, clamped: true, event: { occurredAtMs: nowMs } });
    expect(at(5 * minuteMs)).toMatchObject({ ok: true, clamped: true, event: { occurredAtMs: nowMs } });
    expect(at(5 * minuteMs + 1)).toMatchObject({ ok: false, quarantined: true });
  });

  test("knows no future where the merchant's clock is that of its requests, but for what nobody means", () => {
    const replay = { ...check, nowMs: Infinity };
    const later = { ...bet, occurredAtMs: Date.UTC(2031, 0, 1) };
    expect(checkEvent(later, replay)).toMatchObject({
      ok: true,
      clamped: false,
      event: { occurredAtMs: later.occurredAtMs },
    });
    expect(checkEvent({ ...bet, occurredAtMs: Date.UTC(2170, 0, 1) }, replay)).toMatchObject({
      ok: false,
      quarantined: true,
    });
  });

  test("is refused rather than quarantined where more is wrong than the instant", () => {
    const checked = checkEvent({ ...bet, eventId: "", occurredAtMs: Date.UTC(2170, 0, 1) }, check);
    expect(checked).toMatchObject({ ok: false, quarantined: false });
  });

  test("allows what looks like a card number where the merchant does", () => {
    const raw = { ...bet, eventId: "4111111111111111" };
    expect(faultsOf(raw, { ...check, exemptFields: new Set(["event_id"]) })).toEqual([]);
  });

  test("names at most 16 faults, and repeats no card number in any", () => {
    const attributes = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`a${at}`, 1]));
    expect(faultsOf({ ...bet, attributes })).toHaveLength(16);
    const checked = checkEvent({ ...bet, attributes: { game: card } }, check);
    expect(JSON.stringify(checked)).not.toContain("1111");
  });
});
