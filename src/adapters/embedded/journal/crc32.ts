import { crc32 as zlibCrc32 } from "node:zlib";

/** From so many bytes on zlib is quicker, in spite of the call and of the view that it needs. */
const longBytes = 256;

/** Four tables, so that four bytes go in one step: each is that of a byte with so many zero bytes behind it. */
const tables = makeTables();
const [table0, table1, table2, table3] = tables as [Int32Array, Int32Array, Int32Array, Int32Array];

/** The CRC32 of the bytes `[start, end)`, going on from `seed`, as zlib has it. Most records are so short that no call out of here pays. */
export function crc32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  if (end - start >= longBytes) return zlibCrc32(bytes.subarray(start, end), seed);
  let crc = ~seed;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc =
      table3[crc & 0xff]! ^ table2[(crc >>> 8) & 0xff]! ^ table1[(crc >>> 16) & 0xff]! ^ table0[crc >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table0[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

function makeTables(): readonly Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (-(crc & 1) & 0xedb8_8320);
    return crc;
  });
  const made = [first];
  while (made.length < 4) made.push(made.at(-1)!.map((crc) => (crc >>> 8) ^ first[crc & 0xff]!));
  return made;
}
