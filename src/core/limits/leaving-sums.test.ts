import fc from "fast-check";
import { expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { LeavingSums } from "./leaving-sums.ts";
import { Ledger } from "./ledger.ts";

const arbitraryDelta = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: -20, max: 20 }));
const arbitraryEntry = fc.record({ leavesAtMs: fc.integer({ min: 1, max: 900 }), delta: arbitraryDelta });

type Entry = { readonly leavesAtMs: number; readonly delta: number };

function addAll(sums: LeavingSums, entries: readonly Entry[], sign: number): void {
  for (const { leavesAtMs, delta } of entries) sums.add(leavesAtMs, sign * delta);
}

/** Instants as a PSP's payments give them: mostly in order, and enough of them for several chunks. */
const arbitraryEntries = fc
  .tuple(
    fc.array(arbitraryEntry, { maxLength: 1_500, size: "max" }),
    fc.boolean(),
    fc.array(arbitraryEntry, { maxLength: 50 }),
  )
  .map(([many, isOrdered, late]) => [
    ...(isOrdered ? many.toSorted((a, b) => a.leavesAtMs - b.leavesAtMs) : many),
    ...late,
  ]);

it("tells the sum of what has not left yet as adding it all up does, whatever came and went", () => {
  fc.assert(
    fc.property(
      arbitraryEntries,
      fc.nat({ max: 1_500 }),
      fc.array(fc.integer({ min: 0, max: 901 })),
      (entries, gone, instants) => {
        const sums = new LeavingSums();
        addAll(sums, entries, 1);
        addAll(sums, entries.slice(0, gone), -1);
        const rest = entries.slice(gone);
        for (const nowMs of instants) {
          const want = rest.reduce((sum, each) => sum + (each.leavesAtMs > nowMs ? each.delta : 0), 0);
          expect(sums.sumAfter(nowMs)).toBe(want);
        }
        // Nothing stays of what left no sum.
        addAll(sums, rest, -1);
        expect([sums.length, sums.sumAfter(0)]).toEqual([0, 0]);
      },
    ),
    { numRuns: countRuns(150) },
  );
});

it("finds instants as a ledger of every entry does, whatever is put beside", () => {
  const terms = fc.record({
    threshold: fc.integer({ min: 0, max: 20_000 }),
    asked: fc.integer({ min: 0, max: 12_000 }),
    hasFloor: fc.boolean(),
    errorBound: fc.constant(0),
    nowMs: fc.integer({ min: 0, max: 900 }),
  });
  fc.assert(
    fc.property(
      arbitraryEntries,
      fc.array(arbitraryEntry, { maxLength: 6 }),
      terms,
      (entries, beside, asked) => {
        const sums = new LeavingSums();
        addAll(sums, entries, 1);
        const ledger = new Ledger();
        const all = new Ledger();
        for (const { leavesAtMs, delta } of entries)
          if (leavesAtMs > asked.nowMs) all.put(leavesAtMs, delta, NaN, NaN, NaN, 0);
        for (const { leavesAtMs, delta } of beside) {
          if (leavesAtMs <= asked.nowMs) continue;
          ledger.put(leavesAtMs, delta, NaN, NaN, NaN, 0);
          all.put(leavesAtMs, delta, NaN, NaN, NaN, 0);
        }
        const { threshold, hasFloor } = asked;
        expect(ledger.balanceWith(sums, asked)).toEqual(all.balance(threshold, asked.asked, hasFloor, 0));
      },
    ),
    { numRuns: countRuns(300) },
  );
});

it("counts what it keeps for nothing by whole chunks", () => {
  const sums = new LeavingSums();
  for (let at = 0; at < 1_000; at++) sums.add(at, 1);
  expect([sums.countGone(-1), sums.countGone(255), sums.countGone(999)]).toEqual([0, 0, 768]);
});
