import type { Fold } from "./folds.ts";
import { addRows, emptyFold, mergeFolds } from "./folds.ts";
import type { Labels } from "./history.ts";
import type { RowSlab } from "./row-columns.ts";
import type { SubjectRows } from "./subject-rows.ts";

/** The histories that are beyond the cap: few, so each has objects of its own. */
export class FoldedHistories {
  readonly #rows: SubjectRows;
  readonly #labels: Labels;
  readonly #folds = new Map<number, Fold>();
  /** Places of the amounts in other currencies, by label. */
  readonly #placesOf = new Map<number, readonly number[]>();

  constructor(rows: SubjectRows, labels: Labels) {
    this.#rows = rows;
    this.#labels = labels;
  }

  of(subject: number): Fold | undefined {
    return this.#folds.size === 0 ? undefined : this.#folds.get(subject);
  }

  /** Rows at and after it are all there; -Infinity where nothing was folded. */
  exactFromMs(subject: number): number {
    return this.of(subject)?.exactFromMs ?? Number.NEGATIVE_INFINITY;
  }

  set(subject: number, fold: Fold): void {
    this.#folds.set(subject, fold);
  }

  delete(subject: number): void {
    this.#folds.delete(subject);
  }

  /** Folds the oldest quarter of a history, whole instants only: what is left is all there from an instant on. */
  foldOldest(subject: number): void {
    const slab = this.#rows.slabOf(subject);
    const start = this.#rows.startOf(subject);
    const end = start + this.#rows.count(subject);
    const oldestMs = slab.atMs[start]!;
    let row = start + Math.ceil((end - start) / 4);
    while (row < end && slab.atMs[row] === oldestMs) row++;
    this.#foldBefore(subject, row < end ? slab.atMs[row]! : oldestMs + 1);
  }

  /** Puts the tiles of one history to those of another, whose rows are folded to where both are exact. */
  merge(from: number, into: number): void {
    const theirs = this.of(from);
    if (theirs === undefined && this.of(into) === undefined) return;
    const fold = mergeFolds(theirs ?? emptyFold, this.of(into) ?? emptyFold);
    this.#folds.set(into, fold);
    this.#rows.touch(into, 0);
    this.#foldBefore(into, fold.exactFromMs);
  }

  #foldBefore(subject: number, exactFromMs: number): void {
    const count = this.#rows.count(subject);
    const slab = this.#rows.slabOf(subject);
    const start = this.#rows.startOf(subject);
    let end = start;
    while (end < start + count && slab.atMs[end]! < exactFromMs) end++;
    const { atMs, label, readAmount } = slab;
    const readConverted = (row: number): readonly number[] | undefined => this.#readConverted(slab, row);
    const older = { start, end, atMs, label, readAmount, readConverted };
    this.#folds.set(subject, addRows(this.of(subject) ?? emptyFold, exactFromMs, older));
    if (end > start) this.#rows.cut(subject, 0, end - start);
  }

  #readConverted({ label, readWide }: RowSlab, row: number): readonly number[] | undefined {
    const places = this.#listPlaces(label[row]!);
    return places.length === 0 ? undefined : places.map((place) => readWide(row, place));
  }

  #listPlaces(label: number): readonly number[] {
    let places = this.#placesOf.get(label);
    if (places === undefined) {
      places = this.#labels
        .get(label)
        .wides.flatMap((name, place) => (name.startsWith("in:") ? [place] : []));
      this.#placesOf.set(label, places);
    }
    return places;
  }
}
