import { describe, expect, it, test } from "vitest";
import {
  dayMs,
  judgeCase,
  makeBook,
  makeFrame,
  makeHold,
  makeInquiry,
  makePayment,
  makeSpec,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory } from "../../../test/helpers/limit-history.ts";
import type { Expr } from "../cel/expr.ts";
import type { Subject } from "../history/history.ts";
import { addDistinctValues, askLimits, askPspLimits, convertForLimits, listKeySubjects } from "./ask.ts";
import { judgeLimits, judgePspLimits } from "./judge.ts";
import type { LimitSpec } from "./limit.ts";
import { makeLimitReason } from "./limit-reasons.ts";

const methodKey: Expr = { op: "slot", type: "string", slot: 0 };
const card = { fingerprint: "f", bin: "457104" };

function subjectsAsked(specs: readonly LimitSpec[], payment = makePayment()): readonly string[] {
  const frame = { ...makeFrame(), values: ["card"] };
  return askLimits(makeInquiry(makeBook(specs), { payment, frame })).map(
    ({ subject, limits }) =>
      `${subject.kind}=${subject.id}: ${limits.map(({ limit }) => limit.spec.id).join()}`,
  );
}

describe("askLimits", () => {
  it("groups limits by subject", () => {
    const specs = [
      makeSpec({ id: "a" }),
      makeSpec({ id: "b", subject: "card" }),
      makeSpec({ id: "c" }),
      makeSpec({ id: "d", subject: "bin" }),
      makeSpec({ id: "e", subject: "key", key: methodKey }),
      makeSpec({ id: "f", subject: "brand" }),
      makeSpec({ id: "g", subject: "psp" }),
    ];
    expect(subjectsAsked(specs, makePayment({ card, brand: "lucky" }))).toEqual([
      "player=p: a,c",
      "card=fingerprint:f: b",
      "bin=457104: d",
      "key=e:card: e",
      "brand=lucky: f",
    ]);
  });

  it("asks nothing of a card or a brand that is not there, and tells unknown what the payment leaves out", () => {
    const specs = (["card", "bin", "brand", "device", "ip"] as const).map((subject) =>
      makeSpec({ id: subject, subject }),
    );
    expect(subjectsAsked(specs)).toEqual(["device=: device", "ip=: ip"]);
    expect(subjectsAsked(specs, makePayment({ card: {} }))).toEqual([
      "card=: card",
      "bin=: bin",
      "device=: device",
      "ip=: ip",
    ]);
  });

  it("passes over what is not for this kind, not now, or lifted", () => {
    const lifted = new Set(["risk", "segment"]);
    const specs = [
      makeSpec({ id: "payout", kinds: ["withdrawal"] }),
      makeSpec({ id: "early", fromMs: noonMs + 1 }),
      makeSpec({ id: "late", untilMs: noonMs }),
      makeSpec({ id: "now", fromMs: noonMs, untilMs: noonMs + 1 }),
      makeSpec({ id: "risk", ruleClass: "RISK" }),
      makeSpec({ id: "segment" }),
    ];
    expect(judgeCase({ specs, lifted }).readings.map(({ limitId }) => limitId)).toEqual(["now", "segment"]);
  });
});

describe("an unknown", () => {
  const device = makeSpec({ subject: "device", ruleClass: "RISK" });

  it("subject closes only where the limit says so", () => {
    expect(judgeCase({ specs: [device] })).toMatchObject({
      ok: true,
      readings: [{ unknown: true, fits: true }],
    });
    const { ok, breaches } = judgeCase({ specs: [{ ...device, closesOnUnknown: true }] });
    expect(ok).toBe(false);
    expect(breaches.map(makeLimitReason)).toMatchObject([
      { code: "LIMIT_UNKNOWN", stage: "limit", ruleClass: "RISK" },
    ]);
  });

  it("player, who could not be loaded, is not one who has used nothing", () => {
    const book = makeBook([makeSpec({ ruleClass: "REGULATORY", closesOnUnknown: true })]);
    const state = { read: () => undefined, nowMs: noonMs, paymentId: "pay", fx: book.fx };
    const { ok, breaches } = judgeLimits(askLimits(makeInquiry(book)), state);
    expect({ ok, code: breaches[0]?.code }).toEqual({ ok: false, code: "LIMIT_UNKNOWN" });
  });

  it("condition of a breached limit gives a code of its own", () => {
    const applies = { op: "segment", type: "bool", segment: 0 } as const;
    const spec = makeSpec({
      applies,
      closesOnUnknown: true,
      reason: "OWN",
      thresholds: [{ segment: undefined, value: 1 }],
    });
    const codeAt = (truth: number): string | undefined =>
      judgeCase({ specs: [spec], frame: makeFrame([truth, 0]) }).breaches[0]?.code;
    expect([codeAt(1), codeAt(2), codeAt(0)]).toEqual(["OWN", "LIMIT_UNKNOWN", undefined]);
  });
});

