/**
 * Keys of the embedded store. A key is a row of parts, each behind its own length, so that no id can be written that reads as two, or as part
 * of a longer one: (`a`, `bc`) and (`ab`, `c`) differ, whatever bytes the ids hold. The merchant is always the first part.
 */

import type { Subject } from "../../core/history/history.ts";

/** LMDB's own bound with pages of 4 KiB. */
const keyBytesMax = 1_978;
/** Top bit of a part's length: the part is UTF-16, because UTF-8 would merge all lone surrogates. */
const utf16Flag = 0x8000;
const lengthBytes = 2;

/** The keys of the id that was asked for last: a decision asks for those of its payment several times. */
const latest: { merchantId: string; id: string; key: Buffer | undefined; joined: string | undefined } = {
  merchantId: "",
  id: "",
  key: undefined,
  joined: undefined,
};

function turnTo(merchantId: string, id: string): typeof latest {
  if (latest.id === id && latest.merchantId === merchantId) return latest;
  latest.merchantId = merchantId;
  latest.id = id;
  latest.key = undefined;
  latest.joined = undefined;
  return latest;
}

/**
 * The key of a merchant's thing in LMDB and in the journal. Nobody may write to it: it may be shared.
 *
 * Fails: throws a RangeError where the ids make it longer than 1,978 bytes; the contract's bounds (128 characters an id) stay below.
 */
export function encodeKey(merchantId: string, id: string): Buffer {
  const keys = turnTo(merchantId, id);
  keys.key ??= makeKey(merchantId, id);
  return keys.key;
}

function makeKey(merchantId: string, id: string): Buffer {
  const merchantBytes = countBytes(merchantId);
  const idBytes = countBytes(id);
  const key = Buffer.allocUnsafe(checkLength(2 * lengthBytes + merchantBytes + idBytes));
  writePart(key, 0, merchantId, merchantBytes);
  writePart(key, lengthBytes + merchantBytes, id, idBytes);
  return key;
}

/** The key of a merchant's thing that is numbered: versions, activations, audit entries. Keys order as their numbers do. */
export function encodeNumberedKey(merchantId: string, number: number): Buffer {
  const merchantBytes = countBytes(merchantId);
  const key = Buffer.allocUnsafe(checkLength(lengthBytes + merchantBytes + 6));
  writePart(key, 0, merchantId, merchantBytes);
  key.writeUIntBE(number, lengthBytes + merchantBytes, 6);
  return key;
}

export function readKeyNumber(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUIntBE(key.byteLength - 6, 6);
}

/** All keys of a merchant lie in `[start, end)`: lengths and numbers never begin with 0xff. */
export function encodeMerchantRange(merchantId: string): { readonly start: Buffer; readonly end: Buffer } {
  const merchantBytes = countBytes(merchantId);
  const start = Buffer.allocUnsafe(checkLength(lengthBytes + merchantBytes));
  writePart(start, 0, merchantId, merchantBytes);
  return { start, end: Buffer.concat([start, Buffer.of(0xff)]) };
}

/** The same key for maps in memory: as unambiguous, and cheaper. */
export function joinKey(merchantId: string, id: string): string {
  const keys = turnTo(merchantId, id);
  keys.joined ??= `${merchantId.length}:${merchantId}${id}`;
  return keys.joined;
}

/** The merchant of a `joinKey`. */
export function readJoinedMerchant(mapKey: string): string {
  const colon = mapKey.indexOf(":");
  return mapKey.slice(colon + 1, colon + 1 + Number(mapKey.slice(0, colon)));
}

/** `joinKey` for a subject of a merchant: kinds are a closed set and hold no colon. */
export function joinSubjectKey(merchantId: string, { kind, id }: Subject): string {
  return `${merchantId.length}:${merchantId}${kind}:${id}`;
}

/** `joinKey` of what was encoded by `encodeKey`. */
export function joinEncodedKey(key: Buffer): string {
  const { merchantId, id } = readKey(key);
  return joinKey(merchantId, id);
}

/** The ids of what was encoded by `encodeKey`. */
export function readKey(key: Buffer): { readonly merchantId: string; readonly id: string } {
  const merchant = readPart(key, 0);
  return { merchantId: merchant.id, id: readPart(key, merchant.end).id };
}

/** The merchant that a key begins with, and where it ends. */
export function readMerchantPart(key: Buffer): { readonly id: string; readonly end: number } {
  return readPart(key, 0);
}

/** How many bytes the merchant takes that a key begins with. */
export function measureMerchantPart(key: Buffer): number {
  return lengthBytes + (key.readUInt16BE(0) & ~utf16Flag);
}

function readPart(key: Buffer, at: number): { readonly id: string; readonly end: number } {
  const header = key.readUInt16BE(at);
  const start = at + lengthBytes;
  const end = start + (header & ~utf16Flag);
  return { id: key.toString(header & utf16Flag ? "utf16le" : "utf8", start, end), end };
}

function countBytes(id: string): number {
  return id.isWellFormed() ? Buffer.byteLength(id, "utf8") : 2 * id.length;
}

function writePart(key: Buffer, at: number, id: string, bytes: number): void {
  const wellFormed = id.isWellFormed();
  key.writeUInt16BE(bytes | (wellFormed ? 0 : utf16Flag), at);
  key.write(id, at + lengthBytes, wellFormed ? "utf8" : "utf16le");
}

function checkLength(bytes: number): number {
  if (bytes <= keyBytesMax) return bytes;
  throw new RangeError(
    `a key of ${bytes} bytes is longer than the store's ${keyBytesMax}: an id is too long`,
  );
}
