import { describe, expect, it } from "vitest";
import {
  dayMs,
  eventIs,
  hourMs,
  judgeCase,
  makeHold,
  makePayment,
  makeSpec,
  minuteMs,
  noonMs,
} from "../../../test/helpers/limit-cases.ts";
import type { PlainFact } from "../../../test/helpers/limit-history.ts";
import type { CalendarSpec } from "../features/feature.ts";
import type { OwnLimit } from "../player.ts";
import { hearOutcome } from "./holds.ts";
import type { LimitReading, LimitSpec } from "./limit.ts";
import { makeLimitReason } from "./limit-reasons.ts";

const approved = {
  type: "payment_approved",
  atMs: noonMs - hourMs,
  amountMinor: 4_000,
  payment: "a",
  attempt: "a1",
};

function read(input: Parameters<typeof judgeCase>[0]): LimitReading {
  return judgeCase(input).readings[0]!;
}

function readUsed(input: Parameters<typeof judgeCase>[0]): number {
  return read(input).used;
}

function calendar(
  period: CalendarSpec["period"],
  zone: string,
  part: Partial<CalendarSpec> = {},
): CalendarSpec {
  return { kind: "calendar", period, zone, weekStart: 1, anchorDay: 0, back: 0, ...part };
}

const counting = { measure: "COUNT", thresholds: [{ segment: undefined, value: 3 }] } as const;
const protective = { ruleClass: "REGULATORY", closesOnUnknown: true } as const;

describe("SEMANTICS 5.1: what is counted", () => {
  const facts: readonly PlainFact[] = [
    { ...approved, type: "payment_attempted" },
    { ...approved, type: "payment_declined" },
    { ...approved, type: "payment_attempted", attempt: "a2" },
    { ...approved, attempt: "a2" },
  ];

  it("a payment counts once over its attempts, an authorisation each time it is sent, a decline when it is known", () => {
    expect(readUsed({ specs: [makeSpec(counting)], facts })).toBe(1);
    expect(readUsed({ specs: [makeSpec({ ...counting, counted: "AUTHORISATIONS" })], facts })).toBe(2);
    expect(readUsed({ specs: [makeSpec({ ...counting, counted: "DECLINES" })], facts })).toBe(1);
    expect(readUsed({ specs: [makeSpec()], facts })).toBe(4_000);
  });

  it("the plan is cut to the authorisations that are left; the unused ones of another plan are held until its end", () => {
    const specs = [makeSpec({ ...counting, counted: "AUTHORISATIONS" })];
    expect(judgeCase({ specs, facts, steps: 3 })).toMatchObject({
      ok: true,
      steps: 1,
      readings: [{ asked: 1 }],
    });
    const holds = [makeHold({ authorisations: 2 })];
    expect(judgeCase({ specs, holds, steps: 3 })).toMatchObject({ ok: true, steps: 1 });
    expect(judgeCase({ specs, facts, holds, steps: 3 })).toMatchObject({ ok: false });
    expect(judgeCase({ specs: [{ ...specs[0]!, breach: "NOTICE" }], facts, steps: 3 }).steps).toBe(3);
  });

  it("what was sent of the payment itself counts as authorisation, but its hold does not stand in its way", () => {
    const specs = [makeSpec({ ...counting, counted: "AUTHORISATIONS" }), makeSpec({ id: "sum" })];
    const own = facts.map((fact) => ({ ...fact, payment: "pay" }));
    const holds = [makeHold({ paymentId: "pay", authorisations: 5, amountMinor: 9_999 })];
    const used = judgeCase({ specs, facts: own, holds }).readings.map((each) => [each.limitId, each.used]);
    expect(Object.fromEntries(used)).toEqual({ limit: 2, sum: 0 });
  });

  it("two tellers of one approval, of whom one knows no attempt, tell of the same money", () => {
    const { attempt: _, ...unnamed } = approved;
    expect(readUsed({ specs: [makeSpec()], facts: [approved, { ...unnamed, atMs: noonMs - 1 }] })).toBe(
      4_000,
    );
    expect(readUsed({ specs: [makeSpec()], facts: [approved, { ...unnamed, amountMinor: 4_500 }] })).toBe(
      4_500,
    );
  });
});

