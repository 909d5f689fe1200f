import { expect, it } from "vitest";
import { HotCache } from "./hot-cache.ts";

it("keeps what is used and forgets what is not, within its bound", () => {
  const cache = new HotCache<number>(10);
  cache.set("used", 1);
  cache.set("unused", 2);
  for (let at = 0; at < 100; at++) {
    cache.set(`other-${at}`, at);
    expect(cache.get("used")).toBe(1);
    expect(cache.size()).toBeLessThanOrEqual(10);
  }
  expect(cache.get("unused")).toBeUndefined();
  expect(cache.get("other-99")).toBe(99);
  cache.set("used", 3);
  cache.delete("used");
  expect(cache.get("used")).toBeUndefined();
});
