/**
 * Keys of histories: the merchant behind its length, the kind, then the id to the end, so that ids order as `compareIds` has them. Chunks of rows have their
 * number behind that.
 */
import type { Subject, SubjectKind } from "../../core/history/history.ts";
import { encodeMerchantRange, measureMerchantPart, readMerchantPart } from "./keys.ts";

/** By the byte that is written; new ones go to the end. */
const kinds: readonly SubjectKind[] = ["player", "card", "device", "ip", "bin", "psp", "mid", "brand", "key"];
const byteOfKind = new Map(kinds.map((kind, byte) => [kind, byte]));
const playerByte = byteOfKind.get("player")!;
/** How the id is written: those that UTF-8 would merge are UTF-16, and come last. */
const utf8 = 0;
const utf16 = 1;
/** LMDB's own bound, less the number of a chunk. */
const keyBytesMax = 1_974;
const chunkBytes = 4;
/** Units of an id that is tried as ASCII first. */
const plainMax = 64;

/** Of keys that are good until the next: one view for each length. */
const briefMax = 256;
const scratch = Buffer.alloc(briefMax);
const briefKeys: Buffer[] = [];

/** Of the merchant that came last: calls come in runs of one merchant. */
let lastMerchantId = "";
let lastPrefix = encodeMerchantRange("").start;

/** Fails: throws a RangeError where the ids make it longer than LMDB takes. */
export function encodeHistoryKey(merchantId: string, subject: Subject): Buffer {
  const prefix = encodePrefix(merchantId);
  const { kind, id } = subject;
  if (id.length <= plainMax) {
    const key = Buffer.allocUnsafe(prefix.length + 2 + id.length);
    if (writePlain(key, prefix, subject)) return key;
  }
  const isWellFormed = id.isWellFormed();
  const idBytes = isWellFormed ? Buffer.byteLength(id, "utf8") : 2 * id.length;
  const bytes = prefix.length + 2 + idBytes;
  if (bytes > keyBytesMax) throw new RangeError(`the id of a ${kind} makes a key of ${bytes} bytes`);
  const key = Buffer.allocUnsafe(bytes);
  key.set(prefix, 0);
  key[prefix.length] = byteOfKind.get(kind)!;
  key[prefix.length + 1] = isWellFormed ? utf8 : utf16;
  key.write(id, prefix.length + 2, isWellFormed ? "utf8" : "utf16le");
  return key;
}

/** As `encodeHistoryKey`, but good until the next call: mostly no object is made for it. */
export function encodeHistoryKeyBriefly(merchantId: string, subject: Subject): Buffer {
  const prefix = encodePrefix(merchantId);
  const bytes = prefix.length + 2 + subject.id.length;
  if (bytes > briefMax) return encodeHistoryKey(merchantId, subject);
  briefKeys[bytes] ??= scratch.subarray(0, bytes);
  const key = briefKeys[bytes];
  return writePlain(key, prefix, subject) ? key : encodeHistoryKey(merchantId, subject);
}

/** False where the id is not ASCII. A loop is cheaper than three calls into the machine. */
function writePlain(key: Buffer, prefix: Buffer, { kind, id }: Subject): boolean {
  const start = prefix.length + 2;
  for (let at = 0; at < prefix.length; at++) key[at] = prefix[at]!;
  key[start - 2] = byteOfKind.get(kind)!;
  key[start - 1] = utf8;
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    if (unit > 0x7f) return false;
    key[start + at] = unit;
  }
  return true;
}

export function decodeHistoryKey(key: Buffer): { readonly merchantId: string; readonly subject: Subject } {
  const { id: merchantId, end } = readMerchantPart(key);
  const id = key.toString(key[end + 1] === utf16 ? "utf16le" : "utf8", end + 2);
  return { merchantId, subject: { kind: kinds[key[end]!]!, id } };
}

/** Whether it is that of a player's history. */
export function isPlayerKey(key: Buffer): boolean {
  return key[measureMerchantPart(key)] === playerByte;
}

/** The merchant of a key. */
export function readHistoryMerchant(key: Buffer): string {
  for (let at = 0; at < lastPrefix.length; at++) {
    if (key[at] !== lastPrefix[at]) return readMerchantPart(key).id;
  }
  return lastMerchantId;
}

/** Keys of a kind of subjects in `[start, end)`, by id. */
export function encodeHistoryRange(
  merchantId: string,
  kind: SubjectKind,
): { readonly start: Buffer; readonly end: Buffer } {
  const prefix = encodePrefix(merchantId);
  const byte = byteOfKind.get(kind)!;
  return {
    start: Buffer.concat([prefix, Buffer.of(byte)]),
    end: Buffer.concat([prefix, Buffer.of(byte + 1)]),
  };
}

export function encodeChunkKey(historyKey: Buffer, chunk: number): Buffer {
  const key = Buffer.allocUnsafe(historyKey.length + chunkBytes);
  key.set(historyKey, 0);
  key.writeUInt32BE(chunk, historyKey.length);
  return key;
}

function encodePrefix(merchantId: string): Buffer {
  if (merchantId !== lastMerchantId) {
    lastPrefix = encodeMerchantRange(merchantId).start;
    lastMerchantId = merchantId;
  }
  return lastPrefix;
}
