import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, readAll } from "../../../test/helpers/naive-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Label, NewRow, Subject } from "./history.ts";
import { reversedType } from "./history.ts";
import type { Undo } from "./history-table.ts";
import { HistoryTable } from "./history-table.ts";
import { LabelTable } from "./labels.ts";

const player: Subject = { kind: "player", id: "p" };
const bet: Label = { type: "bet", currency: "EUR", values: new Map([["game", "dice"]]), wides: ["round"] };
const makeRow = (id: number, atMs: number, more: Partial<NewRow> = {}): NewRow => ({
  id,
  atMs,
  amountMinor: 100,
  label: bet,
  wides: [7],
  ...more,
});
const event = { isPaymentFact: false };
const fact = { isPaymentFact: true };

describe("HistoryTable", () => {
  it("finds any of thousands of rows again, and keeps them in order", () => {
    const row = fc.record({ at: fc.nat({ max: 50_000 }), id: fc.nat({ max: 2 ** 48 - 1 }) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1500, maxLength: 1500 }), fc.nat(), (drawn, pick) => {
        const table = new HistoryTable();
        const subject = table.open("m", player);
        // Ids that share their lower 32 bits, so that only the upper ones tell them apart.
        const given = new Map(drawn.map(({ id, at }, n) => [n % 3 === 0 ? (id % 7) * 2 ** 32 + 5 : id, at]));
        for (const [id, at] of given) table.place(subject, makeRow(id, at), event);
        const wanted = [...given].sort(([a, atA], [b, atB]) => atA - atB || a - b);
        expect(readAll(table, subject).map((each) => each.atMs)).toEqual(wanted.map(([, at]) => at));
        for (const [id, at] of given) {
          expect(table.place(subject, makeRow(id, at), event)).toEqual({ kind: "duplicate" });
        }
        const [id] = wanted[pick % wanted.length]!;
        table.markClean(subject);
        table.reverse(subject, { id, atMs: 0 });
        expect(table.dirtyFrom(subject)).toBe(wanted.findIndex(([each]) => each === id));
      }),
      { numRuns: countRuns(5) },
    );
  });

  it("keeps the rows of thousands of subjects apart while they grow by turns", () => {
    const table = new HistoryTable({ rowsMax: 64, slabRows: 4096 });
    const open = (n: number) => table.open("m", { kind: "player", id: `p${n}` });
    // Every other one is too great for its column.
    const amountOf = (n: number) => n + (n % 2) * 2 ** 31;
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 1000; n++) {
        if (n % 7 === round % 7) continue;
        const row = makeRow(n * 64 + round, n * 1000 + round, { wides: [n], amountMinor: amountOf(n) });
        table.place(open(n), row, event);
      }
    }
    for (let n = 0; n < 1000; n++) {
      const rows = readAll(table, open(n));
      expect(rows).toHaveLength(40 - Math.ceil((40 - (n % 7)) / 7));
      expect(rows.every((row) => row.amountMinor === amountOf(n) && row.wides.round === n)).toBe(true);
      expect(rows.every((row) => Math.floor(row.atMs / 1000) === n)).toBe(true);
    }
  });

  it("uses the memory of rows that went again, their wide values, great amounts and ids too", () => {
    const table = new HistoryTable({ rowsMax: 64, slabRows: 4096 });
    const churn = (round: number): void => {
      for (let n = 0; n < 20; n++) {
        const subject = table.open("m", { kind: "player", id: `player-${round}-${n}` });
        for (let at = 0; at < 80; at++) {
          table.place(subject, makeRow(at, at * 10, { wides: [round], amountMinor: 2 ** 31 + at }), event);
        }
        table.reverse(subject, { id: 70, atMs: 0 });
        const packed = { head: table.packHead(subject), chunks: [table.packRows(subject, 0)] };
        table.markClean(subject);
        table.evict(subject);
        table.unpackInto(subject, packed);
        table.merge(subject, table.open("m", player));
      }
      table.remove(table.open("m", player));
    };
    churn(0);
    const bytes = table.bytes();
    // A value lost in each history would be more than a slab.
    for (let round = 1; round < 300; round++) churn(round);
    expect(table.bytes()).toBe(bytes);
    expect(table.countResidentRows()).toBe(0);
  });

  it("orders rows of one instant by their ids, whichever came first", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const ids = [2 ** 40, 3, 2 ** 32 + 1, 2 ** 47, 1];
    const placed = ids.map((id) => table.place(subject, makeRow(id, 1000, { amountMinor: id }), event));
    expect(readAll(table, subject).map((row) => row.amountMinor)).toEqual([...ids].sort((a, b) => a - b));
    expect(placed.map((each) => each.kind === "added" && each.late)).toEqual([
      false,
      true,
      true,
      false,
      true,
    ]);
  });

  it("tells what differs of an event that came twice, and lets the first stand", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    table.place(subject, makeRow(1, 1000), event);
    const label: Label = {
      type: "win",
      currency: "USD",
      values: new Map([["brand", "b"]]),
      wides: ["round"],
    };
    expect(table.place(subject, makeRow(1, 2000, { label, wides: [8] }), event)).toEqual({
      kind: "conflict",
      differs: ["type", "at", "amount", "brand", "game", "round"],
    });
    expect(table.place(subject, makeRow(1, 1000), event)).toEqual({ kind: "duplicate" });
    expect(readAll(table, subject)).toEqual([{ ...plain(makeRow(1, 1000)), id: -1 }]);
  });

  it("answers that a row was taken back, whether that came before or after it", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    table.place(subject, makeRow(1, 1000), event);
    expect(table.reverse(subject, { id: 1, atMs: 5000 })).toBe("reversed");
    expect(table.reverse(subject, { id: 2, atMs: 3000 })).toBe("tombstone");
    expect(table.reverse(subject, { id: 2, atMs: 3000 })).toBe("again");
    expect(table.place(subject, makeRow(1, 1000), event)).toEqual({ kind: "reversed" });
    expect(table.place(subject, makeRow(2, 2000), fact)).toEqual({ kind: "reversed" });
    expect(readAll(table, subject).map((row) => [row.type, row.atMs, row.amountMinor, row.wides])).toEqual([
      [reversedType, 1000, 0, {}],
      [reversedType, 3000, 0, {}],
    ]);
  });

  it("refuses the row whose label is one too many, and keeps nothing of it", () => {
    const table = new HistoryTable({ labels: new LabelTable(2) });
    const subject = table.open("m", player);
    expect(table.place(subject, makeRow(1, 1000), event).kind).toBe("added");
    const label = { ...bet, type: "win" };
    expect(table.place(subject, makeRow(2, 1000, { label }), event)).toEqual({ kind: "too-many-labels" });
    const richer = { ...bet, values: new Map([...bet.values, ["psp", "x"]]) };
    expect(table.place(subject, makeRow(1, 1000, { label: richer }), fact)).toEqual({
      kind: "too-many-labels",
    });
    expect(readAll(table, subject)).toEqual([{ ...plain(makeRow(1, 1000)), id: -1 }]);
  });

  it("takes no row that would damage others", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const rows = [
      makeRow(1, 1000, { wides: [] }),
      makeRow(1, 1000, { wides: [1, 2] }),
      makeRow(-1, 1000),
      makeRow(2 ** 48, 1000),
      makeRow(Number.NaN, 1000),
      makeRow(1, Number.NaN),
    ];
    for (const row of rows) expect(() => table.place(subject, row, event)).toThrow(/none of its label/);
    expect(table.place(subject, makeRow(2 ** 48 - 1, 1000), event).kind).toBe("added");
  });

  it("folds the oldest quarter at the cap, whole instants only, and knows no row from before", () => {
    const table = new HistoryTable({ rowsMax: 8 });
    const subject = table.open("m", player);
    // Of nine the oldest quarter is three, but the third and the fourth are of one instant.
    for (const [id, at] of [10, 20, 30, 30, 50, 60, 70, 80, 90].entries()) {
      table.place(subject, makeRow(id, at), event);
    }
    const view = table.view(subject)!;
    expect([view.exactFromMs, view.end - view.start]).toEqual([30, 7]);
    expect(view.tiles).toMatchObject([{ fromMs: 0, untilMs: 30, count: 2, sumMinor: 200 }]);
    expect(table.place(subject, makeRow(99, 29), event)).toEqual({ kind: "too-old" });
    expect(table.reverse(subject, { id: 99, atMs: 29 })).toBe("too-old");
    expect(table.place(subject, makeRow(98, 30), event)).toEqual({ kind: "added", late: true });
  });

  it("folds what two histories have beyond the cap together, and forgets tiles with their subject", () => {
    const table = new HistoryTable({ rowsMax: 8 });
    const alias: Subject = { kind: "player", id: "alias" };
    const [from, into] = [table.open("m", alias), table.open("m", player)];
    for (let id = 0; id < 8; id++) table.place(from, makeRow(id, id * 10), event);
    for (let id = 8; id < 16; id++) table.place(into, makeRow(id, id * 10), event);
    table.markClean(into);
    expect(table.merge(from, into)).toBe(8);
    expect(table.dirtyFrom(into)).toBe(0);
    // A quarter of 16, of 12 and of 9.
    expect([table.countRows(into), table.view(into)?.exactFromMs]).toEqual([6, 100]);
    const tiny = table.open("m", alias);
    expect(tiny).toBe(from);
    table.place(tiny, makeRow(50, 500), event);
    table.markClean(tiny);
    expect(table.merge(into, tiny)).toBe(6);
    expect(table.view(tiny)?.tiles).toMatchObject([{ count: 10 }]);
    table.remove(tiny);
    expect(table.open("m", player)).toBe(tiny);
    expect(table.place(tiny, makeRow(1, 1), event).kind).toBe("added");
    expect(table.view(tiny)?.tiles).toEqual([]);
  });

  it("says from where on a merged history changed, even where only tiles came", () => {
    const table = new HistoryTable({ rowsMax: 8 });
    const [from, into] = [table.open("m", { kind: "player", id: "alias" }), table.open("m", player)];
    for (let id = 0; id < 9; id++) table.place(from, makeRow(id, 10), event);
    for (const id of [20, 21, 23]) table.place(into, makeRow(id, id * 10), event);
    table.markClean(into);
    expect(table.merge(from, into)).toBe(0);
    expect(table.dirtyFrom(into)).toBe(0);
  });

  it("says from where on rows of another history came between", () => {
    const table = new HistoryTable();
    const [from, into] = [table.open("m", { kind: "player", id: "alias" }), table.open("m", player)];
    table.place(from, makeRow(1, 15), event);
    for (const id of [10, 20, 30]) table.place(into, makeRow(id, id), event);
    table.markClean(into);
    expect(table.merge(from, into)).toBe(1);
    expect(table.dirtyFrom(into)).toBe(1);
  });

  it("brings tiles back with the rows", () => {
    const table = new HistoryTable({ rowsMax: 8 });
    const subject = table.open("m", player);
    for (let id = 0; id < 9; id++) table.place(subject, makeRow(id, id * 10), event);
    const { tiles, exactFromMs } = table.view(subject)!;
    const packed = { head: table.packHead(subject), chunks: [table.packRows(subject, 0)] };
    table.markClean(subject);
    table.evict(subject);
    table.unpackInto(subject, packed);
    expect(tiles).toHaveLength(1);
    expect(table.view(subject)).toMatchObject({ tiles, exactFromMs });
  });

  it("leaves a history that is merged into itself as it is", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    table.place(subject, makeRow(1, 1000), event);
    expect(table.merge(subject, subject)).toBe(0);
    expect(readAll(table, subject)).toHaveLength(1);
  });

  it("folds even a cap of rows of one instant", () => {
    const table = new HistoryTable({ rowsMax: 8 });
    const subject = table.open("m", player);
    for (let id = 0; id < 9; id++) table.place(subject, makeRow(id, 50), event);
    const view = table.view(subject)!;
    expect([view.start, view.end, view.exactFromMs]).toEqual([0, 0, 51]);
    expect(view.tiles).toMatchObject([{ count: 9, untilMs: 51 }]);
    expect(view.readWide(0, 0)).toBeNaN();
  });

  it("evicts no row that is not kept, and reads and changes none that is cold", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    table.place(subject, makeRow(1, 1000), event);
    expect(() => table.evict(subject)).toThrow(/not kept/);
    const packed = { head: table.packHead(subject), chunks: [table.packRows(subject, 0)] };
    table.markClean(subject);
    table.evict(subject);
    table.evict(subject);
    expect(() => table.view(subject)).toThrow(/cold/);
    expect(() => table.place(subject, makeRow(2, 1), event)).toThrow(/cold/);
    expect(() => table.reverse(subject, { id: 1, atMs: 1 })).toThrow(/cold/);
    table.unpackInto(subject, packed);
    expect(() => table.unpackInto(subject, packed)).toThrow(/not cold/);
  });

  it("knows a subject by its head alone, and takes only its own chunks in their order", () => {
    const before = new HistoryTable();
    const from = before.open("m", player);
    for (let id = 0; id < 1100; id++) before.place(from, makeRow(id, id), event);
    const chunks = [0, 512, 1024].map((row) => before.packRows(from, row));
    const head = before.packHead(from);
    const labels = new LabelTable();
    const table = new HistoryTable({ labels });
    const subject = table.openCold("m", player, head);
    expect(() => table.openCold("m", player, head)).toThrow(/already/);
    expect([table.countRows(subject), table.newestMs(subject)]).toEqual([1100, 1099]);
    expect(() => table.unpackInto(subject, { head, chunks })).toThrow(/label 1 is not known/);
    for (const [at, label] of before.labels.entriesFrom(1).entries()) labels.restore(at + 1, label);
    expect(() => table.unpackInto(subject, { head, chunks: chunks.slice(1) })).toThrow(/588 rows/);
    expect(() => table.unpackInto(subject, { head, chunks: chunks.toReversed() })).toThrow(/order/);
    expect(table.isResident(subject)).toBe(false);
    expect(table.countResidentRows()).toBe(0);
    table.unpackInto(subject, { head, chunks });
    expect(readAll(table, subject)).toEqual(readAll(before, from));
    expect(table.dirtyFrom(subject)).toBeUndefined();
  });

  it("says from where on rows changed", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    expect(table.dirtyFrom(subject)).toBe(0);
    for (let id = 0; id < 10; id++) table.place(subject, makeRow(id, id * 10), event);
    table.markClean(subject);
    table.place(subject, makeRow(3, 30), event);
    expect(table.dirtyFrom(subject)).toBeUndefined();
    table.place(subject, makeRow(20, 200), event);
    expect(table.dirtyFrom(subject)).toBe(10);
    table.place(subject, makeRow(21, 45), event);
    expect(table.dirtyFrom(subject)).toBe(5);
    table.reverse(subject, { id: 2, atMs: 0 });
    expect(table.dirtyFrom(subject)).toBe(2);
  });

  it("undoes what a row changed, latest first, but nothing of a subject that went", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const undo: Undo[] = [];
    table.place(subject, makeRow(1, 1000, { wides: [Number.NaN] }), { ...fact, undo });
    const kept = readAll(table, subject);
    table.place(subject, makeRow(1, 1000, { amountMinor: 70 }), { ...fact, amountWins: true, undo });
    table.reverse(subject, { id: 1, atMs: 0 }, { undo });
    table.place(subject, makeRow(1, 1000), { ...fact, undo });
    expect(undo).toHaveLength(3);
    expect([undo.pop()!(subject), undo.pop()!(subject)]).toEqual([true, true]);
    expect(readAll(table, subject)).toEqual(kept);
    table.remove(subject);
    table.open("m", { kind: "player", id: "another" });
    const again = table.open("m", player);
    expect(again).not.toBe(subject);
    expect(undo.pop()!(again)).toBe(false);
    expect(table.view(again)).toBeUndefined();
  });

  it("refuses slabs that could not hold two capped histories", () => {
    expect(() => new HistoryTable({ rowsMax: 1025, slabRows: 4096 })).toThrow(RangeError);
    expect(() => new HistoryTable({ slabRows: 70_000 })).toThrow(RangeError);
  });
});

