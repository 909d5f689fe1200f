import { describe, expect, test } from "vitest";
import { openWorld, startMs } from "../../../test/helpers/membership-world.ts";
import { createMemoryMemberships } from "../../../test/helpers/memory-memberships.ts";
import type { NumberedChange } from "../../ports/membership-log.ts";

const hourMs = 3_600_000;
const neverEnds = new AbortController().signal;

describe("watching", () => {
  async function take(
    stream: AsyncGenerator<{ readonly kind: string; readonly change?: NumberedChange }, void>,
    count: number,
  ): Promise<readonly (number | string)[]> {
    const got: (number | string)[] = [];
    while (got.length < count) {
      const { value, done } = await stream.next();
      if (done === true) break;
      got.push(value!.change?.sequence ?? value!.kind);
    }
    return got;
  }

  test("resumes without a gap or a repeat, and goes on live", async () => {
    const world = openWorld();
    for (const playerId of ["a", "b", "c", "d"]) await world.happen(playerId, "payment_approved", startMs);
    const end = new AbortController();
    const watching = { segments: new Set<string>(), afterSequence: 2, signal: end.signal };
    const stream = world.tracker.watch("m", watching);
    expect(await take(stream, 2)).toEqual([3, 4]);
    const live = take(stream, 2);
    await world.happen("e", "payment_approved", startMs + 1);
    await world.happen("f", "payment_approved", startMs + 2);
    expect(await live).toEqual([5, 6]);
    const last = take(stream, 1);
    end.abort();
    expect(await last).toEqual([]);
  });

  test("misses nothing that comes between its reading and its waiting, or while nobody takes what it read", async () => {
    const log = createMemoryMemberships();
    let comes: (() => void) | undefined;
    const read: typeof log.read = (...asked) => {
      const changes = log.read(...asked);
      if (changes?.length === 0) {
        comes?.();
        comes = undefined;
      }
      return changes;
    };
    const world = openWorld({ log: { ...log, read } });
    const signal = AbortSignal.timeout(2_000);
    const stream = world.tracker.watch("m", { segments: new Set(), afterSequence: 0, signal });
    comes = () => void world.happen("a", "payment_approved", startMs);
    expect(await take(stream, 1)).toEqual([1]);
    for (const playerId of ["b", "c"]) await world.happen(playerId, "payment_approved", startMs + 1);
    comes = () => void world.happen("d", "payment_approved", startMs + 2);
    expect(await take(stream, 3)).toEqual([2, 3, 4]);
  });

  test("tells only of what is durable", async () => {
    const settled: (() => void)[] = [];
    const log = createMemoryMemberships({ settle: () => new Promise((resolve) => settled.push(resolve)) });
    const world = openWorld({ log });
    const stream = world.tracker.watch("m", { segments: new Set(), afterSequence: 0, signal: neverEnds });
    const first = take(stream, 1);
    await world.happen("a", "payment_approved", startMs);
    expect(log.read("m", 0, 10)).toEqual([]);
    for (const resolve of settled) resolve();
    expect(await first).toEqual([1]);
  });

  test("tells only of the segments asked for", async () => {
    const world = openWorld();
    for (const hour of [0, 1, 2]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.passTo(startMs + 75 * hourMs);
    const stream = world.tracker.watch("m", {
      segments: new Set(["lapsed"]),
      afterSequence: 0,
      signal: neverEnds,
    });
    expect(await take(stream, 1)).toEqual([2]);
  });

  test("ends where what comes next is no longer kept", async () => {
    const world = openWorld({ log: createMemoryMemberships({ keep: 1 }) });
    for (const playerId of ["a", "b", "c"]) await world.happen(playerId, "payment_approved", startMs);
    const stream = world.tracker.watch("m", { segments: new Set(), afterSequence: 1, signal: neverEnds });
    expect(await take(stream, 3)).toEqual(["lost"]);
  });

  test("ends where the number was never given", async () => {
    const world = openWorld();
    for (const playerId of ["a", "b"]) await world.happen(playerId, "payment_approved", startMs);
    const watchFrom = (afterSequence: number) =>
      take(
        world.tracker.watch("m", { segments: new Set(), afterSequence, signal: AbortSignal.timeout(50) }),
        1,
      );
    expect(await watchFrom(2)).toEqual([]);
    expect(await watchFrom(3)).toEqual(["lost"]);
  });

  test("ends when the tracker closes", async () => {
    const world = openWorld();
    const got = take(
      world.tracker.watch("m", { segments: new Set(), afterSequence: undefined, signal: neverEnds }),
      1,
    );
    world.tracker.close();
    expect(await got).toEqual([]);
  });
});
