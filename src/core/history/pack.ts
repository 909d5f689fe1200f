/**
 * Histories as bytes, for a disk: a head for each, and its rows by position in chunks of 512. Little-endian; every piece begins with its version.
 */
import type { Fold } from "./folds.ts";
import type { Tile } from "./history.ts";
import type { RowSlab } from "./row-columns.ts";
import type { RowValues } from "./subject-rows.ts";
import type { WideList, WideValues } from "./wide-values.ts";

/** Rows of a chunk: chunk k holds the positions from 512 k on. */
export const chunkRows = 512;

const version = 1;
const headBytes = 23;
const foldBytes = 20;
const tileBytes = 52;
const convertedBytes = 2;
const sumBytes = 8;
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
  const bytes = new Uint8Array(headBytes + (fold === undefined ? 0 : countFoldBytes(fold)));
  const view = new DataView(bytes.buffer);
  writeHead(view, head);
  if (fold === undefined) return bytes;
  view.setFloat64(headBytes, fold.exactFromMs, true);
  view.setFloat64(headBytes + 8, fold.spanMs, true);
  view.setUint32(headBytes + 16, fold.tiles.length, true);
  for (const [at, tile] of fold.tiles.entries())
    writeTile(view, headBytes + foldBytes + at * tileBytes, tile);
  writeConverted(view, headBytes + foldBytes + fold.tiles.length * tileBytes, fold.tiles);
  return bytes;
}

/** As `packHead`, but good until the next call: mostly no object is made for it. */
export function packHeadBriefly(head: HistoryHead): Uint8Array {
  if (head.fold !== undefined) return packHead(head);
  writeHead(briefView, head);
  return briefHead;
}

const briefHead = new Uint8Array(headBytes);
const briefView = new DataView(briefHead.buffer);

function writeHead(view: DataView, { count, oldestMs, newestMs, fold }: HistoryHead): void {
  view.setUint8(0, version);
  view.setUint32(1, count, true);
  view.setFloat64(5, oldestMs, true);
  view.setFloat64(13, newestMs, true);
  view.setUint16(21, fold === undefined ? 0 : 1, true);
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

/** Rows that lie together in a slab. */
export type RowRun = {
  readonly slab: RowSlab;
  readonly wides: Pick<WideValues, "prefetch" | "list">;
  readonly start: number;
  readonly count: number;
};

/** The bytes are good until the next call. */
export function packRows({ slab, wides, start, count }: RowRun): Uint8Array {
  wides.prefetch(slab.extra, start, start + count);
  reserve(3);
  scratch.setUint8(0, version);
  scratch.setUint16(1, count, true);
  let at = 3;
  for (let row = start; row < start + count; row++) {
    const label = slab.label[row]!;
    const present = wides.list(slab.extra[row]!, label, rowWides);
    reserve(at + rowBytes + present * wideBytes);
    scratch.setFloat64(at, slab.atMs[row]!, true);
    scratch.setFloat64(at + 8, slab.readAmount(row), true);
    scratch.setUint32(at + 16, label, true);
    scratch.setUint32(at + 20, slab.idLow[row]!, true);
    scratch.setUint16(at + 24, slab.idHigh[row]!, true);
    scratch.setUint16(at + 26, present, true);
    at += rowBytes;
    for (let wide = 0; wide < present; wide++) {
      scratch.setUint16(at, rowWides.places[wide]!, true);
      scratch.setFloat64(at + 2, rowWides.values[wide]!, true);
      at += wideBytes;
    }
  }
  return new Uint8Array(scratch.buffer, 0, at);
}

/** Where rows are packed, and what one of them has: no object is made for a row. */
let scratch = new DataView(new ArrayBuffer(0x1_0000));
const rowWides: WideList = { places: [], values: [] };

/** Keeps what is written. */
function reserve(bytes: number): void {
  if (bytes <= scratch.byteLength) return;
  const grown = new Uint8Array(2 * bytes);
  grown.set(new Uint8Array(scratch.buffer));
  scratch = new DataView(grown.buffer);
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
    tiles: readConverted(
      view,
      headBytes + foldBytes + count * tileBytes,
      Array.from({ length: count }, (_, at) => readTile(view, headBytes + foldBytes + at * tileBytes)),
    ),
  };
}

/** Amounts in other currencies lie behind all tiles, where there are any: of each tile how many, and these. */
function countFoldBytes({ tiles }: Fold): number {
  let bytes = foldBytes + tiles.length * tileBytes;
  if (!tiles.some(hasConverted)) return bytes;
  for (const { convertedMinor = [] } of tiles) bytes += convertedBytes + convertedMinor.length * sumBytes;
  return bytes;
}

function hasConverted({ convertedMinor }: Tile): boolean {
  return convertedMinor !== undefined;
}

function writeConverted(view: DataView, behind: number, tiles: readonly Tile[]): void {
  if (!tiles.some(hasConverted)) return;
  let at = behind;
  for (const { convertedMinor = [] } of tiles) {
    view.setUint16(at, convertedMinor.length, true);
    at += convertedBytes;
    for (const sum of convertedMinor) {
      view.setFloat64(at, sum, true);
      at += sumBytes;
    }
  }
}

function readConverted(view: DataView, behind: number, tiles: readonly Tile[]): readonly Tile[] {
  let at = behind;
  if (at === view.byteLength) return tiles;
  return tiles.map((tile) => {
    const sums = view.getUint16(at, true);
    at += convertedBytes;
    const convertedMinor = Array.from({ length: sums }, (_, sum) =>
      view.getFloat64(at + sum * sumBytes, true),
    );
    at += sums * sumBytes;
    return sums === 0 ? tile : { ...tile, convertedMinor };
  });
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
