import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Label, NewRow, Placed, Subject, Tile } from "./history.ts";
import { reversedType } from "./history.ts";
import type { PlaceOptions, Undo } from "./history-table.ts";
import { HistoryTable } from "./history-table.ts";
import { LabelTable } from "./labels.ts";

/** A row as anybody would keep it. */
type PlainRow = {
  id: number;
  atMs: number;
  amountMinor: number;
  type: string;
  currency: string;
  values: Record<string, unknown>;
  wides: Record<string, number>;
};

const plain = (row: NewRow): PlainRow => ({
  id: row.id,
  atMs: row.atMs,
  amountMinor: row.amountMinor,
  type: row.label.type,
  currency: row.label.currency,
  values: Object.fromEntries(row.label.values),
  wides: Object.fromEntries(
    row.label.wides.flatMap((name, place): [string, number][] =>
      Number.isNaN(row.wides[place]) ? [] : [[name, row.wides[place]!]],
    ),
  ),
});

const byOrder = (a: PlainRow, b: PlainRow): number => a.atMs - b.atMs || a.id - b.id;

const takenBack = (id: number, atMs: number): PlainRow => ({
  id,
  atMs,
  amountMinor: 0,
  type: reversedType,
  currency: "",
  values: {},
  wides: {},
});

/** One history as an array of objects: slow and plain. */
class PlainHistory {
  rows: PlainRow[] = [];
  exactFromMs = Number.NEGATIVE_INFINITY;
  folded: PlainRow[] = [];
  readonly #rowsMax: number;

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
  }

  place(given: NewRow, options: PlaceOptions): Placed {
    const row = plain(given);
    const known = this.rows.find((each) => each.id === row.id);
    if (known === undefined) {
      if (row.atMs < this.exactFromMs) return { kind: "too-old" };
      const late = this.rows.some((each) => byOrder(each, row) > 0);
      this.add(row);
      return { kind: "added", late };
    }
    if (known.type === reversedType) return { kind: "reversed" };
    if (!options.isPaymentFact || known.type !== row.type) {
      const differs = this.#differs(known, row, () => true);
      return differs.length === 0 ? { kind: "duplicate" } : { kind: "conflict", differs };
    }
    const differs = this.#differs(known, row, (a, b) => a !== undefined && b !== undefined).filter(
      (name) => name !== "rates" && !name.startsWith("in:"),
    );
    const before = spell(known);
    known.values = { ...row.values, ...known.values };
    if (options.amountWins && differs.includes("amount")) {
      known.amountMinor = row.amountMinor;
      known.currency = row.currency;
      for (const name of Object.keys(known.wides)) {
        if (name === "rates" || name.startsWith("in:")) delete known.wides[name];
      }
    }
    known.wides = { ...row.wides, ...known.wides };
    const isSame = differs.length === 0 && before === spell(known);
    return isSame ? { kind: "duplicate" } : { kind: "merged", differs };
  }

  reverse(id: number, atMs: number): string {
    const known = this.rows.find((each) => each.id === id);
    if (known === undefined) {
      if (atMs < this.exactFromMs) return "too-old";
      this.add(takenBack(id, atMs));
      return "tombstone";
    }
    if (known.type === reversedType) return "again";
    Object.assign(known, takenBack(id, known.atMs));
    return "reversed";
  }

  merge(from: PlainHistory): number {
    let count = 0;
    for (const row of from.rows) {
      const known = this.rows.find((each) => each.id === row.id);
      if (known === undefined) {
        this.rows.push(row);
        count++;
      } else if (row.type === reversedType) Object.assign(known, takenBack(known.id, known.atMs));
    }
    this.folded.push(...from.folded);
    this.rows.sort(byOrder);
    this.#foldBefore(Math.max(this.exactFromMs, from.exactFromMs));
    while (this.rows.length > this.#rowsMax) this.#foldOldest();
    return count;
  }

  add(row: PlainRow): void {
    this.rows.push(row);
    this.rows.sort(byOrder);
    if (this.rows.length > this.#rowsMax) this.#foldOldest();
  }

  #foldOldest(): void {
    const oldestMs = this.rows[0]!.atMs;
    const quarter = this.rows.slice(Math.ceil(this.rows.length / 4));
    this.#foldBefore(quarter.find((row) => row.atMs > oldestMs)?.atMs ?? oldestMs + 1);
  }

  #foldBefore(exactFromMs: number): void {
    this.exactFromMs = exactFromMs;
    this.folded.push(...this.rows.filter((row) => row.atMs < exactFromMs && row.type !== reversedType));
    this.rows = this.rows.filter((row) => row.atMs >= exactFromMs);
  }

  #differs(a: PlainRow, b: PlainRow, counts: (a: unknown, b: unknown) => boolean): string[] {
    const heads: string[] = [];
    if (a.type !== b.type) heads.push("type");
    if (a.atMs !== b.atMs) heads.push("at");
    if (a.amountMinor !== b.amountMinor || a.currency !== b.currency) heads.push("amount");
    const all = [a.values, b.values, a.wides, b.wides].flatMap((each) => Object.keys(each));
    const names = [...new Set(all)].sort().filter((name) => {
      const valuesDiffer = a.values[name] !== b.values[name] && counts(a.values[name], b.values[name]);
      return valuesDiffer || (a.wides[name] !== b.wides[name] && counts(a.wides[name], b.wides[name]));
    });
    return [...heads, ...names];
  }
}

