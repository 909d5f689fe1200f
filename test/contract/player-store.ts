import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Player, Restriction, RestrictionKind } from "../../src/core/player.ts";
import type { PlayerStore } from "../../src/ports/player-store.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { arbitraryPlayer, limitedPlayer, samplePlayer } from "../helpers/stored-samples.ts";
import {
  checkThroughout,
  collidingKeys,
  dayMs,
  hostileIds,
  type OpenedPort,
  type OpenPort,
  startMs,
} from "./opened-port.ts";

const restriction = (kind: RestrictionKind, changes: Partial<Restriction>): Restriction => ({
  ...{ kind, source: "register", fromMs: 1, checkedAtMs: 1, clear: false, returned: false },
  ...changes,
});

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
          await checkThroughout(port, check);
        }),
        { numRuns: countRuns(10) },
      );
    });

    it("keeps of a deleted player what forbids payments still, until that ends", async () => {
      const player = limitedPlayer("p");
      const restrictions = [
        restriction("SELF_EXCLUSION", {}),
        restriction("TIME_OUT", { untilMs: startMs + dayMs }),
        restriction("COURT_ORDER", { untilMs: startMs }),
        restriction("SANCTION", { clear: true }),
      ];
      await port.store().put("m", { ...player, restrictions });
      await port.store().put("m", samplePlayer("q"));
      await port.settle();
      expect(port.store().isDeleted("m", "p")).toBe(false);
      await port.store().delete("m", "p");
      await port.store().delete("m", "q");
      await port.store().delete("m", "never-stored");
      const check = (standing: Player["restrictions"], limits: Player["ownLimits"]): void => {
        expect(port.store().get("m", "p")).toStrictEqual({
          ...{ playerId: "p", attributes: new Map(), restrictions: standing },
          ...(limits === undefined ? {} : { ownLimits: limits }),
        });
        for (const id of ["q", "never-stored"]) expect(port.store().get("m", id)).toBeUndefined();
        const deleted = ["p", "q", "never-stored", "other"].map((id) => port.store().isDeleted("m", id));
        expect([...deleted, port.store().isDeleted("n", "p")]).toEqual([true, true, true, false, false]);
      };
      check(restrictions.slice(0, 2), player.ownLimits);
      await port.reopen();
      check(restrictions.slice(0, 2), player.ownLimits);
      await port.settle();
      await port.reopen();
      check(restrictions.slice(0, 2), player.ownLimits);
      port.setNowMs(startMs + dayMs);
      check(restrictions.slice(0, 1), player.ownLimits);
      // The removal of the second limit waits until then, for nothing but time.
      port.setNowMs(1_793_500_000_000);
      check(restrictions.slice(0, 1), player.ownLimits!.slice(0, 1));
    });

    it("leaves a deleted player deleted, whatever is put", async () => {
      await port.store().put("m", samplePlayer("p"));
      await port.store().delete("m", "p");
      const restrictions = [restriction("SELF_EXCLUSION", {})];
      const check = async (): Promise<void> => {
        await port.store().put("m", { ...samplePlayer("p"), restrictions });
        expect(port.store().isDeleted("m", "p")).toBe(true);
        expect(port.store().get("m", "p")).toStrictEqual({
          ...{ playerId: "p", attributes: new Map(), restrictions },
        });
      };
      await check();
      await port.settle();
      await check();
      await port.reopen();
      await check();
    });

    it("visits all of whom something is stored, and of the deleted ones none in the end", async () => {
      const visit = async (merchantId: string): Promise<readonly string[]> => {
        const ids = new Set<string>();
        await port.store().forEachPlayer(merchantId, (id) => ids.add(id));
        return [...ids].sort();
      };
      const ids = Array.from({ length: 700 }, (_, at) => `player-${String(at).padStart(3, "0")}`);
      for (const id of ids.slice(0, 600)) void port.store().put("m", samplePlayer(id));
      await port.store().put("n", samplePlayer("other"));
      await port.settle();
      for (const id of ids.slice(500)) void port.store().put("m", samplePlayer(id, "again"));
      await port.store().delete("m", "never-stored");
      await port.store().delete("m", "player-699");
      await checkThroughout(port, async () => {
        expect(await visit("m")).toEqual(ids.slice(0, 699));
        expect(await visit("n")).toEqual(["other"]);
        expect(await visit("nobody")).toEqual([]);
      });
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
      await checkThroughout(port, check);
    });
  });
}