describe("SEMANTICS 5.2: one reserve under all limits or none", () => {
  const tight = makeSpec({ id: "tight", thresholds: [{ segment: undefined, value: 999 }] });
  const wide = makeSpec({ id: "wide" });

  it("is refused where one limit denies, and says of each what is left", () => {
    const { ok, readings, breaches } = judgeCase({ specs: [wide, tight] });
    expect(ok).toBe(false);
    expect(readings.map(({ limitId, fits }) => [limitId, fits])).toEqual([
      ["tight", false],
      ["wide", true],
    ]);
    expect(breaches.map(({ limit }) => limit.spec.id)).toEqual(["tight"]);
  });

  it.each(["REVIEW", "STEP_UP", "NOTICE"] as const)("is admitted where the only outcome is %s", (breach) => {
    const { ok, breaches } = judgeCase({ specs: [wide, { ...tight, breach }] });
    expect({ ok, outcomes: breaches.map(({ outcome }) => outcome) }).toEqual({
      ok: true,
      outcomes: [breach],
    });
  });

  it("lists what does not fit first, then the least share that is left, then by id", () => {
    const specs = [
      makeSpec({ id: "c", thresholds: [{ segment: undefined, value: 5_000 }] }),
      makeSpec({ id: "b", thresholds: [{ segment: undefined, value: 5_000 }] }),
      makeSpec({ id: "a", thresholds: [{ segment: undefined, value: 50_000 }] }),
      tight,
    ];
    const { readings } = judgeCase({ specs, facts: [approved] });
    expect(readings.map(({ limitId }) => limitId)).toEqual(["tight", "b", "c", "a"]);
  });
});

describe("SEMANTICS 5.3: silence is an unknown outcome", () => {
  const open = makeSpec();
  const closed = makeSpec(protective);

  it("releases after 30 minutes under classes 4 to 7, and holds on under classes 1 and 2", () => {
    const holds = [makeHold({ amountMinor: 2_500 })];
    const nowMs = noonMs + 30 * minuteMs;
    expect(readUsed({ specs: [open], holds, nowMs: nowMs - 1 })).toBe(2_500);
    expect(readUsed({ specs: [open], holds, nowMs })).toBe(0);
    expect(readUsed({ specs: [closed], holds, nowMs: noonMs + dayMs - 1 })).toBe(2_500);
    expect(readUsed({ specs: [closed], holds, nowMs: noonMs + dayMs })).toBe(0);
  });

  it("a late approval commits, over the limit if need be, flagged, and headroom is never below 0", () => {
    const hold = makeHold({ amountMinor: 8_000 });
    const nowMs = noonMs + hourMs;
    const { facts } = hearOutcome(hold, hold, {
      attemptId: "a1",
      became: "APPROVED",
      amountMinor: undefined,
      atMs: nowMs,
      heardAtMs: nowMs,
      open: "NONE",
      stepsLeft: 0,
      validUntilMs: noonMs,
    });
    const late = facts.map(({ paymentId: payment, attemptId: attempt, countedAtMs, ...fact }) => ({
      ...{
        type: fact.type,
        atMs: fact.atMs,
        amountMinor: fact.amountMinor,
        payment,
        attempt,
        countedAtMs: countedAtMs!,
      },
    }));
    const others = { ...approved, atMs: noonMs + 31 * minuteMs, amountMinor: 6_000 };
    expect(read({ specs: [open], facts: [...late, others], nowMs })).toMatchObject({
      used: 14_000,
      headroom: 0,
      overrun: true,
    });
  });
});

