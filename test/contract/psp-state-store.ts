import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PspStateStore, StoredPspState } from "../../src/ports/psp-state-store.ts";
import { collidingKeys, hostileIds, type OpenedPort, type OpenPort } from "./opened-port.ts";

const state = (psp: string, kind: StoredPspState["state"] = "DRAINING"): StoredPspState => ({
  psp,
  state: kind,
  author: "ann",
  reason: "maintenance",
  sinceMs: 1_792_900_000_000,
});

/** What every PspStateStore must do. */
export function testPspStateStore(open: OpenPort<PspStateStore>): void {
  describe("as a PspStateStore", () => {
    let port: OpenedPort<PspStateStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());

    it("keeps the last state of each PSP, over a restart", async () => {
      expect(port.store().list("m")).toEqual([]);
      await port.store().put("m", state("a", "DISABLED"));
      await port.store().put("m", state("b"));
      await port.store().put("m", state("a", "ENABLED"));
      const check = (): void => {
        const listed = new Map(
          port
            .store()
            .list("m")
            .map((each) => [each.psp, each]),
        );
        expect(listed).toStrictEqual(
          new Map([
            ["a", state("a", "ENABLED")],
            ["b", state("b")],
          ]),
        );
      };
      check();
      await port.reopen();
      check();
    });

    it("shares nothing between merchants, and keeps hostile ids apart", async () => {
      const ids = hostileIds.filter((id) => id.isWellFormed());
      for (const merchantId of hostileIds) {
        await Promise.all(ids.map((id) => port.store().put(merchantId, state(id))));
      }
      for (const [merchantId, id] of collidingKeys) await port.store().put(merchantId, state(id, "DISABLED"));
      await port.reopen();
      for (const merchantId of hostileIds.filter((id) => id !== "" && id !== "a" && id !== "ab")) {
        const listed = port.store().list(merchantId);
        expect(listed.map(({ psp }) => psp).sort()).toEqual([...ids].sort());
      }
      expect(port.store().list("abc")).toStrictEqual([state("", "DISABLED")]);
    });
  });
}
