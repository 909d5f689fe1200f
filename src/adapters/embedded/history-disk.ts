/**
 * Histories in LMDB. A head has what is known of a history without its rows, and the last chunk of them, because mostly that is the only one and
 * the only one that changes; the chunks before it stand by themselves:
 *
 *     head:  sequence u48 | bytes of the packed head u32 | packed head | packed rows of the last chunk
 *     chunk: packed rows
 */

import type { Subject } from "../../core/history/history.ts";
import type { HistoryTable } from "../../core/history/history-table.ts";
import { chunkRows } from "../../core/history/pack.ts";
import {
  decodeHistoryKey,
  encodeChunkKey,
  encodeHistoryKey,
  encodeHistoryKeyBriefly,
  encodeHistoryRange,
} from "./history-keys.ts";
import { encodeKey, readKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import type { Span } from "./player-counts.ts";

const prefixBytes = 10;
const countBytes = 22;

/** A history as it is written. */
export type StoredHistory = {
  /** Everything of the journal up to here is in it. */
  readonly sequence: number;
  readonly head: Buffer;
  readonly lastChunk: Buffer;
};

/** Of the players of a merchant that have a history. */
type StoredCounts = { readonly players: number; readonly span: Span };

export class HistoryDisk {
  readonly #tables: LmdbTables;

  constructor(tables: LmdbTables) {
    this.#tables = tables;
  }

  find(key: Buffer): StoredHistory | undefined {
    const bytes = this.#tables.historyHeads.getBinary(key);
    if (bytes === undefined) return undefined;
    const headEnd = prefixBytes + bytes.readUInt32LE(6);
    return {
      sequence: bytes.readUIntLE(0, 6),
      head: bytes.subarray(prefixBytes, headEnd),
      lastChunk: bytes.subarray(headEnd),
    };
  }

  /** Up to where the journal is in it; undefined where there is no such history. */
  findSequence(key: Buffer): number | undefined {
    // Good until the next read, and not copied.
    return this.#tables.historyHeads.getBinaryFast(key)?.readUIntLE(0, 6);
  }

  has(key: Buffer): boolean {
    return this.#tables.historyHeads.doesExist(key);
  }

  /** All chunks of a history in order. `chunksBefore`: how many stand by themselves. Fails: throws where one is missing. */
  readChunks(key: Buffer, { lastChunk }: StoredHistory, chunksBefore: number): Buffer[] {
    const chunks: Buffer[] = [];
    for (let chunk = 0; chunk < chunksBefore; chunk++) {
      const bytes = this.#tables.historyRows.getBinary(encodeChunkKey(key, chunk));
      if (bytes === undefined)
        throw new Error(`chunk ${chunk} of the history ${key.toString("hex")} is missing`);
      chunks.push(bytes);
    }
    chunks.push(lastChunk);
    return chunks;
  }

  /**
   * Starts the writes of a history: its head, and the chunks from `fromChunk` on; those from its last one up to `chunksMax` are removed. Returns how
   * many chunks stand by themselves then, and the bytes that are on their way.
   */
  write(
    table: HistoryTable,
    number: number,
    how: {
      readonly subject: Subject;
      readonly sequence: number;
      readonly fromChunk: number;
      readonly chunksMax: number;
    },
  ): { readonly chunksBefore: number; readonly bytes: number } {
    const { historyHeads, historyRows } = this.#tables;
    const key = encodeHistoryKeyBriefly(table.merchantOf(number), how.subject);
    const chunksBefore = countChunksBefore(table.countRows(number));
    let bytes = 0;
    for (let chunk = how.fromChunk; chunk < chunksBefore; chunk++) {
      const rows = table.packRows(number, chunk * chunkRows);
      historyRows.put(encodeChunkKey(key, chunk), asBuffer(rows));
      bytes += rows.length;
    }
    for (let chunk = chunksBefore; chunk < how.chunksMax; chunk++) {
      historyRows.remove(encodeChunkKey(key, chunk));
    }
    const head = table.packHeadBriefly(number);
    const lastChunk = table.packRowsBriefly(number, chunksBefore * chunkRows);
    const written = Buffer.allocUnsafe(prefixBytes + head.length + lastChunk.length);
    written.writeUIntLE(how.sequence, 0, 6);
    written.writeUInt32LE(head.length, 6);
    written.set(head, prefixBytes);
    written.set(lastChunk, prefixBytes + head.length);
    historyHeads.put(key, written);
    return { chunksBefore, bytes: bytes + written.length };
  }

  /** Starts the removal of a history with its chunks. */
  remove(key: Buffer, chunksMax: number): void {
    const { historyHeads, historyRows } = this.#tables;
    for (let chunk = 0; chunk < chunksMax; chunk++) historyRows.remove(encodeChunkKey(key, chunk));
    historyHeads.remove(key);
  }

  *labels(): Generator<readonly [label: number, bytes: Buffer]> {
    for (const { key, value } of this.#tables.labels.getRange()) yield [key.readUInt32BE(0), value];
  }

  writeLabel(label: number, bytes: Buffer): void {
    const key = Buffer.allocUnsafe(4);
    key.writeUInt32BE(label);
    this.#tables.labels.put(key, bytes);
  }

  /** Ids of players in order, from after `afterId` on. */
  *listPlayers(merchantId: string, afterId: string): Generator<string> {
    const { start, end } = encodeHistoryRange(merchantId, "player");
    const after = encodeHistoryKey(merchantId, { kind: "player", id: afterId });
    // An id is never empty, so nothing is left out where the first page is asked for.
    const from = afterId === "" ? start : Buffer.concat([after, Buffer.of(0)]);
    for (const key of this.#tables.historyHeads.getKeys({ start: from, end })) {
      yield decodeHistoryKey(key).subject.id;
    }
  }

  *counts(): Generator<readonly [merchantId: string, StoredCounts]> {
    for (const { key, value } of this.#tables.historyCounts.getRange()) {
      const span = { oldestMs: value.readDoubleLE(6), newestMs: value.readDoubleLE(14) };
      yield [readKey(key).merchantId, { players: value.readUIntLE(0, 6), span }];
    }
  }

  writeCounts(merchantId: string, { players, span }: StoredCounts): void {
    const value = Buffer.allocUnsafe(countBytes);
    value.writeUIntLE(players, 0, 6);
    value.writeDoubleLE(span.oldestMs, 6);
    value.writeDoubleLE(span.newestMs, 14);
    this.#tables.historyCounts.put(encodeKey(merchantId, ""), value);
  }
}

/** How many chunks stand by themselves, before the last one. */
export function countChunksBefore(rows: number): number {
  return Math.max(0, Math.ceil(rows / chunkRows) - 1);
}

export function isPlayer({ kind }: Subject): boolean {
  return kind === "player";
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
