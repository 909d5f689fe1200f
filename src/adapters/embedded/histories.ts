import { compareIds } from "../../core/compare-ids.ts";
import type { History, NewRow, Placed, Subject } from "../../core/history/history.ts";
import { HistoryTable, type Undo } from "../../core/history/history-table.ts";
import type { LabelTable } from "../../core/history/labels.ts";
import type { SortedIds } from "../../core/sorted-ids.ts";
import type { HistoryStore } from "../../ports/history-store.ts";
import { encodeMerge } from "./codec/merge-record.ts";
import { decodeLabel, encodeLabel, encodeReversal, encodeRow } from "./codec/row-record.ts";
import type { HistoryDisk } from "./history-disk.ts";
import { countChunksBefore, isPlayer } from "./history-disk.ts";
import { encodeHistoryKey, encodeHistoryKeyBriefly } from "./history-keys.ts";
import { HistoryMarks } from "./history-marks.ts";
import { HistoryReplay } from "./history-replay.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { countRecordBytes, recordKinds } from "./journal/format.ts";
import { joinSubjectKey } from "./keys.ts";
import { NumberQueue } from "./number-queue.ts";
import { PlayerCounts, type Span } from "./player-counts.ts";

type RowOptions = { readonly isPaymentFact: boolean; readonly amountWins?: boolean };
/** A history that LMDB still has, and that is no more. */
export type Gone = { readonly merchantId: string; readonly subject: Subject; readonly chunksMax: number };

const nothing = Buffer.alloc(0);
/** Players that are listed in one go. */
const listedMax = 256;

/**
 * Histories: what was used lately is in memory, all of it is in LMDB or in the journal. One that is not in memory is loaded by the first who asks.
 *
 * A history that is in memory is known to the table; what the store notes of it beside is in `marks`. `dirty` are the numbers of those that changed
 * since LMDB got them, `gone` are those that LMDB still has and nobody else.
 */
export class EmbeddedHistories implements HistoryStore {
  readonly labels: LabelTable;
  readonly table: HistoryTable;
  readonly disk: HistoryDisk;
  readonly marks = new HistoryMarks();
  readonly players = new PlayerCounts();
  readonly replayed = new HistoryReplay(this);
  readonly #intake: Intake;
  /** Told when there may be more rows in memory than there should. */
  readonly #onGrown: () => void;
  readonly dirty = new NumberQueue();
  gone = new Map<string, Gone>();
  movingGone = new Map<string, Gone>();
  /** Bytes and records of the journal that LMDB does not have. */
  bytes = 0;
  records = 0;
  #labelsWritten: number;
  /** Where the table puts the undo of a row, to be taken out at once: the rows of a turn are many, and their undos live until it is written. */
  readonly #undos: Undo[] = [];
  /** Of the record that is being appended: how it is taken back, until the journal has asked, and its bytes. */
  #undoNext: (() => void) | undefined;
  #bytesNext = 0;

  constructor(disk: HistoryDisk, intake: Intake, onGrown: () => void) {
    this.table = new HistoryTable();
    this.labels = this.table.labels;
    this.disk = disk;
    this.#intake = intake;
    this.#onGrown = onGrown;
    for (const [label, bytes] of disk.labels()) this.labels.restore(label, decodeLabel(bytes));
    for (const [merchantId, { players, span }] of disk.counts()) {
      this.players.load(merchantId, players, span);
    }
    this.#labelsWritten = this.labels.count();
  }

  readonly get = (merchantId: string, subject: Subject): History | undefined => {
    const number = this.find(merchantId, subject);
    return number < 0 ? undefined : this.table.view(number);
  };

  readonly prefetch = (merchantId: string, playerIds: readonly string[]): void =>
    this.marks.prefetch(this.table.prefetch(merchantId, { kind: "player", ids: playerIds }));

