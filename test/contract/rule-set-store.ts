import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RuleSetStore, StoredRuleSet } from "../../src/ports/rule-set-store.ts";
import { collidingKeys, hostileIds, type OpenedPort, type OpenPort } from "./opened-port.ts";

const ruleSet = (version: number, name = "rules"): StoredRuleSet => ({
  version,
  hash: `hash-${version}`,
  name,
  author: "ann",
  comment: "",
  pushedAtMs: 1_792_900_000_000 + version,
  ruleCount: 10_000,
  sizeBytes: 3,
  format: "YAML",
});

/** What every RuleSetStore must do. */
export function testRuleSetStore(open: OpenPort<RuleSetStore>): void {
  describe("as a RuleSetStore", () => {
    let port: OpenedPort<RuleSetStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());

    it("holds nothing at first", () => {
      const store = port.store();
      expect(store.list("m")).toEqual([]);
      expect(store.get("m", 1)).toBeUndefined();
      expect(store.document("m", 1)).toBeUndefined();
      expect(store.newestVersion("m")).toBe(0);
      expect(store.activations("m")).toEqual([]);
    });

    it("lists the newest version first, over digits and a restart", async () => {
      for (const version of [1, 2, 9, 10, 255, 256, 65_536]) {
        await port.store().put("m", ruleSet(version), Buffer.of(version & 0xff));
      }
      const check = (): void => {
        const store = port.store();
        expect(store.list("m").map(({ version }) => version)).toEqual([65_536, 256, 255, 10, 9, 2, 1]);
        expect(store.newestVersion("m")).toBe(65_536);
        expect(store.get("m", 10)).toStrictEqual(ruleSet(10));
        expect(Buffer.from(store.document("m", 9)!)).toEqual(Buffer.of(9));
        expect(store.get("m", 3)).toBeUndefined();
      };
      check();
      await port.reopen();
      check();
    });

    it("keeps a document of 4 MiB, and an empty one, byte for byte", async () => {
      const large = Buffer.alloc(4 * 1024 * 1024, "0123456789abcde");
      await port.store().put("m", ruleSet(1), large);
      await port.store().put("m", ruleSet(2), new Uint8Array());
      await port.reopen();
      expect(Buffer.compare(port.store().document("m", 1)!, large)).toBe(0);
      expect(port.store().document("m", 2)).toHaveLength(0);
    });

    it("keeps the document as it was when it was put", async () => {
      const document = Buffer.from("before");
      const done = port.store().put("m", ruleSet(1), document);
      document.write("after!");
      await done;
      expect(Buffer.from(port.store().document("m", 1)!).toString()).toBe("before");
    });

    it("never replaces a version", async () => {
      await port.store().put("m", ruleSet(1, "first"), Buffer.from("first"));
      await expect(port.store().put("m", ruleSet(1, "second"), Buffer.from("second"))).rejects.toThrow(
        /version 1 exists/,
      );
      expect(port.store().get("m", 1)).toStrictEqual(ruleSet(1, "first"));
      expect(Buffer.from(port.store().document("m", 1)!).toString()).toBe("first");
    });

    it("gives activations oldest first, all of those of one turn too", async () => {
      const activation = (version: number) => ({ version, author: "ann", atMs: 7 });
      await port.store().activate("m", activation(1));
      await Promise.all([2, 1, 1, 3].map((version) => port.store().activate("m", activation(version))));
      await port.reopen();
      await port.store().activate("m", activation(4));
      expect(port.store().activations("m")).toStrictEqual([1, 2, 1, 1, 3, 4].map(activation));
    });

    it("shares nothing between merchants", async () => {
      const merchants = [...new Set([...hostileIds, ...collidingKeys.map(([merchantId]) => merchantId)])];
      for (const [at, merchantId] of merchants.entries()) {
        await port.store().put(merchantId, ruleSet(at + 1, merchantId.toWellFormed()), Buffer.of(at));
        await port.store().activate(merchantId, { version: at + 1, author: "ann", atMs: at });
      }
      for (const [at, merchantId] of merchants.entries()) {
        expect(port.store().list(merchantId)).toStrictEqual([ruleSet(at + 1, merchantId.toWellFormed())]);
        expect(port.store().activations(merchantId)).toHaveLength(1);
      }
    });
  });
}
