import { randomBytes } from "node:crypto";
import type { Subject } from "../../core/history/history.ts";
import { chunkRows } from "../../core/history/pack.ts";
import { encodeLabel } from "./codec/row-record.ts";
import { waitForCommit } from "./durable-writes.ts";
import type { EmbeddedHistories, Gone } from "./histories.ts";
import { isPlayer } from "./history-disk.ts";
import { encodeHistoryKey } from "./history-keys.ts";
import type { Intake } from "./intake.ts";
import { joinSubjectKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { MoveOrder } from "./move-order.ts";
import type { Mover } from "./mover.ts";
import { forEachInSlices } from "./slices.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** A slice in ms while LMDB keeps up, and the longest, where what waits for it comes near what may. */
const sliceMsUsual = 0.7;
const sliceMsMax = 4;
/** Bytes on their way to LMDB at once. */
const inFlightBytesMax = 2 * 1024 * 1024;
/** Histories on their way at once. LMDB keeps the memory of the pages that its greatest transaction changed, and that is one for each. */
const inFlightMax = 2_048;
/** How long rows stay in the journal alone where there are many of them, in ms. */
const idleMsMax = 30_000;
/** So few histories are moved whenever there is time. */
const fewHistories = 256;
const movesMax = 255;
/** Histories that are fetched from memory together. */
const fetchedMax = 16;
const proofBytes = 8;

/** A head that LMDB has from now on (1), or no more (-1). */
type Sent = {
  readonly merchantId: string;
  readonly subject: Subject;
  readonly number: number;
  readonly players: 1 | -1;
};

/**
 * Moves histories that changed to LMDB, each as it stands when its turn comes: with the sequence of the journal that is in it, so that a restart knows
 * which records it has. Slices of a millisecond, one transaction each, of which every one brings a proof of its own.
 */
export class HistoryMover implements Mover {
  readonly #histories: EmbeddedHistories;
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  readonly #behindBytesWanted: number;
  readonly #onMoved: () => void;
  readonly #order: MoveOrder;
  /** Entries of `dirty` that belong to the move. */
  #end = 0;
  #next = 0;
  #fetched = 0;
  readonly #batch = new Int32Array(fetchedMax);
  #move = 0;
  #isMoving = false;
  #bytes = 0;
  #records = 0;
  /** Labels that were sent to LMDB, and those that it has for good. */
  #labels = 0;
  #labelsKept: number;
  #endedMs = performance.now();
  /** What was sent since LMDB was waited for last. */
  #proofs: { readonly key: Buffer; readonly value: Buffer; readonly commit: Promise<boolean> }[] = [];
  #sent: Sent[] = [];
  readonly #merchants = new Set<string>();
  #inFlightBytes = 0;
  #inFlight = 0;

  constructor(parts: {
    readonly histories: EmbeddedHistories;
    readonly tables: LmdbTables;
    readonly intake: Intake;
    /** Bytes of rows that the journal may hold alone. */
    readonly behindBytesWanted: number;
    readonly onMoved: () => void;
  }) {
    const { histories } = parts;
    this.#histories = histories;
    this.#order = new MoveOrder(histories.table, histories.dirty);
    this.#tables = parts.tables;
    this.#intake = parts.intake;
    this.#behindBytesWanted = parts.behindBytesWanted;
    this.#onMoved = parts.onMoved;
    for (const _ of histories.disk.labels()) this.#labels++;
    this.#labelsKept = this.#labels;
  }

  /** Moving writes whole histories for single rows, so many rows are waited for; few histories are quick to move. */
  readonly isDue = (): boolean => {
    const { dirty, gone, bytes, replayed } = this.#histories;
    if (dirty.length + gone.size + replayed.waiting() <= fewHistories || bytes > this.#behindBytesWanted)
      return true;
    return this.#isWanted || performance.now() - this.#endedMs >= idleMsMax;
  };

  #isWanted = false;

  /** There are too many rows in memory, and none that may go. */
  readonly want = (): void => {
    this.#isWanted = true;
  };

  /** Whether LMDB has all of it for good. */
  isClean(subject: number): boolean {
    const { marks } = this.#histories;
    return !marks.isDirty(subject) && !(this.#isMoving && marks.movedIn(subject) === this.#move);
  }

  behindBytes(): number {
    return this.#bytes + this.#histories.bytes;
  }

  behindRecords(): number {
    return this.#records + this.#histories.records;
  }

  readonly start = (): void => {
    const histories = this.#histories;
    this.#isMoving = true;
    this.#isWanted = false;
    this.#move = (this.#move % movesMax) + 1;
    this.#end = 0;
    this.#next = 0;
    this.#fetched = 0;
    histories.movingGone = histories.gone;
    histories.gone = new Map();
    this.#bytes = histories.bytes;
    this.#records = histories.records;
    histories.bytes = 0;
    histories.records = 0;
  };

  readonly write = async (): Promise<void> => {
    while (this.#loadSlice()) await new Promise((resolve) => setImmediate(resolve));
    // Not before: what waited for its history is in the journal and so belongs to the move, whoever loaded it since that began.
    this.#end = this.#histories.dirty.length;
    this.#order.begin(this.#end);
    while (this.#orderSlice()) await new Promise((resolve) => setImmediate(resolve));
    const gone = this.#histories.movingGone.values();
    while (this.#writeSlice(gone)) {
      if (this.#inFlightBytes > inFlightBytesMax || this.#inFlight > inFlightMax) await this.#settle();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#settle();
  };

  /** Loads some of the histories that records of the journal wait for. False where none is left. */
  #loadSlice(): boolean {
    const { replayed } = this.#histories;
    const startedMs = performance.now();
    while (performance.now() - startedMs < sliceMsUsual) if (!replayed.loadNext()) return false;
    return true;
  }

  /** False where the order of the move stands. */
  #orderSlice(): boolean {
    const startedMs = performance.now();
    while (performance.now() - startedMs < sliceMsUsual) if (!this.#order.step()) return false;
    return true;
  }

  readonly finish = (): void => {
    const histories = this.#histories;
    histories.dirty.drop(this.#end);
    histories.movingGone = new Map();
    this.#labelsKept = this.#labels;
    this.#reset();
    this.#endedMs = performance.now();
    this.#onMoved();
  };

  readonly abandon = (): void => {
    const histories = this.#histories;
    for (let at = 0; at < this.#next; at++) {
      const subject = this.#order.at(at);
      // Numbers may have gone to others since: those are written once more, for nothing.
      if (histories.marks.movedIn(subject) === this.#move) histories.marks.setWhole(subject);
    }
    for (const sent of this.#sent) {
      if (sent.players > 0 && histories.marks.movedIn(sent.number) === this.#move) {
        histories.marks.setUnkept(sent.number);
      }
    }
    histories.players.unsend();
    histories.gone = new Map([...histories.movingGone, ...histories.gone]);
    histories.movingGone = new Map();
    histories.bytes += this.#bytes;
    histories.records += this.#records;
    this.#labels = this.#labelsKept;
    this.#reset();
  };

  #reset(): void {
    this.#order.end();
    this.#isMoving = false;
    this.#bytes = 0;
    this.#records = 0;
    this.#proofs = [];
    this.#sent = [];
    this.#inFlightBytes = 0;
    this.#inFlight = 0;
  }

  /** False where nothing is left. */
  #writeSlice(gone: Iterator<Gone>): boolean {
    // What a failing write may still take back must not reach LMDB.
    if (!this.#intake.flush()) throw new StoreUnavailable("the journal cannot be written");
    const sequence = this.#intake.sequence();
    const startedMs = performance.now();
    const sliceMs = this.#sliceMs();
    let isMore = true;
    do {
      isMore = this.#writeLabel() || this.#removeNext(gone) || this.#writeNext(sequence);
    } while (isMore && performance.now() - startedMs < sliceMs);
    this.#writeCounts();
    this.#prove();
    return isMore;
  }

  /** The more waits, the longer: so what comes in is slowed down before it has to be refused. */
  #sliceMs(): number {
    const pressure = this.behindBytes() / this.#behindBytesWanted;
    return Math.min(sliceMsUsual * Math.max(1, pressure) ** 2, sliceMsMax);
  }

  #writeLabel(): boolean {
    const { labels, disk } = this.#histories;
    if (this.#labels >= labels.count()) return false;
    const bytes = encodeLabel(labels.get(this.#labels));
    disk.writeLabel(this.#labels++, bytes);
    this.#inFlightBytes += bytes.length;
    return true;
  }

  #removeNext(gone: Iterator<Gone>): boolean {
    const next = gone.next();
    if (next.done) return false;
    this.#remove(next.value, -1);
    return true;
  }

  #remove({ merchantId, subject, chunksMax }: Gone, number: number): void {
    this.#histories.disk.remove(encodeHistoryKey(merchantId, subject), chunksMax);
    this.#send({ merchantId, subject, number, players: -1 });
  }

  #writeNext(sequence: number): boolean {
    if (this.#next === this.#end) return false;
    if (this.#next >= this.#fetched) this.#fetchNext();
    const { table, marks, disk } = this.#histories;
    const number = this.#order.at(this.#next++);
    if (!marks.isDirty(number)) return true;
    const merchantId = table.merchantOf(number);
    const subject = table.subjectOf(number);
    // One that was removed while this move runs, and came again.
    const before = this.#histories.takeGone(merchantId, subject);
    if (before !== undefined) this.#remove(before, -1);
    const kept = marks.chunksKept(number);
    const { chunksBefore, bytes } = disk.write(table, number, {
      subject,
      sequence,
      fromChunk: this.#firstChunkToWrite(number, kept),
      chunksMax: marks.chunksMax(number),
    });
    table.markClean(number);
    marks.setMoved(number, this.#move, chunksBefore);
    this.#inFlightBytes += bytes;
    this.#inFlight++;
    if (kept === undefined) this.#send({ merchantId, subject, number, players: 1 });
    else this.#merchants.add(merchantId);
    return true;
  }

  #fetchNext(): void {
    const { table } = this.#histories;
    this.#fetched = Math.min(this.#next + fetchedMax, this.#end);
    const count = this.#fetched - this.#next;
    for (let at = 0; at < count; at++) this.#batch[at] = this.#order.at(this.#next + at);
    table.prefetchToPack(this.#batch.subarray(0, count));
  }

  /** A chunk that was the last one stood with the head, and must now stand by itself. */
  #firstChunkToWrite(number: number, kept: number | undefined): number {
    const { table, marks } = this.#histories;
    if (kept === undefined || marks.isWhole(number)) return 0;
    return Math.min(kept, Math.floor((table.dirtyFrom(number) ?? 0) / chunkRows));
  }

  #send(sent: Sent): void {
    this.#merchants.add(sent.merchantId);
    this.#sent.push(sent);
    if (isPlayer(sent.subject)) this.#histories.players.send(sent.merchantId, sent.players);
  }

  /** In the transaction of the heads that they count. */
  #writeCounts(): void {
    const { players, disk } = this.#histories;
    for (const merchantId of this.#merchants) {
      disk.writeCounts(merchantId, {
        players: players.sent(merchantId),
        span: players.span(merchantId),
      });
    }
    this.#merchants.clear();
  }

  #prove(): void {
    const key = Buffer.from(`history-proof-${this.#proofs.length}`, "latin1");
    const value = randomBytes(proofBytes);
    this.#proofs.push({ key, value, commit: this.#tables.meta.put(key, value) });
  }

  /** Fails: rejects where LMDB does not have what was sent. */
  async #settle(): Promise<void> {
    const proofs = this.#proofs;
    const all = this.#sent;
    await waitForCommit(Promise.all(proofs.map(({ commit }) => commit)));
    if (!proofs.every(({ key, value }) => this.#tables.meta.getBinary(key)?.equals(value))) {
      throw new Error("LMDB dropped histories that it acknowledged");
    }
    this.#proofs = [];
    this.#sent = [];
    this.#inFlightBytes = 0;
    this.#inFlight = 0;
    await forEachInSlices(all, (sent) => this.#land(sent));
  }

  #land({ merchantId, subject, players }: Sent): void {
    const histories = this.#histories;
    if (players < 0) histories.movingGone.delete(joinSubjectKey(merchantId, subject));
    if (isPlayer(subject)) histories.players.land(merchantId, subject.id, players);
  }
}
