import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { DueQueue } from "./due-queue.ts";

const change = fc.oneof(
  fc.record({ kind: fc.constant("schedule" as const), number: fc.nat(200), atMs: fc.nat(50) }),
  fc.record({ kind: fc.constant("forget" as const), number: fc.nat(200) }),
  fc.record({ kind: fc.constant("cancel" as const), number: fc.nat(200) }),
  fc.record({ kind: fc.constant("take" as const), nowMs: fc.nat(50) }),
);

describe("the queue of players to look at", () => {
  test("is a map that gives the earliest", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const queue = new DueQueue();
        const known = new Map<number, number>();
        for (const each of changes) {
          if (each.kind === "schedule") {
            queue.schedule(each.number, each.atMs);
            known.set(each.number, each.atMs);
          } else if (each.kind === "take") {
            const firstMs = Math.min(...known.values());
            const taken = queue.take(each.nowMs);
            if (firstMs > each.nowMs) expect(taken).toBe(-1);
            else expect(known.get(taken)).toBe(firstMs);
            known.delete(taken);
          } else {
            if (each.kind === "cancel") queue.cancel(each.number);
            else queue.schedule(each.number, Number.POSITIVE_INFINITY);
            known.delete(each.number);
          }
          expect(queue.size).toBe(known.size);
          expect(queue.firstMs()).toBe(Math.min(...known.values()));
        }
      }),
      { numRuns: countRuns(200) },
    );
  });

  test("holds whom it held when it grows", () => {
    const queue = new DueQueue();
    for (let number = 0; number < 1_000; number++) queue.schedule(number, (number * 7_919) % 1_000);
    let lastMs = -1;
    for (let taken = queue.take(1_000); taken !== -1; taken = queue.take(1_000)) {
      expect((taken * 7_919) % 1_000).toBe(++lastMs);
    }
    expect(lastMs).toBe(999);
  });
});
