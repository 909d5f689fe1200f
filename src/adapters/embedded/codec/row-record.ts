/**
 * What the journal keeps of rows and labels. A row is written by hand, little endian, because hundreds of thousands come in a second:
 *
 *     flags u8 | id u48 | instant f64 | amount f64 | label u32 | which wides are there, a bit each | those wides f64
 */
import type { Label, NewRow } from "../../../core/history/history.ts";
import { packRow, readVersion, unpackRow } from "./pack.ts";

const labelVersion = 1;
/** The top bits of a row's flags, for layouts to come. */
const layoutBits = 0xf0;
const paymentFactBit = 1;
const amountWinsBit = 2;
const headBytes = 27;
const idUnit = 0x1_0000_0000;
const widesMax = 4_096;
const scratch = Buffer.alloc(headBytes + widesMax / 8 + widesMax * 8);
const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.byteLength);
/** Rows of few wides by their length: no object is made for each. */
const briefMax = 256;
const briefRows: Buffer[] = [];

export type RowFlags = { readonly isPaymentFact: boolean; readonly amountWins?: boolean };

/** Bytes of a row, good until the next call. Fails: throws a RangeError where it has more than 4,096 wides. */
export function encodeRow(row: NewRow, label: number, { isPaymentFact, amountWins }: RowFlags): Uint8Array {
  const { wides } = row;
  if (wides.length > widesMax) throw new RangeError(`a row with ${wides.length} wide values`);
  writeHead(row, label, (isPaymentFact ? paymentFactBit : 0) | (amountWins === true ? amountWinsBit : 0));
  let at = headBytes + ((wides.length + 7) >>> 3);
  for (let flags = headBytes; flags < at; flags++) scratch[flags] = 0;
  for (let place = 0; place < wides.length; place++) {
    const value = wides[place]!;
    if (Number.isNaN(value)) continue;
    scratch[headBytes + (place >>> 3)]! |= 1 << (place & 7);
    view.setFloat64(at, value, true);
    at += 8;
  }
  return viewScratch(at);
}

function viewScratch(length: number): Buffer {
  if (length > briefMax) return scratch.subarray(0, length);
  briefRows[length] ??= scratch.subarray(0, length);
  return briefRows[length];
}

/** Fails: throws where the bytes are of a layout that this build does not know. */
export function decodeRow(
  bytes: Buffer,
  labelOf: (label: number) => Label,
): { readonly row: NewRow; readonly flags: RowFlags } {
  const flags = readFlags(bytes);
  const label = labelOf(bytes.readUInt32LE(23));
  const wides = new Array<number>(label.wides.length);
  let at = headBytes + ((wides.length + 7) >>> 3);
  for (let place = 0; place < wides.length; place++) {
    const isThere = (bytes[headBytes + (place >>> 3)]! & (1 << (place & 7))) !== 0;
    wides[place] = isThere ? bytes.readDoubleLE(at) : Number.NaN;
    if (isThere) at += 8;
  }
  return {
    row: {
      id: readId(bytes),
      atMs: bytes.readDoubleLE(7),
      amountMinor: bytes.readDoubleLE(15),
      label,
      wides,
    },
    flags: { isPaymentFact: (flags & paymentFactBit) !== 0, amountWins: (flags & amountWinsBit) !== 0 },
  };
}

/** The instant of an encoded row. */
export function readRowInstant(bytes: Buffer): number {
  return bytes.readDoubleLE(7);
}

/** Which row was taken back, as a row without anything else; good until the next call. */
export function encodeReversal(row: { readonly id: number; readonly atMs: number }): Uint8Array {
  writeHead({ ...row, amountMinor: 0 }, 0, 0);
  return viewScratch(headBytes);
}

/** Fails: throws where the bytes are of a layout that this build does not know. */
export function decodeReversal(bytes: Buffer): { readonly id: number; readonly atMs: number } {
  readFlags(bytes);
  return { id: readId(bytes), atMs: bytes.readDoubleLE(7) };
}

export function encodeLabel({ type, currency, values, wides }: Label): Buffer {
  return packRow(labelVersion, [type, currency, [...values].flat(), wides]);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeLabel(bytes: Buffer): Label {
  readVersion(bytes, labelVersion, "label");
  const [type, currency, pairs, wides] = unpackRow(bytes) as [string, string, unknown[], string[]];
  const values: [string, Label["values"] extends ReadonlyMap<string, infer Value> ? Value : never][] = [];
  for (let at = 0; at < pairs.length; at += 2) values.push([pairs[at] as string, pairs[at + 1] as string]);
  return { type, currency, values: new Map(values), wides };
}

type Head = Pick<NewRow, "id" | "atMs" | "amountMinor">;

function writeHead({ id, atMs, amountMinor }: Head, label: number, flags: number): void {
  view.setUint8(0, flags);
  view.setUint32(1, id % idUnit, true);
  view.setUint16(5, id / idUnit, true);
  view.setFloat64(7, atMs, true);
  view.setFloat64(15, amountMinor, true);
  view.setUint32(23, label, true);
}

function readFlags(bytes: Buffer): number {
  const flags = bytes[0]!;
  if ((flags & layoutBits) === 0) return flags;
  throw new Error(`a row of the journal has layout ${flags >>> 4}, which this build does not know`);
}

function readId(bytes: Buffer): number {
  return bytes.readUInt16LE(5) * idUnit + bytes.readUInt32LE(1);
}