describe("SEMANTICS 5.4: the instant", () => {
  it("of a late approval is the first Decide of its revision, for all windows", () => {
    const facts = [{ ...approved, atMs: noonMs, countedAtMs: noonMs - dayMs + 1 }];
    const specs = [makeSpec(), makeSpec({ id: "today", window: calendar("DAY", "UTC") })];
    const { readings } = judgeCase({ specs, facts });
    expect(Object.fromEntries(readings.map((each) => [each.limitId, each.used]))).toEqual({
      limit: 4_000,
      today: 0,
    });
    expect(readUsed({ specs: [makeSpec()], facts, nowMs: noonMs + 1 })).toBe(0);
  });

  it("is that of the row where nobody decided", () => {
    expect(readUsed({ specs: [makeSpec()], facts: [approved], nowMs: approved.atMs + dayMs - 1 })).toBe(
      4_000,
    );
    expect(readUsed({ specs: [makeSpec()], facts: [approved], nowMs: approved.atMs + dayMs })).toBe(0);
  });

  it("of a limit that counts clearings is fixed by the clearing, and open in every window until then", () => {
    const specs = [
      makeSpec({ countedAt: "CLEARED", window: { kind: "rolling", spanMs: hourMs, offsetMs: 0 } }),
    ];
    const facts = [{ ...approved, atMs: noonMs - 3 * dayMs }];
    expect(readUsed({ specs, facts })).toBe(4_000);
    const cleared = { ...approved, type: "payment_cleared", atMs: noonMs - hourMs + 1 };
    expect(readUsed({ specs, facts: [...facts, cleared] })).toBe(4_000);
    expect(readUsed({ specs, facts: [...facts, cleared], nowMs: noonMs + 1 })).toBe(0);
    expect(
      readUsed({ specs: [{ ...specs[0]!, ...protective }], holds: [makeHold()], nowMs: noonMs + 20 * dayMs }),
    ).toBe(1_000);
  });
});

describe("SEMANTICS 5.5: thresholds", () => {
  const thresholds = [
    { segment: 0, value: 5_000 },
    { segment: 1, value: 3_000 },
    { segment: undefined, value: 4_000 },
  ];
  const specs = [makeSpec({ thresholds })];
  const limitOf = (truths: readonly number[], part: object = {}): readonly [number, string] => {
    const frame = { ...judgeFrame, segments: Uint8Array.from(truths) };
    const { limit, segment } = read({ specs, frame, ...part });
    return [limit, segment];
  };
  const judgeFrame = { values: [], lists: [], locals: [], nowMs: noonMs, evalErrors: 0 };

  it.each([
    [[1, 1], 5_000, "a"],
    [[0, 1], 3_000, "b"],
    [[0, 0], 4_000, ""],
    [[2, 0], 4_000, ""],
    [[0, 2], 3_000, "b"],
    [[2, 1], 3_000, "b"],
    [[1, 2], 5_000, "a"],
  ] as const)(
    "with truths %j the first true one speaks and the lowest unknown one before it binds: %i",
    (truths, limit, segment) => {
      expect(limitOf(truths)).toEqual([limit, segment]);
    },
  );

  it("are replaced by an override by the limit's id, of classes 4 to 7 only", () => {
    const replacements = [
      { limit: "limit", value: 9_000, currency: "EUR" },
      { limit: "limit", value: 1, currency: "EUR" },
    ];
    expect(limitOf([1, 1], { replacements })).toEqual([9_000, ""]);
    expect(read({ specs: [makeSpec({ ...protective, thresholds })], replacements }).limit).toBe(4_000);
    expect(limitOf([1, 1], { replacements: [{ limit: "limit", value: 11_500, currency: "SEK" }] })).toEqual([
      1_000,
      "",
    ]);
  });

  it("used above the threshold is headroom 0, and the tightest of different limits applies", () => {
    const lowered = makeSpec({ id: "low", thresholds: [{ segment: undefined, value: 100 }] });
    const { readings, ok } = judgeCase({ specs: [...specs, lowered], facts: [approved] });
    expect(ok).toBe(false);
    expect(readings[0]).toMatchObject({ limitId: "limit", headroom: 0, overrun: false });
    expect(readings[1]).toMatchObject({ limitId: "low", headroom: 0, overrun: true });
  });

  it("what counts is apart from what is held up", () => {
    const facts = [approved, { ...approved, payment: "b", method: "pix" }];
    const specs = [makeSpec({ counts: eventIs("method", "pix") })];
    expect(readUsed({ specs, facts })).toBe(4_000);
    const holds = [makeHold(), makeHold({ paymentId: "c", values: new Map([["method", "pix"]]) })];
    expect(readUsed({ specs, facts, holds })).toBe(5_000);
    // What does not say its method counts where unknown closes.
    expect(readUsed({ specs: [{ ...specs[0]!, ...protective }], facts })).toBe(8_000);
    const applies = { op: "segment", type: "bool", segment: 0 } as const;
    expect(judgeCase({ specs: [makeSpec({ applies })] }).readings).toEqual([]);
    const frame = { ...judgeFrame, segments: Uint8Array.of(2, 0) };
    expect(judgeCase({ specs: [makeSpec({ applies })], frame }).readings).toEqual([]);
    expect(judgeCase({ specs: [makeSpec({ applies, ...protective })], frame }).readings).toHaveLength(1);
  });
});

