import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PlayerStore } from "../../src/ports/player-store.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { arbitraryPlayer, samplePlayer } from "../helpers/stored-samples.ts";
import { collidingKeys, hostileIds, type OpenedPort, type OpenPort } from "./opened-port.ts";

/** What every PlayerStore must do. */
export function testPlayerStore(open: OpenPort<PlayerStore>): void {
  describe("as a PlayerStore", () => {
    let port: OpenedPort<PlayerStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());

    it("knows nothing of a player who was never stored", () => {
      expect(port.store().get("m", "p")).toBeUndefined();
    });

    it("shows a put at once, before it is durable", async () => {
      const done = port.store().put("m", samplePlayer("p"));
      expect(port.store().get("m", "p")).toStrictEqual(samplePlayer("p"));
      await done;
    });

    it("shows a player who was asked for before the put", async () => {
      port.store().get("m", "p");
      await port.store().put("m", samplePlayer("p"));
      expect(port.store().get("m", "p")).toStrictEqual(samplePlayer("p"));
    });

    it("keeps the newest of several puts, through background work and a restart", async () => {
      await port.store().put("m", samplePlayer("p", "first"));
      await port.settle();
      await port.store().put("m", samplePlayer("p", "second"));
      void port.store().put("m", samplePlayer("p", "third"));
      await port.store().put("m", samplePlayer("p", "fourth"));
      expect(port.store().get("m", "p")).toStrictEqual(samplePlayer("p", "fourth"));
      await port.reopen();
      expect(port.store().get("m", "p")).toStrictEqual(samplePlayer("p", "fourth"));
      await port.settle();
      expect(port.store().get("m", "p")).toStrictEqual(samplePlayer("p", "fourth"));
    });

    it("gives back exactly what was put, at once, after background work and after a restart", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryPlayer, { minLength: 1, maxLength: 20 }), async (players) => {
          const newest = new Map(players.map((player) => [player.playerId, player]));
          await Promise.all(players.map((player) => port.store().put("m", player)));
          const check = (): void => {
            for (const [id, player] of newest) expect(port.store().get("m", id)).toStrictEqual(player);
          };
          check();
          await port.reopen();
          check();
          await port.settle();
          await port.reopen();
          check();
        }),
        { numRuns: countRuns(10) },
      );
    });

    it("keeps hostile ids of players and merchants apart", async () => {
      const pairs = hostileIds.flatMap((id) => [[id, id] as const, ["m", id] as const, [id, "p"] as const]);
      const keys = new Map([...pairs, ...collidingKeys].map((pair) => [JSON.stringify(pair), pair]));
      for (const [name, [merchantId, id]] of keys) {
        await port.store().put(merchantId, samplePlayer(id, name));
      }
      const check = (): void => {
        for (const [name, [merchantId, id]] of keys) {
          expect(port.store().get(merchantId, id), name).toStrictEqual(samplePlayer(id, name));
        }
        expect(port.store().get("a", "b")).toBeUndefined();
      };
      check();
      await port.reopen();
      check();
      await port.settle();
      await port.reopen();
      check();
    });
  });
}