  readonly place = (
    merchantId: string,
    subject: Subject,
    row: NewRow,
    options: RowOptions,
  ): { readonly placed: Placed; readonly durable: Promise<void> } => {
    const number = this.open(merchantId, subject);
    const { isPaymentFact, amountWins = false } = options;
    const placed = this.table.place(number, row, { isPaymentFact, amountWins, undo: this.#undos });
    const undo = this.#undos.pop();
    if (undo === undefined) {
      this.#dropEmpty(number, merchantId, subject);
      // It may be there since this very turn.
      return { placed, durable: this.#intake.written() };
    }
    const spanBefore = this.players.span(merchantId);
    if (isPlayer(subject)) this.players.widenSpan(merchantId, row.atMs);
    this.#writeLabels();
    const value = encodeRow(row, this.labels.intern(row.label)!, options);
    const durable = this.#append("row", number, merchantId, subject, value, () => {
      if (isPlayer(subject)) this.players.setSpan(merchantId, spanBefore);
      this.#takeBack(merchantId, subject, undo);
    });
    return { placed, durable };
  };

  readonly reverse = (
    merchantId: string,
    subject: Subject,
    row: { readonly id: number; readonly atMs: number },
  ): { readonly found: boolean; readonly durable: Promise<void> } => {
    const number = this.open(merchantId, subject);
    const reversal = this.table.reverse(number, row, { undo: this.#undos });
    const undo = this.#undos.pop();
    const found = reversal === "reversed" || reversal === "again";
    if (undo === undefined) {
      this.#dropEmpty(number, merchantId, subject);
      return { found, durable: this.#intake.written() };
    }
    const durable = this.#append("reversal", number, merchantId, subject, encodeReversal(row), () =>
      this.#takeBack(merchantId, subject, undo),
    );
    return { found, durable };
  };

  /** What cannot be taken back is done only when the journal has it. */
  readonly merge = (merchantId: string, from: Subject, into: Subject): Promise<void> => {
    const source = this.find(merchantId, from);
    if (source < 0 || (from.kind === into.kind && from.id === into.id)) return this.#intake.written();
    const value = encodeMerge(this.table, source, encodeHistoryKey(merchantId, from));
    const durable = this.#commit("merge", encodeHistoryKey(merchantId, into), value);
    if (durable.isKept) {
      const target = this.open(merchantId, into);
      this.forget(merchantId, from, source);
      this.table.merge(source, target);
      this.touch(target);
    }
    return durable.promise;
  };

  readonly remove = async (merchantId: string, subject: Subject): Promise<number> => {
    const number = this.find(merchantId, subject);
    if (number < 0) return 0;
    const durable = this.#commit("removal", encodeHistoryKey(merchantId, subject), nothing);
    let rows = 0;
    if (durable.isKept) {
      this.forget(merchantId, subject, number);
      rows = this.table.remove(number);
    }
    await durable.promise;
    return rows;
  };

  readonly hasPlayer = (merchantId: string, playerId: string): boolean => {
    const player: Subject = { kind: "player", id: playerId };
    if (this.table.find(merchantId, player) >= 0) return true;
    return !this.isGone(merchantId, player) && this.disk.has(encodeHistoryKeyBriefly(merchantId, player));
  };

  readonly listPlayers = (merchantId: string): AsyncGenerator<readonly string[], void> =>
    this.#listPlayers(merchantId);

  /** Of those that LMDB did not have at the call some will have moved there by the time of their page: each page is made in one turn. */
  async *#listPlayers(merchantId: string): AsyncGenerator<readonly string[], void> {
    const fresh = await this.players.sortFresh(merchantId);
    for (let from = { fresh: 0, afterId: "" }; ; ) {
      const page = this.#listPage(merchantId, fresh, from);
      if (page.ids.length > 0) yield page.ids;
      if (page.ids.length < listedMax) return;
      from = { fresh: page.fresh, afterId: page.ids.at(-1)! };
    }
  }

  #listPage(
    merchantId: string,
    fresh: SortedIds,
    from: { readonly fresh: number; readonly afterId: string },
  ): { readonly ids: readonly string[]; readonly fresh: number } {
    const ids: string[] = [];
    let next = from.fresh;
    /** The next of those that are fresh still. */
    const peek = (): string | undefined => {
      for (; next < fresh.size; next++) {
        const id = fresh.at(next);
        if (this.players.isFresh(merchantId, id)) return id;
      }
      return undefined;
    };
    const takeBefore = (end: string | undefined): void => {
      for (let id = peek(); id !== undefined && ids.length < listedMax; id = peek()) {
        if (end !== undefined && compareIds(id, end) >= 0) return;
        ids.push(id);
        next++;
      }
    };
    for (const id of this.disk.listPlayers(merchantId, from.afterId)) {
      takeBefore(id);
      if (ids.length === listedMax) return { ids, fresh: next };
      if (peek() === id) next++;
      else if (this.#isOnlyOnDisk(merchantId, id)) continue;
      if (ids.push(id) === listedMax) return { ids, fresh: next };
    }
    takeBefore(undefined);
    return { ids, fresh: next };
  }

  readonly countPlayers = (merchantId: string): number => this.players.count(merchantId);

  readonly newestMs = (merchantId: string): number | undefined => this.#span(merchantId)?.newestMs;

  readonly oldestMs = (merchantId: string): number | undefined => this.#span(merchantId)?.oldestMs;

  #span(merchantId: string): Span | undefined {
    const span = this.players.span(merchantId);
    return this.players.count(merchantId) === 0 || span.oldestMs > span.newestMs ? undefined : span;
  }

  /** What LMDB still has, and nobody else. */
  #isOnlyOnDisk(merchantId: string, playerId: string): boolean {
    const player: Subject = { kind: "player", id: playerId };
    return this.isGone(merchantId, player) && this.table.find(merchantId, player) < 0;
  }