/** The order of names tells nothing. */
function spell(row: PlainRow): string {
  const { values, wides, ...rest } = row;
  return JSON.stringify([rest, Object.entries(values).sort(), Object.entries(wides).sort()]);
}

/** All rows of a subject, read through its view. */
function readAll(table: HistoryTable, subject: number): PlainRow[] {
  const view = table.view(subject);
  if (view === undefined) return [];
  return Array.from({ length: view.end - view.start }, (_, at) => {
    const row = view.start + at;
    const label = view.labels.get(view.label[row]!);
    const wides = label.wides.map((_, place) => view.readWide(row, place));
    return plain({ id: -1, atMs: view.atMs[row]!, amountMinor: view.amountMinor[row]!, label, wides });
  });
}

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

const arbitraryLabel: fc.Arbitrary<Label> = fc.record({
  type: fc.constantFrom("bet", "bet", "win"),
  currency: fc.constantFrom("EUR", "EUR", "USD"),
  values: fc
    .dictionary(fc.constantFrom("game", "psp"), fc.constantFrom<string | number | boolean>("a", 1, true))
    .map((values) => new Map(Object.entries(values))),
  wides: fc.subarray(["payment", "card", "in:EUR", "rates", "a", "b", "c"]),
});

/** Few ids and instants, so that they meet. Ids differ in their upper 16 bits too. */
const arbitraryRow: fc.Arbitrary<NewRow> = arbitraryLabel.chain((label) =>
  fc.record({
    id: fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 5 })).map(([high, low]) => high * 2 ** 40 + low),
    atMs: fc.nat({ max: 12 }).map((at) => at * 20_000),
    amountMinor: fc.nat({ max: 3 }),
    label: fc.constant(label),
    wides: fc.array(fc.constantFrom(Number.NaN, Number.NaN, 1, 2), {
      minLength: label.wides.length,
      maxLength: label.wides.length,
    }),
  }),
);

type Operation =
  | { kind: "place"; subject: number; row: NewRow; options: PlaceOptions; undone: boolean }
  | { kind: "reverse"; subject: number; row: NewRow; undone: boolean }
  | { kind: "merge"; subject: number; into: number }
  | { kind: "remove" | "reload"; subject: number };

const subjects = 4;
const subject = fc.nat({ max: subjects - 1 });
const arbitraryOperation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant("place" as const),
      subject,
      row: arbitraryRow,
      options: fc.record({ isPaymentFact: fc.boolean(), amountWins: fc.boolean() }),
      undone: fc.nat({ max: 9 }).map((draw) => draw === 0),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("reverse" as const),
      subject,
      row: arbitraryRow,
      undone: fc.nat({ max: 3 }).map((draw) => draw === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("merge" as const), subject, into: subject }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom("remove" as const, "reload" as const), subject }),
  },
);

