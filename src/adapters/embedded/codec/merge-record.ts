/**
 * What the journal keeps of a merge: whose rows moved, and those rows, so that it can be done again whatever LMDB has by then.
 *
 *     pieces, each behind its length u32: the key of the one that is no more | packed head | packed chunks
 */
import type { HistoryTable } from "../../../core/history/history-table.ts";
import { chunkRows } from "../../../core/history/pack.ts";

const lengthBytes = 4;

export type MergeRecord = {
  readonly from: Buffer;
  readonly head: Buffer;
  readonly chunks: readonly Buffer[];
};

export function encodeMerge(table: HistoryTable, subject: number, from: Buffer): Buffer {
  const pieces: Uint8Array[] = [from, table.packHead(subject)];
  const rows = table.countRows(subject);
  for (let row = 0; row < rows; row += chunkRows) pieces.push(table.packRows(subject, row));
  return Buffer.concat(
    pieces.flatMap((piece) => {
      const length = Buffer.allocUnsafe(lengthBytes);
      length.writeUInt32LE(piece.length);
      return [length, piece];
    }),
  );
}

export function decodeMerge(bytes: Buffer): MergeRecord {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at + lengthBytes;
    const end = start + bytes.readUInt32LE(at);
    pieces.push(bytes.subarray(start, end));
    at = end;
  }
  const [from, head, ...chunks] = pieces as [Buffer, Buffer, ...Buffer[]];
  return { from, head, chunks };
}