  isGone(merchantId: string, subject: Subject): boolean {
    if (this.gone.size === 0 && this.movingGone.size === 0) return false;
    const key = joinSubjectKey(merchantId, subject);
    return this.gone.has(key) || this.movingGone.has(key);
  }

  /** Whoever gets it removes it. */
  takeGone(merchantId: string, subject: Subject): Gone | undefined {
    if (this.gone.size === 0) return undefined;
    const key = joinSubjectKey(merchantId, subject);
    const gone = this.gone.get(key);
    if (gone !== undefined) {
      this.gone.delete(key);
      this.movingGone.set(key, gone);
    }
    return gone;
  }

  /** Takes a record of the journal at opening. */
  replay(record: JournalRecord): void {
    if (record.kind !== recordKinds.label) this.#count(record.key, record.value);
    this.replayed.take(record);
  }

  /** The journal is through. */
  endReplay(): void {
    this.replayed.end();
    this.#labelsWritten = this.labels.count();
    this.#onGrown();
  }

  /** Forgets a history that LMDB has, until somebody asks for it. */
  evict(number: number): void {
    this.marks.clear(number);
    this.table.remove(number);
  }

  find(merchantId: string, subject: Subject): number {
    const known = this.table.find(merchantId, subject);
    if (known < 0) return this.isGone(merchantId, subject) ? -1 : this.#load(merchantId, subject);
    this.marks.use(known);
    return known;
  }

