import { expect, test } from "vitest";
import { dayMs, hourMs, judgeCase, makeHold, makeSpec, noonMs } from "../../../test/helpers/limit-cases.ts";

test("reads used, headroom and reset, and says when it would fit", () => {
  const facts = [
    { type: "payment_approved", atMs: noonMs - 23 * hourMs, amountMinor: 3_000, payment: "a" },
    { type: "payment_approved", atMs: noonMs - hourMs, amountMinor: 6_500, payment: "b" },
  ];
  const { readings, breaches, ok } = judgeCase({ specs: [makeSpec()], facts });
  expect(readings).toEqual([
    {
      limitId: "limit",
      ruleClass: "SEGMENT",
      fits: false,
      used: 9_500,
      limit: 10_000,
      headroom: 500,
      asked: 1_000,
      currency: "EUR",
      resetsAtMs: noonMs + hourMs,
      fitsAtMs: noonMs + hourMs,
      unknown: false,
      segment: "",
      subject: "player",
      errorBound: 0,
      overrun: false,
      purposes: ["payments"],
    },
  ]);
  expect(breaches.map(({ code, outcome }) => [code, outcome])).toEqual([["LIMIT_EXCEEDED", "DENY"]]);
  expect(ok).toBe(false);
});

test("counts holds of other payments and never its own", () => {
  const specs = [makeSpec({ window: { kind: "rolling", spanMs: dayMs, offsetMs: 0 } })];
  const holds = [makeHold({ amountMinor: 9_000 }), makeHold({ paymentId: "pay", amountMinor: 9_000 })];
  expect(judgeCase({ specs, holds }).readings[0]).toMatchObject({ used: 9_000, fits: true });
});
