/**
 * Writes rows as MessagePack, value by value into one buffer that all writers share: what is written with every decision makes no arrays on its way
 * to its bytes. Readers are `unpackRow`'s. `undefined` is the extension that msgpackr reads as such.
 */

/** Values lie side by side in slabs, so that none is copied; a slab lives as long as any of them. */
const slabBytes = 64 * 1024;
/** Longer texts are copied by the platform, whose calls cost as much as so many characters. */
const loopTextMax = 14;

let bytes = Buffer.allocUnsafeSlow(slabBytes);
let view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** Where the value that is being written begins, and where it goes on. */
let start = 0;
let at = 0;

/** Starts a value; what the `room` bytes before its row hold, is up to the caller of `takeBytes`. One value is written at a time. */
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

/** The head of an array; its members follow, one by one. */
export function writeArray(length: number): void {
  reserve(5);
  if (length < 16) bytes[at++] = 0x90 | length;
  else if (length < 0x1_0000) {
    bytes[at] = 0xdc;
    view.setUint16(at + 1, length);
    at += 3;
  } else {
    bytes[at] = 0xdd;
    view.setUint32(at + 1, length);
    at += 5;
  }
}

export function writeText(text: string | undefined): void {
  if (text === undefined) writeUndefined();
  else if (text.length > loopTextMax || !writeShortAscii(text)) writeUtf8(text);
}

export function writeNumber(value: number | undefined): void {
  if (value === undefined) {
    writeUndefined();
    return;
  }
  reserve(9);
  if (value >>> 0 !== value) {
    if (value >= -32 && value < 0 && Number.isInteger(value)) {
      bytes[at++] = value;
      return;
    }
    bytes[at] = 0xcb;
    view.setFloat64(at + 1, value);
    at += 9;
  } else if (value < 0x80) bytes[at++] = value;
  else if (value < 0x100) {
    bytes[at] = 0xcc;
    bytes[at + 1] = value;
    at += 2;
  } else if (value < 0x1_0000) {
    bytes[at] = 0xcd;
    view.setUint16(at + 1, value);
    at += 3;
  } else {
    bytes[at] = 0xce;
    view.setUint32(at + 1, value);
    at += 5;
  }
}

export function writeFlag(flag: boolean | undefined): void {
  if (flag === undefined) {
    writeUndefined();
    return;
  }
  reserve(1);
  bytes[at++] = flag ? 0xc3 : 0xc2;
}

export function writeUndefined(): void {
  reserve(3);
  bytes[at] = 0xd4;
  bytes[at + 1] = 0;
  bytes[at + 2] = 0;
  at += 3;
}

export function writeOptional<T>(value: T | undefined, write: (value: T) => void): void {
  if (value === undefined) writeUndefined();
  else write(value);
}

export function writeTexts(texts: readonly string[]): void {
  writeArray(texts.length);
  for (const text of texts) writeText(text);
}

/** Characters below 0x80, 31 at most, as a text. */
export function writeCharacters(codes: readonly number[]): void {
  const { length } = codes;
  reserve(1 + length);
  bytes[at++] = 0xa0 | length;
  for (let place = 0; place < length; place++) bytes[at++] = codes[place]!;
}

/** A map as an array in which its keys and values take turns. */
export function writePairs(map: ReadonlyMap<string, unknown>): void {
  writeArray(2 * map.size);
  for (const [key, value] of map) {
    writeText(key);
    writeValue(value);
  }
}

const blobHead = 5;

/** Starts a value that can be copied as it is later on (`writeBlob`): binary to its readers. `endBlob` wants what this returns. */
export function startBlob(): number {
  reserve(blobHead);
  const offset = at - start;
  at += blobHead;
  return offset;
}

export function endBlob(offset: number): void {
  // The value may have moved to another slab since.
  headBlob(start + offset, at - start - offset - blobHead);
}

export function writeBlob(blob: Uint8Array): void {
  reserve(blobHead + blob.length);
  headBlob(at, blob.length);
  bytes.set(blob, at + blobHead);
  at += blobHead + blob.length;
}

function headBlob(head: number, length: number): void {
  bytes[head] = 0xc6;
  view.setUint32(head + 1, length);
}

/** An array with what `write` writes of each. */
export function writeEach<T>(items: readonly T[], write: (item: T) => void): void {
  writeArray(items.length);
  for (const item of items) write(item);
}

/**
 * Any scalar, or array of such values.
 *
 * Fails: throws a TypeError for anything else: rows hold none.
 */
export function writeValue(value: unknown): void {
  switch (typeof value) {
    case "string":
      writeText(value);
      return;
    case "number":
      writeNumber(value);
      return;
    case "boolean":
      writeFlag(value);
      return;
    case "undefined":
      writeUndefined();
      return;
    default:
      if (!Array.isArray(value)) throw new TypeError(`a row holds ${String(value)}`);
      writeEach(value, writeValue);
  }
}

/** Whether the text, of 31 characters at most, was ASCII; where not, nothing is written. */
function writeShortAscii(text: string): boolean {
  const { length } = text;
  reserve(length + 1);
  let end = at;
  bytes[end++] = 0xa0 | length;
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
  if (length < 32) bytes[at] = 0xa0 | length;
  else if (length < 0x100) {
    bytes[at] = 0xd9;
    bytes[at + 1] = length;
  } else if (length < 0x1_0000) {
    bytes[at] = 0xda;
    view.setUint16(at + 1, length);
  } else {
    bytes[at] = 0xdb;
    view.setUint32(at + 1, length);
  }
  at += countHead(length) + length;
}

/** Bytes before a text of so many bytes. */
function countHead(length: number): number {
  if (length < 32) return 1;
  if (length < 0x100) return 2;
  return length < 0x1_0000 ? 3 : 5;
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
