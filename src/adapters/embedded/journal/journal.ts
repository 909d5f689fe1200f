/**
 * The append-only journal: what was acknowledged is in it.
 *
 * All appends of one turn of the event loop are written by one write at the turn's end, and only then do their promises resolve, so a killed process
 * (`kill -9`) loses nothing that was acknowledged. The disk is told to keep what was written every `syncIntervalMs` in the background: a power
 * cut or a dying kernel may lose the writes of that last interval.
 *
 * States: open -> failed (a write failed: appends are refused, the failed turn is undone) -> open (a trial write got through); failed for good
 * where a sync failed, because the kernel may have dropped what it could not write; closed.
 */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { StoreUnavailable } from "../store-unavailable.ts";
import type { JournalFiles } from "./files.ts";
import {
  countRecordBytes,
  encodeSegmentHeader,
  type JournalRecord,
  type RecordKind,
  recordBytesMax,
  recordHeaderBytes,
  recordKinds,
  segmentHeaderBytes,
  writeRecord,
} from "./format.ts";
import { nameSegment, type Recovered, recoverJournal, type Segment } from "./recover.ts";

/** How often written bytes are synced to the disk, in ms: what a power cut may lose. */
const syncIntervalMs = 100;
/** How often a failed disk is tried again, in ms. */
const trialIntervalMs = 1_000;
/** A turn that has this much to write is written at once, in bytes. */
const turnBytesMax = 4 * 1024 * 1024;
const bufferBytes = 1024 * 1024;
const noBytes = Buffer.alloc(0);

export type JournalOptions = {
  readonly directory: string;
  readonly files: JournalFiles;
  /** A segment of this many bytes is closed and the next one opened. */
  readonly segmentBytesMax: number;
  /** The last sequence known from elsewhere: the journal goes on behind it. */
  readonly sequenceMin: number;
  readonly replay: (record: JournalRecord) => void;
  readonly onError: (error: unknown, where: string) => void;
};

type Turn = {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: StoreUnavailable) => void;
  /** Take back what the appends of this turn did to memory, newest last. */
  readonly undos: (() => void)[];
  readonly sequenceBefore: number;
};

type ClosedSegment = Segment & { readonly lastSequence: number };
type ActiveSegment = Omit<Segment, "bytes"> & { readonly fd: number; readonly salt: number };
type Failure = { readonly why: string; readonly forGood: boolean };

export class Journal {
  readonly #options: JournalOptions;
  #closedSegments: ClosedSegment[] = [];
  #active!: ActiveSegment;
  /** Bytes of the active segment that hold whole records. */
  #activeBytes = 0;
  #sequence = 0;
  #buffer = Buffer.allocUnsafe(bufferBytes);
  #buffered = 0;
  #turn: Turn | undefined;
  #failure: Failure | undefined;
  #unsynced = false;
  #syncing: Promise<void> | undefined;
  #closed = false;
  readonly #syncTimer: NodeJS.Timeout;
  #trialTimer: NodeJS.Timeout | undefined;
  readonly bytesCut: number;

  /** Fails: throws where the journal is damaged (see `recoverJournal`) or the directory cannot be written. */
  constructor(options: JournalOptions) {
    this.#options = options;
    const { directory, files, replay, sequenceMin } = options;
    const recovered = recoverJournal(directory, files, sequenceMin, replay);
    this.bytesCut = recovered.bytesCut;
    this.#sequence = Math.max(recovered.lastSequence, sequenceMin);
    this.#resume(recovered);
    this.#syncTimer = setInterval(() => this.#syncInBackground(), syncIntervalMs);
    this.#syncTimer.unref();
  }

  /** The newest sequence given out, written or not. */
  sequence(): number {
    return this.#sequence;
  }

  /** Why appends are refused; undefined where they are not. */
  failure(): string | undefined {
    return this.#closed ? "it is closed" : this.#failure?.why;
  }

