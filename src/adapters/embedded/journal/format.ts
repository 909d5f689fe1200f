/**
 * The bytes of a journal segment. All numbers are little endian.
 *
 *     segment: magic "SWYJRNL" | version u8 | first sequence u48 | salt u32 | CRC32 of these 18 bytes u32 | records
 *     record:  CRC32 u32 | key and value length u32 | sequence u48 | kind u8 | key length u16 | key | value
 *
 * The CRC of a record starts from the segment's salt and covers all that follows it. The salt is random, so that neither an older file's blocks
 * nor ids chosen by a caller can pass for a record.
 */
import { crc32 } from "./crc32.ts";

const magic = Buffer.from("SWYJRNL", "latin1");
const formatVersion = 1;
export const segmentHeaderBytes = 22;
export const recordHeaderBytes = 17;
/** No record is longer; a payment with its plan has some 600 bytes. */
export const recordBytesMax = 8 * 1024 * 1024;

/**
 * What a record holds: a payment, a player or a hold as it now stands; memberships of a player with what changed; a label, and what became of the
 * rows of a history; or nothing but its sequence (a try of the disk).
 */
export const recordKinds = {
  payment: 1,
  player: 2,
  trial: 3,
  hold: 4,
  membership: 5,
  label: 6,
  row: 7,
  reversal: 8,
  merge: 9,
  removal: 10,
} as const;
export type RecordKind = (typeof recordKinds)[keyof typeof recordKinds];
const kindMax = 10;
const loopBytesMax = 64;

export type SegmentHeader = { readonly firstSequence: number; readonly salt: number };

/** Bytes of `key` and `value` lie in the segment's own buffer. */
export type JournalRecord = {
  readonly sequence: number;
  readonly kind: RecordKind;
  readonly key: Buffer;
  readonly value: Buffer;
};

export function encodeSegmentHeader({ firstSequence, salt }: SegmentHeader): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  magic.copy(header);
  header.writeUInt8(formatVersion, 7);
  header.writeUIntLE(firstSequence, 8, 6);
  header.writeUInt32LE(salt, 14);
  header.writeUInt32LE(crc32(header, 0, 18, 0), 18);
  return header;
}

/** The header of a segment; a sentence saying what is wrong where it is none. */
export function decodeSegmentHeader(segment: Buffer): SegmentHeader | string {
  if (segment.length < segmentHeaderBytes) return "the header is cut off";
  if (!segment.subarray(0, 7).equals(magic)) return "it is no journal segment";
  if (crc32(segment, 0, 18, 0) !== segment.readUInt32LE(18)) return "the header's checksum is wrong";
  const version = segment.readUInt8(7);
  if (version !== formatVersion) return `it has format version ${version}, this build reads ${formatVersion}`;
  return { firstSequence: segment.readUIntLE(8, 6), salt: segment.readUInt32LE(14) };
}

export function countRecordBytes(key: Uint8Array, value: Uint8Array): number {
  return recordHeaderBytes + key.length + value.length;
}

/** Writes a record at `at`, where there must be room for it, and returns the offset behind it. */
export function writeRecord(target: Buffer, at: number, salt: number, record: JournalRecord): number {
  const { key, value } = record;
  const end = at + countRecordBytes(key, value);
  target.writeUInt32LE(key.length + value.length, at + 4);
  target.writeUIntLE(record.sequence, at + 8, 6);
  target.writeUInt8(record.kind, at + 14);
  target.writeUInt16LE(key.length, at + 15);
  copyBytes(key, target, at + recordHeaderBytes);
  copyBytes(value, target, at + recordHeaderBytes + key.length);
  target.writeUInt32LE(crc32(target, at + 4, end, salt), at);
  return end;
}

/** Of few bytes a loop is quicker than a call. */
function copyBytes(source: Uint8Array, target: Uint8Array, at: number): void {
  if (source.length > loopBytesMax) target.set(source, at);
  else for (let byte = 0; byte < source.length; byte++) target[at + byte] = source[byte]!;
}

/** The record with this sequence at `at`; undefined where there is no whole one. */
export function readRecord(
  segment: Buffer,
  at: number,
  salt: number,
  sequence: number,
): JournalRecord | undefined {
  const end = findRecordEnd(segment, at);
  if (end === undefined || segment.readUIntLE(at + 8, 6) !== sequence) return undefined;
  if (crc32(segment, at + 4, end, salt) !== segment.readUInt32LE(at)) return undefined;
  const kind = segment.readUInt8(at + 14) as RecordKind;
  const keyEnd = at + recordHeaderBytes + segment.readUInt16LE(at + 15);
  return {
    sequence,
    kind,
    key: segment.subarray(at + recordHeaderBytes, keyEnd),
    value: segment.subarray(keyEnd, end),
  };
}

/** Offset of the first whole record in `[from, ...)` whose sequence is above `sequence`; undefined where none is left. */
export function findLaterRecord(
  segment: Buffer,
  from: number,
  salt: number,
  sequence: number,
): number | undefined {
  const sequenceMax = sequence + Math.ceil((segment.length - from) / recordHeaderBytes);
  for (let at = from; at + recordHeaderBytes <= segment.length; at++) {
    const later = segment.readUIntLE(at + 8, 6);
    if (later <= sequence || later > sequenceMax) continue;
    if (readRecord(segment, at, salt, later) !== undefined) return at;
  }
  return undefined;
}

/** Offset behind the record at `at` as its header has it; undefined where that cannot be a header. */
function findRecordEnd(segment: Buffer, at: number): number | undefined {
  if (at + recordHeaderBytes > segment.length) return undefined;
  const bytes = segment.readUInt32LE(at + 4);
  const end = at + recordHeaderBytes + bytes;
  const kind = segment.readUInt8(at + 14);
  const plausible =
    bytes <= recordBytesMax &&
    end <= segment.length &&
    kind >= 1 &&
    kind <= kindMax &&
    segment.readUInt16LE(at + 15) <= bytes;
  return plausible ? end : undefined;
}
