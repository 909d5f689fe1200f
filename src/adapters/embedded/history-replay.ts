import type { Subject } from "../../core/history/history.ts";
import { decodeMerge } from "./codec/merge-record.ts";
import { decodeLabel, decodeReversal, decodeRow, readRowInstant } from "./codec/row-record.ts";
import type { EmbeddedHistories } from "./histories.ts";
import { isPlayer } from "./history-disk.ts";
import { decodeHistoryKey } from "./history-keys.ts";
import { type JournalRecord, recordKinds } from "./journal/format.ts";
import { joinSubjectKey } from "./keys.ts";
import { ReplayBacklog } from "./replay-backlog.ts";

/** Of a history that comes with a record of the journal; no caller's id has a NUL. */
const passing: Subject = { kind: "key", id: "\u0000merged" };

/**
 * Brings the records of the journal into histories at opening. LMDB may have some of them already, and says for each history up to where. What
 * belongs to a history that LMDB has waits until somebody asks for it, or until it is moved: so a start takes no longer for it.
 */
export class HistoryReplay {
  readonly #histories: EmbeddedHistories;
  readonly #backlog = new ReplayBacklog();
  #walk: Iterator<string, undefined> | undefined;
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
    // One walk for all of them: to begin anew each time would be to step over all that went before.
    this.#walk ??= this.#backlog.keys();
    const next = this.#walk.next();
    if (next.done === true) {
      this.#walk = undefined;
      return false;
    }
    const [record] = this.#backlog.peek(next.value);
    const { merchantId, subject } = decodeHistoryKey(record!.key);
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
    const waiting = this.#backlog.take(joinSubjectKey(merchantId, subject));
    for (const record of waiting) this.#apply(record, number, merchantId, subject);
  }

  take(record: JournalRecord): void {
    if (record.kind === recordKinds.label) {
      this.#histories.labels.restore(record.key.readUInt32LE(0), decodeLabel(record.value));
      return;
    }
    const { merchantId, subject } = decodeHistoryKey(record.key);
    if (this.#canWait(record, merchantId, subject)) return;
    if (record.kind === recordKinds.merge) this.#endSource(record, merchantId);
    const number = this.#histories.open(merchantId, subject);
    if (!this.#isKnown(record, number)) this.#apply(record, number, merchantId, subject);
  }

  /** The journal is through. */
  end(): void {
    this.#loadedFrom = undefined;
    this.#backlog.end();
  }

  /** Whether it is a row of a history that LMDB has and nobody asked for yet. */
  #canWait(record: JournalRecord, merchantId: string, subject: Subject): boolean {
    if (record.kind !== recordKinds.row && record.kind !== recordKinds.reversal) return false;
    const histories = this.#histories;
    const mapKey = joinSubjectKey(merchantId, subject);
    if (!this.#backlog.has(mapKey)) {
      if (histories.table.find(merchantId, subject) >= 0 || histories.isGone(merchantId, subject))
        return false;
      const sequence = histories.disk.findSequence(record.key);
      if (sequence === undefined) return false;
      this.#backlog.open(mapKey, sequence);
    }
    this.#backlog.add(mapKey, record);
    if (record.kind === recordKinds.row && isPlayer(subject)) {
      histories.players.widenSpan(merchantId, readRowInstant(record.value));
    }
    return true;
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
