import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { hourMs, makeBook, makeHold, makeSpec, noonMs } from "../../../test/helpers/limit-cases.ts";
import { hashWide } from "../../core/history/hash-wide.ts";
import { SumsCache } from "../../core/limits/sums-cache.ts";
import { readByRow, readUsage } from "../../core/limits/usage.ts";
import { type EmbeddedStore, openEmbeddedStore } from "./embedded-store.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-busy-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const psp = { kind: "psp", id: "alpha" } as const;
const label = {
  type: "payment_approved",
  currency: "EUR",
  values: new Map([["kind", "deposit"]]),
  wides: ["payment", "attempt"],
};
/** EUR 6.40 are used before, of 7.00. */
const rowsBefore = 640;
const threshold = 700;
const amountMinor = 7;
const book = makeBook([
  makeSpec({ subject: "psp", window: { kind: "rolling", spanMs: hourMs, offsetMs: 0 } }),
]);

function open(): Promise<EmbeddedStore> {
  return openEmbeddedStore({ directory, clock: { nowMs: () => noonMs }, onError: () => {} });
}

function approve({ histories }: EmbeddedStore, id: number, paymentId: string, amount: number): Promise<void> {
  const wides = [hashWide(paymentId), hashWide("a1")];
  const row = { id, atMs: noonMs - rowsBefore + id, amountMinor: amount, label, wides };
  return histories.place("m", psp, row, { isPaymentFact: true }).durable;
}

/** Reads the limit by sums where there are any, and by every row and hold: both must say the same. */
function ask({ histories, limits }: EmbeddedStore, cache: SumsCache, paymentId: string) {
  const question = { limit: book.limits[0]!, threshold, asked: amountMinor, askedKey: NaN };
  const state = { history: histories.get("m", psp), holds: limits.holdsOf("m", psp) };
  const asker = { nowMs: noonMs, latestMs: Infinity, paymentId, payment: hashWide(paymentId), fx: book.fx };
  const usage = readUsage(question, state, asker, cache)!;
  expect(usage).toEqual(readByRow(question, state, asker));
  return usage;
}

it("SEMANTICS 5.2: a PSP with many payments is spent to the limit and not beyond, and a restart changes nothing", async () => {
  let store = await open();
  const cache = new SumsCache();
  for (let id = 0; id < rowsBefore; id++) approve(store, id, `before-${id}`, 1);
  const race = (round: number): string[] => {
    const admitted: string[] = [];
    for (let caller = 0; caller < 64; caller++) {
      const paymentId = `round-${round}-${caller}`;
      if (!ask(store, cache, paymentId).fits) continue;
      admitted.push(paymentId);
      const subjects = [{ kind: "player", id: "p" } as const, psp];
      void store.limits.hold("m", makeHold({ paymentId, amountMinor, instantMs: noonMs, subjects }));
    }
    return admitted;
  };
  const first = race(1);
  expect(first).toHaveLength(8);
  expect(cache.count()).toBe(1);
  // Three are approved, two of them in part, three declined, and two stay open.
  for (const [at, paymentId] of first.entries()) {
    if (at < 3) await approve(store, rowsBefore + at, paymentId, at === 0 ? amountMinor : 2);
    if (at < 6) await store.limits.release("m", paymentId);
  }
  expect(ask(store, cache, "another").used).toBe(rowsBefore + 11 + 2 * amountMinor);
  const second = race(2);
  expect(second).toHaveLength(Math.floor((threshold - rowsBefore - 11 - 2 * amountMinor) / amountMinor));
  const { used } = ask(store, cache, "another");
  await store.close();
  store = await open();
  const fresh = new SumsCache();
  for (let round = 0; round < 4; round++) {
    expect(ask(store, fresh, "another").used).toBe(used);
    expect(ask(store, cache, "another").used).toBe(used);
  }
  expect(race(3)).toEqual([]);
  expect(fresh.count()).toBe(1);
  await store.close();
});
