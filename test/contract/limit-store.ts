import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Subject } from "../../src/core/history/history.ts";
import type { Hold } from "../../src/core/limits/limit.ts";
import type { LimitStore } from "../../src/ports/limit-store.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { arbitraryHold, sampleHold } from "../helpers/stored-samples.ts";
import {
  checkThroughout,
  collidingKeys,
  dayMs,
  hostileIds,
  type OpenedPort,
  type OpenPort,
  startMs,
} from "./opened-port.ts";

const player = (id: string): Subject => ({ kind: "player", id });
const card = (id: string): Subject => ({ kind: "card", id });

/** What every LimitStore must do. */
export function testLimitStore(open: OpenPort<LimitStore>): void {
  describe("as a LimitStore", () => {
    let port: OpenedPort<LimitStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const idsOf = (subject: Subject, merchantId = "m"): string[] =>
      port
        .store()
        .holdsOf(merchantId, subject)
        .map(({ paymentId }) => paymentId)
        .sort();

    it("knows nothing of a payment that holds nothing, and lets it go", async () => {
      expect(port.store().get("m", "pay")).toBeUndefined();
      expect(idsOf(player("p"))).toEqual([]);
      await port.store().release("m", "pay");
    });

    it("shows a hold at once, by payment and by each of its subjects", async () => {
      const hold = sampleHold("pay", { subjects: [player("p"), card("c")] });
      const done = port.store().hold("m", hold);
      expect(port.store().get("m", "pay")).toStrictEqual(hold);
      expect([...port.store().holdsOf("m", player("p"))]).toStrictEqual([hold]);
      expect([...port.store().holdsOf("m", card("c"))]).toStrictEqual([hold]);
      expect(idsOf(player("c"))).toEqual([]);
      await done;
    });

    it("puts a hold in place of what the payment held before, through background work and a restart", async () => {
      await port.store().hold("m", sampleHold("pay", { subjects: [player("p"), card("before")] }));
      await port.store().hold("m", sampleHold("other", { subjects: [player("p")] }));
      await port.settle();
      const next = sampleHold("pay", { revision: 1, subjects: [player("p"), card("after")] });
      await port.store().hold("m", next);
      const check = (): void => {
        expect(port.store().get("m", "pay")).toStrictEqual(next);
        expect([idsOf(card("before")), idsOf(card("after"))]).toEqual([[], ["pay"]]);
        expect(idsOf(player("p"))).toEqual(["other", "pay"]);
      };
      await checkThroughout(port, check);
    });

    it("shows at once which holds have attempts of a card, whatever else they are about, until they are let go", async () => {
      const held = (of: string, planned = 1) => ({
        ...{
          revision: 0,
          card: of,
          scheme: "visa",
          group: "CIT" as const,
          amountMinor: 5_000,
          currency: "EUR",
        },
        ...{ planned, open: 0, openAtMs: 0 },
      });
      const attemptsOf = (of: string, merchantId = "m"): string[] =>
        port
          .store()
          .attemptsOf(merchantId, of)
          .map(({ paymentId }) => paymentId)
          .sort();
      await port.store().hold("m", sampleHold("one", { subjects: [], attempts: [held("c")] }));
      await port.settle();
      const two = sampleHold("two", { subjects: [card("c")], attempts: [held("c"), held("d")] });
      const done = port.store().hold("m", two);
      expect([...port.store().attemptsOf("m", "d")]).toStrictEqual([two]);
      await done;
      const check = (): void => {
        expect([attemptsOf("c"), attemptsOf("d"), attemptsOf("c", "other")]).toEqual([
          ["one", "two"],
          ["two"],
          [],
        ]);
        expect(idsOf(card("c"))).toEqual(["two"]);
      };
      await checkThroughout(port, check);
      await port.store().hold("m", sampleHold("two", { attempts: [held("c", 2)] }));
      await port.store().release("m", "one");
      const checkLess = (): void => {
        expect([attemptsOf("c"), attemptsOf("d")]).toEqual([["two"], []]);
      };
      await checkThroughout(port, checkLess);
    });

    it("lets go for good", async () => {
      await port.store().hold("m", sampleHold("early"));
      await port.settle();
      await port.store().hold("m", sampleHold("late"));
      await Promise.all([port.store().release("m", "early"), port.store().release("m", "late")]);
      const check = (): void => {
        for (const id of ["early", "late"]) expect(port.store().get("m", id)).toBeUndefined();
        expect(idsOf(player("player-1"))).toEqual([]);
      };
      await checkThroughout(port, check);
    });

    it("forgets what is over by instant, last word and release, and nothing else", async () => {
      const over = { instantMs: startMs - 3, lastWordMs: startMs - 2, releasesAtMs: startMs - 1 };
      const holds = [
        sampleHold("over", over),
        sampleHold("begun", { ...over, instantMs: startMs }),
        sampleHold("told", { ...over, lastWordMs: startMs }),
        sampleHold("held", { ...over, releasesAtMs: startMs + dayMs }),
      ];
      for (const hold of holds) await port.store().hold("m", hold);
      port.store().sweep(startMs);
      await port.settle();
      expect(idsOf(player("player-1"))).toEqual(["begun", "held", "told"]);
      await port.reopen();
      expect(idsOf(player("player-1"))).toEqual(["begun", "held", "told"]);
    });

    it("gives back exactly what was held", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryHold, { minLength: 1, maxLength: 20 }), async (holds) => {
          const newest = new Map(holds.map((hold): [string, Hold] => [hold.paymentId, hold]));
          await Promise.all(holds.map((hold) => port.store().hold("m", hold)));
          const check = (): void => {
            for (const [id, hold] of newest) expect(port.store().get("m", id)).toStrictEqual(hold);
          };
          await checkThroughout(port, check);
        }),
        { numRuns: countRuns(10) },
      );
    });

    it("keeps hostile ids of merchants, payments and subjects apart", async () => {
      // Ids within a hold are text of the contract, and so well formed.
      const subject = (id: string): Subject => card(id.isWellFormed() ? id : JSON.stringify(id));
      const pairs = hostileIds.flatMap((id) => [[id, id] as const, ["m", id] as const, [id, "p"] as const]);
      const keys = new Map([...pairs, ...collidingKeys].map((pair) => [JSON.stringify(pair), pair]));
      for (const [name, [merchantId, id]] of keys) {
        await port.store().hold(merchantId, sampleHold(id, { playerId: name, subjects: [subject(id)] }));
      }
      const check = (): void => {
        for (const [name, [merchantId, id]] of keys) {
          expect(port.store().get(merchantId, id)?.playerId).toBe(name);
          expect(idsOf(subject(id), merchantId)).toEqual([id]);
        }
        expect(idsOf(player("a:b"))).toEqual([]);
      };
      check();
      await port.settle();
      await port.reopen();
      check();
    });
  });
}
