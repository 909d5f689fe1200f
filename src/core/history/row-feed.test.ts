import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { HistoryTable, type Undo } from "./history-table.ts";
import { feedRowsMin, type RowView, type RowWatcher } from "./row-feed.ts";

const subject = { kind: "psp", id: "alpha" } as const;
const fact = { type: "payment_approved", currency: "EUR", values: new Map(), wides: ["payment"] };

/** The rows as a feed told of them, as texts with how often each is there. */
class Mirror implements RowWatcher {
  readonly rows = new Map<string, number>();
  isLost = false;

  readonly rowAdded = (view: RowView, row: number): void => this.#count(view, row, 1);
  readonly rowRemoved = (view: RowView, row: number): void => this.#count(view, row, -1);
  readonly rowsLost = (): void => {
    this.isLost = true;
  };

  #count({ atMs, label, readAmount, readWide }: RowView, row: number, by: number): void {
    const text = [atMs[row], label[row], readAmount(row), readWide(row, 0)].join();
    const count = (this.rows.get(text) ?? 0) + by;
    if (count === 0) this.rows.delete(text);
    else this.rows.set(text, count);
  }
}

function fill(rows: number): { readonly table: HistoryTable; readonly number: number } {
  const table = new HistoryTable({ rowsMax: 700, slabRows: 4096 });
  const number = table.open("m", subject);
  for (let id = 0; id < rows; id++) {
    table.place(
      number,
      { id, atMs: id * 10, amountMinor: id % 7, label: fact, wides: [id] },
      { isPaymentFact: true },
    );
  }
  return { table, number };
}

function watch(table: HistoryTable, number: number): Mirror {
  const mirror = new Mirror();
  const view = table.view(number)!;
  for (let row = view.start; row < view.end; row++) mirror.rowAdded(view, row);
  view.feed!.watch(mirror);
  return mirror;
}

function readRows(table: HistoryTable, number: number): Map<string, number> {
  const mirror = new Mirror();
  const view = table.view(number)!;
  for (let row = view.start; row < view.end; row++) mirror.rowAdded(view, row);
  return mirror.rows;
}

const arbitraryChange = fc.record({
  kind: fc.constantFrom("place", "place", "late", "again", "reverse", "undo"),
  id: fc.nat({ max: 1_200 }),
  amountMinor: fc.nat({ max: 5 }),
});

describe("RowFeed", () => {
  it("tells of every row that comes, changes, is taken back, undone or folded", () => {
    fc.assert(
      fc.property(fc.array(arbitraryChange, { maxLength: 250 }), (changes) => {
        const { table, number } = fill(600);
        const mirror = watch(table, number);
        let undo: Undo[] = [];
        for (const { kind, id, amountMinor } of changes) {
          const atMs = kind === "late" ? 5_995 : id * 10;
          const isPaymentFact = true;
          const row = { id: kind === "late" ? id + 5_000 : id, atMs, label: fact, amountMinor, wides: [id] };
          if (kind === "undo") for (const each of undo.reverse()) each(number);
          undo = [];
          if (kind === "reverse") table.reverse(number, { id, atMs }, { undo });
          else if (kind !== "undo") table.place(number, row, { isPaymentFact, amountWins: true, undo });
        }
        expect(mirror.rows).toEqual(readRows(table, number));
        expect(mirror.isLost).toBe(false);
      }),
      { numRuns: countRuns(60) },
    );
  });

  it("ends when the rows leave memory, and when another history is merged into it", () => {
    const { table, number } = fill(600);
    const mirror = watch(table, number);
    table.markClean(number);
    table.evict(number);
    expect(mirror.isLost).toBe(true);
    const other = fill(600);
    const merged = watch(other.table, other.number);
    const from = other.table.open("m", { kind: "psp", id: "beta" });
    other.table.place(
      from,
      { id: 9_000, atMs: 1, amountMinor: 1, label: fact, wides: [1] },
      { isPaymentFact: true },
    );
    other.table.merge(from, other.number);
    expect(merged.isLost).toBe(true);
  });

  it("is of long histories only, and of one as long as its rows are there", () => {
    const { table, number } = fill(feedRowsMin - 1);
    expect(table.view(number)!.feed).toBeUndefined();
    table.place(
      number,
      { id: 9_000, atMs: 1, amountMinor: 1, label: fact, wides: [1] },
      { isPaymentFact: true },
    );
    const { feed } = table.view(number)!;
    expect(feed).toBeDefined();
    expect(table.view(number)!.feed).toBe(feed);
  });

  it("tells no one who has had enough", () => {
    const { table, number } = fill(600);
    const mirror = watch(table, number);
    table.view(number)!.feed!.unwatch(mirror);
    const before = new Map(mirror.rows);
    table.reverse(number, { id: 3, atMs: 30 });
    expect(mirror.rows).toEqual(before);
  });
});