describe("DISTINCT", () => {
  const spec = makeSpec({
    subject: "device",
    measure: "DISTINCT",
    distinctOf: "card",
    thresholds: [{ segment: undefined, value: 2 }],
  });
  const fact = { type: "payment_approved", atMs: noonMs - 1, payment: "a" };
  const facts = [
    { ...fact, card: "fingerprint:f" },
    { ...fact, payment: "b", card: "fingerprint:g" },
    { ...fact, payment: "c" },
  ];

  it("counts values, and asks for none where the payment's own is among them", () => {
    const seen = makePayment({ deviceId: "d", card });
    expect(judgeCase({ specs: [spec], facts, payment: seen }).readings).toMatchObject([
      { used: 2, asked: 0, fits: true },
    ]);
    const fresh = makePayment({ deviceId: "d", card: { fingerprint: "h" } });
    expect(judgeCase({ specs: [spec], facts, payment: fresh }).readings).toMatchObject([
      { used: 2, asked: 1, fits: false },
    ]);
  });

  it("counts what is held", () => {
    const holds = [makeHold({ subjects: [{ kind: "card", id: "fingerprint:h" }] })];
    const payment = makePayment({ deviceId: "d", card });
    expect(judgeCase({ specs: [spec], facts, holds, payment }).readings).toMatchObject([
      { used: 3, fits: true, overrun: true },
    ]);
  });

  it("counts what is held of values that no limit is about", () => {
    const payment = makePayment({ deviceId: "d", card: { fingerprint: "h" } });
    const values = addDistinctValues(new Map(), makeBook([spec]), payment);
    expect([...values]).toEqual([["card", "fingerprint:h"]]);
    const holds = [makeHold({ subjects: [{ kind: "device", id: "d" }], values })];
    const third = makePayment({ deviceId: "d", card: { fingerprint: "i" } });
    const { ok, readings } = judgeCase({ specs: [spec], facts: facts.slice(1), holds, payment: third });
    expect({ ok, used: readings[0]!.used }).toEqual({ ok: false, used: 2 });
  });

  it("is unknown where the payment does not tell its value", () => {
    expect(
      judgeCase({ specs: [spec], facts, payment: makePayment({ deviceId: "d" }) }).readings,
    ).toMatchObject([{ unknown: true }]);
  });

  it("counts a thousand values as well as three", () => {
    const many = Array.from({ length: 3_000 }, (_, at) => ({
      ...fact,
      payment: `p${at}`,
      card: `fingerprint:${at % 1_000}`,
    }));
    const payment = makePayment({ deviceId: "d", card });
    expect(judgeCase({ specs: [spec], facts: many, payment }).readings).toMatchObject([{ used: 1_000 }]);
  });
});

test("limits of PSPs and accounts exclude candidates one by one", () => {
  const count = { measure: "COUNT", thresholds: [{ segment: undefined, value: 1 }] } as const;
  const book = makeBook([
    makeSpec({ ...count, id: "psp", subject: "psp", breach: "EXCLUDE_PSP" }),
    makeSpec({ ...count, id: "mid", subject: "mid", breach: "EXCLUDE_PSP" }),
    makeSpec({
      ...count,
      id: "told",
      subject: "psp",
      breach: "NOTICE",
      thresholds: [{ segment: undefined, value: 0 }],
    }),
  ]);
  const inquiry = makeInquiry(book, { steps: 3 });
  const full: readonly Subject[] = [
    { kind: "psp", id: "one" },
    { kind: "mid", id: "m2" },
  ];
  const history = makeLimitHistory([{ type: "payment_approved", atMs: noonMs - 1, payment: "a" }]);
  const candidates = [
    { psp: "one", mid: "" },
    { psp: "two", mid: "m2" },
    { psp: "three", mid: "m3" },
  ];
  const { excluded, notices, readings } = judgePspLimits(askPspLimits(inquiry, candidates), {
    read: ({ kind, id }) => ({
      history: full.some((each) => each.kind === kind && each.id === id) ? history : undefined,
      holds: [],
    }),
    nowMs: noonMs,
    paymentId: "pay",
    fx: book.fx,
  });
  expect(excluded.map(({ psp, breaches }) => [psp, breaches.map(({ limit }) => limit.spec.id)])).toEqual([
    ["one", ["psp"]],
    ["two", ["mid"]],
  ]);
  expect(notices).toHaveLength(3);
  expect(readings).toHaveLength(8);
  expect(askPspLimits(makeInquiry(makeBook([makeSpec()])), candidates)).toEqual([]);
});

