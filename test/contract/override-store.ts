import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OverrideStore, StoredOverride } from "../../src/ports/override-store.ts";
import { collidingKeys, dayMs, hostileIds, type OpenedPort, type OpenPort, startMs } from "./opened-port.ts";

const override = (id: string, changes: Partial<StoredOverride> = {}): StoredOverride => ({
  id,
  subject: { kind: "player", id: "player-1" },
  when: "",
  kinds: ["deposit"],
  author: "ann",
  reason: "a reason",
  fromMs: startMs,
  untilMs: startMs + dayMs,
  priority: 0,
  effectsJson: "{}",
  ...changes,
});

/** What every OverrideStore must do. */
export function testOverrideStore(open: OpenPort<OverrideStore>): void {
  describe("as an OverrideStore", () => {
    let port: OpenedPort<OverrideStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const ids = () =>
      port
        .store()
        .list("m")
        .map(({ id }) => id);

    it("holds nothing at revision 0 at first", () => {
      expect(port.store().list("m")).toEqual([]);
      expect(port.store().revision("m")).toBe(0);
    });

    it("lists by id, and replaces what has the same id", async () => {
      const last = override("b", { subject: { kind: "everyone" }, priority: 9 });
      await port.store().put("m", override("c"), 1);
      await port.store().put("m", override("b"), 2);
      await port.store().put("m", override("a"), 3);
      await port.store().put("m", last, 4);
      const check = (): void => {
        expect(port.store().list("m")).toStrictEqual([override("a"), last, override("c")]);
        expect(port.store().revision("m")).toBe(4);
      };
      check();
      await port.reopen();
      check();
    });

    it("lists an expired override for 90 days, then no more", async () => {
      await port.store().put("m", override("old"), 1);
      const forgottenMs = startMs + dayMs + 90 * dayMs;
      port.setNowMs(forgottenMs - 1);
      expect(ids()).toEqual(["old"]);
      port.setNowMs(forgottenMs);
      expect(ids()).toEqual([]);
      await port.store().put("m", override("new", { untilMs: forgottenMs + dayMs }), 2);
      expect(ids()).toEqual(["new"]);
      expect(port.store().revision("m")).toBe(2);
    });

    it("shares nothing between merchants, and keeps hostile ids apart", async () => {
      const merchants = [...new Set([...hostileIds, ...collidingKeys.map(([merchantId]) => merchantId)])];
      // Ids of overrides are kept as text: half a character has no text.
      const overrideIds = hostileIds.filter((id) => id.isWellFormed());
      for (const [at, merchantId] of merchants.entries()) {
        await Promise.all(overrideIds.map((id) => port.store().put(merchantId, override(id), at + 1)));
      }
      await port.reopen();
      for (const [at, merchantId] of merchants.entries()) {
        const listed = port.store().list(merchantId);
        expect(listed.map(({ id }) => id)).toEqual([...overrideIds].sort());
        expect(port.store().revision(merchantId)).toBe(at + 1);
      }
    });
  });
}
