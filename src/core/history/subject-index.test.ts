import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Subject } from "./history.ts";
import { SubjectIndex } from "./subject-index.ts";

describe("SubjectIndex", () => {
  it("finds what a map would find, while subjects come and go", () => {
    const id = fc.oneof(
      fc.nat({ max: 400 }).map((n) => `player-${n}`),
      fc.string({ unit: "binary", maxLength: 6 }),
      fc.constantFrom("", "\0", "\ud800", "\udfff", "\ufffd", "\u00ff", "\u0100", "x".repeat(4096)),
    );
    const step = fc.record({
      merchant: fc.constantFrom("m", "n", "m\0player"),
      kind: fc.constantFrom<Subject["kind"]>("player", "card"),
      id,
      removes: fc.nat({ max: 2 }).map((draw) => draw === 0),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 2000, size: "max" }), (steps) => {
        const index = new SubjectIndex();
        const plain = new Map<string, number>();
        for (const [at, { merchant, kind, id, removes }] of steps.entries()) {
          // What the next few are about, some of it past over: they come, go and come again meanwhile.
          if (at % 7 === 0) {
            const ids = steps.slice(at, at + 12).map((each) => each.id);
            index.prefetch(merchant, { kind, ids }, new Int32Array(ids.length));
          }
          const key = JSON.stringify([merchant, kind, id]);
          expect(index.find(merchant, { kind, id })).toBe(plain.get(key) ?? -1);
          if (removes && plain.has(key)) {
            index.remove(plain.get(key)!);
            plain.delete(key);
          } else if (!removes) {
            const number = index.open(merchant, { kind, id });
            expect(index.merchantOf(number)).toBe(merchant);
            expect(index.subjectOf(number)).toEqual({ kind, id });
            plain.set(key, number);
          }
        }
        expect(index.count()).toBe(plain.size);
        for (const [key, number] of plain) {
          const [merchant, kind, id] = JSON.parse(key);
          expect(index.find(merchant, { kind, id })).toBe(number);
          const fetched = new Int32Array(2);
          index.prefetch(merchant, { kind, ids: [id, "x".repeat(100)] }, fetched);
          expect([...fetched]).toEqual([number, -1]);
        }
        const listed: number[] = [];
        for (let at = index.next(0); at >= 0; at = index.next(at + 1)) listed.push(at);
        expect(listed).toEqual([...plain.values()].sort((a, b) => a - b));
      }),
      { numRuns: countRuns(40) },
    );
  });

  it("gives the numbers and bytes of removed subjects again", () => {
    const index = new SubjectIndex();
    const open = (id: string) => index.open("m", { kind: "player", id });
    const numbers = ["a-long-id", "b-long-id", "c-long-id"].map(open);
    const bytes = index.bytes();
    for (let round = 0; round < 100_000; round++) {
      index.remove(numbers[1]!);
      expect(open(`another-id-${round}`)).toBe(numbers[1]);
    }
    expect(index.bytes()).toBe(bytes);
    expect(index.next(3)).toBe(-1);
  });

  it("refuses an id that is too long, and knows none", () => {
    const subject: Subject = { kind: "key", id: "x".repeat(4097) };
    const index = new SubjectIndex();
    expect(() => index.open("m", subject)).toThrow(/4096 at most/);
    expect(index.find("m", subject)).toBe(-1);
  });
});