/** The table beside plain histories: every operation on both, and both compared. */
class Twins {
  readonly #rowsMax: number;
  readonly #table: HistoryTable;
  readonly #disks = new Map<string, { head: Uint8Array; chunks: Uint8Array[] }>();
  readonly #histories: PlainHistory[];

  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#table = new HistoryTable({ rowsMax, slabRows: 4096 });
    this.#histories = Array.from({ length: subjects }, () => new PlainHistory(rowsMax));
  }

  run(operation: Operation): void {
    const subject = this.#open(operation.subject);
    const history = this.#histories[operation.subject]!;
    switch (operation.kind) {
      case "place": {
        const undo: Undo[] = [];
        const before = structuredClone(history.rows);
        const placed = this.#table.place(subject, operation.row, { ...operation.options, undo });
        expect(placed).toEqual(history.place(operation.row, operation.options));
        const isChanged =
          placed.kind === "added" || before.some((row, at) => spell(row) !== spell(history.rows[at]!));
        if (operation.undone) this.#undo(history, undo, before, isChanged);
        return;
      }
      case "reverse": {
        const undo: Undo[] = [];
        const before = structuredClone(history.rows);
        const kind = this.#table.reverse(subject, operation.row, { undo });
        expect(kind).toBe(history.reverse(operation.row.id, operation.row.atMs));
        if (operation.undone) this.#undo(history, undo, before, kind === "reversed" || kind === "tombstone");
        return;
      }
      case "merge":
        if (operation.into === operation.subject) return;
        expect(this.#table.merge(subject, this.#open(operation.into))).toBe(
          this.#histories[operation.into]!.merge(history),
        );
        this.#forget(operation.subject);
        return;
      case "remove":
        expect(this.#table.remove(subject)).toBe(history.rows.length);
        this.#forget(operation.subject);
        return;
      case "reload":
        this.#reload(operation.subject);
        return;
    }
  }

  compare(): void {
    for (const [number, history] of this.#histories.entries()) {
      const found = this.#table.find("m", this.#name(number));
      expect(found < 0 ? [] : readAll(this.#table, found)).toEqual(
        history.rows.map((row) => ({ ...row, id: -1 })),
      );
      if (found < 0) continue;
      expect(this.#table.countRows(found)).toBe(history.rows.length);
      expect(this.#table.oldestMs(found)).toBe(history.rows[0]?.atMs);
      expect(this.#table.newestMs(found)).toBe(history.rows.at(-1)?.atMs);
      this.#compareTiles(found, history);
    }
    const total = this.#histories.reduce((sum, history) => sum + history.rows.length, 0);
    expect(this.#table.countResidentRows()).toBe(total);
  }

  #compareTiles(found: number, history: PlainHistory): void {
    const view = this.#table.view(found);
    if (view === undefined) return;
    expect(view.exactFromMs).toBe(history.exactFromMs);
    const labelOf = (tile: Tile) => view.labels.get(tile.label);
    let count = 0;
    for (const tile of view.tiles) {
      expect(tile.untilMs).toBeLessThanOrEqual(view.exactFromMs);
      const label = labelOf(tile);
      const inside = history.folded.filter(
        (row) =>
          row.atMs >= tile.fromMs &&
          row.atMs < tile.untilMs &&
          this.#table.labels.intern({
            type: row.type,
            currency: row.currency,
            values: new Map(Object.entries(row.values)) as Label["values"],
            wides: label.wides,
          }) === tile.label,
      );
      // The plain row forgot which wides its label had, so a tile may be one of several.
      expect(inside.length).toBeGreaterThanOrEqual(tile.count);
      expect(tile.minMinor).toBeGreaterThanOrEqual(Math.min(...inside.map((row) => row.amountMinor)));
      expect(tile.maxMinor).toBeLessThanOrEqual(Math.max(...inside.map((row) => row.amountMinor)));
      count += tile.count;
    }
    expect(count).toBe(history.folded.length);
    expect(view.tiles.reduce((sum, tile) => sum + tile.sumMinor, 0)).toBe(
      history.folded.reduce((sum, row) => sum + row.amountMinor, 0),
    );
  }

  /** Folding stays where it happened. */
  #undo(history: PlainHistory, undo: Undo[], before: PlainRow[], isChanged: boolean): void {
    expect(undo.length).toBe(isChanged ? 1 : 0);
    for (const back of undo) back();
    history.rows = before.filter((row) => row.atMs >= history.exactFromMs);
  }

  /** What changed is written, the rest is what was written before; then all comes back from there. */
  #reload(number: number): void {
    const table = this.#table;
    const subject = this.#open(number);
    const key = this.#name(number).id;
    const chunks = this.#disks.get(key)?.chunks ?? [];
    const dirtyFrom = table.dirtyFrom(subject);
    if (dirtyFrom !== undefined) {
      const first = Math.floor(dirtyFrom / 512);
      chunks.length = Math.min(chunks.length, first);
      for (let from = first * 512; from < table.countRows(subject); from += 512) {
        chunks.push(table.packRows(subject, from));
      }
    }
    const disk = { head: table.packHead(subject), chunks };
    this.#disks.set(key, disk);
    table.markClean(subject);
    const known = [table.countRows(subject), table.oldestMs(subject), table.newestMs(subject)];
    table.evict(subject);
    expect(table.isResident(subject)).toBe(false);
    expect([table.countRows(subject), table.oldestMs(subject), table.newestMs(subject)]).toEqual(known);
    table.unpackInto(subject, disk);
    expect(table.dirtyFrom(subject)).toBeUndefined();
  }

  #forget(number: number): void {
    this.#histories[number] = new PlainHistory(this.#rowsMax);
    this.#disks.delete(this.#name(number).id);
  }

  #open(number: number): number {
    return this.#table.open("m", this.#name(number));
  }

  #name(number: number): Subject {
    return { kind: "player", id: `p${number}` };
  }
}

