import { describe, expect, it } from "vitest";
import { BlockSpace } from "./block-space.ts";

const makeSpace = () => new BlockSpace(4, (length) => new Uint32Array(length));

describe("BlockSpace", () => {
  it("lets no two blocks share a value, and none cross a slab", () => {
    const space = makeSpace();
    const seen = new Set<number>();
    for (const size of [3, 5, 7, 2, 15, 1, 4, 6, 9, 3]) {
      const place = space.take(size);
      expect(place >>> 4).toBe((place + size - 1) >>> 4);
      for (let at = place; at < place + size; at++) {
        expect(seen.has(at)).toBe(false);
        seen.add(at);
      }
    }
    expect(seen.has(0)).toBe(false);
  });

  it("gives a block that came back to the next who needs its size", () => {
    const space = makeSpace();
    const first = space.take(3);
    const second = space.take(3);
    space.give(first, 3);
    space.give(second, 3);
    expect(space.take(2)).not.toBe(second);
    expect([space.take(3), space.take(3)]).toEqual([second, first]);
    expect(space.bytes()).toBe(64);
  });

  it("gives the rest of a full slab to smaller blocks", () => {
    const space = makeSpace();
    space.take(12);
    space.take(10);
    expect(space.take(3)).toBe(13);
  });

  it("refuses a block that no slab holds", () => {
    expect(() => makeSpace().take(16)).toThrow(RangeError);
  });
});
