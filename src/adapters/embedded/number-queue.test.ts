import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { NumberQueue } from "./number-queue.ts";

const chunk = 16_384;

describe("NumberQueue", () => {
  it("holds what a plain array would, whatever comes and goes", () => {
    const counts = fc.oneof(
      fc.nat({ max: 3 }),
      fc.nat({ max: 2 * chunk }),
      fc.constantFrom(chunk, 2 * chunk),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ pushed: counts, dropped: counts }), { maxLength: 6 }), (steps) => {
        const queue = new NumberQueue();
        let plain: number[] = [];
        let next = 0;
        for (const { pushed, dropped } of steps) {
          for (let each = 0; each < pushed; each++) {
            queue.push(next);
            plain.push(next++);
          }
          const gone = Math.min(dropped, plain.length);
          queue.drop(gone);
          plain = plain.slice(gone);
          expect(queue.length).toBe(plain.length);
          const held = plain.map((_, place) => queue.at(place));
          expect(held).toEqual(plain);
        }
      }),
      { numRuns: countRuns(40) },
    );
  });
});
