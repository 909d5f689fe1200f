/**
 * Where the rows of every subject lie, in which order, and which of them changed. It knows positions and ids; what a row means is the table's.
 */
import { ExtentSpace, fitExtent, growExtent } from "./extent-space.ts";
import type { RowSlab } from "./row-columns.ts";
import { copyRow, findId, findPlace, RowColumns, readId, shiftRows, writeId } from "./row-columns.ts";
import { RowFeed } from "./row-feed.ts";

const chunkShift = 16;
const chunkSubjects = 1 << chunkShift;
const chunkMask = chunkSubjects - 1;
const clean = 0xffff_ffff;

/** State of subjects, by the lower bits of their number. */
type StateChunk = {
  /** `stateFields` fields each, side by side, because most operations want them all. */
  readonly state: Uint32Array;
  /** Of a cold subject: the instants of its oldest and newest row, side by side. Made for the first cold subject of the chunk. */
  spansMs: Float64Array | undefined;
};

const stateFields = 4;
/** The first row, through all slabs. */
const placeField = 0;
const countField = 1;
/** Rows that the extent has room for, 0 where there is none; `cold` of a cold subject. */
const capacityField = 2;
/** Position of the first row that changed since it was kept, `clean` where none did. */
const dirtyField = 3;
const cold = 0xffff_ffff;

/** Rows whose instants are in one line of the cache, and those that are fetched of one history. */
const lineRows = 8;
const fetchedRowsMax = 32;
/** What was fetched, as a number of no meaning: reads whose values nobody keeps would be left out. */
const fetched = new Int32Array(1);

/** A row as plain values. `wides` has a value for every place of the label. */
export type RowValues = {
  readonly id: number;
  readonly atMs: number;
  readonly amountMinor: number;
  readonly label: number;
  readonly wides: ArrayLike<number>;
};

export class SubjectRows {
  readonly columns: RowColumns;
  readonly #extents: ExtentSpace;
  readonly #chunks: StateChunk[] = [];
  readonly #countWides: (label: number) => number;
  /** Of long histories that were looked at. */
  readonly #feeds = new Map<number, RowFeed>();
  #residentRows = 0;

