import { describe, expect, it } from "vitest";
import { dayMs, hourMs, makeBook, makeHold, makeSpec, noonMs } from "../../../test/helpers/limit-cases.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { Label } from "../history/history.ts";
import { HistoryTable } from "../history/history-table.ts";
import type { LimitBook } from "./build-limits.ts";
import { HoldList } from "./hold-list.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import { SumsCache } from "./sums-cache.ts";
import { type Asker, readByRow, readUsage } from "./usage.ts";

const label: Label = {
  type: "payment_approved",
  currency: "EUR",
  values: new Map([["kind", "deposit"]]),
  wides: ["payment", "card"],
};

/** PSPs with one approval of EUR 0.01 a second until noon. */
class Psps {
  readonly table = new HistoryTable({ rowsMax: 4_096, slabRows: 16_384 });
  #rows = 0;

  fill(id: string, rows: number): void {
    for (let at = rows; at > 0; at--) this.approve(id, noonMs - at * 1_000, `${id}-${at}`, "c1");
  }

  approve(id: string, atMs: number, payment: string, card: string): void {
    const wides = [hashWide(payment), hashWide(card)];
    this.table.place(
      this.open(id),
      { id: this.#rows++, atMs, amountMinor: 1, label, wides },
      { isPaymentFact: true },
    );
  }

  open(id: string): number {
    return this.table.open("m", { kind: "psp", id });
  }

  view(id: string) {
    return this.table.view(this.open(id));
  }
}

const gross: Partial<LimitSpec> = { subject: "psp", thresholds: [{ segment: undefined, value: 5_000 }] };

function makeAsker({ fx }: LimitBook, part: Partial<Asker> = {}): Asker {
  return { nowMs: noonMs, latestMs: Infinity, paymentId: "", payment: NaN, fx, ...part };
}

/** Reads the first limit of a book, by sums where there are any; both ways must agree. */
function read(
  psps: Psps,
  book: LimitBook,
  cache: SumsCache,
  { id = "alpha", holds = [], asker = {} }: { id?: string; holds?: readonly Hold[]; asker?: Partial<Asker> },
): number {
  const question = { limit: book.limits[0]!, threshold: 5_000, asked: 1, askedKey: NaN };
  const state = { history: psps.view(id), holds };
  const usage = readUsage(question, state, makeAsker(book, asker), cache);
  expect(usage).toEqual(readByRow(question, state, makeAsker(book, asker)));
  return usage!.used;
}

describe("SumsCache", () => {
  it("keeps nothing of a subject with few rows, however often it is asked about", () => {
    const psps = new Psps();
    psps.fill("alpha", 500);
    const cache = new SumsCache();
    const book = makeBook([makeSpec(gross)]);
    for (let round = 0; round < 20; round++) expect(read(psps, book, cache, {})).toBe(500);
    expect(cache.count()).toBe(0);
  });

  it("makes sums when as much was read as they cost", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    const cache = new SumsCache();
    const book = makeBook([makeSpec(gross)]);
    const counts = [1, 2, 3].map(() => {
      read(psps, book, cache, {});
      return cache.count();
    });
    expect(counts).toEqual([0, 0, 1]);
    psps.approve("alpha", noonMs, "late", "c1");
    expect(read(psps, book, cache, {})).toBe(601);
  });

  it("makes none where a limit counts clearings, and none for holds that are not told", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    const cache = new SumsCache();
    const cleared = makeBook([makeSpec({ ...gross, countedAt: "CLEARED" })]);
    for (let round = 0; round < 5; round++) read(psps, cleared, cache, {});
    const book = makeBook([makeSpec(gross)]);
    const holds = [makeHold({ paymentId: "open" })];
    for (let round = 0; round < 5; round++) expect(read(psps, book, cache, { holds })).toBe(1_600);
    expect(cache.count()).toBe(0);
  });

