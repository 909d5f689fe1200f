import fc from "fast-check";
import { expect, test } from "vitest";
import { hourMs, makeBook, makeSpec, minuteMs, noonMs } from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact, PlainLabels } from "../../../test/helpers/limit-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { PaymentFactType } from "../events/event-types.ts";
import { LabelBook } from "../events/label-book.ts";
import { FactRowMaker, noAnswer } from "../events/payment-fact.ts";
import { factRowId } from "../events/row-id.ts";
import type { CalendarPeriod } from "../features/feature.ts";
import type { History } from "../history/history.ts";
import { HistoryTable } from "../history/history-table.ts";
import { buildFx } from "../money.ts";
import type { LimitSpec } from "./limit.ts";
import { readByRow } from "./usage.ts";

const nowMs = noonMs;
const brand = { kind: "brand", id: "b" } as const;

type Told = {
  readonly type: PaymentFactType;
  readonly payment: number;
  readonly attempt: number;
  readonly amountMinor: number;
  /** `SEK` is told with what it was converted to, at a rate that was ten times today's; `JPY` is not. */
  readonly currency: "EUR" | "SEK" | "JPY";
  readonly minutesAgo: number;
  readonly decidedMinutesBefore: number | undefined;
  readonly card: string;
};

const arbitraryTold: fc.Arbitrary<Told> = fc.record({
  type: fc.constantFrom<PaymentFactType>(
    ...(["payment_approved", "payment_approved", "payment_approved", "payment_attempted"] as const),
    ...(["payment_declined", "payment_refunded", "payment_voided", "withdrawal_returned"] as const),
  ),
  payment: fc.integer({ min: 0, max: 60 }),
  attempt: fc.nat({ max: 2 }),
  amountMinor: fc.integer({ min: 0, max: 999 }),
  currency: fc.constantFrom("EUR", "EUR", "SEK", "JPY"),
  minutesAgo: fc.nat({ max: 12 * 60 }),
  decidedMinutesBefore: fc.option(fc.constantFrom(0, 0, 3, 40), { nil: undefined }),
  card: fc.constantFrom("c1", "c2", "c3", "c4"),
});

function fill(told: readonly Told[], rowsMax: number): History | undefined {
  const table = new HistoryTable({ rowsMax, slabRows: 4_096 });
  const maker = new FactRowMaker(new LabelBook(10_000));
  const number = table.open("m", brand);
  const open = { method: "card", psp: "", mid: "", brand: "", scheme: "", funding: "" };
  // In order, because who brings rows later than that has to place them where they still fit.
  for (const each of told.toSorted((a, b) => b.minutesAgo - a.minutesAgo)) {
    const { type, payment, attempt, amountMinor, currency, minutesAgo, decidedMinutesBefore, card } = each;
    const atMs = nowMs - minutesAgo * minuteMs;
    const fact = {
      ...{ type, amountMinor, currency, atMs, card, kind: "deposit" as const, playerId: "p" },
      ...{ paymentId: `p${payment}`, attemptId: attempt === 0 ? "" : `a${attempt}`, outcome: "" as const },
      ...{ device: "", ip: "", bin: "", ratesVersion: 1, ...open, ...noAnswer },
      countedAtMs: decidedMinutesBefore === undefined ? undefined : atMs - decidedMinutesBefore * minuteMs,
      converted: new Map(currency === "SEK" ? [["EUR", amountMinor]] : []),
    };
    table.place(number, maker.make(fact, factRowId({ merchantId: "m", ...fact }), "brand"), {
      isPaymentFact: true,
    });
  }
  return table.view(number);
}

/** A fact that is told again after it was folded is another one to whoever keeps it, and so is a refund that is told of no attempt. */
function tellOnce(told: readonly Told[]): readonly Told[] {
  const ids = new Set<string>();
  return told.filter(({ type, payment, attempt }) => {
    const id = [type, payment, attempt].join();
    if (ids.has(id) || (type === "payment_refunded" && attempt === 0)) return false;
    ids.add(id);
    return true;
  });
}

/** What counts from its own instant on, names its attempt and is not undone. */
function makePlain(told: readonly Told[]): readonly Told[] {
  return told
    .filter(({ type }) => type !== "payment_voided")
    .map((each) => ({ ...each, attempt: each.attempt + 1, decidedMinutesBefore: undefined }));
}

