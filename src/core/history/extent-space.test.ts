import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { ExtentSpace, fitExtent, growExtent } from "./extent-space.ts";

const slabRows = 8192;

/** Owners with rows that say whose they are. */
class Owners {
  readonly rows: Int32Array;
  readonly place: number[] = [];
  readonly capacity: number[] = [];
  readonly space: ExtentSpace;

  constructor(slabs: number) {
    this.rows = new Int32Array(slabs * slabRows).fill(-1);
    this.space = new ExtentSpace(slabRows, (owner, from, to) => {
      expect(this.place[owner]).toBe(from);
      this.rows.copyWithin(to, from, from + this.capacity[owner]!);
      this.place[owner] = to;
    });
  }

  grow(owner: number): void {
    const before = this.capacity[owner] ?? 0;
    const capacity = growExtent(before);
    const to = this.space.take(capacity, owner);
    expect(Math.floor(to / slabRows)).toBe(Math.floor((to + capacity - 1) / slabRows));
    const from = this.place[owner] ?? 0;
    this.place[owner] = to;
    this.capacity[owner] = capacity;
    this.rows.fill(owner, to, to + capacity);
    if (before > 0) this.space.give(from, before);
  }

  drop(owner: number): void {
    if ((this.capacity[owner] ?? 0) === 0) return;
    const { [owner]: capacity } = this.capacity;
    this.capacity[owner] = 0;
    this.space.give(this.place[owner]!, capacity!);
  }

  check(): void {
    for (const [owner, capacity] of this.capacity.entries()) {
      const place = this.place[owner]!;
      expect(this.rows.subarray(place, place + capacity).every((each) => each === owner)).toBe(true);
    }
  }
}

describe("ExtentSpace", () => {
  it("keeps the rows of every owner whole while others grow, go and are moved", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom(50, 600, 3000),
        fc.constantFrom(30, 200, 1500),
        (seed, count, rowsMax) => {
          const owners = new Owners(200);
          let draw = seed;
          for (let step = 0; step < 20_000; step++) {
            draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0;
            const owner = (draw >>> 8) % count;
            // Waves, so that classes fill and empty.
            const shrinks = (step / 2500) % 2 >= 1;
            if ((owners.capacity[owner] ?? 0) > rowsMax || (shrinks && draw >>> 31 > 0)) owners.drop(owner);
            else owners.grow(owner);
          }
          owners.check();
        },
      ),
      { numRuns: countRuns(10) },
    );
  });

  it("clears the pages of classes that most of their owners grew out of", () => {
    const count = 20_000;
    const owners = new Owners(200);
    for (let round = 0; round < 8; round++) {
      // Some stay behind each time, one here and one there, so that no page is ever left by all.
      for (let i = 0; i < count; i++) {
        const owner = (i * 2741) % count;
        if (owner % 16 > round || round === 0) owners.grow(owner);
      }
    }
    owners.check();
    const rows = owners.capacity.reduce((sum, capacity) => sum + capacity, 0);
    expect(owners.space.slabs() * slabRows).toBeLessThan(rows * 1.1);
    for (let owner = 0; owner < count; owner++) owners.drop(owner);
    const slabs = owners.space.slabs();
    for (let slab = 0; slab < slabs; slab++) owners.space.take(slabRows, 0);
    expect(owners.space.slabs()).toBe(slabs);
  });

  it("grows by an eighth or so, and fits what is known exactly", () => {
    for (let capacity = fitExtent(1); capacity < 100_000; ) {
      const grown = growExtent(capacity);
      expect(grown).toBeGreaterThan(capacity);
      if (capacity >= 40) expect(grown / capacity).toBeLessThanOrEqual(1.26);
      expect(fitExtent(grown)).toBe(grown);
      expect(fitExtent(capacity + 1)).toBeLessThanOrEqual(grown);
      capacity = grown;
    }
    expect(fitExtent(600)).toBe(640);
  });
});
