import fc from "fast-check";
import { expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { Ledger } from "./ledger.ts";

const arbitraryEntry = fc.record({
  leavesAtMs: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Infinity)),
  delta: fc.integer({ min: -20, max: 20 }),
  key: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(NaN)),
});

it("finds when headroom grows and when a payment fits as stepping through time does, with few entries and with many", () => {
  fc.assert(
    fc.property(
      fc.array(arbitraryEntry, { maxLength: 150 }),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 60 }),
      fc.boolean(),
      (entries, threshold, asked, hasFloor) => {
        const ledger = new Ledger();
        for (const { leavesAtMs, delta } of entries) ledger.put(leavesAtMs, delta, NaN, NaN, NaN, 0);
        const leftAt = (atMs: number): number => {
          let net = 0;
          for (const { leavesAtMs, delta } of entries) if (leavesAtMs > atMs) net += delta;
          return threshold - (hasFloor ? Math.max(0, net) : net);
        };
        const steps = Array.from({ length: 50 }, (_, at) => at + 1);
        const headroom = Math.max(0, leftAt(0));
        const fits = asked === 0 || asked <= leftAt(0);
        expect(ledger.balance(threshold, asked, hasFloor, 0)).toMatchObject({
          headroom,
          fits,
          resetsAtMs: steps.find((atMs) => Math.max(0, leftAt(atMs)) > headroom),
          fitsAtMs: fits ? undefined : steps.find((atMs) => leftAt(atMs) >= asked),
        });
      },
    ),
    { numRuns: countRuns(200) },
  );
});

it("makes one entry of all with one key, which leaves with the last of them", () => {
  fc.assert(
    fc.property(fc.array(arbitraryEntry, { maxLength: 150 }), (entries) => {
      const ledger = new Ledger();
      for (const { leavesAtMs, key } of entries) ledger.put(leavesAtMs, 1, key, NaN, NaN, 0);
      ledger.merge();
      const last = new Map<number, number>();
      const alone: number[] = [];
      for (const { leavesAtMs, key } of entries) {
        if (Number.isNaN(key)) alone.push(leavesAtMs);
        else last.set(key, Math.max(last.get(key) ?? 0, leavesAtMs));
      }
      const leaves = [...alone, ...last.values()];
      const { used, resetsAtMs } = ledger.balance(1_000, 0, false, 0);
      const first = Math.min(...leaves);
      expect({ used, resetsAtMs }).toEqual({
        used: leaves.length,
        resetsAtMs: first === Infinity ? undefined : first,
      });
    }),
    { numRuns: countRuns(200) },
  );
});
