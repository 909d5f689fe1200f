/**
 * Writes values one after another into one buffer that all writers share: what is written with every decision makes no objects on its way to its bytes.
 * Values have no names: `byte-reader.ts` must be asked for the same kinds in the same order.
 *
 * | Kind | Bytes |
 * |---|---|
 * | number | 0 to 239 as it is; else a mark and 2, 4, 6 (instants) or 8 (the rest, as a double) |
 * | text | its length in UTF-8 as up to 239, or a mark and 2 or 4; then itself |
 * | word | its place in `words.ts`, or a mark and its text |
 * | flag | 0 or 1 |
 * | blob | 4 of its length, then itself |
 *
 * Each of them but a blob may be a mark for `undefined` instead. Numbers are big-endian.
 */
import { findWord } from "./words.ts";

/** Above the values that are written as they are. */
export const smallMax = 239;
export const undefinedMark = 240;
/** Of a number or of a text's length: so many bytes follow. */
export const twoBytesMark = 241;
export const fourBytesMark = 242;
export const instantMark = 243;
export const doubleMark = 244;
/** Of a word that is not among those known: its text follows. */
export const otherWordMark = 255;
/** Of scalars whose type is written too (`writeScalar`). */
export const scalarMarks = { boolean: 0, number: 1, string: 2, list: 3 } as const;

const twoTo16 = 2 ** 16;
const twoTo32 = 2 ** 32;
const twoTo48 = 2 ** 48;
/** Values lie side by side in slabs, so that none is copied; a slab lives as long as any of them. */
const slabBytes = 64 * 1024;
/** Longer texts are copied by the platform, whose calls cost as much as so many characters. */
const loopTextMax = 40;

let bytes = Buffer.allocUnsafeSlow(slabBytes);
let view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Where the value that is being written begins, and where it goes on. */
let start = 0;
let at = 0;

/** Starts a value; what its first `room` bytes hold, is up to the caller of `takeBytes`. One value is written at a time. */
export function startBytes(room: number): void {
  at = start;
  reserve(room);
  at += room;
}

/** What was written since `startBytes`, behind the version that the first byte says. */
export function takeBytes(version: number): Buffer {
  bytes[start] = version;
  const taken = bytes.subarray(start, at);
  start = at;
  return taken;
}

export function writeNumber(value: number | undefined): void {
  reserve(9);
  if (value === undefined) bytes[at++] = undefinedMark;
  else if (value >>> 0 === value && !Object.is(value, -0)) writeNatural(value);
  else if (value >= twoTo32 && value < twoTo48 && Number.isInteger(value)) {
    bytes[at] = instantMark;
    view.setUint16(at + 1, value / twoTo32);
    view.setUint32(at + 3, value >>> 0);
    at += 7;
  } else {
    bytes[at] = doubleMark;
    view.setFloat64(at + 1, value);
    at += 9;
  }
}

/** Below 2^32; room is reserved. */
function writeNatural(value: number): void {
  if (value <= smallMax) bytes[at++] = value;
  else if (value < twoTo16) {
    bytes[at] = twoBytesMark;
    view.setUint16(at + 1, value);
    at += 3;
  } else {
    bytes[at] = fourBytesMark;
    view.setUint32(at + 1, value);
    at += 5;
  }
}

export function writeText(text: string | undefined): void {
  if (text === undefined) writeUndefined();
  else if (text.length > loopTextMax || !writeShortAscii(text)) writeUtf8(text);
}

/** One of a fixed list, such as a verdict. */
export function writeWord(word: string | undefined): void {
  if (word === undefined) {
    writeUndefined();
    return;
  }
  const place = findWord(word);
  reserve(1);
  bytes[at++] = place ?? otherWordMark;
  if (place === undefined) writeText(word);
}

export function writeWords(words: readonly string[]): void {
  writeNumber(words.length);
  for (let place = 0; place < words.length; place++) writeWord(words[place]);
}

export function writeFlag(flag: boolean | undefined): void {
  reserve(1);
  bytes[at++] = flag === undefined ? undefinedMark : flag ? 1 : 0;
}

function writeUndefined(): void {
  reserve(1);
  bytes[at++] = undefinedMark;
}

/** `write` writes what is there; its first value must not be undefined. */
export function writeOptional<T>(value: T | undefined, write: (value: T) => void): void {
  if (value === undefined) writeUndefined();
  else write(value);
}

/** How many, then what `write` writes of each. */
export function writeEach<T>(items: readonly T[], write: (item: T) => void): void {
  writeNumber(items.length);
  for (let place = 0; place < items.length; place++) write(items[place]!);
}

export function writeTexts(texts: readonly string[]): void {
  writeEach(texts, writeText);
}

/** How many, then each key with what `write` writes of its value. */
export function writeMap<T>(map: ReadonlyMap<string, T>, write: (value: T) => void): void {
  writeNumber(map.size);
  for (const [key, value] of map) {
    writeText(key);
    write(value);
  }
}

/** A scalar, or a list of texts, with its type. */
export function writeScalar(value: boolean | number | string | readonly string[]): void {
  reserve(1);
  switch (typeof value) {
    case "boolean":
      bytes[at++] = scalarMarks.boolean;
      writeFlag(value);
      return;
    case "number":
      bytes[at++] = scalarMarks.number;
      writeNumber(value);
      return;
    case "string":
      bytes[at++] = scalarMarks.string;
      writeText(value);
      return;
    default:
      bytes[at++] = scalarMarks.list;
      writeTexts(value);
  }
}

const blobHeadBytes = 4;

/** Starts values that can be copied as they are later on (`writeBlob`). `endBlob` wants what this returns. */
export function startBlob(): number {
  reserve(blobHeadBytes);
  const offset = at - start;
  at += blobHeadBytes;
  return offset;
}

export function endBlob(offset: number): void {
  // The value may have moved to another slab since.
  view.setUint32(start + offset, at - start - offset - blobHeadBytes);
}

export function writeBlob(blob: Uint8Array): void {
  reserve(blobHeadBytes + blob.length);
  view.setUint32(at, blob.length);
  bytes.set(blob, at + blobHeadBytes);
  at += blobHeadBytes + blob.length;
}

/** Whether the text, of `loopTextMax` characters at most, was ASCII; where not, nothing is written. */
function writeShortAscii(text: string): boolean {
  const { length } = text;
  reserve(length + 1);
  let end = at;
  bytes[end++] = length;
  for (let place = 0; place < length; place++) {
    const code = text.charCodeAt(place);
    if (code >= 0x80) return false;
    bytes[end++] = code;
  }
  at = end;
  return true;
}

function writeUtf8(text: string): void {
  // Most texts have as many bytes as characters, so that their head is known before.
  reserve(5 + 3 * text.length);
  const head = countHead(text.length);
  const length = bytes.write(text, at + head);
  if (countHead(length) !== head) bytes.write(text, at + countHead(length));
  writeNatural(length);
  at += length;
}

/** Bytes before a text of so many bytes. */
function countHead(length: number): number {
  if (length <= smallMax) return 1;
  return length < twoTo16 ? 3 : 5;
}

/** A value that outgrows its slab moves on to the next one. */
function reserve(more: number): void {
  if (at + more <= bytes.length) return;
  const written = at - start;
  const next = Buffer.allocUnsafeSlow(Math.max(slabBytes, 2 * (written + more)));
  bytes.copy(next, 0, start, at);
  bytes = next;
  view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  start = 0;
  at = written;
}
