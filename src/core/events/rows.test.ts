import { describe, expect, test } from "vitest";
import { hashWide } from "../history/hash-wide.ts";
import type { PlayerEvent } from "./event.ts";
import { eventTypes, factWides } from "./event-types.ts";
import { LabelBook } from "./label-book.ts";
import { FactRowMaker, factSkewMs, type PaymentFact, readInstrument, subjectOf } from "./payment-fact.ts";
import { factRowId, rowId } from "./row-id.ts";
import { RowMaker } from "./to-row.ts";

const bet: PlayerEvent = {
  eventId: "e-1",
  playerId: "ann",
  type: "bet",
  occurredAtMs: 1_800_000_000_000,
  source: "games",
  amount: { minorUnits: 500, currencyCode: "EUR" },
  attributes: new Map([
    ["game", "g-1"],
    ["game_type", "slots"],
  ]),
};
const betType = eventTypes.get("bet")!;

const fact: PaymentFact = {
  type: "payment_declined",
  playerId: "ann",
  paymentId: "pay-1",
  attemptId: "2",
  kind: "deposit",
  amountMinor: 500,
  currency: "USD",
  atMs: 1_800_000_000_000,
  countedAtMs: 1_700_000_000_000,
  method: "card",
  psp: "psp-a",
  mid: "",
  brand: "",
  scheme: "visa",
  funding: "",
  outcome: "HARD",
  card: "fingerprint:f-1",
  device: "",
  ip: "",
  bin: "457104",
  code: "5C",
  advice: "",
  initiator: "CIT",
  sca: "",
  block: "bin",
  blockUntilMs: Infinity,
  converted: new Map([
    ["GBP", 400],
    ["EUR", 450],
  ]),
  ratesVersion: 7,
};

describe("row ids", () => {
  test("are 48 bits, the same for ever, and different for each part", () => {
    const ids = [
      rowId("default", "ann", "e-1"),
      rowId("other", "ann", "e-1"),
      rowId("default", "bob", "e-1"),
      rowId("default", "ann", "e-2"),
      factRowId({ merchantId: "default", paymentId: "ann", attemptId: "e-1", type: "payment_approved" }),
      factRowId({ merchantId: "default", paymentId: "ann", attemptId: "e-1", type: "payment_declined" }),
      factRowId({ merchantId: "default", paymentId: "ann", attemptId: "", type: "payment_declined" }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(Number.isInteger(id) && id >= 0 && id < 2 ** 48).toBe(true);
    // Rows on disk go by it.
    expect(ids[0]).toBe(104541747005911);
  });
});

describe("rows of events", () => {
  test("have plain attributes in the label and wide ones by place, texts by hash", () => {
    const row = new RowMaker(new LabelBook(9)).make(bet, betType, 42)!;
    expect(row).toEqual({
      id: 42,
      atMs: bet.occurredAtMs,
      amountMinor: 500,
      label: { type: "bet", currency: "EUR", values: new Map([["game_type", "slots"]]), wides: ["game"] },
      wides: [hashWide("g-1")],
    });
  });

  test("take no room for wide attributes behind the last that is there", () => {
    const maker = new RowMaker(new LabelBook(9));
    const late = maker.make({ ...bet, attributes: new Map([["round", "r-1"]]) }, betType, 1)!;
    expect(late.label.wides).toEqual(["game", "session", "round"]);
    expect(late.wides).toEqual([NaN, NaN, hashWide("r-1")]);
    expect(maker.make({ ...bet, attributes: new Map() }, betType, 2)!.wides).toEqual([]);
  });

  test("share the label where all that makes it is the same", () => {
    const maker = new RowMaker(new LabelBook(9));
    const first = maker.make(bet, betType, 1)!;
    expect(maker.make({ ...bet, occurredAtMs: 1 }, betType, 2)!.label).toBe(first.label);
    const dollars = { minorUnits: 1, currencyCode: "USD" };
    expect(maker.make({ ...bet, amount: dollars }, betType, 3)!.label).not.toBe(first.label);
  });

  test("are none where the label would be one too many", () => {
    const maker = new RowMaker(new LabelBook(1));
    expect(maker.make(bet, betType, 1)).toBeDefined();
    expect(maker.make({ ...bet, attributes: new Map() }, betType, 2)).toBeUndefined();
    expect(maker.make(bet, betType, 3)).toBeDefined();
  });
});

describe("rows of payment facts", () => {
  test("lie at most a day before the decision of their payment, whatever the teller's clock says", () => {
    const maker = new FactRowMaker(new LabelBook(9));
    const atMs = (part: Partial<PaymentFact>) => maker.make({ ...fact, ...part }, 42, "card").atMs;
    const decidedMs = 1_000 * factSkewMs;
    expect(atMs({ atMs: 5, countedAtMs: decidedMs })).toBe(decidedMs - factSkewMs);
    expect(atMs({ atMs: decidedMs - 5, countedAtMs: decidedMs })).toBe(decidedMs - 5);
    expect(atMs({ atMs: 5, countedAtMs: undefined })).toBe(5);
  });

  test("have one layout, with the conversions at its end by currency", () => {
    const row = new FactRowMaker(new LabelBook(9)).make(fact, 42, "card");
    expect(row.label).toEqual({
      type: "payment_declined",
      currency: "USD",
      values: new Map([
        ["kind", "deposit"],
        ["method", "card"],
        ["psp", "psp-a"],
        ["scheme", "visa"],
        ["outcome", "HARD"],
        ["code", "5C"],
        ["initiator", "CIT"],
        ["block", "bin"],
      ]),
      wides: [...factWides.filter((name) => name !== "device" && name !== "ip"), "in:EUR", "in:GBP"],
    });
    expect(Object.fromEntries(row.label.wides.map((name, at) => [name, row.wides[at]]))).toEqual({
      payment: hashWide("pay-1"),
      attempt: hashWide("2"),
      counted_at: fact.countedAtMs,
      card: hashWide("fingerprint:f-1"),
      bin: hashWide("457104"),
      player: hashWide("ann"),
      rates: 7,
      block_until: Infinity,
      "in:EUR": 450,
      "in:GBP": 400,
    });
  });

  test("leave open values out where there are too many labels, because money counts in any case", () => {
    const maker = new FactRowMaker(new LabelBook(0));
    expect([...maker.make(fact, 1, "player").label.values]).toEqual([
      ["kind", "deposit"],
      ["outcome", "HARD"],
      ["initiator", "CIT"],
      ["block", "bin"],
    ]);
  });

  test("are about the subjects that the fact names", () => {
    expect(subjectOf(fact, "card")).toEqual({ kind: "card", id: "fingerprint:f-1" });
    expect(subjectOf(fact, "psp")).toEqual({ kind: "psp", id: "psp-a" });
    expect(subjectOf(fact, "device")).toBeUndefined();
    expect(subjectOf(fact, "key")).toBeUndefined();
  });

  test.each([
    ["f-1", "fingerprint:f-1"],
    ["token:t-1", "token:t-1"],
    ["bin:457104:1234", "bin:457104:1234"],
    ["", ""],
  ])("read the instrument %s as %s", (text, want) => {
    expect(readInstrument(text)).toBe(want);
  });
});