  stats(): { readonly bytes: number; readonly segments: number } {
    const closedBytes = this.#closedSegments.reduce((sum, { bytes }) => sum + bytes, 0);
    return { bytes: closedBytes + this.#activeBytes, segments: this.#closedSegments.length + 1 };
  }

  /**
   * Appends a record; the promise resolves when the turn is written. `apply` is called with the record's sequence and says how to take back what
   * it did to memory, should the write fail.
   *
   * Fails: rejects with StoreUnavailable, memory untouched, where the journal has failed or the write fails.
   */
  append(
    kind: RecordKind,
    key: Uint8Array,
    value: Uint8Array,
    apply: (sequence: number) => () => void,
  ): Promise<void> {
    const refusal = this.failure();
    if (refusal !== undefined) return Promise.reject(new StoreUnavailable(refusal));
    if (key.length + value.length > recordBytesMax) {
      return Promise.reject(
        new RangeError(
          `a record of ${key.length + value.length} bytes is longer than the journal's ${recordBytesMax}`,
        ),
      );
    }
    this.#turn ??= this.#startTurn();
    const turn = this.#turn;
    this.#write(kind, key, value);
    turn.undos.push(apply(this.#sequence));
    if (this.#buffered >= turnBytesMax) this.flush();
    return turn.promise;
  }

  /** Resolves when all that was appended so far is written. */
  written(): Promise<void> {
    return this.#turn?.promise ?? Promise.resolve();
  }

  /** Writes what this turn has appended so far, now. False where the write failed. */
  flush(): boolean {
    const turn = this.#turn;
    if (turn === undefined) return this.#failure === undefined;
    this.#turn = undefined;
    try {
      this.#writeOut();
    } catch (error) {
      this.#fail(turn, error);
      return false;
    }
    turn.resolve();
    if (this.#activeBytes >= this.#options.segmentBytesMax) this.#rotate();
    return true;
  }

  /** Deletes the segments that hold nothing above `sequence`: somebody else has it all, durably. Fails: rejects where one cannot be deleted. */
  async dropThrough(sequence: number): Promise<void> {
    const done = this.#closedSegments.filter(({ lastSequence }) => lastSequence <= sequence);
    this.#closedSegments = this.#closedSegments.filter(({ lastSequence }) => lastSequence > sequence);
    for (const { path } of done) await this.#options.files.removeLater(path);
  }

  /** Writes and syncs everything. Fails: rejects where the disk does not keep it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    clearInterval(this.#syncTimer);
    clearTimeout(this.#trialTimer);
    await this.#syncing;
    try {
      if (this.#failure?.forGood) throw new StoreUnavailable(this.#failure.why);
      await this.#options.files.sync(this.#active.fd);
    } finally {
      this.#options.files.close(this.#active.fd);
    }
  }

  #resume({ segments, lastSequence, lastSalt }: Recovered): void {
    const { files } = this.#options;
    const last = segments.at(-1);
    if (last === undefined || lastSequence < this.#sequence) {
      // LMDB knows more than the journal, so it has all of it; to go on in it would leave a gap.
      for (const { path } of segments) files.remove(path);
      this.#create();
      return;
    }
    this.#closedSegments = segments
      .slice(0, -1)
      .map((segment, at) => ({ ...segment, lastSequence: segments[at + 1]!.firstSequence - 1 }));
    this.#active = { ...last, fd: files.open(last.path, "existing"), salt: lastSalt };
    this.#activeBytes = last.bytes;
  }

  #create(): void {
    const { directory, files } = this.#options;
    const firstSequence = this.#sequence + 1;
    const path = join(directory, nameSegment(firstSequence));
    const salt = randomInt(2 ** 32);
    const fd = files.open(path, "create");
    try {
      const header = encodeSegmentHeader({ firstSequence, salt });
      writeAll(files, fd, header, header.length, 0);
    } catch (error) {
      files.close(fd);
      files.remove(path);
      throw error;
    }
    this.#active = { path, firstSequence, fd, salt };
    this.#activeBytes = segmentHeaderBytes;
    this.#syncNext(() => files.syncDirectory(directory));
  }

  #startTurn(): Turn {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // A caller that does not wait must not bring the process down; one that waits is told all the same.
    promise.catch(() => {});
    setImmediate(() => this.flush());
    return { promise, resolve, reject, undos: [], sequenceBefore: this.#sequence };
  }

  #write(kind: RecordKind, key: Uint8Array, value: Uint8Array): void {
    const needed = this.#buffered + countRecordBytes(key, value);
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#buffered);
      this.#buffer = larger;
    }
    const record = { sequence: ++this.#sequence, kind, key: key as Buffer, value: value as Buffer };
    this.#buffered = writeRecord(this.#buffer, this.#buffered, this.#active.salt, record);
  }

  #writeOut(): void {
    writeAll(this.#options.files, this.#active.fd, this.#buffer, this.#buffered, this.#activeBytes);
    this.#activeBytes += this.#buffered;
    this.#unsynced = true;
    this.#empty();
  }

  #empty(): void {
    this.#buffered = 0;
    // One large turn must not keep its buffer for ever.
    if (this.#buffer.length > 2 * turnBytesMax) this.#buffer = Buffer.allocUnsafe(bufferBytes);
  }

  /** Takes the turn back, in memory and in the file. */
  #fail(turn: Turn, cause: unknown): void {
    const why = `the journal could not be written (${describe(cause)})`;
    this.#empty();
    this.#sequence = turn.sequenceBefore;
    for (const undo of turn.undos.reverse()) undo();
    this.#dropResidue();
    this.#giveUp({ why, forGood: false }, cause);
    turn.reject(new StoreUnavailable(why, cause));
    this.#tryLater();
  }

  #giveUp(failure: Failure, cause: unknown): void {
    this.#failure = failure;
    this.#options.onError(cause, "journal");
  }

  #tryLater(): void {
    if (this.#closed) return;
    this.#trialTimer = setTimeout(() => {
      if (this.#closed || this.#failure?.forGood !== false) return;
      try {
        this.#writeTrial();
        this.#failure = undefined;
      } catch {
        this.#tryLater();
      }
    }, trialIntervalMs);
    this.#trialTimer.unref();
  }

  /** A failed write may have left whole records behind that were refused; a restart must not find them. */
  #dropResidue(): void {
    try {
      this.#options.files.truncate(this.#active.fd, this.#activeBytes);
    } catch (error) {
      this.#options.onError(error, "journal");
    }
  }

  #writeTrial(): void {
    const { files } = this.#options;
    files.truncate(this.#active.fd, this.#activeBytes);
    const sequence = this.#sequence + 1;
    const record = { sequence, kind: recordKinds.trial, key: noBytes, value: noBytes };
    writeRecord(this.#buffer, 0, this.#active.salt, record);
    writeAll(files, this.#active.fd, this.#buffer, recordHeaderBytes, this.#activeBytes);
    this.#sequence = sequence;
    this.#activeBytes += recordHeaderBytes;
    this.#unsynced = true;
  }

  /** A segment that cannot be opened is no failure: the old one goes on, and the next turn tries again. */
  #rotate(): void {
    const full = { ...this.#active, lastSequence: this.#sequence, bytes: this.#activeBytes };
    try {
      this.#create();
    } catch (error) {
      this.#options.onError(error, "journal");
      return;
    }
    this.#closedSegments.push(full);
    const { files } = this.#options;
    this.#syncNext(() => files.sync(full.fd).finally(() => files.close(full.fd)));
  }

  #syncInBackground(): void {
    if (!this.#unsynced || this.#syncing !== undefined || this.#failure !== undefined) return;
    this.#unsynced = false;
    const { fd } = this.#active;
    this.#syncNext(() => this.#options.files.sync(fd));
  }

  /** One sync at a time, in order. */
  #syncNext(sync: () => Promise<void>): void {
    const syncing = (this.#syncing ?? Promise.resolve())
      .then(sync)
      .catch((error: unknown) => this.#failSync(error))
      .then(() => {
        if (this.#syncing === syncing) this.#syncing = undefined;
      });
    this.#syncing = syncing;
  }

  #failSync(cause: unknown): void {
    const why = `the disk did not keep what was written (${describe(cause)}); restart once it is mended`;
    this.#giveUp({ why, forGood: true }, cause);
  }
}

/** Writes `length` bytes at `position`, in as many writes as the system needs. */
function writeAll(
  files: JournalFiles,
  fd: number,
  bytes: Uint8Array,
  length: number,
  position: number,
): void {
  let done = 0;
  while (done < length) {
    const written = files.write(fd, bytes, done, length - done, position + done);
    if (written === 0) throw new Error("the system wrote nothing");
    done += written;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
