import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createListedLabels,
  type ListedEvent,
  makeListedHistory,
} from "../../../test/helpers/listed-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { plainSca } from "../../../test/helpers/three-ds.ts";
import { hashWide } from "../history/hash-wide.ts";
import { convertMinor } from "../money.ts";
import { type LowValueUse, readLowValueUse } from "./low-value.ts";

const { fx } = plainSca;

type Told = {
  readonly type: "payment_approved" | "payment_declined";
  readonly atMs: number;
  readonly amountMinor: number;
  readonly currency: "EUR" | "GBP" | "USD";
  readonly sca: "low_value" | "authenticated" | "tra" | "";
  readonly player: "p" | "q";
};

const told: fc.Arbitrary<Told> = fc.record({
  type: fc.constantFrom("payment_approved", "payment_approved", "payment_declined"),
  atMs: fc.integer({ min: 1, max: 8 }),
  amountMinor: fc.integer({ min: 1, max: 5_000 }),
  currency: fc.constantFrom("EUR", "EUR", "GBP", "GBP", "USD"),
  sca: fc.constantFrom("low_value", "low_value", "authenticated", "tra", ""),
  player: fc.constantFrom("p", "q"),
});

const toEvent = ({ type, atMs, amountMinor, currency, sca, player }: Told, id: number): ListedEvent => ({
  type,
  atMs,
  id,
  amountMinor,
  currency,
  values: sca === "" ? {} : { sca },
  wides: { payment: id, player: hashWide(player) },
});

/** Forwards, by the letter: an authentication begins anew, an exempt payment adds. */
function countNaively(all: readonly Told[], playerId: string | undefined): LowValueUse {
  let count = 0;
  let sumMinor: number | undefined = 0;
  const inOrder = all.map((each, id) => ({ ...each, id })).sort((a, b) => a.atMs - b.atMs || a.id - b.id);
  for (const { type, sca, amountMinor, currency, player } of inOrder) {
    if (type !== "payment_approved" || (playerId !== undefined && player !== playerId)) continue;
    if (sca === "authenticated") {
      count = 0;
      sumMinor = 0;
    } else if (sca === "low_value") {
      count++;
      const converted = convertMinor(fx, { amountMinor, from: currency, to: "EUR" });
      sumMinor = sumMinor === undefined || converted === undefined ? undefined : sumMinor + converted;
    }
  }
  return { count, sumMinor };
}

describe("what a card has used of the low-value exemption", () => {
  test("is what a naive count says", () => {
    fc.assert(
      fc.property(
        fc.array(told, { maxLength: 12 }),
        fc.constantFrom(undefined, "p", "q"),
        (all, playerId) => {
          const history = makeListedHistory(all.map(toEvent));
          const use = readLowValueUse(history, { currency: "EUR", fx, playerId });
          expect(use).toEqual(countNaively(all, playerId));
        },
      ),
      { numRuns: countRuns(500) },
    );
  });

  test("is nothing where nothing was paid", () => {
    expect(readLowValueUse(undefined, { currency: "EUR", fx, playerId: undefined })).toEqual({
      count: 0,
      sumMinor: 0,
    });
  });

  test("of folded rows is never less than it was", () => {
    const tileMs = 4;
    fc.assert(
      fc.property(fc.array(told, { maxLength: 12 }), fc.integer({ min: 0, max: 9 }), (all, fromMs) => {
        const labels = createListedLabels();
        const exactFromMs = Math.floor(fromMs / tileMs) * tileMs;
        const folded = all.map(toEvent).filter(({ atMs }) => atMs < exactFromMs);
        const tiles = folded.map((event) => ({
          fromMs: Math.floor(event.atMs / tileMs) * tileMs,
          untilMs: Math.floor(event.atMs / tileMs) * tileMs + tileMs,
          label: labels.intern(event),
          count: 1,
          sumMinor: event.amountMinor!,
          minMinor: event.amountMinor!,
          maxMinor: event.amountMinor!,
        }));
        const kept = all.map(toEvent).filter(({ atMs }) => atMs >= exactFromMs);
        const history = makeListedHistory(kept, { labels, tiles });
        const naive = countNaively(all, undefined);
        const use = readLowValueUse(history, { currency: "EUR", fx, playerId: undefined });
        expect(use.count).toBeGreaterThanOrEqual(naive.count);
        if (naive.sumMinor !== undefined && use.sumMinor !== undefined) {
          expect(use.sumMinor).toBeGreaterThanOrEqual(naive.sumMinor);
        }
        const mine = readLowValueUse(history, { currency: "EUR", fx, playerId: "p" });
        expect(mine.count).toBeGreaterThanOrEqual(countNaively(all, "p").count);
      }),
      { numRuns: countRuns(500) },
    );
  });
});
