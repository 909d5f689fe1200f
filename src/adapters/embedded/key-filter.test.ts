import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { KeyFilter } from "./key-filter.ts";

describe("the filter of keys", () => {
  test("has whatever was added", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (keys) => {
        const filter = new KeyFilter();
        for (const [merchantId, id] of keys) filter.add(merchantId, id);
        for (const [merchantId, id] of keys) expect(filter.mayHave(merchantId, id)).toBe(true);
      }),
      { numRuns: countRuns(20) },
    );
  });

  test("has little else, and tells merchants apart", () => {
    const filter = new KeyFilter();
    for (let number = 0; number < 100_000; number++) filter.add("m", `player-${number}`);
    let wrong = 0;
    for (let number = 0; number < 100_000; number++) {
      if (filter.mayHave("m", `other-${number}`)) wrong++;
      if (filter.mayHave("n", `player-${number}`)) wrong++;
    }
    expect(wrong).toBeLessThan(200);
  });
});
