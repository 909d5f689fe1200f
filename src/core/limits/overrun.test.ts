import { expect, test } from "vitest";
import {
  dayMs,
  hourMs,
  makeBook,
  makeHold,
  makeInquiry,
  makeSpec,
  minuteMs,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact } from "../../../test/helpers/limit-history.ts";
import { askLimits } from "./ask.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import { isOverrunSince } from "./overrun.ts";

/** EUR 100.00 per rolling hour. */
const hourly = makeSpec({ window: { kind: "rolling", spanMs: hourMs, offsetMs: 0 } });
const daily = makeSpec({
  window: { kind: "calendar", period: "DAY", zone: "UTC", weekStart: 1, anchorDay: 0, back: 0 },
});
const nowMs = noonMs + 3 * dayMs;

function approve(payment: string, amountMinor: number, minutes: number): PlainFact {
  const countedAtMs = noonMs + minutes * minuteMs;
  return { type: "payment_approved", payment, attempt: "a", amountMinor, atMs: countedAtMs, countedAtMs };
}

function isOver(spec: LimitSpec, facts: readonly PlainFact[], holds: readonly Hold[] = []): boolean {
  const book = makeBook([spec]);
  const asks = askLimits(makeInquiry(book, { nowMs }));
  const ordered = [...facts].sort((a, b) => a.atMs - b.atMs);
  const state = {
    read: () => ({ history: makeLimitHistory(ordered), holds }),
    nowMs,
    paymentId: "",
    fx: book.fx,
  };
  return isOverrunSince(asks, state, noonMs);
}

test("SEMANTICS 5.3: a late approval that others have made room for is an overrun of the window in which it was decided", () => {
  expect(isOver(hourly, [approve("late", 6_000, 0), approve("other", 4_000, 31)])).toBe(false);
  expect(isOver(hourly, [approve("late", 6_000, 0), approve("other", 4_001, 31)])).toBe(true);
});

test("a window counts in which neither the first nor the last instant of the payment is", () => {
  const facts = [approve("before", 3_000, -20), approve("late", 4_000, 0), approve("after", 4_000, 35)];
  // Together at 12:35 only: at 12:00 the last is not there yet, at 12:59 the first has left.
  expect(isOver(hourly, facts)).toBe(true);
  expect(isOver(hourly, [facts[0]!, facts[1]!, approve("after", 4_000, 40)])).toBe(false);
});

test("what stands outside of its windows is none of its business", () => {
  const others = [approve("x", 9_000, 60), approve("y", 9_000, 61), approve("z", 9_000, -60)];
  expect(isOver(hourly, [approve("late", 10_000, 0), ...others])).toBe(false);
});

test("a calendar period counts whole", () => {
  expect(isOver(daily, [approve("late", 6_000, 0), approve("other", 4_001, 11 * 60)])).toBe(true);
  expect(isOver(daily, [approve("late", 6_000, 0), approve("other", 4_001, 12 * 60)])).toBe(false);
});

test("a hold that is made after a window has moved on is none of it", () => {
  const open = { state: "PENDING", releasesAtMs: nowMs + 1 } as const;
  const hold = makeHold({
    paymentId: "open",
    amountMinor: 5_000,
    instantMs: noonMs + 61 * minuteMs,
    ...open,
  });
  expect(isOver(hourly, [approve("late", 6_000, 0)], [hold])).toBe(false);
});

test("a hold that lapsed is no money; one that is open is", () => {
  const late = approve("late", 6_000, 0);
  const hold = makeHold({ paymentId: "open", amountMinor: 5_000, instantMs: noonMs + 40 * minuteMs });
  expect(isOver(hourly, [late], [hold])).toBe(false);
  expect(isOver(hourly, [late], [{ ...hold, state: "PENDING", releasesAtMs: nowMs + 1 }])).toBe(true);
});
