/**
 * The histories of all subjects of a process, in memory: rows in shared columns, ordered by (instant, id), with no object for a subject or a row.
 *
 * A subject goes by its number (`find`, `open`), which is good until it is removed. A *cold* one has its rows on disk: it is known here by its id, its
 * count and its oldest and newest instant, and must be unpacked before it is read or changed. Nothing here is I/O; whoever keeps a disk asks what
 * changed (`dirtyFrom`), packs it, and says when it is kept (`markClean`).
 */
import { FoldedHistories } from "./folded-histories.ts";
import type { History, NewRow, Placed, Subject, SubjectKind } from "./history.ts";
import { LabelTable, reversedLabel } from "./labels.ts";
import { compareRows, type KnownRow, mergeRows } from "./meet-rows.ts";
import {
  chunkRows,
  type HistoryHead,
  packHead,
  packHeadBriefly,
  packRows,
  readHead,
  readRows,
} from "./pack.ts";
import type { RowSlab } from "./row-columns.ts";
import { feedRowsMin } from "./row-feed.ts";
import { SubjectIndex } from "./subject-index.ts";
import { type RowValues, SubjectRows } from "./subject-rows.ts";

const rowsMaxDefault = 16_384;
/** Making a slab takes well below a millisecond, wherever the system has its memory from. */
const slabRowsDefault = 0x4_0000;
const slabRowsMin = 4096;
const idMax = 0xffff_ffff_ffff;

/**
 * Takes a change back in the subject that it was made in, by the number that this has by then. False where the row is not there any more: folded,
 * removed or evicted since.
 */
export type Undo = (subject: number) => boolean;

export type PlaceOptions = {
  readonly isPaymentFact: boolean;
  /** Whether the row's amount is an outcome's, and so beats one that was told before. Default no. */
  readonly amountWins?: boolean;
  /** Gets one closure for what was changed, if anything was. Call those of several rows latest first. */
  readonly undo?: Undo[];
};

/** `again`: it was taken back before. `tombstone`: it has not come yet. `too-old`: nobody can tell, and nothing was kept. */
export type Reversal = "reversed" | "again" | "tombstone" | "too-old";

const added: Placed = { kind: "added", late: false };
const addedLate: Placed = { kind: "added", late: true };
const duplicate: Placed = { kind: "duplicate" };
const reversed: Placed = { kind: "reversed" };
const tooOld: Placed = { kind: "too-old" };
const tooManyLabels: Placed = { kind: "too-many-labels" };
const noWides: readonly number[] = [];
const noTiles: History["tiles"] = [];

export class HistoryTable {
  readonly labels: LabelTable;
  readonly #rowsMax: number;
  readonly #index = new SubjectIndex();
  readonly #rows: SubjectRows;
  readonly #folds: FoldedHistories;
  #numbers = new Int32Array(0);

  /**
   * Units: `rowsMax` is the cap of one subject (default 16,384), `slabRows` the rows of a slab, a power of two (default 2^18: 6.5 MiB).
   *
   * Fails: throws a RangeError where a slab would not hold two capped histories merged.
   */
  constructor(
    options: { readonly labels?: LabelTable; readonly rowsMax?: number; readonly slabRows?: number } = {},
  ) {
    const { labels = new LabelTable(), rowsMax = rowsMaxDefault, slabRows = slabRowsDefault } = options;
    if (slabRows < Math.max(slabRowsMin, rowsMax * 4) || !Number.isInteger(Math.log2(slabRows))) {
      throw new RangeError(`slabs of ${slabRows} rows do not fit histories of ${rowsMax}`);
    }
    this.labels = labels;
    this.#rowsMax = rowsMax;
    this.#rows = new SubjectRows(slabRows, (label) => labels.countWides(label));
    this.#folds = new FoldedHistories(this.#rows, labels);
  }

  /** The number of a subject, -1 where it has no history. */
  find(merchantId: string, subject: Subject): number {
    return this.#index.find(merchantId, subject);
  }

