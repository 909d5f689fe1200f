/** Reads what `byte-writer.ts` writes, value by value, in the order in which they were written. One value is read at a time. */
import {
  doubleMark,
  fourBytesMark,
  instantMark,
  otherWordMark,
  scalarMarks,
  smallMax,
  twoBytesMark,
  undefinedMark,
} from "./byte-writer.ts";
import { wordAt } from "./words.ts";

const twoTo32 = 2 ** 32;
/** Longer texts are seldom the same ones again, and quicker to make by the platform. */
const knownTextMax = 24;
/** Texts that were read lately, by their hash: ids of PSPs, rules and players come again and again. */
const knownTexts: string[] = new Array(2_048).fill("");

let bytes: Buffer = Buffer.alloc(0);
let view = new DataView(bytes.buffer);
let at = 0;

/** Starts reading a value at its byte `from`. */
export function openBytes(value: Uint8Array, from: number): void {
  bytes = value instanceof Buffer ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  at = from;
}

export function readOptionalNumber(): number | undefined {
  return bytes[at] === undefinedMark ? skipMark() : readNumber();
}

/** Fails: throws a RangeError where no number stands here, or where the bytes end before it does; so do the others. */
export function readNumber(): number {
  const head = view.getUint8(at++);
  if (head <= smallMax) return head;
  switch (head) {
    case twoBytesMark:
      at += 2;
      return view.getUint16(at - 2);
    case fourBytesMark:
      at += 4;
      return view.getUint32(at - 4);
    case instantMark:
      at += 6;
      return view.getUint16(at - 6) * twoTo32 + view.getUint32(at - 4);
    case doubleMark:
      at += 8;
      return view.getFloat64(at - 8);
    default:
      throw new RangeError(`no number begins with ${head}`);
  }
}

export function readOptionalText(): string | undefined {
  return bytes[at] === undefinedMark ? skipMark() : readText();
}

export function readText(): string {
  const length = readNumber();
  if (at + length > bytes.length) throw new RangeError(`a text of ${length} bytes ends after its value`);
  const begin = at;
  at += length;
  return length <= knownTextMax ? readKnown(begin, at) : bytes.toString("utf8", begin, at);
}

export function readWord<Word extends string>(): Word {
  const place = view.getUint8(at++);
  return (place === otherWordMark ? readText() : wordAt(place)) as Word;
}

export function readOptionalWord<Word extends string>(): Word | undefined {
  return bytes[at] === undefinedMark ? skipMark() : readWord<Word>();
}

export function readWords<Word extends string>(): Word[] {
  return readEach(readWord<Word>);
}

export function readFlag(): boolean {
  const flag = view.getUint8(at++);
  if (flag > 1) throw new RangeError(`no flag is ${flag}`);
  return flag === 1;
}

export function readOptionalFlag(): boolean | undefined {
  return bytes[at] === undefinedMark ? skipMark() : readFlag();
}

export function readOptional<T>(read: () => T): T | undefined {
  return bytes[at] === undefinedMark ? skipMark() : read();
}

export function readEach<T>(read: () => T): T[] {
  const items: T[] = [];
  for (let left = readNumber(); left > 0; left--) items.push(read());
  return items;
}

export function readTexts(): string[] {
  return readEach(readText);
}

export function readMap<T>(readValue: () => T): Map<string, T> {
  const map = new Map<string, T>();
  for (let left = readNumber(); left > 0; left--) map.set(readText(), readValue());
  return map;
}

export function readScalar(): boolean | number | string | string[] {
  const type = view.getUint8(at++);
  switch (type) {
    case scalarMarks.boolean:
      return readFlag();
    case scalarMarks.number:
      return readNumber();
    case scalarMarks.string:
      return readText();
    case scalarMarks.list:
      return readTexts();
    default:
      throw new RangeError(`no scalar has type ${type}`);
  }
}

/** The bytes of a blob, whose values are read next. */
export function enterBlob(): Uint8Array {
  const length = view.getUint32(at);
  at += 4;
  return bytes.subarray(at, at + length);
}

function skipMark(): undefined {
  at++;
}

/** The text of so many bytes: one that was read before, where it is the same. */
function readKnown(begin: number, end: number): string {
  let hash = end - begin;
  for (let place = begin; place < end; place++) hash = (Math.imul(hash, 31) + bytes[place]!) | 0;
  const slot = (hash ^ (hash >>> 11)) & (knownTexts.length - 1);
  const known = knownTexts[slot]!;
  if (isSame(known, begin, end)) return known;
  const text = bytes.toString("utf8", begin, end);
  knownTexts[slot] = text;
  return text;
}

/** Whether the bytes are those of the text: only ASCII can be, where each character has its byte. */
function isSame(text: string, begin: number, end: number): boolean {
  if (text.length !== end - begin) return false;
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place);
    if (code !== bytes[begin + place] || code >= 0x80) return false;
  }
  return true;
}
