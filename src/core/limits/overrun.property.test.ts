import fc from "fast-check";
import { expect, test } from "vitest";
import { hourMs, makeBook, makeHold, makeSpec, minuteMs, noonMs } from "../../../test/helpers/limit-cases.ts";
import { makeLimitHistory, type PlainFact } from "../../../test/helpers/limit-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { AskedLimit } from "./ask.ts";
import type { LimitSpec } from "./limit.ts";
import { isOverrunSince } from "./overrun.ts";
import { readByRow } from "./usage.ts";

const spanMs = hourMs;
const nowMs = noonMs + 5 * hourMs;

const arbitraryFact: fc.Arbitrary<PlainFact> = fc
  .record({
    type: fc.constantFrom(
      ...["payment_approved", "payment_approved", "payment_approved", "payment_attempted", "payment_voided"],
      ...["payment_refunded", "withdrawal_paid", "withdrawal_returned"],
    ),
    payment: fc.constantFrom("p1", "p2", "p3", "p4"),
    attempt: fc.option(fc.constantFrom("a1", "a2"), { nil: undefined }),
    amountMinor: fc.integer({ min: 1, max: 9 }),
    minutes: fc.integer({ min: -80, max: 160 }),
    decidedBefore: fc.option(fc.constantFrom(0, 5, 40), { nil: undefined }),
    card: fc.constantFrom("c1", "c2", "c3"),
  })
  .map(({ minutes, decidedBefore, attempt, ...fact }) => {
    const atMs = noonMs + minutes * minuteMs;
    const countedAtMs = decidedBefore === undefined ? undefined : atMs - decidedBefore * minuteMs;
    return {
      ...fact,
      atMs,
      ...(attempt === undefined ? {} : { attempt }),
      ...(countedAtMs === undefined ? {} : { countedAtMs }),
    };
  });

const arbitraryHold = fc
  .record({
    paymentId: fc.constantFrom("p1", "p2", "p5"),
    minutes: fc.integer({ min: -80, max: 160 }),
    amountMinor: fc.integer({ min: 1, max: 9 }),
    isOpen: fc.boolean(),
  })
  .map(({ minutes, isOpen, ...hold }) =>
    makeHold({ ...hold, instantMs: noonMs + minutes * minuteMs, releasesAtMs: isOpen ? nowMs + 1 : nowMs }),
  );

const arbitrarySpec: fc.Arbitrary<LimitSpec> = fc
  .record({
    measure: fc.constantFrom("GROSS", "NET", "COUNT", "DISTINCT"),
    counted: fc.constantFrom("PAYMENTS", "AUTHORISATIONS"),
    netFloorNone: fc.boolean(),
  })
  .map(({ measure, counted, netFloorNone }) => {
    const isSum = measure === "GROSS" || measure === "NET";
    return makeSpec({
      ...{ measure: measure as LimitSpec["measure"], netFloorNone },
      counted: isSum ? "PAYMENTS" : (counted as LimitSpec["counted"]),
      distinctOf: measure === "DISTINCT" ? "card" : undefined,
      window: { kind: "rolling", spanMs, offsetMs: 0 },
    });
  });

test("a rolling window is overrun where a reading at some minute says so, of what was there by then", () => {
  fc.assert(
    fc.property(
      arbitrarySpec,
      fc.array(arbitraryFact, { maxLength: 14 }),
      // One for each payment, as stores keep them.
      fc.uniqueArray(arbitraryHold, { maxLength: 3, selector: ({ paymentId }) => paymentId }),
      fc.nat({ max: 25 }),
      (spec, facts, holds, threshold) => {
        const { limits, fx } = makeBook([spec]);
        const limit = limits[0]!;
        const history = makeLimitHistory(facts);
        const asked: AskedLimit = {
          ...{ limit, threshold, segment: "", asked: 0, askedKey: NaN },
          ...{ unknown: "", appliesThroughUnknown: false },
        };
        const state = { read: () => ({ history, holds }), nowMs, paymentId: "", fx };
        const asks = [{ subject: { kind: "player", id: "p" } as const, limits: [asked] }];
        // Everything happens at whole minutes.
        const want = Array.from({ length: 60 }, (_, minutes) => noonMs + minutes * minuteMs).some((atMs) => {
          const there = holds.filter(
            ({ instantMs, releasesAtMs }) => instantMs <= atMs && nowMs < releasesAtMs,
          );
          const asker = { nowMs: atMs, latestMs: atMs, paymentId: "", payment: NaN, fx };
          return readByRow(asked, { history, holds: there }, asker)!.used > threshold;
        });
        expect(isOverrunSince(asks, state, noonMs)).toBe(want);
      },
    ),
    { numRuns: countRuns(400) },
  );
});
