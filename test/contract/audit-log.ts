import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditEntry, AuditLog } from "../../src/ports/audit-log.ts";
import { hostileIds, type OpenedPort, type OpenPort } from "./opened-port.ts";

const entry = (merchantId: string, subject: string): AuditEntry => ({
  atMs: 1_792_900_000_000,
  merchantId,
  actor: "ann",
  action: "rule_set.activate",
  subject,
  detail: { version: 3, forced: false, note: "\u{1f600}" },
});

/** What every AuditLog must do. */
export function testAuditLog(open: OpenPort<AuditLog>): void {
  describe("as an AuditLog", () => {
    let port: OpenedPort<AuditLog>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const subjects = (most: number) =>
      port
        .store()
        .list("m", most)
        .map(({ subject }) => subject);

    it("lists the newest first, those of one turn too, and at most as many as asked", async () => {
      expect(subjects(10)).toEqual([]);
      await Promise.all(["a", "b", "c"].map((subject) => port.store().append(entry("m", subject))));
      await port.reopen();
      await port.store().append(entry("m", "d"));
      expect(subjects(10)).toEqual(["d", "c", "b", "a"]);
      expect(subjects(2)).toEqual(["d", "c"]);
      expect(subjects(0)).toEqual([]);
      expect(port.store().list("m", 1)).toStrictEqual([entry("m", "d")]);
    });

    it("keeps every key of the detail as it is", async () => {
      const detail = Object.fromEntries([
        ["__proto__", "x"],
        ["constructor", 1],
        ["", true],
      ]) as AuditEntry["detail"];
      await port.store().append({ ...entry("m", "a"), detail });
      expect(Object.entries(port.store().list("m", 1)[0]!.detail)).toEqual(Object.entries(detail));
    });

    it("shares nothing between merchants", async () => {
      for (const [at, merchantId] of hostileIds.entries()) {
        await port.store().append(entry(merchantId, String(at)));
      }
      for (const [at, merchantId] of hostileIds.entries()) {
        expect(
          port
            .store()
            .list(merchantId, 9)
            .map(({ subject }) => subject),
        ).toEqual([String(at)]);
      }
    });
  });
}
