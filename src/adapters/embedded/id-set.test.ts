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
