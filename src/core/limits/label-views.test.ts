import { describe, expect, it, test } from "vitest";
import {
  dayMs,
  eventIs,
  judgeCase,
  makeBook,
  makeHold,
  makeInquiry,
  makeSpec,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact } from "../../../test/helpers/limit-history.ts";
import { askLimits } from "./ask.ts";
import { judgeLimits } from "./judge.ts";

const approved: PlainFact = {
  type: "payment_approved",
  atMs: noonMs - 1,
  amountMinor: 400,
  payment: "a",
  attempt: "a1",
  method: "card",
};
const paid: PlainFact = { ...approved, type: "withdrawal_paid", kind: "withdrawal", payment: "w" };

function readUsed(input: Parameters<typeof judgeCase>[0]): number {
  return judgeCase(input).readings[0]!.used;
}

describe("counts", () => {
  it("is of deposits alone unless it names the kind", () => {
    const facts = [approved, paid, { ...paid, payment: "v" }];
    expect(readUsed({ specs: [makeSpec()], facts })).toBe(400);
    expect(readUsed({ specs: [makeSpec({ counts: eventIs("method", "card") })], facts })).toBe(400);
    expect(readUsed({ specs: [makeSpec({ counts: eventIs("kind", "withdrawal") })], facts })).toBe(800);
  });

  it("of payouts knows their stages", () => {
    const facts = [
      { ...paid, type: "withdrawal_requested" },
      { ...paid, type: "withdrawal_cancelled" },
    ];
    const spec = makeSpec({
      measure: "COUNT",
      counted: "AUTHORISATIONS",
      counts: eventIs("kind", "withdrawal"),
    });
    expect(readUsed({ specs: [spec], facts })).toBe(1);
    expect(readUsed({ specs: [{ ...spec, counted: "DECLINES" }], facts })).toBe(1);
    expect(readUsed({ specs: [{ ...spec, counts: undefined }], facts })).toBe(0);
  });

  it("sees a withdrawal that was approved and then paid once", () => {
    const facts = [{ ...paid, type: "payment_approved", atMs: noonMs - 9 }, paid];
    expect(readUsed({ specs: [makeSpec({ counts: eventIs("kind", "withdrawal") })], facts })).toBe(400);
  });

  it("takes in a hold of which it is unknown whether it counts only where unknown closes", () => {
    const spec = makeSpec({ counts: eventIs("method", "card") });
    const holds = [makeHold({ values: new Map() })];
    expect(readUsed({ specs: [spec], holds })).toBe(0);
    expect(readUsed({ specs: [{ ...spec, closesOnUnknown: true }], holds })).toBe(1_000);
  });

  it("lets only what it counts reduce net: of deposits, by the same method", () => {
    const net = makeSpec({ measure: "NET", counts: eventIs("method", "card") });
    const facts = [{ ...approved, amountMinor: 5_000 }, paid];
    expect(readUsed({ specs: [net], facts })).toBe(4_600);
    expect(readUsed({ specs: [net], facts: [facts[0]!, { ...paid, method: "pix" }] })).toBe(5_000);
    const refund = { ...approved, type: "payment_refunded" };
    expect(readUsed({ specs: [net], facts: [facts[0]!, refund] })).toBe(4_600);
    expect(readUsed({ specs: [net], facts: [facts[0]!, { ...refund, kind: "withdrawal" }] })).toBe(5_000);
  });
});

test("labels of another process are looked at anew", () => {
  const book = makeBook([makeSpec()]);
  const used = [[approved], [{ ...approved, type: "bet" }, approved]].map((facts) => {
    const history = makeLimitHistory(facts);
    const state = { read: () => ({ history, holds: [] }), nowMs: noonMs, paymentId: "pay", fx: book.fx };
    return judgeLimits(askLimits(makeInquiry(book)), state).readings[0]!.used;
  });
  expect(used).toEqual([400, 400]);
});

test("a calendar window is found anew at every instant, earlier ones too", () => {
  const window = {
    kind: "calendar",
    period: "DAY",
    zone: "UTC",
    weekStart: 1,
    anchorDay: 0,
    back: 0,
  } as const;
  const book = makeBook([makeSpec({ window })]);
  const history = makeLimitHistory([
    { ...approved, atMs: noonMs - dayMs },
    { ...approved, payment: "b", amountMinor: 5 },
  ]);
  const used = [noonMs, noonMs - dayMs, noonMs + dayMs, noonMs].map((nowMs) => {
    const state = { read: () => ({ history, holds: [] }), nowMs, paymentId: "pay", fx: book.fx };
    return judgeLimits(askLimits(makeInquiry(book, { nowMs })), state).readings[0]!.used;
  });
  expect(used).toEqual([5, 400, 0, 5]);
});