  /** Shapes: `slabRows` is a power of two, 2,048 or more. */
  constructor(slabRows: number, countWides: (label: number) => number) {
    this.columns = new RowColumns(slabRows, countWides);
    this.#countWides = countWides;
    this.#extents = new ExtentSpace(slabRows, (owner, from, to) => {
      this.columns.reach(this.#extents.slabs());
      this.columns.copyRows(from, to, this.count(owner));
      this.#set(owner, placeField, to);
    });
  }

  /** Makes an empty history for a number that had none. */
  open(subject: number): void {
    if (subject >>> chunkShift === this.#chunks.length) this.#chunks.push(makeChunk());
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    state[at + countField] = 0;
    state[at + capacityField] = 0;
    state[at + dirtyField] = 0;
  }

  count(subject: number): number {
    return this.#get(subject, countField);
  }

  /** The feed of a history; it lasts until the rows leave memory. */
  feedOf(subject: number): RowFeed {
    let feed = this.#feeds.get(subject);
    if (feed === undefined) {
      feed = new RowFeed();
      this.#feeds.set(subject, feed);
    }
    return feed;
  }

  residentRows(): number {
    return this.#residentRows;
  }

  bytes(): number {
    const stateBytes = this.#chunks.reduce(
      (sum, { state, spansMs }) => sum + state.byteLength + (spansMs?.byteLength ?? 0),
      0,
    );
    return this.columns.bytes() + this.#extents.bytes() + stateBytes;
  }

  isCold(subject: number): boolean {
    return this.#get(subject, capacityField) === cold;
  }

  slabOf(subject: number): RowSlab {
    return this.columns.slabOf(this.#get(subject, placeField));
  }

  /** Index of the first row in the columns of `slabOf`. */
  startOf(subject: number): number {
    return this.columns.indexOf(this.#get(subject, placeField));
  }

  /** Undefined where there is no row. */
  oldestMs(subject: number): number | undefined {
    if (this.count(subject) === 0) return undefined;
    if (this.isCold(subject)) return this.#chunk(subject).spansMs![2 * (subject & chunkMask)];
    return this.slabOf(subject).atMs[this.startOf(subject)];
  }

  newestMs(subject: number): number | undefined {
    const count = this.count(subject);
    if (count === 0) return undefined;
    if (this.isCold(subject)) return this.#chunk(subject).spansMs![2 * (subject & chunkMask) + 1];
    return this.slabOf(subject).atMs[this.startOf(subject) + count - 1];
  }

  /** Fetches what `find` and `insert` will read and write of the first `count` of these subjects; -1 is none. */
  prefetch(numbers: Int32Array, count: number): void {
    let read = 0;
    for (let at = 0; at < count; at++) {
      if (numbers[at]! >= 0) read ^= this.#get(numbers[at]!, countField);
    }
    for (let at = 0; at < count; at++) {
      const number = numbers[at]!;
      if (number < 0 || this.count(number) === 0 || this.isCold(number)) continue;
      const slab = this.slabOf(number);
      const start = this.startOf(number);
      const isFull = this.count(number) === this.#get(number, capacityField);
      const row = start + this.count(number) - (isFull ? 1 : 0);
      read ^= slab.idLow[start]! ^ slab.idLow[row]! ^ slab.idHigh[row]! ^ slab.label[row]! ^ slab.extra[row]!;
      read ^= slab.atMs[row - 1]! ^ slab.amount[row]!;
    }
    fetched[0] = read;
  }

  /** Fetches the rows of these subjects, of long histories the first ones: whoever reads on is ahead of himself by then. */
  prefetchRows(numbers: Int32Array): void {
    let read = 0;
    for (const number of numbers) read ^= this.#get(number, countField);
    for (const number of numbers) {
      if (this.isCold(number)) continue;
      const { atMs, amount, label, extra, idLow, idHigh } = this.slabOf(number);
      const start = this.startOf(number);
      const end = start + Math.min(this.count(number), fetchedRowsMax);
      for (let row = start; row < end; row += lineRows) {
        read ^= atMs[row]! ^ amount[row]! ^ label[row]! ^ extra[row]! ^ idLow[row]! ^ idHigh[row]!;
      }
    }
    for (const number of numbers) {
      if (this.isCold(number)) continue;
      const start = this.startOf(number);
      const end = start + Math.min(this.count(number), fetchedRowsMax);
      this.columns.wides.prefetch(this.slabOf(number).extra, start, end);
    }
    fetched[0] = read;
  }

  /** The position of the row with that id, -1 where there is none. */
  find(subject: number, id: number): number {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    const count = state[at + countField]!;
    if (count === 0) return -1;
    const start = this.columns.indexOf(state[at + placeField]!);
    const slab = this.columns.slabOf(state[at + placeField]!);
    const row = findId(slab, start, count, id, count < state[at + capacityField]!);
    return row < 0 ? -1 : row - start;
  }

  /** Puts a row whose id is not there at its place in the order. False where a newer one was there. */
  insert(subject: number, row: Omit<RowValues, "label">, label: number): boolean {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    const count = state[at + countField]!;
    if (count === state[at + capacityField]) this.reserve(subject, growExtent(count));
    const slab = this.columns.slabOf(state[at + placeField]!);
    const start = this.columns.indexOf(state[at + placeField]!);
    const end = start + count;
    let to = end;
    if (count > 0 && !isBefore(slab, end - 1, row)) {
      to = findPlace(slab, start, end, row.atMs, row.id);
      shiftRows(slab, to, end, to + 1);
    }
    slab.atMs[to] = row.atMs;
    slab.amount[to] = this.columns.amounts.write(row.amountMinor);
    slab.label[to] = label;
    slab.extra[to] = this.columns.wides.write(row.wides);
    writeId(slab, to, row.id);
    state[at + countField] = count + 1;
    this.#residentRows++;
    this.touch(subject, to - start);
    if (this.#feeds.size > 0) this.#feeds.get(subject)?.tellAdded(slab, to);
    return to === end;
  }

  /** Gives the row at a position other values; its id and instant stay, and with them its position. */
  rewrite(
    subject: number,
    position: number,
    values: Pick<RowValues, "amountMinor" | "label" | "wides">,
  ): void {
    const slab = this.slabOf(subject);
    const row = this.startOf(subject) + position;
    const feed = this.#feeds.get(subject);
    feed?.tellRemoved(slab, row);
    this.columns.freeRow(slab, row);
    slab.amount[row] = this.columns.amounts.write(values.amountMinor);
    slab.label[row] = values.label;
    slab.extra[row] = this.columns.wides.write(values.wides);
    this.touch(subject, position);
    feed?.tellAdded(slab, row);
  }

  read(subject: number, position: number): RowValues {
    const slab = this.slabOf(subject);
    const row = this.startOf(subject) + position;
    const label = slab.label[row]!;
    const wides: number[] = [];
    for (let place = 0; place < this.#countWides(label); place++) wides.push(slab.readWide(row, place));
    return {
      id: readId(slab, row),
      atMs: slab.atMs[row]!,
      amountMinor: slab.readAmount(row),
      label,
      wides,
    };
  }

  readId(subject: number, position: number): number {
    return readId(this.slabOf(subject), this.startOf(subject) + position);
  }

  /** Takes `count` rows out from a position on. */
  cut(subject: number, position: number, count: number): void {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    const slab = this.slabOf(subject);
    const start = this.startOf(subject) + position;
    const end = this.startOf(subject) + state[at + countField]!;
    const feed = this.#feeds.get(subject);
    for (let row = start; row < start + count; row++) {
      feed?.tellRemoved(slab, row);
      this.columns.freeRow(slab, row);
    }
    shiftRows(slab, start + count, end, start);
    state[at + countField]! -= count;
    this.#residentRows -= count;
    this.touch(subject, position);
  }

  /**
   * Moves the rows at these positions of one history into another, which has none of their ids. Positions ascend; the rows left behind are taken out.
   */
  moveRows(from: number, positions: readonly number[], into: number): void {
    this.#endFeed(from);
    this.#endFeed(into);
    const count = this.count(into);
    const total = count + positions.length;
    if (total > this.#get(into, capacityField)) this.reserve(into, fitExtent(total));
    const source = this.slabOf(from);
    const target = this.slabOf(into);
    const sourceStart = this.startOf(from);
    const targetStart = this.startOf(into);
    let left = count - 1;
    let next = positions.length - 1;
    // From the newest down, so that no row is written over before it was moved.
    for (let to = total - 1; next >= 0; to--) {
      const row = sourceStart + positions[next]!;
      if (left >= 0 && isAfter(target, targetStart + left, source, row)) {
        copyRow(target, targetStart + left--, target, targetStart + to);
      } else {
        copyRow(source, row, target, targetStart + to);
        // What it has elsewhere belongs to the other history now.
        source.extra[row] = 0;
        source.amount[row] = 0;
        next--;
      }
    }
    this.#set(into, countField, total);
    this.#residentRows += positions.length;
    this.touch(into, Math.max(0, left + 1));
  }

  /** Frees the rows, with what they have elsewhere. What is known of the history is forgotten, but for `count`. */
  clear(subject: number): void {
    if (this.isCold(subject)) return;
    this.#endFeed(subject);
    const count = this.count(subject);
    if (count > 0) {
      const slab = this.slabOf(subject);
      const start = this.startOf(subject);
      for (let row = start; row < start + count; row++) this.columns.freeRow(slab, row);
    }
    this.#residentRows -= count;
    this.#giveExtent(subject);
  }

  /** Frees the rows of a history, which are on disk. */
  chill(subject: number): void {
    const oldestMs = this.oldestMs(subject) ?? Number.NaN;
    const newestMs = this.newestMs(subject) ?? Number.NaN;
    const count = this.count(subject);
    this.clear(subject);
    this.setCold(subject, { count, oldestMs, newestMs });
  }

  setCold(subject: number, known: { count: number; oldestMs: number; newestMs: number }): void {
    const chunk = this.#chunk(subject);
    const { state } = chunk;
    const at = (subject & chunkMask) * stateFields;
    chunk.spansMs ??= new Float64Array(2 * chunkSubjects);
    chunk.spansMs[2 * (subject & chunkMask)] = known.oldestMs;
    chunk.spansMs[2 * (subject & chunkMask) + 1] = known.newestMs;
    state[at + countField] = known.count;
    state[at + capacityField] = cold;
    state[at + dirtyField] = clean;
  }

  /** Makes a cold history an empty one with room for exactly that many rows. */
  warm(subject: number, count: number): void {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    state[at + countField] = 0;
    state[at + capacityField] = 0;
    if (count > 0) this.reserve(subject, fitExtent(count));
  }

  touch(subject: number, position: number): void {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    if (position < state[at + dirtyField]!) state[at + dirtyField] = position;
  }

  dirtyFrom(subject: number): number | undefined {
    const position = this.#get(subject, dirtyField);
    return position === clean ? undefined : position;
  }

  markClean(subject: number): void {
    this.#set(subject, dirtyField, clean);
  }

  /** Puts the rows into an extent of that many. */
  reserve(subject: number, capacity: number): void {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    const to = this.#extents.take(capacity, subject);
    this.columns.reach(this.#extents.slabs());
    const from = state[at + placeField]!;
    const before = state[at + capacityField]!;
    if (state[at + countField]! > 0) this.columns.copyRows(from, to, state[at + countField]!);
    state[at + placeField] = to;
    state[at + capacityField] = capacity;
    if (before > 0) this.#extents.give(from, before);
  }

  #endFeed(subject: number): void {
    if (this.#feeds.size === 0) return;
    this.#feeds.get(subject)?.tellLost();
    this.#feeds.delete(subject);
  }

  #giveExtent(subject: number): void {
    const { state } = this.#chunk(subject);
    const at = (subject & chunkMask) * stateFields;
    const capacity = state[at + capacityField]!;
    state[at + capacityField] = 0;
    state[at + countField] = 0;
    if (capacity > 0) this.#extents.give(state[at + placeField]!, capacity);
  }

  #get(subject: number, field: number): number {
    return this.#chunk(subject).state[(subject & chunkMask) * stateFields + field]!;
  }

  #set(subject: number, field: number, value: number): void {
    this.#chunk(subject).state[(subject & chunkMask) * stateFields + field] = value;
  }

  #chunk(subject: number): StateChunk {
    return this.#chunks[subject >>> chunkShift]!;
  }
}

function makeChunk(): StateChunk {
  return { state: new Uint32Array(chunkSubjects * stateFields), spansMs: undefined };
}

/** Whether the row of the slab is older than the new one. */
function isBefore(slab: RowSlab, at: number, row: { readonly id: number; readonly atMs: number }): boolean {
  const atMs = slab.atMs[at]!;
  return atMs < row.atMs || (atMs === row.atMs && readId(slab, at) < row.id);
}

function isAfter(a: RowSlab, rowA: number, b: RowSlab, rowB: number): boolean {
  const atA = a.atMs[rowA]!;
  const atB = b.atMs[rowB]!;
  return atA > atB || (atA === atB && readId(a, rowA) > readId(b, rowB));
}
