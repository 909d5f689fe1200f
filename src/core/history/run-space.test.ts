import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { RunSpace } from "./run-space.ts";

const slabUnits = 64;

describe("RunSpace", () => {
  it("never lets runs overlap or cross a slab, and joins what comes back", () => {
    const step = fc.record({
      units: fc.integer({ min: 1, max: 20 }),
      align: fc.constantFrom(1, 1, 16),
      back: fc.option(fc.nat()),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const space = new RunSpace(slabUnits);
        const taken: { start: number; units: number }[] = [];
        for (const { units, align, back } of steps) {
          if (back !== null && taken.length > 0) {
            space.give(taken.splice(back % taken.length, 1)[0]!.start);
            continue;
          }
          const start = space.take(units, align);
          expect(start % align).toBe(0);
          expect(Math.floor(start / slabUnits)).toBe(Math.floor((start + units - 1) / slabUnits));
          const clash = taken.some((run) => start < run.start + run.units && run.start < start + units);
          expect(clash).toBe(false);
          taken.push({ start, units });
        }
        const slabs = space.slabs();
        for (const { start } of taken) space.give(start);
        for (let slab = 0; slab < slabs; slab++) space.take(slabUnits, 1);
        expect(space.slabs()).toBe(slabs);
      }),
      { numRuns: countRuns(200) },
    );
  });

  it("takes the first run that is long enough before it adds a slab", () => {
    const space = new RunSpace(slabUnits);
    const first = space.take(30, 1);
    space.take(34, 1);
    expect(space.take(10, 1)).toBe(slabUnits);
    space.give(first);
    expect(space.take(10, 1)).toBe(0);
    expect(space.take(16, 16)).toBe(slabUnits + 16);
    expect(space.slabs()).toBe(2);
  });

  it("refuses what no slab holds and what was never taken", () => {
    const space = new RunSpace(slabUnits);
    expect(() => space.take(slabUnits + 1, 1)).toThrow(RangeError);
    space.take(2, 1);
    expect(() => space.give(1)).toThrow(/no run/);
  });
});