describe("HistoryTable", () => {
  it("holds what plain arrays of rows would hold, whatever happens in whatever order", () => {
    fc.assert(
      fc.property(
        fc.array(arbitraryOperation, { maxLength: 120 }),
        fc.constantFrom(8, 20, 1024),
        (operations, rowsMax) => {
          const twins = new Twins(rowsMax);
          for (const operation of operations) {
            twins.run(operation);
            twins.compare();
          }
        },
      ),
      { numRuns: countRuns(150) },
    );
  });

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
    for (let round = 0; round < 40; round++) {
      for (let n = 0; n < 1000; n++) {
        if (n % 7 === round % 7) continue;
        const row = makeRow(n * 64 + round, n * 1000 + round, { wides: [n], amountMinor: n });
        table.place(open(n), row, event);
      }
    }
    for (let n = 0; n < 1000; n++) {
      const rows = readAll(table, open(n));
      expect(rows).toHaveLength(40 - Math.ceil((40 - (n % 7)) / 7));
      expect(rows.every((row) => row.amountMinor === n && row.wides.round === n)).toBe(true);
      expect(rows.every((row) => Math.floor(row.atMs / 1000) === n)).toBe(true);
    }
  });

  it("uses the memory of rows that went again, their wide values and ids too", () => {
    const table = new HistoryTable({ rowsMax: 64, slabRows: 4096 });
    const churn = (round: number): void => {
      for (let n = 0; n < 20; n++) {
        const subject = table.open("m", { kind: "player", id: `player-${round}-${n}` });
        for (let at = 0; at < 80; at++) table.place(subject, makeRow(at, at * 10, { wides: [round] }), event);
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
    expect([undo.pop()!(), undo.pop()!()]).toEqual([true, true]);
    expect(readAll(table, subject)).toEqual(kept);
    table.remove(subject);
    expect(undo.pop()!()).toBe(false);
    expect(table.view(table.open("m", player))).toBeUndefined();
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