describe("payment facts", () => {
  const approved = (values: Record<string, string>, currency = "EUR"): Label => ({
    type: "payment_approved",
    currency,
    values: new Map(Object.entries(values)),
    wides: ["payment", "card", "rates", "in:USD"],
  });
  const told = (atMs: number, amountMinor: number, label: Label, wides: number[]): NewRow => ({
    id: 1,
    atMs,
    amountMinor,
    label,
    wides,
  });

  it("SEMANTICS 6.1: the first arrival sets the instant, an outcome's amount wins, what was left out is filled in", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const wallet = told(1000, 5000, approved({ method: "CARD" }), [1, Number.NaN, Number.NaN, Number.NaN]);
    const outcome = told(900, 4000, approved({ method: "CARD", psp: "a" }), [1, 9, 3, 4400]);
    expect(table.place(subject, wallet, fact).kind).toBe("added");
    const options = { ...fact, amountWins: true };
    expect(table.place(subject, outcome, options)).toEqual({ kind: "merged", differs: ["at", "amount"] });
    expect(readAll(table, subject)).toEqual([
      {
        ...plain(outcome),
        id: -1,
        atMs: 1000,
        values: { method: "CARD", psp: "a" },
        wides: { payment: 1, card: 9, rates: 3, "in:USD": 4400 },
      },
    ]);
  });

  it("SEMANTICS 6.1: an event's amount does not beat an outcome's, and the difference is told", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const outcome = told(1000, 4000, approved({ psp: "a" }), [1, 9, 3, 4400]);
    const wallet = told(1000, 5000, approved({ psp: "b" }, "USD"), [1, 8, Number.NaN, Number.NaN]);
    table.place(subject, outcome, { ...fact, amountWins: true });
    table.markClean(subject);
    expect(table.place(subject, wallet, fact)).toEqual({
      kind: "merged",
      differs: ["amount", "card", "psp"],
    });
    expect(readAll(table, subject)).toEqual([{ ...plain(outcome), id: -1 }]);
    expect(table.dirtyFrom(subject)).toBeUndefined();
  });

  it("takes what an amount was converted to together with the amount", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    table.place(subject, told(1000, 5000, approved({}), [1, 9, 2, 5500]), fact);
    const outcome = told(1000, 4000, approved({}), [1, 8, 3, 4400]);
    const options = { ...fact, amountWins: true };
    expect(table.place(subject, outcome, options)).toEqual({ kind: "merged", differs: ["amount", "card"] });
    expect(readAll(table, subject)[0]?.wides).toEqual({ payment: 1, card: 9, rates: 3, "in:USD": 4400 });
  });

  it("does not merge what is of another type", () => {
    const table = new HistoryTable();
    const subject = table.open("m", player);
    const first = told(1000, 5000, approved({}), [1, 2, 3, 4]);
    table.place(subject, first, fact);
    const declined = { ...first, amountMinor: 1, label: { ...first.label, type: "payment_declined" } };
    expect(table.place(subject, declined, { ...fact, amountWins: true })).toEqual({
      kind: "conflict",
      differs: ["type", "amount"],
    });
    expect(readAll(table, subject)[0]?.amountMinor).toBe(5000);
  });

  it("SEMANTICS 6.3: merged aliases have the rows of both, each once, and what one took back stays so", () => {
    const table = new HistoryTable();
    const from = table.open("m", { kind: "player", id: "alias" });
    const into = table.open("m", player);
    for (const id of [1, 2, 3]) table.place(from, makeRow(id, id * 10), event);
    for (const id of [2, 3, 4]) table.place(into, makeRow(id, id * 10), event);
    table.reverse(from, { id: 3, atMs: 30 });
    expect(table.merge(from, into)).toBe(1);
    expect(readAll(table, into).map((row) => [row.atMs, row.type])).toEqual([
      [10, "bet"],
      [20, "bet"],
      [30, reversedType],
      [40, "bet"],
    ]);
    expect(table.find("m", { kind: "player", id: "alias" })).toBe(-1);
    expect(table.countSubjects()).toBe(1);
  });
});
