import fc from "fast-check";
import { expect, test } from "vitest";
import { countRuns } from "../../test/helpers/property-runs.ts";
import { compareIds } from "./compare-ids.ts";
import { SortedIds } from "./sorted-ids.ts";

function sort(ids: readonly string[]): { readonly listed: readonly string[]; readonly pauses: number } {
  const sorted = new SortedIds();
  for (const id of ids) sorted.add(id);
  let pauses = 0;
  for (const _ of sorted.sort()) pauses++;
  return { listed: Array.from({ length: sorted.size }, (_, at) => sorted.at(at)), pauses };
}

test("ids come in the order in which all listings have them", () => {
  const id = fc.oneof(
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.stringMatching(/^p-[0-9]{1,4}$/),
    fc.constantFrom("", "\ufeffp", "\ud800", "😀", "\uffff", "p".repeat(300)),
  );
  fc.assert(
    fc.property(fc.array(id, { maxLength: 200 }), (ids) => {
      expect(sort(ids).listed).toEqual([...ids].sort(compareIds));
    }),
    { numRuns: countRuns(200) },
  );
});

test("ids that fill several slabs are sorted with many pauses", () => {
  const ids = Array.from(
    { length: 40_000 },
    (_, at) => `player-${String((at * 7_919) % 40_000).padStart(60, "0")}`,
  );
  const { listed, pauses } = sort(ids);
  expect(listed).toEqual(ids.toSorted());
  expect(pauses).toBeGreaterThan(1_000);
});
