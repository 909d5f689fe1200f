/**
 * Histories as bytes, for a disk: a head for each, and its rows by position in chunks of 512. Little-endian; every piece begins with its version.
 */
import type { Fold } from "./folds.ts";
import type { Tile } from "./history.ts";
import type { RowValues } from "./subject-rows.ts";

/** Rows of a chunk: chunk k holds the positions from 512 k on. */
export const chunkRows = 512;

const version = 1;
const headBytes = 23;
const foldBytes = 20;
const tileBytes = 52;
const rowBytes = 28;
const wideBytes = 10;
const idUnit = 0x1_0000_0000;

/** Instants are NaN where there is no row. */
export type HistoryHead = {
  readonly count: number;
  readonly oldestMs: number;
  readonly newestMs: number;
  readonly fold: Fold | undefined;
};

export function packHead(head: HistoryHead): Uint8Array {
  const { fold } = head;
  const more = fold === undefined ? 0 : foldBytes + fold.tiles.length * tileBytes;
  const bytes = new Uint8Array(headBytes + more);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint32(1, head.count, true);
  view.setFloat64(5, head.oldestMs, true);
  view.setFloat64(13, head.newestMs, true);
  view.setUint16(21, fold === undefined ? 0 : 1, true);
  if (fold === undefined) return bytes;
  view.setFloat64(headBytes, fold.exactFromMs, true);
  view.setFloat64(headBytes + 8, fold.spanMs, true);
  view.setUint32(headBytes + 16, fold.tiles.length, true);
  for (const [at, tile] of fold.tiles.entries())
    writeTile(view, headBytes + foldBytes + at * tileBytes, tile);
  return bytes;
}

/** Fails: throws a RangeError on bytes that `packHead` did not make. */
export function readHead(bytes: Uint8Array): HistoryHead {
  const view = openView(bytes);
  return {
    count: view.getUint32(1, true),
    oldestMs: view.getFloat64(5, true),
    newestMs: view.getFloat64(13, true),
    fold: view.getUint16(21, true) === 0 ? undefined : readFold(view),
  };
}

export function packRows(rows: readonly RowValues[]): Uint8Array {
  const present = rows.map((row) => countPresent(row.wides));
  const wides = present.reduce((sum, count) => sum + count, 0);
  const bytes = new Uint8Array(3 + rows.length * rowBytes + wides * wideBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, version);
  view.setUint16(1, rows.length, true);
  let at = 3;
  for (const [position, row] of rows.entries()) {
    view.setFloat64(at, row.atMs, true);
    view.setFloat64(at + 8, row.amountMinor, true);
    view.setUint32(at + 16, row.label, true);
    view.setUint32(at + 20, row.id % idUnit, true);
    view.setUint16(at + 24, Math.floor(row.id / idUnit), true);
    view.setUint16(at + 26, present[position]!, true);
    at = writeWides(view, at + rowBytes, row.wides);
  }
  return bytes;
}

/**
 * Calls `take` with every row in order. Its wides have as many places as `countWides` says of the label, and are good until the next call.
 *
 * Fails: throws a RangeError on bytes that `packRows` did not make.
 */
export function readRows(
  bytes: Uint8Array,
  countWides: (label: number) => number,
  take: (row: RowValues) => void,
): void {
  const view = openView(bytes);
  const rows = view.getUint16(1, true);
  let at = 3;
  for (let row = 0; row < rows; row++) {
    const label = view.getUint32(at + 16, true);
    const wides = new Array<number>(countWides(label)).fill(Number.NaN);
    const present = view.getUint16(at + 26, true);
    for (let wide = 0; wide < present; wide++) {
      const from = at + rowBytes + wide * wideBytes;
      const place = view.getUint16(from, true);
      if (place >= wides.length) throw new RangeError(`label ${label} has no wide place ${place}`);
      wides[place] = view.getFloat64(from + 2, true);
    }
    take({
      id: view.getUint16(at + 24, true) * idUnit + view.getUint32(at + 20, true),
      atMs: view.getFloat64(at, true),
      amountMinor: view.getFloat64(at + 8, true),
      label,
      wides,
    });
    at += rowBytes + present * wideBytes;
  }
  if (at !== bytes.length) throw new RangeError(`${bytes.length - at} bytes lie behind the last row`);
}

function openView(bytes: Uint8Array): DataView {
  if (bytes[0] !== version) throw new RangeError(`version ${bytes[0]} of a packed history is not known`);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readFold(view: DataView): Fold {
  const count = view.getUint32(headBytes + 16, true);
  return {
    exactFromMs: view.getFloat64(headBytes, true),
    spanMs: view.getFloat64(headBytes + 8, true),
    tiles: Array.from({ length: count }, (_, at) => readTile(view, headBytes + foldBytes + at * tileBytes)),
  };
}

function writeTile(view: DataView, at: number, tile: Tile): void {
  view.setFloat64(at, tile.fromMs, true);
  view.setFloat64(at + 8, tile.untilMs, true);
  view.setUint32(at + 16, tile.label, true);
  view.setFloat64(at + 20, tile.count, true);
  view.setFloat64(at + 28, tile.sumMinor, true);
  view.setFloat64(at + 36, tile.minMinor, true);
  view.setFloat64(at + 44, tile.maxMinor, true);
}

function readTile(view: DataView, at: number): Tile {
  return {
    fromMs: view.getFloat64(at, true),
    untilMs: view.getFloat64(at + 8, true),
    label: view.getUint32(at + 16, true),
    count: view.getFloat64(at + 20, true),
    sumMinor: view.getFloat64(at + 28, true),
    minMinor: view.getFloat64(at + 36, true),
    maxMinor: view.getFloat64(at + 44, true),
  };
}

function writeWides(view: DataView, start: number, wides: ArrayLike<number>): number {
  let at = start;
  for (let place = 0; place < wides.length; place++) {
    const value = wides[place]!;
    if (Number.isNaN(value)) continue;
    view.setUint16(at, place, true);
    view.setFloat64(at + 2, value, true);
    at += wideBytes;
  }
  return at;
}

function countPresent(wides: ArrayLike<number>): number {
  let present = 0;
  for (let place = 0; place < wides.length; place++) if (!Number.isNaN(wides[place]!)) present++;
  return present;
}
