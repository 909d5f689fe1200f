/**
 * Where the rows of every subject lie, in which order, and which of them changed. It knows positions and ids; what a row means is the table's.
 */
import { ExtentSpace, fitExtent, growExtent } from "./extent-space.ts";
import type { RowSlab } from "./row-columns.ts";
import { copyRow, findId, findPlace, RowColumns, readId, shiftRows, writeId } from "./row-columns.ts";

const chunkShift = 16;
const chunkSubjects = 1 << chunkShift;
const chunkMask = chunkSubjects - 1;
const chunkBytes = chunkSubjects * 33;
const clean = 0xffff_ffff;

/** State of subjects, by the lower bits of their number. `capacity` is 0 where there is no extent. */
type StateChunk = {
  readonly place: Uint32Array;
  readonly count: Uint32Array;
  readonly capacity: Uint32Array;
  /** Position of the first row that changed since it was kept. */
  readonly dirtyFrom: Uint32Array;
  /** Of a cold subject: the instants of its oldest and newest row. */
  readonly oldestMs: Float64Array;
  readonly newestMs: Float64Array;
  readonly isCold: Uint8Array;
};

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
  #residentRows = 0;

  /** Shapes: `slabRows` is a power of two, 2,048 or more. */
  constructor(slabRows: number, countWides: (label: number) => number) {
    this.columns = new RowColumns(slabRows, countWides);
    this.#countWides = countWides;
    this.#extents = new ExtentSpace(slabRows, (owner, from, to) => {
      this.columns.reach(this.#extents.slabs());
      this.columns.copyRows(from, to, this.count(owner));
      this.#chunk(owner).place[owner & chunkMask] = to;
    });
  }

  /** Makes an empty history for a number that had none. */
  open(subject: number): void {
    if (subject >>> chunkShift === this.#chunks.length) this.#chunks.push(makeChunk());
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    chunk.count[at] = 0;
    chunk.capacity[at] = 0;
    chunk.dirtyFrom[at] = 0;
    chunk.isCold[at] = 0;
  }

  count(subject: number): number {
    return this.#chunk(subject).count[subject & chunkMask]!;
  }

  residentRows(): number {
    return this.#residentRows;
  }

  bytes(): number {
    return this.columns.bytes() + this.#extents.bytes() + this.#chunks.length * chunkBytes;
  }

  isCold(subject: number): boolean {
    return this.#chunk(subject).isCold[subject & chunkMask] === 1;
  }

  slabOf(subject: number): RowSlab {
    return this.columns.slabOf(this.#chunk(subject).place[subject & chunkMask]!);
  }

  /** Index of the first row in the columns of `slabOf`. */
  startOf(subject: number): number {
    return this.columns.indexOf(this.#chunk(subject).place[subject & chunkMask]!);
  }

  /** Undefined where there is no row. */
  oldestMs(subject: number): number | undefined {
    if (this.count(subject) === 0) return undefined;
    if (this.isCold(subject)) return this.#chunk(subject).oldestMs[subject & chunkMask];
    return this.slabOf(subject).atMs[this.startOf(subject)];
  }

  newestMs(subject: number): number | undefined {
    const count = this.count(subject);
    if (count === 0) return undefined;
    if (this.isCold(subject)) return this.#chunk(subject).newestMs[subject & chunkMask];
    return this.slabOf(subject).atMs[this.startOf(subject) + count - 1];
  }

  /** The position of the row with that id, -1 where there is none. */
  find(subject: number, id: number): number {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    const count = chunk.count[at]!;
    if (count === 0) return -1;
    const start = this.columns.indexOf(chunk.place[at]!);
    const slab = this.columns.slabOf(chunk.place[at]!);
    const row = findId(slab, start, count, id, count < chunk.capacity[at]!);
    return row < 0 ? -1 : row - start;
  }

  /** Puts a row whose id is not there at its place in the order. False where a newer one was there. */
  insert(subject: number, row: Omit<RowValues, "label">, label: number): boolean {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    const count = chunk.count[at]!;
    if (count === chunk.capacity[at]) this.reserve(subject, growExtent(count));
    const slab = this.columns.slabOf(chunk.place[at]!);
    const start = this.columns.indexOf(chunk.place[at]!);
    const end = start + count;
    let to = end;
    if (count > 0 && !isBefore(slab, end - 1, row)) {
      to = findPlace(slab, start, end, row.atMs, row.id);
      shiftRows(slab, to, end, to + 1);
    }
    slab.atMs[to] = row.atMs;
    slab.amountMinor[to] = row.amountMinor;
    slab.label[to] = label;
    slab.extra[to] = this.columns.wides.write(row.wides);
    writeId(slab, to, row.id);
    chunk.count[at] = count + 1;
    this.#residentRows++;
    this.touch(subject, to - start);
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
    this.columns.wides.free(slab.extra[row]!, slab.label[row]!);
    slab.amountMinor[row] = values.amountMinor;
    slab.label[row] = values.label;
    slab.extra[row] = this.columns.wides.write(values.wides);
    this.touch(subject, position);
  }

  read(subject: number, position: number): RowValues {
    const slab = this.slabOf(subject);
    const row = this.startOf(subject) + position;
    const label = slab.label[row]!;
    return {
      id: readId(slab, row),
      atMs: slab.atMs[row]!,
      amountMinor: slab.amountMinor[row]!,
      label,
      wides: Array.from({ length: this.#countWides(label) }, (_, place) => slab.readWide(row, place)),
    };
  }

  readId(subject: number, position: number): number {
    return readId(this.slabOf(subject), this.startOf(subject) + position);
  }

  /** Takes `count` rows out from a position on. */
  cut(subject: number, position: number, count: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    const slab = this.slabOf(subject);
    const start = this.startOf(subject) + position;
    const end = this.startOf(subject) + chunk.count[at]!;
    for (let row = start; row < start + count; row++)
      this.columns.wides.free(slab.extra[row]!, slab.label[row]!);
    shiftRows(slab, start + count, end, start);
    chunk.count[at]! -= count;
    this.#residentRows -= count;
    this.touch(subject, position);
    if (chunk.count[at] === 0) this.#giveExtent(subject);
  }

  /**
   * Moves the rows at these positions of one history into another, which has none of their ids. Positions ascend; the rows left behind are taken out.
   */
  moveRows(from: number, positions: readonly number[], into: number): void {
    const count = this.count(into);
    const total = count + positions.length;
    if (total > this.#chunk(into).capacity[into & chunkMask]!) this.reserve(into, fitExtent(total));
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
        // Its wide values belong to the other history now.
        source.extra[row] = 0;
        next--;
      }
    }
    this.#chunk(into).count[into & chunkMask] = total;
    this.#residentRows += positions.length;
    this.touch(into, Math.max(0, left + 1));
  }

  /** Frees the rows, wide values too. What is known of the history is forgotten, but for `count`. */
  clear(subject: number): void {
    if (this.isCold(subject)) return;
    const count = this.count(subject);
    if (count > 0) {
      const slab = this.slabOf(subject);
      const start = this.startOf(subject);
      for (let row = start; row < start + count; row++)
        this.columns.wides.free(slab.extra[row]!, slab.label[row]!);
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
    const at = subject & chunkMask;
    chunk.count[at] = known.count;
    chunk.oldestMs[at] = known.oldestMs;
    chunk.newestMs[at] = known.newestMs;
    chunk.dirtyFrom[at] = clean;
    chunk.isCold[at] = 1;
  }

  /** Makes a cold history an empty one with room for exactly that many rows. */
  warm(subject: number, count: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    chunk.count[at] = 0;
    chunk.isCold[at] = 0;
    if (count > 0) this.reserve(subject, fitExtent(count));
  }

  touch(subject: number, position: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    if (position < chunk.dirtyFrom[at]!) chunk.dirtyFrom[at] = position;
  }

  dirtyFrom(subject: number): number | undefined {
    const position = this.#chunk(subject).dirtyFrom[subject & chunkMask]!;
    return position === clean ? undefined : position;
  }

  markClean(subject: number): void {
    this.#chunk(subject).dirtyFrom[subject & chunkMask] = clean;
  }

  /** Puts the rows into an extent of that many. */
  reserve(subject: number, capacity: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    const to = this.#extents.take(capacity, subject);
    this.columns.reach(this.#extents.slabs());
    const from = chunk.place[at]!;
    const before = chunk.capacity[at]!;
    if (chunk.count[at]! > 0) this.columns.copyRows(from, to, chunk.count[at]!);
    chunk.place[at] = to;
    chunk.capacity[at] = capacity;
    if (before > 0) this.#extents.give(from, before);
  }

  #giveExtent(subject: number): void {
    const chunk = this.#chunk(subject);
    const at = subject & chunkMask;
    const capacity = chunk.capacity[at]!;
    chunk.capacity[at] = 0;
    chunk.count[at] = 0;
    if (capacity > 0) this.#extents.give(chunk.place[at]!, capacity);
  }

  #chunk(subject: number): StateChunk {
    return this.#chunks[subject >>> chunkShift]!;
  }
}

function makeChunk(): StateChunk {
  return {
    place: new Uint32Array(chunkSubjects),
    count: new Uint32Array(chunkSubjects),
    capacity: new Uint32Array(chunkSubjects),
    dirtyFrom: new Uint32Array(chunkSubjects),
    oldestMs: new Float64Array(chunkSubjects),
    newestMs: new Float64Array(chunkSubjects),
    isCold: new Uint8Array(chunkSubjects),
  };
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