describe("SEMANTICS 5.6: partial, void, refund, chargeback and net", () => {
  const net = makeSpec({ measure: "NET" });
  const refund = { ...approved, type: "payment_refunded", atMs: noonMs - minuteMs, amountMinor: 1_500 };
  const paid = {
    type: "withdrawal_paid",
    kind: "withdrawal",
    atMs: noonMs - minuteMs,
    amountMinor: 2_500,
    payment: "w",
  } as const;

  it("a void gives back all, of one attempt or of the payment", () => {
    const voided = { type: "payment_voided", atMs: noonMs, payment: "a" };
    expect(readUsed({ specs: [makeSpec()], facts: [approved, voided] })).toBe(0);
    expect(readUsed({ specs: [makeSpec()], facts: [approved, { ...voided, attempt: "a2" }] })).toBe(4_000);
    expect(readUsed({ specs: [makeSpec(counting)], facts: [approved, { ...voided, attempt: "a1" }] })).toBe(
      0,
    );
    const facts = [approved, paid, { ...voided, kind: "withdrawal", payment: "w" } as const];
    expect(readUsed({ specs: [makeSpec({ measure: "NET" })], facts })).toBe(4_000);
  });

  it("refunds, chargebacks and paid withdrawals give gross nothing back, and reduce net at their own instants", () => {
    const facts = [
      approved,
      refund,
      { ...refund, type: "payment_charged_back", attempt: "a2", amountMinor: 200 },
      paid,
    ];
    expect(readUsed({ specs: [makeSpec()], facts })).toBe(4_000);
    expect(readUsed({ specs: [net], facts })).toBe(0);
    const all = makeSpec({ measure: "NET", netFloorNone: true });
    expect(read({ specs: [all], facts })).toMatchObject({ used: -200, headroom: 10_200 });
    // The deposit leaves an hour before what was given back.
    expect(readUsed({ specs: [all], facts, nowMs: noonMs + 23 * hourMs })).toBe(-4_200);
  });

  it("a withdrawal counts when it is paid, and a returned payout is added back", () => {
    const asked = { ...paid, type: "withdrawal_requested" };
    expect(readUsed({ specs: [net], facts: [approved, asked] })).toBe(4_000);
    expect(readUsed({ specs: [net], facts: [approved, asked, paid] })).toBe(1_500);
    const returned = { ...paid, type: "withdrawal_returned", atMs: noonMs };
    expect(readUsed({ specs: [net], facts: [approved, asked, paid, returned] })).toBe(4_000);
  });

  it("net below nothing adds no headroom unless a pack says so", () => {
    expect(read({ specs: [net], facts: [paid] })).toMatchObject({
      used: 0,
      headroom: 10_000,
      resetsAtMs: undefined,
    });
  });

  it("net headroom may shrink before it grows", () => {
    const facts = [
      { ...paid, atMs: noonMs - 23 * hourMs },
      { ...approved, amountMinor: 11_500 },
    ];
    // 9,000 now; 11,500 once the withdrawal has left; nothing once the deposit has.
    expect(read({ specs: [net], facts })).toMatchObject({ used: 9_000, resetsAtMs: approved.atMs + dayMs });
  });
});