test("a payment is converted once to every currency that some limit counts in", () => {
  const book = makeBook([
    makeSpec(),
    makeSpec({ id: "sek", currency: "SEK" }),
    makeSpec({ id: "kwd", currency: "KWD" }),
  ]);
  const own = { period: "DAY", measure: "GROSS", setAtMs: 0, zone: "UTC" } as const;
  const ownLimits = [{ ...own, amount: { minorUnits: 1, currencyCode: "JPY" } }];
  const converted = convertForLimits(book, { minorUnits: 1_000, currencyCode: "EUR" }, ownLimits);
  expect([...converted]).toEqual([
    ["SEK", 11_500],
    ["JPY", 1_603],
  ]);
});

test("keys of limits are subjects of a hold", () => {
  const book = makeBook([makeSpec({ id: "k", subject: "key", key: methodKey }), makeSpec({ id: "plain" })]);
  expect(listKeySubjects(book, { ...makeFrame(), values: ["card"] })).toEqual([
    { kind: "key", id: "k:card" },
  ]);
  expect(listKeySubjects(book, makeFrame())).toEqual([]);
});

test("at most 64 readings are listed, the tightest", () => {
  const specs = Array.from({ length: 70 }, (_, at) =>
    makeSpec({ id: `l${at}`, thresholds: [{ segment: undefined, value: at * 100 }] }),
  );
  const { readings, breaches } = judgeCase({ specs });
  expect([readings.length, breaches.length]).toEqual([64, 10]);
  expect(readings.slice(0, 10).every(({ fits }) => !fits)).toBe(true);
});

test("a payment that had to wait counts what was admitted meanwhile", () => {
  const book = makeBook([makeSpec()]);
  const history = makeLimitHistory([
    { type: "payment_approved", atMs: noonMs + 5, amountMinor: 9_500, payment: "a" },
  ]);
  const state = { read: () => ({ history, holds: [] }), nowMs: noonMs, paymentId: "pay", fx: book.fx };
  expect(judgeLimits(askLimits(makeInquiry(book)), state).ok).toBe(true);
  expect(judgeLimits(askLimits(makeInquiry(book)), { ...state, latestMs: noonMs + 5 }).ok).toBe(false);
});

describe("tiles", () => {
  const spec = makeSpec({ ruleClass: "REGULATORY" });
  const fact = { type: "payment_approved", atMs: noonMs, currency: "EUR" };

  function readTile(
    spec: LimitSpec,
    type: string,
    fromMs: number,
    untilMs: number,
  ): readonly [number, number] {
    const history = makeLimitHistory([{ ...fact, type, amountMinor: 0, payment: "zero" }]);
    const tile = { fromMs, untilMs, label: 0, count: 3, sumMinor: 300, minMinor: 100, maxMinor: 100 };
    const book = makeBook([spec]);
    const state = {
      read: () => ({ history: { ...history, start: 1, tiles: [tile] }, holds: [] }),
      nowMs: noonMs,
      paymentId: "pay",
      fx: book.fx,
    };
    const { used, errorBound } = judgeLimits(askLimits(makeInquiry(book)), state).readings[0]!;
    return [used, errorBound];
  }

  it("count whole where they reach into the window, so what is used is never too low", () => {
    const edgeMs = noonMs - dayMs;
    expect(readTile(spec, "payment_approved", edgeMs + 1, noonMs)).toEqual([300, 0]);
    expect(readTile(spec, "payment_approved", edgeMs, noonMs)).toEqual([300, 300]);
    expect(readTile(spec, "payment_approved", edgeMs - 10, edgeMs + 2)).toEqual([300, 300]);
    expect(readTile(spec, "payment_approved", edgeMs - 10, edgeMs + 1)).toEqual([0, 0]);
  });

  it("give nothing back where they reach beyond the window", () => {
    const net = makeSpec({ measure: "NET", netFloorNone: true });
    expect(readTile(net, "payment_refunded", noonMs - dayMs + 1, noonMs)).toEqual([-300, 0]);
    expect(readTile(net, "payment_refunded", noonMs - dayMs, noonMs)).toEqual([0, 300]);
    expect(readTile(spec, "payment_voided", noonMs - dayMs + 1, noonMs)).toEqual([0, 300]);
  });

  it("may tell of one payment several times, and of payments that rows tell of", () => {
    const count = makeSpec({ measure: "COUNT", thresholds: [{ segment: undefined, value: 9 }] });
    expect(readTile(count, "payment_approved", noonMs - dayMs + 1, noonMs)).toEqual([3, 3]);
    expect(
      readTile({ ...count, counted: "AUTHORISATIONS" }, "payment_attempted", noonMs - dayMs + 1, noonMs),
    ).toEqual([3, 0]);
  });
});