  /**
   * Fetches from memory what `find` and `place` will read of these subjects. A history that is not in the cache costs ten reads, each of which waits for
   * the one before; here those of many subjects are waited for together. Changes nothing, and nothing depends on it.
   *
   * Returns the numbers that these subjects probably have, -1 for none; good until the next call.
   */
  prefetch(
    merchantId: string,
    subjects: { readonly kind: SubjectKind; readonly ids: readonly string[] },
  ): Int32Array {
    const count = subjects.ids.length;
    if (this.#numbers.length < count) this.#numbers = new Int32Array(count);
    this.#index.prefetch(merchantId, subjects, this.#numbers);
    this.#rows.prefetch(this.#numbers, count);
    return this.#numbers.subarray(0, count);
  }

  /** Prefetches what packing these subjects will read; removed ones are fine. See `prefetch`. */
  prefetchToPack(subjects: Int32Array): void {
    this.#index.prefetchIds(subjects);
    this.#rows.prefetchRows(subjects);
  }

  /** Prefetches what `compareSubjects` will read of these; removed ones are fine. See `prefetch`. */
  prefetchIds(subjects: Int32Array): void {
    this.#index.prefetchIds(subjects);
  }

  /**
   * Negative where one subject comes before another: those of a merchant and kind stand together, by their ids. Of a removed one it is any number.
   */
  compareSubjects(a: number, b: number): number {
    return this.#index.compare(a, b);
  }

  /** The number of a subject; an empty history is made where it has none. */
  open(merchantId: string, subject: Subject): number {
    const before = this.#index.count();
    const number = this.#index.open(merchantId, subject);
    if (this.#index.count() > before) this.#rows.open(number);
    return number;
  }

  /** The first subject at or after this number, -1 where there is none: `next(0)`, then `next(number + 1)`. */
  next(number: number): number {
    return this.#index.next(number);
  }

  merchantOf(subject: number): string {
    return this.#index.merchantOf(subject);
  }

  subjectOf(subject: number): Subject {
    return this.#index.subjectOf(subject);
  }

  countSubjects(): number {
    return this.#index.count();
  }

  /** Rows of a subject, cold or not, but for what was folded. */
  countRows(subject: number): number {
    return this.#rows.count(subject);
  }

  /** Rows in memory. */
  countResidentRows(): number {
    return this.#rows.residentRows();
  }

  /** What the columns of rows, subjects and ids take; slabs count whole, of which the untouched part takes no memory yet. */
  bytes(): number {
    return this.#rows.bytes() + this.#index.bytes();
  }

  /** Undefined where there is no row. */
  oldestMs(subject: number): number | undefined {
    return this.#rows.oldestMs(subject);
  }

  newestMs(subject: number): number | undefined {
    return this.#rows.newestMs(subject);
  }

  isResident(subject: number): boolean {
    return !this.#rows.isCold(subject);
  }

  /** The history of a subject that is not cold; undefined where nothing is in it. Good until the next change of any history. */
  view(subject: number): History | undefined {
    this.#expectResident(subject);
    const fold = this.#folds.of(subject);
    const count = this.#rows.count(subject);
    if (count === 0 && fold === undefined) return undefined;
    const slab = count === 0 ? emptySlab : this.#rows.slabOf(subject);
    const start = count === 0 ? 0 : this.#rows.startOf(subject);
    return {
      start,
      end: start + count,
      atMs: slab.atMs,
      readAmount: slab.readAmount,
      amount: slab.amount,
      label: slab.label,
      readWide: slab.readWide,
      tiles: fold === undefined ? noTiles : fold.tiles,
      exactFromMs: fold === undefined ? Number.NEGATIVE_INFINITY : fold.exactFromMs,
      labels: this.labels,
      feed: count < feedRowsMin ? undefined : this.#rows.feedOf(subject),
    };
  }

  /** Puts a row into the history of a subject that is not cold, or finds it there by its id. */
  place(subject: number, row: NewRow, options: PlaceOptions): Placed {
    this.#expectResident(subject);
    const label = this.labels.intern(row.label);
    if (label === undefined) return tooManyLabels;
    this.#expectWhole(row, label);
    const position = this.#rows.find(subject, row.id);
    if (position >= 0) return this.#meet(subject, position, row, options);
    if (row.atMs < this.#folds.exactFromMs(subject)) return tooOld;
    const isNewest = this.#insert(subject, row, label, options.undo);
    return isNewest ? added : addedLate;
  }

  /**
   * Takes the row with that id back: its place stays, under the type `event_reversed`, without amount or attributes. Where it has not come yet, such a
   * row is put at `atMs`, and the original will be `reversed` when it comes.
   */
  reverse(
    subject: number,
    row: { readonly id: number; readonly atMs: number },
    options: { readonly undo?: Undo[] } = {},
  ): Reversal {
    this.#expectResident(subject);
    const position = this.#rows.find(subject, row.id);
    if (position >= 0) {
      const before = this.#rows.read(subject, position);
      if (before.label === reversedLabel) return "again";
      this.#rewrite(subject, position, before, takenBack, options.undo);
      return "reversed";
    }
    if (row.atMs < this.#folds.exactFromMs(subject)) return "too-old";
    const { id, atMs } = row;
    this.#insert(subject, { id, atMs, amountMinor: 0, wides: noWides }, reversedLabel, options.undo);
    return "tombstone";
  }

  /**
   * Puts all rows of one history into another, neither of them cold, and forgets the one. Of a row that both have, the other's stands, unless one was
   * taken back.
   *
   * Returns the number of rows that came over.
   */
  merge(from: number, into: number): number {
    this.#expectResident(from);
    this.#expectResident(into);
    if (from === into) return 0;
    const positions = this.#unmet(from, into);
    if (positions.length > 0) this.#rows.moveRows(from, positions, into);
    this.#folds.merge(from, into);
    this.remove(from);
    while (this.#rows.count(into) > this.#rowsMax) this.#folds.foldOldest(into);
    return positions.length;
  }

  /** Forgets a subject, cold or not, and its number. Returns how many rows it had. */
  remove(subject: number): number {
    const count = this.#rows.count(subject);
    this.#rows.clear(subject);
    this.#folds.delete(subject);
    this.#index.remove(subject);
    return count;
  }

  /** The position of the first row that changed since `markClean`, the number of rows where only others went; undefined where nothing changed. */
  dirtyFrom(subject: number): number | undefined {
    return this.#rows.dirtyFrom(subject);
  }

  markClean(subject: number): void {
    this.#rows.markClean(subject);
  }

  /**
   * Frees the rows of a subject that is clean.
   *
   * Fails: throws where something changed since `markClean`, because it would be lost.
   */
  evict(subject: number): void {
    if (this.#rows.isCold(subject)) return;
    if (this.dirtyFrom(subject) !== undefined)
      throw new Error(`subject ${subject} has rows that are not kept`);
    this.#rows.chill(subject);
    this.#folds.delete(subject);
  }

  /** What is to be known of a subject without its rows, and its tiles: to be written with every change. */
  packHead(subject: number): Uint8Array {
    return packHead(this.#describe(subject));
  }

  /** As `packHead`, but good until the next call. */
  packHeadBriefly(subject: number): Uint8Array {
    return packHeadBriefly(this.#describe(subject));
  }

  #describe(subject: number): HistoryHead {
    this.#expectResident(subject);
    return {
      count: this.#rows.count(subject),
      oldestMs: this.#rows.oldestMs(subject) ?? Number.NaN,
      newestMs: this.#rows.newestMs(subject) ?? Number.NaN,
      fold: this.#folds.of(subject),
    };
  }

  /** The rows of a subject at the positions `[fromRow, fromRow + 512)`, as far as there are any. */
  packRows(subject: number, fromRow: number): Uint8Array {
    return this.packRowsBriefly(subject, fromRow).slice();
  }

  /** As `packRows`, but good until the next call. */
  packRowsBriefly(subject: number, fromRow: number): Uint8Array {
    this.#expectResident(subject);
    const rows = this.#rows.count(subject);
    const { wides } = this.#rows.columns;
    if (rows === 0) return packRows({ slab: emptySlab, wides, start: 0, count: 0 });
    return packRows({
      slab: this.#rows.slabOf(subject),
      wides,
      start: this.#rows.startOf(subject) + fromRow,
      count: Math.min(chunkRows, rows - fromRow),
    });
  }

  /**
   * Makes a subject known that has its rows on disk, by its head. Returns its number.
   *
   * Fails: throws where it is known already.
   */
  openCold(merchantId: string, subject: Subject, head: Uint8Array): number {
    const { count, oldestMs, newestMs } = readHead(head);
    if (this.find(merchantId, subject) >= 0) throw new Error(`the ${subject.kind} has a history already`);
    const number = this.open(merchantId, subject);
    this.#rows.setCold(number, { count, oldestMs, newestMs });
    return number;
  }

  /**
   * Brings a cold subject back: its head and all its chunks in order, as they were packed.
   *
   * Fails: throws a RangeError where the pieces are damaged or do not belong together; the subject is cold then as before.
   */
  unpackInto(subject: number, packed: { head: Uint8Array; chunks: readonly Uint8Array[] }): void {
    if (!this.#rows.isCold(subject)) throw new Error(`subject ${subject} is not cold`);
    const head = readHead(packed.head);
    this.#rows.warm(subject, head.count);
    try {
      for (const chunk of packed.chunks) this.#unpackChunk(subject, chunk);
      const count = this.#rows.count(subject);
      if (count !== head.count) throw new RangeError(`${count} rows were packed instead of ${head.count}`);
    } catch (cause) {
      this.#rows.clear(subject);
      this.#rows.setCold(subject, head);
      throw cause;
    }
    if (head.fold !== undefined) this.#folds.set(subject, head.fold);
    this.#rows.markClean(subject);
  }

  #unpackChunk(subject: number, chunk: Uint8Array): void {
    const known = this.labels.count();
    const countWides = (label: number): number => {
      if (label >= known) throw new RangeError(`label ${label} is not known`);
      return this.labels.countWides(label);
    };
    readRows(chunk, countWides, (row) => {
      if (!this.#rows.insert(subject, row, row.label)) throw new RangeError("packed rows are out of order");
    });
  }

  #insert(subject: number, row: Omit<RowValues, "label">, label: number, undo: Undo[] | undefined): boolean {
    const isNewest = this.#rows.insert(subject, row, label);
    if (undo !== undefined) {
      undo.push(this.#undoAt(row.id, this.#cutRow));
    }
    if (this.#rows.count(subject) > this.#rowsMax) this.#folds.foldOldest(subject);
    return isNewest;
  }

  /** Every row that is put is undone alike. */
  readonly #cutRow = (subject: number, position: number): void => this.#rows.cut(subject, position, 1);

  /** A row came whose id is there. */
  #meet(subject: number, position: number, row: NewRow, options: PlaceOptions): Placed {
    const before = this.#rows.read(subject, position);
    if (before.label === reversedLabel) return reversed;
    const known: KnownRow = { ...before, label: this.labels.get(before.label) };
    if (!options.isPaymentFact || known.label.type !== row.label.type) {
      const differs = compareRows(known, row);
      return differs.length === 0 ? duplicate : { kind: "conflict", differs };
    }
    const { differs, kept } = mergeRows(known, row, options.amountWins === true);
    if (kept === undefined) return differs.length === 0 ? duplicate : { kind: "merged", differs };
    const label = this.labels.intern(kept.label);
    if (label === undefined) return tooManyLabels;
    this.#rewrite(subject, position, before, { ...kept, label }, options.undo);
    return { kind: "merged", differs };
  }

  #rewrite(
    subject: number,
    position: number,
    before: RowValues,
    after: Pick<RowValues, "amountMinor" | "label" | "wides">,
    undo: Undo[] | undefined,
  ): void {
    this.#rows.rewrite(subject, position, after);
    undo?.push(this.#undoAt(before.id, (number, found) => this.#rows.rewrite(number, found, before)));
  }

  /** Finds the row anew, because its position may be another's by then. */
  #undoAt(id: number, change: (subject: number, position: number) => void): Undo {
    return (subject) => {
      if (this.#rows.isCold(subject)) return false;
      const position = this.#rows.find(subject, id);
      if (position < 0) return false;
      change(subject, position);
      return true;
    };
  }

  /** Positions of rows of the one that the other has not. What either took back is taken back in the other. */
  #unmet(from: number, into: number): readonly number[] {
    const positionOf = new Map<number, number>();
    for (let at = 0; at < this.#rows.count(into); at++) positionOf.set(this.#rows.readId(into, at), at);
    const unmet: number[] = [];
    for (let at = 0; at < this.#rows.count(from); at++) {
      const met = positionOf.get(this.#rows.readId(from, at));
      if (met === undefined) unmet.push(at);
      else if (this.#rows.read(from, at).label === reversedLabel) this.#rows.rewrite(into, met, takenBack);
    }
    return unmet;
  }

  /** A row that is not would damage those of others. */
  #expectWhole(row: NewRow, label: number): void {
    const { id, atMs, wides } = row;
    if (!(id >= 0 && id <= idMax) || Number.isNaN(atMs) || wides.length !== this.labels.countWides(label)) {
      throw new Error(
        `a row with id ${id}, instant ${atMs} and ${wides.length} wide values is none of its label`,
      );
    }
  }

  #expectResident(subject: number): void {
    if (this.#rows.isCold(subject)) throw new Error(`subject ${subject} is cold`);
  }
}

const takenBack = { amountMinor: 0, label: reversedLabel, wides: noWides };

/** Of a history that has but tiles. */
const emptySlab: RowSlab = {
  atMs: new Float64Array(0),
  amount: new Int32Array(0),
  label: new Uint32Array(0),
  extra: new Uint32Array(0),
  idLow: new Uint32Array(0),
  idHigh: new Uint16Array(0),
  readAmount: () => 0,
  readWide: () => Number.NaN,
};
