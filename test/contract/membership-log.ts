import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MembershipChange, MembershipLog, MembershipState } from "../../src/ports/membership-log.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { arbitraryChange, arbitraryState, sampleChange, sampleState } from "../helpers/stored-samples.ts";
import {
  checkThroughout,
  collidingKeys,
  dayMs,
  hostileIds,
  type OpenedPort,
  type OpenPort,
  startMs,
} from "./opened-port.ts";

/** What every MembershipLog must do. */
export function testMembershipLog(open: OpenPort<MembershipLog>): void {
  describe("as a MembershipLog", () => {
    let port: OpenedPort<MembershipLog>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const append = async (
      playerId: string,
      changes: readonly MembershipChange[],
      state: MembershipState = sampleState(),
      merchantId = "m",
    ): Promise<readonly number[]> => {
      const { sequences, durable } = port.store().append(merchantId, playerId, changes, state);
      await durable;
      return sequences;
    };
    const read = (after: number, max = 100, merchantId = "m"): number[] | undefined =>
      port
        .store()
        .read(merchantId, after, max)
        ?.map(({ sequence }) => sequence);
    const listStates = async (merchantId = "m"): Promise<Map<string, MembershipState>> => {
      const states: [string, MembershipState][] = [];
      await port.store().forEachState(merchantId, (playerId, state) => states.push([playerId, state]));
      expect(new Set(states.map(([id]) => id)).size).toBe(states.length);
      return new Map(states);
    };

    it("knows nothing of a player who was never looked at", async () => {
      expect(port.store().state("m", "p")).toBeUndefined();
      expect(port.store().newestSequence("m")).toBe(0);
      expect(read(0)).toEqual([]);
      expect(await listStates()).toEqual(new Map());
    });

    it("numbers changes from 1, without a gap, for each merchant", async () => {
      const change = sampleChange("p");
      expect(await append("p", [change, change])).toEqual([1, 2]);
      expect(await append("p", [])).toEqual([]);
      expect(await append("q", [sampleChange("q")])).toEqual([3]);
      expect(await append("p", [change], sampleState(), "n")).toEqual([1]);
      expect([port.store().newestSequence("m"), port.store().newestSequence("n")]).toEqual([3, 1]);
      expect(port.store().read("m", 0, 1)).toStrictEqual([{ ...change, sequence: 1 }]);
    });

    it("shows a state at once, and a change once it is kept", async () => {
      const { durable } = port.store().append("m", "p", [sampleChange("p")], sampleState("h"));
      expect(port.store().state("m", "p")).toStrictEqual(sampleState("h"));
      expect([read(0), port.store().newestSequence("m")]).toEqual([[], 0]);
      await durable;
      expect([read(0), port.store().newestSequence("m")]).toEqual([[1], 1]);
    });

    it("reads on from where a reader was, through background work and restarts", async () => {
      for (let at = 0; at < 4; at++) await append("p", [sampleChange("p")]);
      await port.settle();
      for (let at = 0; at < 3; at++) await append("p", [sampleChange("p")]);
      const check = (): void => {
        expect(read(0)).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(read(2, 3)).toEqual([3, 4, 5]);
        expect(read(5, 1)).toEqual([6]);
        expect([read(7), read(9), read(1, 0)]).toEqual([[], [], []]);
        expect(port.store().newestSequence("m")).toBe(7);
      };
      await checkThroughout(port, check);
    });

    it("never gives a number twice, not even when all that it numbered is gone", async () => {
      await append("p", [sampleChange("p"), sampleChange("p")]);
      await port.settle();
      await port.reopen();
      expect(await append("p", [sampleChange("p")])).toEqual([3]);
      port.setNowMs(startMs + 7 * dayMs);
      await port.settle();
      await port.settle();
      await port.reopen();
      expect(read(3)).toEqual([]);
      expect(await append("p", [sampleChange("p")])).toEqual([4]);
    });

    it("forgets changes after 7 days, and says so to a reader who comes too late", async () => {
      await append("p", [sampleChange("p")]);
      port.setNowMs(startMs + 1);
      await append("p", [sampleChange("p")]);
      await port.settle();
      port.setNowMs(startMs + 7 * dayMs - 1);
      await port.settle();
      expect(read(0)).toEqual([1, 2]);
      port.setNowMs(startMs + 7 * dayMs);
      await port.settle();
      expect([read(0), read(1)]).toEqual([undefined, [2]]);
      await port.reopen();
      expect([read(0), read(1)]).toEqual([undefined, [2]]);
    });

    it("keeps the newest state, and visits each once, wherever it stands", async () => {
      for (const id of ["a", "b", "c"]) await append(id, [], sampleState("old"));
      await port.settle();
      for (const id of ["b", "d"]) await append(id, [], sampleState("new"));
      await port.store().remove("m", "c");
      await append("a", [], sampleState("other"), "n");
      const check = async (): Promise<void> => {
        const states = await listStates();
        expect([...states].map(([id, { ruleSetHash }]) => id + ruleSetHash).sort()).toEqual([
          "aold",
          "bnew",
          "dnew",
        ]);
        for (const [id, state] of states) expect(port.store().state("m", id)).toStrictEqual(state);
        expect(port.store().state("m", "c")).toBeUndefined();
      };
      await check();
      await port.reopen();
      await check();
      await port.settle();
      await port.reopen();
      await check();
    });

    it("gives back exactly what was kept", async () => {
      const step = fc.tuple(fc.array(arbitraryChange, { maxLength: 4 }), arbitraryState);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
          const start = port.store().newestSequence("m");
          for (const [at, [changes, state]] of steps.entries()) await append(`p${at}`, changes, state);
          const want = steps.flatMap(([changes]) => changes);
          const check = (): void => {
            const found = port.store().read("m", start, 1_000);
            expect(found).toStrictEqual(want.map((each, at) => ({ ...each, sequence: start + 1 + at })));
            for (const [at, [, state]] of steps.entries()) {
              expect(port.store().state("m", `p${at}`)).toStrictEqual(state);
            }
          };
          await checkThroughout(port, check);
        }),
        { numRuns: countRuns(10) },
      );
    });

    it("keeps hostile ids of players and merchants apart", async () => {
      const pairs = hostileIds.flatMap((id) => [[id, id] as const, ["m", id] as const, [id, "p"] as const]);
      const keys = new Map([...pairs, ...collidingKeys].map((pair) => [JSON.stringify(pair), pair]));
      for (const [name, [merchantId, id]] of keys) {
        await append(id, [sampleChange(name)], sampleState(name), merchantId);
      }
      await port.settle();
      await port.reopen();
      for (const [name, [merchantId, id]] of keys) {
        expect(port.store().state(merchantId, id)).toStrictEqual(sampleState(name));
      }
      for (const merchantId of new Set([...keys.values()].map(([each]) => each))) {
        const mine = [...keys].filter(([, [owner]]) => owner === merchantId);
        const found = port.store().read(merchantId, 0, 100)!;
        expect(found.map(({ playerId }) => playerId)).toEqual(mine.map(([name]) => name));
        expect((await listStates(merchantId)).size).toBe(mine.length);
      }
    });
  });
}
