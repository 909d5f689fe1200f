/** Histories as anybody would keep them, to hold the real ones against. */

import type { NewRow, Placed } from "../../src/core/history/history.ts";
import { reversedType } from "../../src/core/history/history.ts";
import type { HistoryTable, PlaceOptions } from "../../src/core/history/history-table.ts";

/** A row as anybody would keep it. */
export type PlainRow = {
  id: number;
  atMs: number;
  amountMinor: number;
  type: string;
  currency: string;
  values: Record<string, unknown>;
  wides: Record<string, number>;
};

export const plain = (row: NewRow): PlainRow => ({
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
export class PlainHistory {
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
export function spell(row: PlainRow): string {
  const { values, wides, ...rest } = row;
  return JSON.stringify([rest, Object.entries(values).sort(), Object.entries(wides).sort()]);
}

/** All rows of a subject, read through its view. */
export function readAll(table: HistoryTable, subject: number): PlainRow[] {
  const view = table.view(subject);
  if (view === undefined) return [];
  return Array.from({ length: view.end - view.start }, (_, at) => {
    const row = view.start + at;
    const label = view.labels.get(view.label[row]!);
    const wides = label.wides.map((_, place) => view.readWide(row, place));
    return plain({ id: -1, atMs: view.atMs[row]!, amountMinor: view.readAmount(row), label, wides });
  });
}