describe("SEMANTICS 5.7: a player's own limits in a decision", () => {
  const own: OwnLimit = {
    period: "ROLLING_DAY",
    measure: "GROSS",
    amount: { minorUnits: 4_500, currencyCode: "EUR" },
    setAtMs: 0,
    zone: "UTC",
  };

  it("are of class 2, beyond any override, also where more is used than they allow", () => {
    const replacements = [{ limit: "player/rolling_day/gross", value: 99_999, currency: "EUR" }];
    const lifted = new Set(["player/rolling_day/gross"]);
    const { breaches, ok } = judgeCase({
      specs: [],
      ownLimits: [own],
      facts: [approved],
      replacements,
      lifted,
    });
    expect(ok).toBe(false);
    expect(breaches.map(makeLimitReason)).toMatchObject([
      {
        stage: "protective_limit",
        code: "PLAYER_LIMIT_EXCEEDED",
        ruleClass: "SAFER_GAMBLING",
        purposes: ["rg"],
      },
    ]);
    const lower = { ...own, amount: { ...own.amount, minorUnits: 100 } };
    expect(read({ specs: [], ownLimits: [lower], facts: [approved] })).toMatchObject({
      headroom: 0,
      used: 4_000,
    });
  });

  it("of several periods all hold, and what waits is in force when its wait is over", () => {
    const pending = {
      amount: { minorUnits: 9_000, currencyCode: "EUR" },
      requestedAtMs: noonMs - dayMs,
      effectiveAtMs: noonMs,
      needsConfirmation: false,
    };
    const ownLimits: readonly OwnLimit[] = [
      { ...own, pending },
      { ...own, period: "WEEK" },
    ];
    const limits = judgeCase({ specs: [], ownLimits }).readings.map((each) => [each.limitId, each.limit]);
    expect(Object.fromEntries(limits)).toEqual({
      "player/rolling_day/gross": 9_000,
      "player/week/gross": 4_500,
    });
  });

  it("never act on withdrawals", () => {
    const payment = makePayment({ kind: "withdrawal" });
    expect(judgeCase({ specs: [makeSpec()], ownLimits: [own], payment }).readings).toEqual([]);
  });
});

describe("SEMANTICS 5.8: currency", () => {
  it("counts what was stored when it was converted, and converts what no limit asked for then at the rates of now", () => {
    const stored = { ...approved, currency: "SEK", amountMinor: 11_500, converted: { EUR: 777 } };
    const { converted: _, ...bare } = stored;
    expect(readUsed({ specs: [makeSpec()], facts: [stored] })).toBe(777);
    expect(readUsed({ specs: [makeSpec()], facts: [bare] })).toBe(1_000);
    const hold = { currency: "SEK", amountMinor: 11_500 };
    expect(
      readUsed({ specs: [makeSpec()], holds: [makeHold({ ...hold, converted: new Map([["EUR", 555]]) })] }),
    ).toBe(555);
    expect(readUsed({ specs: [makeSpec()], holds: [makeHold(hold)] })).toBe(1_000);
  });

  it("asks in the limit's currency, half up", () => {
    const payment = makePayment({ currency: "SEK", amountMinor: 11_506 });
    // 115.06 SEK / 11.5 = 10.00521... EUR
    expect(read({ specs: [makeSpec()], payment }).asked).toBe(1_001);
  });

  const cases: readonly (readonly [string, Partial<LimitSpec>, boolean, readonly string[]])[] = [
    ["class 1 denies", protective, false, ["DENY FX_MISSING"]],
    [
      "class 2 denies even where unknown opens",
      { ruleClass: "SAFER_GAMBLING", breach: "REVIEW" },
      false,
      ["DENY FX_MISSING"],
    ],
    ["another opens where unknown opens", {}, true, []],
    [
      "another acts where unknown closes",
      { ruleClass: "RISK", breach: "REVIEW", closesOnUnknown: true },
      true,
      ["REVIEW FX_MISSING"],
    ],
  ];

  it.each(cases)("without a rate %s", (_, part, ok, outcomes) => {
    const payment = makePayment({ currency: "KWD" });
    for (const input of [
      { payment },
      { facts: [{ ...approved, currency: "KWD" }] },
      { holds: [makeHold({ currency: "KWD" })] },
    ]) {
      const judged = judgeCase({ specs: [makeSpec(part)], ...input });
      expect(judged.ok).toBe(ok);
      expect(judged.breaches.map(({ outcome, code }) => `${outcome} ${code}`)).toEqual(outcomes);
      expect(judged.readings).toMatchObject([{ unknown: true }]);
    }
  });

  it("without a rate a notice stays a notice", () => {
    const payment = makePayment({ currency: "KWD" });
    const { ok, breaches } = judgeCase({ specs: [makeSpec({ ...protective, breach: "NOTICE" })], payment });
    expect({ ok, outcome: breaches[0]?.outcome }).toEqual({ ok: true, outcome: "NOTICE" });
  });

  it("without a rate a player's own limit denies", () => {
    const ownLimits: readonly OwnLimit[] = [
      {
        period: "DAY",
        measure: "GROSS",
        amount: { minorUnits: 1_000_000, currencyCode: "EUR" },
        setAtMs: 0,
        zone: "UTC",
      },
    ];
    const { ok, breaches } = judgeCase({ specs: [], ownLimits, payment: makePayment({ currency: "KWD" }) });
    expect({ ok, code: breaches[0]?.code }).toEqual({ ok: false, code: "FX_MISSING" });
  });
});

