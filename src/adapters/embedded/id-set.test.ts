import fc from "fast-check";
import { expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { IdSet } from "./id-set.ts";

test("a set of ids is a set", () => {
  const change = fc.tuple(fc.boolean(), fc.string({ maxLength: 2 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
      const ids = new IdSet();
      const plain = new Set<string>();
      for (const [isAdded, id] of changes) {
        if (isAdded) {
          ids.add(id);
          plain.add(id);
        } else expect(ids.delete(id)).toBe(plain.delete(id));
        expect([ids.size, ids.has(id)]).toEqual([plain.size, plain.has(id)]);
      }
      expect([...ids].sort()).toEqual([...plain].sort());
    }),
    { numRuns: countRuns(100) },
  );
});

test("a set of which few are left holds them all, while they change over and while somebody goes through them", () => {
  const ids = new IdSet();
  const plain = new Set<string>();
  const add = (id: string): void => {
    ids.add(id);
    plain.add(id);
  };
  const remove = (id: string): void => expect(ids.delete(id)).toBe(plain.delete(id));
  for (let at = 0; at < 40_000; at++) add(`p${at}`);
  const walk = ids[Symbol.iterator]();
  const seen = new Set([walk.next().value]);
  for (let at = 0; at < 30_050; at++) remove(`p${at}`);
  for (let at = 39_000; at < 39_100; at++) add(`p${at}`);
  for (const id of walk) seen.add(id);
  for (const id of plain) expect(seen.has(id)).toBe(true);
  // Now that nobody walks they change over, eight with every change.
  for (let at = 30_050; at < 30_100; at++) remove(`p${at}`);
  for (let at = 0; at < 2_000; at++) {
    add(`q${at}`);
    remove(`p${30_100 + at}`);
    expect(ids.has(`p${39_999 - at}`)).toBe(true);
    expect(ids.has(`p${30_100 + at}`)).toBe(false);
    expect(ids.size).toBe(plain.size);
  }
  expect([...ids].sort()).toEqual([...plain].sort());
  for (const id of plain) remove(id);
  expect([...ids]).toEqual([]);
});