  #load(merchantId: string, subject: Subject): number {
    const key = encodeHistoryKey(merchantId, subject);
    const stored = this.disk.find(key);
    if (stored === undefined) return -1;
    const number = this.table.openCold(merchantId, subject, stored.head);
    try {
      const chunks = countChunksBefore(this.table.countRows(number));
      this.table.unpackInto(number, { head: stored.head, chunks: this.disk.readChunks(key, stored, chunks) });
      this.marks.reset(number, chunks);
    } catch (error) {
      this.table.remove(number);
      throw error;
    }
    this.replayed.noteLoaded(number, merchantId, subject, stored.sequence);
    this.#onGrown();
    return number;
  }

  open(merchantId: string, subject: Subject): number {
    const known = this.find(merchantId, subject);
    if (known >= 0) return known;
    const number = this.table.open(merchantId, subject);
    this.marks.reset(number, undefined);
    if (isPlayer(subject)) this.players.addFresh(merchantId, subject.id);
    this.replayed.noteOpened(number);
    this.#onGrown();
    return number;
  }

  /** Nothing came of a history that was opened, or what came was taken back. */
  #dropEmpty(number: number, merchantId: string, subject: Subject): void {
    if (this.marks.chunksKept(number) !== undefined || this.table.view(number) !== undefined) return;
    this.forget(merchantId, subject, number);
    this.table.remove(number);
  }

  #takeBack(merchantId: string, subject: Subject, undo: Undo): void {
    // It may have left memory since, or have another number.
    const number = this.table.find(merchantId, subject);
    if (number < 0) return;
    undo(number);
    this.#dropEmpty(number, merchantId, subject);
  }

  /** Notes that a history is no more; the table is told by the caller. */
  forget(merchantId: string, subject: Subject, number: number): void {
    const isKept = this.marks.chunksKept(number) !== undefined;
    this.marks.clear(number);
    if (isPlayer(subject)) {
      if (isKept) this.players.addGone(merchantId);
      else this.players.removeFresh(merchantId, subject.id);
    }
    if (!isKept) return;
    const chunksMax = this.marks.chunksMax(number);
    this.gone.set(joinSubjectKey(merchantId, subject), { merchantId, subject, chunksMax });
  }

  #append(
    kind: "row" | "reversal",
    number: number,
    merchantId: string,
    subject: Subject,
    value: Uint8Array,
    undo: () => void,
  ): Promise<void> {
    const key = encodeHistoryKeyBriefly(merchantId, subject);
    this.touch(number);
    this.#undoNext = undo;
    this.#bytesNext = countRecordBytes(key, value);
    const durable = this.#intake.append(kind, key, value, this.#takeNext);
    if (this.#undoNext !== undefined) {
      this.#undoNext = undefined;
      undo();
    }
    return durable;
  }

  /** For every row the same closure. */
  readonly #takeNext = (): (() => void) => {
    const undo = this.#undoNext!;
    this.#undoNext = undefined;
    this.bytes += this.#bytesNext;
    this.records++;
    return undo;
  };

  /** Writes a record at once. */
  #commit(
    kind: "merge" | "removal",
    key: Buffer,
    value: Uint8Array,
  ): { readonly isKept: boolean; readonly promise: Promise<void> } {
    this.#writeLabels();
    let isTaken = false;
    const promise = this.#intake.append(kind, key, value, () => {
      isTaken = true;
      this.#count(key, value);
      return () => {};
    });
    promise.catch(() => {});
    return { isKept: isTaken && this.#intake.flush(), promise };
  }

  /** Labels stand in the journal before the rows that name them. */
  #writeLabels(): void {
    const count = this.labels.count();
    if (this.#labelsWritten === count) return;
    for (const label of this.labels.entriesFrom(this.#labelsWritten)) {
      const number = this.#labelsWritten;
      const key = Buffer.allocUnsafe(4);
      key.writeUInt32LE(number);
      const written = this.#intake.append("label", key, encodeLabel(label), () => {
        this.#labelsWritten = number + 1;
        return () => {
          this.#labelsWritten = number;
        };
      });
      // Whatever refuses it refuses the row behind it, whose caller is told.
      written.catch(() => {});
    }
  }

  touch(number: number): void {
    if (this.marks.setDirty(number)) this.dirty.push(number);
  }

  #count(key: Uint8Array, value: Uint8Array): void {
    this.bytes += countRecordBytes(key, value);
    this.records++;
  }
}
