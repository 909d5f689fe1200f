import type { Subject } from "../../core/history/history.ts";
import { decodeMerge } from "./codec/merge-record.ts";
import { decodeLabel, decodeReversal, decodeRow, readRowInstant } from "./codec/row-record.ts";
import type { EmbeddedHistories } from "./histories.ts";
import { isPlayer } from "./history-disk.ts";
import {
  decodeHistoryKey,
  encodeHistoryKeyBriefly,
  isPlayerKey,
  readHistoryMerchant,
} from "./history-keys.ts";
import { type JournalRecord, recordKinds } from "./journal/format.ts";
import { ReplayBacklog } from "./replay-backlog.ts";

/** Rows that are taken together, so that what is known of their histories is fetched from memory together. */
const batchMax = 64;

/** Of a history that comes with a record of the journal; no caller's id has a NUL. */
const passing: Subject = { kind: "key", id: "\u0000merged" };

/**
 * Brings the records of the journal into histories at opening. LMDB may have some of them already, and says for each history up to where. What
 * belongs to a history that LMDB has waits until somebody asks for it, or until it is moved: so a start takes no longer for it.
 */
export class HistoryReplay {
  readonly #histories: EmbeddedHistories;
  readonly #backlog = new ReplayBacklog();
  readonly #batch: JournalRecord[] = [];
  /** Up to which number of the backlog histories were loaded. One walk for all: to begin anew each time would be to step over all that went before. */
  #walked = 0;
  /** By number: the sequence up to which LMDB had a history that was loaded. Undefined when the journal is through. */
  #loadedFrom: Map<number, number> | undefined = new Map();

  constructor(histories: EmbeddedHistories) {
    this.#histories = histories;
  }

  /** Histories that wait to be loaded. */
  waiting(): number {
    return this.#backlog.size();
  }

  /** Loads one that waits. False where none does. */
  loadNext(): boolean {
    const next = this.#backlog.next(this.#walked);
    this.#walked = next + 1;
    if (next < 0) return false;
    const { merchantId, subject } = decodeHistoryKey(this.#backlog.keyOf(next));
    this.#histories.find(merchantId, subject);
    return true;
  }

  /** To be told of each history that was made anew. */
  noteOpened(number: number): void {
    this.#loadedFrom?.delete(number);
  }

  /** To be told of each history that was loaded: it gets what waits for it. */
  noteLoaded(number: number, merchantId: string, subject: Subject, sequence: number): void {
    this.#loadedFrom?.set(number, sequence);
    if (this.#backlog.size() === 0) return;
    const waiting = this.#backlog.take(encodeHistoryKeyBriefly(merchantId, subject));
    for (const record of waiting) this.#apply(record, number, merchantId, subject);
  }

  /** Takes the next record of the journal in, now or with some of those that follow. */
  take(record: JournalRecord): void {
    this.#batch.push(record);
    if (record.kind !== recordKinds.row || this.#batch.length === batchMax) this.#takeBatch();
  }

  #takeBatch(): void {
    this.#backlog.prefetch(this.#batch);
    for (const record of this.#batch) this.#takeOne(record);
    this.#batch.length = 0;
  }

  #takeOne(record: JournalRecord): void {
    if (record.kind === recordKinds.label) {
      this.#histories.labels.restore(record.key.readUInt32LE(0), decodeLabel(record.value));
      return;
    }
    if (this.#canWait(record)) return;
    const { merchantId, subject } = decodeHistoryKey(record.key);
    if (record.kind === recordKinds.merge) this.#endSource(record, merchantId);
    const number = this.#histories.open(merchantId, subject);
    if (!this.#isKnown(record, number)) this.#apply(record, number, merchantId, subject);
  }

  /** The journal is through. */
  end(): void {
    this.#takeBatch();
    this.#loadedFrom = undefined;
    this.#backlog.end();
  }

  /** Whether it is a row of a history that LMDB has and nobody asked for yet. */
  #canWait(record: JournalRecord): boolean {
    if (record.kind !== recordKinds.row && record.kind !== recordKinds.reversal) return false;
    let number = this.#backlog.find(record.key);
    if (number < 0) {
      const sequence = this.#findOnDisk(record);
      if (sequence === undefined) return false;
      number = this.#backlog.open(record, sequence);
    }
    this.#backlog.add(number, record);
    if (record.kind === recordKinds.row && isPlayerKey(record.key)) {
      this.#histories.players.widenSpan(readHistoryMerchant(record.key), readRowInstant(record.value));
    }
    return true;
  }

  /** Up to where LMDB has the history of a record; undefined where it has none, or it is in memory or gone since. */
  #findOnDisk({ key }: JournalRecord): number | undefined {
    const { table, disk } = this.#histories;
    const { merchantId, subject } = decodeHistoryKey(key);
    if (table.find(merchantId, subject) >= 0 || this.#histories.isGone(merchantId, subject)) return undefined;
    return disk.findSequence(key);
  }

  #isKnown({ sequence }: JournalRecord, number: number): boolean {
    return sequence <= (this.#loadedFrom?.get(number) ?? 0);
  }

  #apply({ kind, value }: JournalRecord, number: number, merchantId: string, subject: Subject): void {
    const histories = this.#histories;
    const { table, labels } = histories;
    histories.touch(number);
    switch (kind) {
      case recordKinds.row: {
        const { row, flags } = decodeRow(value, (label) => labels.get(label));
        table.place(number, row, flags);
        if (isPlayer(subject)) histories.players.widenSpan(merchantId, row.atMs);
        return;
      }
      case recordKinds.reversal:
        table.reverse(number, decodeReversal(value));
        return;
      case recordKinds.merge:
        this.#mergeRows(value, merchantId, number);
        return;
      case recordKinds.removal:
        histories.forget(merchantId, subject, number);
        table.remove(number);
        return;
    }
  }

  /** The one that a merge takes rows from ends with it, unless LMDB has what came later. */
  #endSource(record: JournalRecord, merchantId: string): void {
    const { subject } = decodeHistoryKey(decodeMerge(record.value).from);
    const number = this.#histories.find(merchantId, subject);
    if (number < 0 || this.#isKnown(record, number)) return;
    this.#histories.forget(merchantId, subject, number);
    this.#histories.table.remove(number);
  }

  #mergeRows(value: Buffer, merchantId: string, into: number): void {
    const { table } = this.#histories;
    const { head, chunks } = decodeMerge(value);
    const number = table.openCold(merchantId, passing, head);
    table.unpackInto(number, { head, chunks });
    table.merge(number, into);
  }
}
