import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PaymentRecord, PaymentStore } from "../../src/ports/payment-store.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { arbitraryRecord, sampleDecision, samplePayment } from "../helpers/stored-samples.ts";
import {
  checkThroughout,
  collidingKeys,
  dayMs,
  hostileIds,
  type OpenedPort,
  type OpenPort,
  startMs,
} from "./opened-port.ts";

const answersMs = 7 * dayMs;
const tombstonesMs = 35 * dayMs;
const attempt = { attemptId: "a-1", psp: "p", atMs: startMs, revision: 0 };
const keepUntilMs = startMs + answersMs;

/** What every PaymentStore must do. */
export function testPaymentStore(open: OpenPort<PaymentStore>): void {
  describe("as a PaymentStore", () => {
    let port: OpenedPort<PaymentStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const get = (id: string, nowMs = startMs) => port.store().get("m", id, nowMs);

    it("knows nothing of a payment that was never stored", () => {
      expect(get("pay")).toBeUndefined();
    });

    it("shows a put at once, before it is durable", async () => {
      const record = samplePayment("pay", { keepUntilMs });
      const done = port.store().put("m", record);
      expect(get("pay")).toStrictEqual({ state: "answered", record });
      await done;
    });

    it("keeps the newest of several puts, through background work and a restart", async () => {
      const put = (revision: number) =>
        port.store().put("m", samplePayment("pay", { keepUntilMs, revision }));
      await put(0);
      await port.settle();
      await put(1);
      await port.settle();
      void put(2);
      await put(3);
      const want = { state: "answered", record: samplePayment("pay", { keepUntilMs, revision: 3 }) };
      expect(get("pay")).toStrictEqual(want);
      await port.reopen();
      expect(get("pay")).toStrictEqual(want);
      await port.settle();
      await port.reopen();
      expect(get("pay")).toStrictEqual(want);
    });

    it("gives back exactly what was put, at once, after background work and after a restart", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryRecord, { minLength: 1, maxLength: 20 }), async (records) => {
          const newest = new Map(records.map((record) => [record.paymentId, record]));
          await Promise.all(records.map((record) => port.store().put("m", record)));
          const check = (): void => {
            for (const [id, record] of newest) {
              expect(get(id, record.keepUntilMs - 1)).toStrictEqual({ state: "answered", record });
            }
          };
          await checkThroughout(port, check);
        }),
        { numRuns: countRuns(10) },
      );
    });

    it("keeps hostile ids of payments and merchants apart", async () => {
      const pairs = hostileIds.flatMap((id) => [[id, id] as const, ["m", id] as const, [id, "p"] as const]);
      const keys = [
        ...new Map([...pairs, ...collidingKeys].map((pair) => [JSON.stringify(pair), pair])).values(),
      ];
      const record = (at: number): PaymentRecord =>
        samplePayment(keys[at]![1], { keepUntilMs, revision: at });
      for (const [at, [merchantId]] of keys.entries()) await port.store().put(merchantId, record(at));
      const check = (): void => {
        for (const [at, [merchantId, id]] of keys.entries()) {
          expect(port.store().get(merchantId, id, startMs)).toStrictEqual({
            state: "answered",
            record: record(at),
          });
        }
        expect(port.store().get("a", "b", startMs)).toBeUndefined();
      };
      check();
      await port.settle();
      await port.reopen();
      check();
    });

    /** Moves the clock, then reads before and after the background has seen it, and after a restart. */
    const expectAt = async (nowMs: number, want: unknown): Promise<void> => {
      port.setNowMs(nowMs);
      expect(get("pay", nowMs)).toStrictEqual(want);
      await port.settle();
      expect(get("pay", nowMs)).toStrictEqual(want);
      await port.reopen();
      expect(get("pay", nowMs)).toStrictEqual(want);
    };
    const tombstone = (finalState: string) => ({
      state: "closed",
      tombstone: { paymentId: "pay", revision: 2, finalState, keepUntilMs: keepUntilMs + tombstonesMs },
    });

    it.each([true, false])(
      "closes an answer after 7 days and forgets it after 35 more (moved before: %s)",
      async (moved) => {
        const record = samplePayment("pay", {
          keepUntilMs,
          revision: 2,
          attempts: [{ ...attempt, outcomeClass: "APPROVED" }],
        });
        await port.store().put("m", record);
        if (moved) await port.settle();
        await expectAt(keepUntilMs - 1, { state: "answered", record });
        await expectAt(keepUntilMs, tombstone("APPROVED"));
        await expectAt(keepUntilMs + tombstonesMs - 1, tombstone("APPROVED"));
        await expectAt(keepUntilMs + tombstonesMs, undefined);
      },
    );

    it("takes a payment anew whose answer was closed", async () => {
      await port.store().put("m", samplePayment("pay", { keepUntilMs }));
      await port.settle();
      port.setNowMs(keepUntilMs);
      await port.settle();
      const record = samplePayment("pay", { keepUntilMs: keepUntilMs + answersMs, revision: 1 });
      await port.store().put("m", record);
      await expectAt(keepUntilMs, { state: "answered", record });
      await expectAt(keepUntilMs + answersMs - 1, { state: "answered", record });
    });

    it("keeps an answer for the caller's instant where that lies before the clock's", async () => {
      const record = samplePayment("pay", { keepUntilMs: startMs - 400 * dayMs });
      await port.store().put("m", record);
      await port.settle();
      await port.reopen();
      expect(get("pay", record.keepUntilMs - 1)).toStrictEqual({ state: "answered", record });
    });

    const denied = { ...sampleDecision, verdict: "DENY" as const, plan: undefined };
    it.each([
      ["APPROVED where an attempt was approved", "APPROVED", { attempts: ["HARD", "APPROVED"] }],
      ["APPROVED where part was approved", "APPROVED", { attempts: ["PARTIAL"] }],
      ["APPROVED where another attempt is open", "APPROVED", { attempts: ["APPROVED", "UNKNOWN"] }],
      ["UNKNOWN where an attempt is", "UNKNOWN", { attempts: ["HARD", "UNKNOWN", "PENDING"] }],
      ["PENDING where an attempt is", "PENDING", { attempts: ["PENDING", "HARD"] }],
      ["PENDING on a later revision that was denied", "PENDING", { attempts: ["PENDING"], decision: denied }],
      ["DECLINED where every attempt was", "DECLINED", { attempts: ["HARD", "GENERIC", "ABANDONED"] }],
      ["UNKNOWN where nothing was reported of a plan", "UNKNOWN", { attempts: [] }],
      ["DENIED by verdict", "DENIED", { attempts: [], decision: denied }],
      [
        "REVIEW by verdict",
        "REVIEW",
        { attempts: [], decision: { ...sampleDecision, verdict: "REVIEW" as const, plan: undefined } },
      ],
    ] as const)("closes as %s", async (_, finalState, { attempts, ...changes }) => {
      const known = attempts.map((outcomeClass, at) => ({ ...attempt, attemptId: `a-${at}`, outcomeClass }));
      await port
        .store()
        .put("m", samplePayment("pay", { keepUntilMs, revision: 2, attempts: known, ...changes }));
      await expectAt(keepUntilMs, tombstone(finalState));
    });

    it("closes by the latest word on an attempt", async () => {
      const attempts = [
        { ...attempt, outcomeClass: "UNKNOWN" as const },
        { ...attempt, outcomeClass: "HARD" as const },
      ];
      await port.store().put("m", samplePayment("pay", { keepUntilMs, revision: 2, attempts }));
      await expectAt(keepUntilMs, tombstone("DECLINED"));
    });
  });
}