const arbitrarySpec: fc.Arbitrary<LimitSpec> = fc
  .record({
    measure: fc.constantFrom("GROSS", "NET", "COUNT", "DISTINCT"),
    counted: fc.constantFrom("PAYMENTS", "AUTHORISATIONS", "DECLINES"),
    window: fc.constantFrom("short", "long", "DAY"),
    netFloorNone: fc.boolean(),
  })
  .map(({ measure, counted, window, netFloorNone }) => {
    const isSum = measure === "GROSS" || measure === "NET";
    return makeSpec({
      ...{ measure: measure as LimitSpec["measure"], subject: "brand", netFloorNone },
      counted: isSum ? "PAYMENTS" : (counted as LimitSpec["counted"]),
      distinctOf: measure === "DISTINCT" ? "card" : undefined,
      window:
        window === "DAY"
          ? {
              ...{ kind: "calendar", period: "DAY" as CalendarPeriod, zone: "Europe/Berlin" },
              ...{ weekStart: 1, anchorDay: 0, back: 0 },
            }
          : { kind: "rolling", spanMs: window === "short" ? 3 * hourMs : 9 * hourMs, offsetMs: 0 },
    });
  });

test("beyond the cap of a history a limit never counts too little, and of what is told once, in time and for good too much by no more than it says", () => {
  let folded = 0;
  fc.assert(
    fc.property(
      arbitrarySpec,
      fc.array(arbitraryTold, { minLength: 20, maxLength: 150, size: "max" }),
      fc.boolean(),
      (spec, all, isDecided) => {
        const told = tellOnce(isDecided ? all : makePlain(all));
        const { limits, fx } = makeBook([spec]);
        const question = { limit: limits[0]!, threshold: 1_000_000, asked: 1, askedKey: NaN };
        const asker = { nowMs, latestMs: Infinity, paymentId: "", payment: NaN, fx };
        const [capped, whole] = [32, 1_024].map((rowsMax) => {
          const history = fill(told, rowsMax);
          folded += rowsMax === 32 ? history!.tiles.length : 0;
          return readByRow(question, { history, holds: [] }, asker)!;
        });
        expect(capped!.used).toBeGreaterThanOrEqual(whole!.used);
        if (!isDecided) expect(capped!.used - capped!.errorBound).toBeLessThanOrEqual(whole!.used);
      },
    ),
    { numRuns: countRuns(300) },
  );
  expect(folded).toBeGreaterThan(0);
});

test("folded amounts count as they were converted when they were reserved, whatever the rates are now", () => {
  const told = Array.from(
    { length: 40 },
    (_, payment): Told => ({
      ...{ type: "payment_approved", payment, attempt: 1, amountMinor: 100, currency: "SEK" },
      ...{ minutesAgo: 60 - payment, decidedMinutesBefore: undefined, card: "c1" },
    }),
  );
  const history = fill(told, 32)!;
  expect(history.tiles.length).toBeGreaterThan(0);
  const { limits, fx } = makeBook([makeSpec({ subject: "brand" })]);
  const question = { limit: limits[0]!, threshold: 10_000, asked: 1, askedKey: NaN };
  const asker = { nowMs, latestMs: Infinity, paymentId: "", payment: NaN, fx };
  expect(readByRow(question, { history, holds: [] }, asker)).toMatchObject({ used: 4_000, errorBound: 0 });
});

test("what was folded without being converted counts at the rates of now, half a unit a row to the safe side", () => {
  const built = buildFx({ rates: [{ from: "EUR", to: "JPY", rate: "3" }], base: "EUR" });
  if (!built.ok) throw new Error("the rates are wrong");
  const { limits } = makeBook([makeSpec({ measure: "NET" })]);
  const labels = new PlainLabels();
  const tileOf = (type: string) => ({
    ...{ fromMs: nowMs - hourMs, untilMs: nowMs - hourMs + minuteMs, count: 5, sumMinor: 10_000 },
    ...{ minMinor: 0, maxMinor: 10_000, label: labels.placeOf({ type, atMs: 0, currency: "JPY" }) },
  });
  const facts: readonly PlainFact[] = [];
  const read = (...types: readonly string[]) =>
    readByRow(
      { limit: limits[0]!, threshold: 1_000_000, asked: 1, askedKey: NaN },
      { history: makeLimitHistory(facts, labels, types.map(tileOf)), holds: [] },
      { nowMs, latestMs: Infinity, paymentId: "", payment: NaN, fx: built.fx },
    )!;
  // JPY 10,000 are EUR 3,333.33: 333,333 cents, of five rows 2.5 more or less.
  expect(read("payment_approved")).toMatchObject({ used: 333_336, errorBound: 6 });
  expect(read("payment_approved", "payment_refunded")).toMatchObject({ used: 6, errorBound: 12 });
});