  it("follows a list of holds, and another one in its place", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    const cache = new SumsCache();
    const book = makeBook([makeSpec(gross)]);
    for (let round = 0; round < 3; round++) read(psps, book, cache, {});
    const first = new HoldList();
    const hold = makeHold({ paymentId: "one" });
    first.add(hold);
    expect(read(psps, book, cache, { holds: first })).toBe(1_600);
    first.add(makeHold({ paymentId: "two" }));
    expect(read(psps, book, cache, { holds: first })).toBe(2_600);
    first.take(hold);
    expect(read(psps, book, cache, { holds: first })).toBe(1_600);
    expect(read(psps, book, cache, {})).toBe(600);
    first.add(hold);
    expect(read(psps, book, cache, {})).toBe(600);
    expect(read(psps, book, cache, { holds: first })).toBe(2_600);
    expect(cache.count()).toBe(1);
  });

  it("forgets sums when the rows leave memory", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    const cache = new SumsCache();
    const book = makeBook([makeSpec(gross)]);
    for (let round = 0; round < 3; round++) read(psps, book, cache, {});
    psps.table.markClean(psps.open("alpha"));
    psps.table.evict(psps.open("alpha"));
    expect(cache.count()).toBe(0);
  });

  it("gives sums up that nobody reads", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    const cache = new SumsCache();
    const book = makeBook([makeSpec(gross)]);
    const holds = new HoldList();
    for (let round = 0; round < 3; round++) read(psps, book, cache, { holds });
    holds.add(makeHold({ paymentId: "first" }));
    read(psps, book, cache, { holds });
    const other = makeHold({ paymentId: "other" });
    for (let round = 0; round < 32_768; round++) {
      holds.add(other);
      holds.take(other);
    }
    expect(cache.count()).toBe(1);
    holds.add(other);
    expect(cache.count()).toBe(0);
  });

  it("gives up what was not read for longest where there is no room", () => {
    const psps = new Psps();
    for (const id of ["alpha", "beta", "gamma"]) psps.fill(id, 600);
    const cache = new SumsCache(2_500);
    const book = makeBook([makeSpec(gross)]);
    const earn = (id: string): void => {
      for (let round = 0; round < 3; round++) read(psps, book, cache, { id });
    };
    earn("alpha");
    earn("beta");
    read(psps, book, cache, { id: "alpha" });
    expect(cache.count()).toBe(2);
    earn("gamma");
    expect(cache.count()).toBe(2);
    const feedOf = (id: string) => ({ history: psps.view(id), holds: [] });
    const limit = book.limits[0]!;
    expect(cache.find(limit, feedOf("alpha"), makeAsker(book))).toBeDefined();
    expect(cache.find(limit, feedOf("beta"), makeAsker(book))).toBeUndefined();
    expect(new SumsCache(1_000).find(limit, feedOf("alpha"), makeAsker(book))).toBeUndefined();
  });

  it("makes sums anew when a calendar window has moved on, and when most of them have left a rolling one", () => {
    const psps = new Psps();
    psps.fill("alpha", 4_000);
    const daily = makeBook([
      makeSpec({
        ...gross,
        window: { kind: "calendar", period: "DAY", zone: "UTC", weekStart: 1, anchorDay: 0, back: 0 },
      }),
    ]);
    const hourly = makeBook([
      makeSpec({ ...gross, window: { kind: "rolling", spanMs: hourMs, offsetMs: 0 } }),
    ]);
    const cache = new SumsCache();
    for (let round = 0; round < 3; round++) read(psps, daily, cache, {});
    for (let round = 0; round < 3; round++) read(psps, hourly, cache, {});
    psps.approve("alpha", noonMs + dayMs, "tomorrow", "c1");
    const asker = { nowMs: noonMs + dayMs };
    for (const book of [daily, hourly]) {
      const find = () =>
        cache.find(book.limits[0]!, { history: psps.view("alpha"), holds: [] }, makeAsker(book, asker));
      const before = find();
      for (let round = 0; round < 3; round++) expect(read(psps, book, cache, { asker })).toBe(1);
      const after = find();
      expect(after).toBeDefined();
      expect(after).not.toBe(before);
      expect(after!.size()).toBeLessThan(10);
    }
    // Yesterday is told by its rows.
    expect(read(psps, daily, cache, {})).toBe(4_000);
    expect(cache.count()).toBe(2);
  });

  it("leaves out what the payment that asks got itself, also from the values of others", () => {
    const psps = new Psps();
    psps.fill("alpha", 600);
    psps.approve("alpha", noonMs, "own", "c2");
    const spec = makeSpec({ ...gross, measure: "DISTINCT", distinctOf: "card" });
    const book = makeBook([spec]);
    const cache = new SumsCache();
    const ask = (card: string) => {
      const question = { limit: book.limits[0]!, threshold: 9, asked: 1, askedKey: hashWide(card) };
      const asker = makeAsker(book, { paymentId: "own", payment: hashWide("own") });
      const state = { history: psps.view("alpha"), holds: [] };
      const usage = readUsage(question, state, asker, cache)!;
      expect(usage).toEqual(readByRow(question, state, asker));
      return [usage.used, usage.asked];
    };
    for (let round = 0; round < 4; round++) {
      expect(ask("c1")).toEqual([1, 0]);
      expect(ask("c2")).toEqual([1, 1]);
    }
    expect(cache.count()).toBe(1);
  });
});
