import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PlainHistory, type PlainRow, readAll, spell } from "../../../test/helpers/naive-history.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Label, NewRow, Subject, Tile } from "./history.ts";
import type { PlaceOptions, Undo } from "./history-table.ts";
import { HistoryTable } from "./history-table.ts";

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
    amountMinor: fc.oneof(
      fc.nat({ max: 3 }),
      fc.nat({ max: 3 }).map((above) => 2 ** 31 + above),
    ),
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("merge" as const), subject, into: subject }) },
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
    this.#table.prefetch("m", {
      kind: "player",
      ids: this.#histories.map((_, number) => this.#name(number).id),
    });
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
        if (operation.undone) this.#undo(subject, history, undo, before, isChanged);
        return;
      }
      case "reverse": {
        const undo: Undo[] = [];
        const before = structuredClone(history.rows);
        const kind = this.#table.reverse(subject, operation.row, { undo });
        expect(kind).toBe(history.reverse(operation.row.id, operation.row.atMs));
        const isChanged = kind === "reversed" || kind === "tombstone";
        if (operation.undone) this.#undo(subject, history, undo, before, isChanged);
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
  #undo(subject: number, history: PlainHistory, undo: Undo[], before: PlainRow[], isChanged: boolean): void {
    expect(undo.length).toBe(isChanged ? 1 : 0);
    for (const back of undo) back(subject);
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
});
