/**
 * The columns of all rows, in slabs: 26 bytes a row. Wide values lie elsewhere (`WideValues`), and a row without any takes nothing there; so do
 * the few amounts that are too great for their column (`Amounts`).
 */
import { Amounts } from "./amounts.ts";
import { WideValues } from "./wide-values.ts";

/** One slab. `idLow` and `idHigh` are the lower 32 and upper 16 bits of a row's id; `extra` is where its wide values are. */
export type RowSlab = {
  readonly atMs: Float64Array;
  /** Words of `Amounts`. */
  readonly amount: Int32Array;
  readonly label: Uint32Array;
  readonly extra: Uint32Array;
  readonly idLow: Uint32Array;
  readonly idHigh: Uint16Array;
  readonly readAmount: (row: number) => number;
  readonly readWide: (row: number, place: number) => number;
};

const rowBytes = 26;
const idUnit = 0x1_0000_0000;
/** Up to here a loop beats six calls. */
const loopRows = 24;

/** Rows by number through all slabs; runs of rows never cross one. */
export class RowColumns {
  readonly slabs: RowSlab[] = [];
  readonly wides: WideValues;
  readonly amounts = new Amounts();
  readonly #slabRows: number;
  readonly #shift: number;

  /** Shapes: `slabRows` is a power of two. */
  constructor(slabRows: number, countWides: (label: number) => number) {
    this.#slabRows = slabRows;
    this.#shift = Math.log2(slabRows);
    // As many wide values as rows: most rows have none, and payments a few.
    this.wides = new WideValues(this.#shift, countWides);
  }

  /** Adds slabs until there are that many. */
  reach(slabs: number): void {
    while (this.slabs.length < slabs) this.slabs.push(this.#makeSlab());
  }

  slabOf(place: number): RowSlab {
    return this.slabs[place >>> this.#shift]!;
  }

  /** Index in the columns of its slab. */
  indexOf(place: number): number {
    return place & (this.#slabRows - 1);
  }

  bytes(): number {
    return this.slabs.length * this.#slabRows * rowBytes + this.wides.bytes() + this.amounts.bytes();
  }

  /** Copies rows to where they do not overlap themselves. What lies elsewhere stays there: only one of both may be used from then on. */
  copyRows(from: number, to: number, count: number): void {
    const source = this.slabOf(from);
    const target = this.slabOf(to);
    const start = this.indexOf(from);
    const at = this.indexOf(to);
    if (count <= loopRows) {
      for (let row = 0; row < count; row++) copyRow(source, start + row, target, at + row);
      return;
    }
    const end = start + count;
    target.atMs.set(source.atMs.subarray(start, end), at);
    target.amount.set(source.amount.subarray(start, end), at);
    target.label.set(source.label.subarray(start, end), at);
    target.extra.set(source.extra.subarray(start, end), at);
    target.idLow.set(source.idLow.subarray(start, end), at);
    target.idHigh.set(source.idHigh.subarray(start, end), at);
  }

  /** Frees what a row has elsewhere. */
  freeRow({ extra, label, amount }: RowSlab, row: number): void {
    this.wides.free(extra[row]!, label[row]!);
    this.amounts.free(amount[row]!);
  }

  #makeSlab(): RowSlab {
    const rows = this.#slabRows;
    const amount = new Int32Array(rows);
    const label = new Uint32Array(rows);
    const extra = new Uint32Array(rows);
    const { wides, amounts } = this;
    return {
      atMs: new Float64Array(rows),
      amount,
      label,
      extra,
      idLow: new Uint32Array(rows),
      idHigh: new Uint16Array(rows),
      readAmount: (row) => amounts.read(amount[row]!),
      readWide: (row, place) => wides.read(extra[row]!, label[row]!, place),
    };
  }
}

export function copyRow(source: RowSlab, from: number, target: RowSlab, to: number): void {
  target.atMs[to] = source.atMs[from]!;
  target.amount[to] = source.amount[from]!;
  target.label[to] = source.label[from]!;
  target.extra[to] = source.extra[from]!;
  target.idLow[to] = source.idLow[from]!;
  target.idHigh[to] = source.idHigh[from]!;
}

/** Moves the rows `[from, end)` of a slab so that the first of them lies at `to`; overlapping is fine. */
export function shiftRows(slab: RowSlab, from: number, end: number, to: number): void {
  slab.atMs.copyWithin(to, from, end);
  slab.amount.copyWithin(to, from, end);
  slab.label.copyWithin(to, from, end);
  slab.extra.copyWithin(to, from, end);
  slab.idLow.copyWithin(to, from, end);
  slab.idHigh.copyWithin(to, from, end);
}

export function readId(slab: RowSlab, row: number): number {
  return slab.idHigh[row]! * idUnit + slab.idLow[row]!;
}

export function writeId(slab: RowSlab, row: number, id: number): void {
  slab.idLow[row] = id;
  slab.idHigh[row] = id / idUnit;
}

/**
 * The index of the row with that id among the `count` rows from `start` on, -1 where there is none.
 *
 * `hasSpare` says that the row behind them is nobody's: the id is put there, so that the search needs no look at the end.
 */
export function findId(slab: RowSlab, start: number, count: number, id: number, hasSpare: boolean): number {
  const low = id >>> 0;
  const high = Math.floor(id / idUnit);
  const { idLow, idHigh } = slab;
  const end = start + count;
  if (!hasSpare || count <= loopRows) {
    for (let row = start; row < end; row++) {
      if (idLow[row] === low && idHigh[row] === high) return row;
    }
    return -1;
  }
  idLow[end] = low;
  for (let row = start; ; row++) {
    row = idLow.indexOf(low, row);
    if (row >= end) return -1;
    if (idHigh[row] === high) return row;
  }
}

/** The index of the first of the rows `[start, end)` that is not before (atMs, id). */
export function findPlace(slab: RowSlab, start: number, end: number, atMs: number, id: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = slab.atMs[middle]!;
    if (at < atMs || (at === atMs && readId(slab, middle) < id)) low = middle + 1;
    else high = middle;
  }
  return low;
}