describe("SEMANTICS 5.9: windows", () => {
  it("rolling: an event at t leaves at exactly t + W, when headroom grows", () => {
    const specs = [makeSpec()];
    const leavesAtMs = approved.atMs + dayMs;
    expect(read({ specs, facts: [approved], nowMs: leavesAtMs - 1 })).toMatchObject({
      used: 4_000,
      resetsAtMs: leavesAtMs,
    });
    expect(read({ specs, facts: [approved], nowMs: leavesAtMs })).toMatchObject({
      used: 0,
      resetsAtMs: undefined,
    });
  });

  // Clocks in Berlin go forward at 02:00 on 2026-03-29 and back at 03:00 on 2026-10-25; in Santiago forward at midnight on 2026-09-06.
  const days: readonly (readonly [string, string, string, string])[] = [
    ["a day of 23 hours", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"],
    ["a day of 25 hours", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"],
    ["a day that starts at 01:00", "America/Santiago", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"],
  ];

  it.each(days)("calendar: %s holds [start, next)", (_, zone, start, next) => {
    const specs = [makeSpec({ window: calendar("DAY", zone) })];
    const startMs = Date.parse(start);
    const nextMs = Date.parse(next);
    const at = (atMs: number, nowMs: number): number =>
      readUsed({ specs, facts: [{ ...approved, atMs }], nowMs });
    expect([
      at(startMs - 1, startMs),
      at(startMs, startMs),
      at(startMs, nextMs - 1),
      at(startMs, nextMs),
    ]).toEqual([0, 4_000, 4_000, 0]);
    expect(read({ specs, facts: [{ ...approved, atMs: startMs }], nowMs: nextMs - 1 }).resetsAtMs).toBe(
      nextMs,
    );
  });

  it("calendar: weeks are ISO weeks unless they start another day, and months are months", () => {
    // 2026-05-15 was a Friday.
    const reset = (window: CalendarSpec): string | undefined => {
      const { resetsAtMs } = read({ specs: [makeSpec({ window })], facts: [approved] });
      return resetsAtMs === undefined ? undefined : new Date(resetsAtMs).toISOString();
    };
    expect(reset(calendar("WEEK", "Europe/Berlin"))).toBe("2026-05-17T22:00:00.000Z");
    expect(reset(calendar("WEEK", "UTC", { weekStart: 6 }))).toBe("2026-05-16T00:00:00.000Z");
    expect(reset(calendar("MONTH", "UTC"))).toBe("2026-06-01T00:00:00.000Z");
  });

  it("says when the payment fits, and nothing where it never will", () => {
    const facts = [
      { ...approved, amountMinor: 9_500 },
      { ...approved, payment: "b", atMs: noonMs - 20 * hourMs, amountMinor: 400 },
    ];
    const thresholds = [{ segment: undefined, value: 10_000 }];
    expect(read({ specs: [makeSpec({ thresholds })], facts })).toMatchObject({
      fits: false,
      resetsAtMs: noonMs + 4 * hourMs,
      fitsAtMs: approved.atMs + dayMs,
    });
    const low = makeSpec({ thresholds: [{ segment: undefined, value: 999 }] });
    expect(read({ specs: [low], facts })).toMatchObject({ fits: false, fitsAtMs: undefined });
  });

  it("an empty window is 0 of anything", () => {
    const specs = [
      makeSpec(),
      makeSpec({ id: "net", measure: "NET" }),
      makeSpec({ ...counting, id: "count" }),
      makeSpec({ ...counting, id: "distinct", measure: "DISTINCT", distinctOf: "method" }),
    ];
    expect(judgeCase({ specs }).readings.map(({ used }) => used)).toEqual([0, 0, 0, 0]);
  });
});
