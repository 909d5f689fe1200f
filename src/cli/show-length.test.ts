import { expect, test } from "vitest";
import { formatLength } from "./show-length.ts";

test("lengths come in the largest unit that they reach", () => {
  const lengths = [0, 999, 1_000, 59_999, 60_000, 3_600_000, 86_399_999, 86_400_000, 1.6 * 86_400_000];
  expect(lengths.map(formatLength)).toEqual([
    ...["0 ms", "999 ms", "1.0 s", "60.0 s", "1.0 min", "1.0 h", "24.0 h", "1.0 d", "1.6 d"],
  ]);
});
