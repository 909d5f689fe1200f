import type { NumberedChange } from "../../ports/membership-log.ts";
import { decodeKeptChange, encodeKeptChange, type MembershipStep } from "./codec/membership.ts";
import { encodeKey, encodeMerchantRange, encodeNumberedKey, readKey, readKeyNumber } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { assertMoved, type Mover, writeInBatches } from "./mover.ts";
import { forEachInSlices } from "./slices.ts";

const dayMs = 24 * 60 * 60 * 1_000;
/** How long a change is kept, by the machine's clock, and how many of a merchant. */
const keptMs = 7 * dayMs;
const keptMax = 1_000_000;
/** Rows that a sweep looks at in one go. */
const sweepRowsMax = 64;
const newestBytes = 6;

/** A change that LMDB may not have yet. */
type Waiting = { readonly sequence: number; readonly change: NumberedChange; readonly bytes: Buffer };

type Log = {
  /** The oldest that is kept; the one behind `newest` where none is. */
  oldest: number;
  /** The newest number given out. */
  newest: number;
  /** The newest one that is durable: nobody is shown what a failing write may still take back. */
  shown: number;
  /** Without a gap, up to `newest`. */
  waiting: Waiting[];
  waitingBytes: number;
  /** How many of those are on the move. */
  moving: number;
};

/** Changes of memberships by merchant and number, from 1: the newest in memory until they are moved, all others in LMDB. */
export class MembershipChanges implements Mover {
  readonly #tables: LmdbTables;
  readonly #logs = new Map<string, Log>();
  readonly #keptMax: number;

  constructor(tables: LmdbTables, most = keptMax) {
    this.#tables = tables;
    this.#keptMax = most;
    for (const { key, value } of tables.membershipNewest.getRange()) {
      const { merchantId } = readKey(key);
      const newest = value.readUIntBE(0, newestBytes);
      const { start, end } = encodeMerchantRange(merchantId);
      const [first] = [...tables.membershipChanges.getKeys({ start, end, limit: 1 })];
      const oldest = first === undefined ? newest + 1 : readKeyNumber(first);
      this.#logs.set(merchantId, makeLog(oldest, newest));
    }
  }

  nextSequence(merchantId: string): number {
    return (this.#logs.get(merchantId)?.newest ?? 0) + 1;
  }

  newestShown(merchantId: string): number {
    return this.#logs.get(merchantId)?.shown ?? 0;
  }

  /** Adds what has the next numbers, and says how to take it back. Numbers that are known already are left as they are. */
  add(merchantId: string, { firstSequence, keptAtMs, changes }: MembershipStep): () => void {
    const log = this.#logOf(merchantId, firstSequence);
    let added = 0;
    for (const [at, change] of changes.entries()) {
      const sequence = firstSequence + at;
      if (sequence <= log.newest) continue;
      const bytes = encodeKeptChange({ change, keptAtMs });
      log.waiting.push({ sequence, change: { ...change, sequence }, bytes });
      log.waitingBytes += bytes.length;
      log.newest = sequence;
      added++;
    }
    return () => {
      for (const { bytes } of log.waiting.splice(log.waiting.length - added)) {
        log.waitingBytes -= bytes.length;
      }
      log.newest -= added;
    };
  }

  /** What is durable may be read. */
  show(merchantId: string, sequence: number): void {
    const log = this.#logs.get(merchantId);
    if (log !== undefined && sequence > log.shown) log.shown = sequence;
  }

  read(merchantId: string, afterSequence: number, max: number): readonly NumberedChange[] | undefined {
    const log = this.#logs.get(merchantId);
    if (log === undefined) return [];
    if (afterSequence < log.oldest - 1) return undefined;
    const firstWaiting = log.waiting[0]?.sequence ?? log.newest + 1;
    const last = Math.min(log.shown, afterSequence + Math.max(0, max));
    const changes = this.#readMoved(merchantId, afterSequence + 1, Math.min(last, firstWaiting - 1));
    const from = Math.max(afterSequence + 1, firstWaiting);
    for (let sequence = from; sequence <= last; sequence++) {
      changes.push(log.waiting[sequence - firstWaiting]!.change);
    }
    return changes;
  }

  bytes(): number {
    let bytes = 0;
    for (const { waitingBytes } of this.#logs.values()) bytes += waitingBytes;
    return bytes;
  }

  readonly start = (): void => {
    for (const log of this.#logs.values()) log.moving = log.waiting.length;
  };

  readonly write = async (): Promise<void> => {
    const { membershipChanges, membershipNewest } = this.#tables;
    const moving = [...this.#logs].filter(([, log]) => log.moving > 0);
    for (const [merchantId, log] of moving) {
      const changes = log.waiting.slice(0, log.moving);
      await writeInBatches(changes.values(), ({ sequence, bytes }) =>
        membershipChanges.put(encodeNumberedKey(merchantId, sequence), bytes),
      );
      await assertMoved(changes.values(), ({ sequence, bytes }) => {
        const written = membershipChanges.getBinary(encodeNumberedKey(merchantId, sequence));
        return written?.equals(bytes) ?? false;
      });
      // Only then: at a restart what is up to this number is not taken from the journal again.
      const newest = Buffer.alloc(newestBytes);
      newest.writeUIntBE(changes.at(-1)!.sequence, 0, newestBytes);
      const key = encodeKey(merchantId, "");
      await writeInBatches([newest].values(), () => membershipNewest.put(key, newest));
      await assertMoved([newest].values(), () => membershipNewest.getBinary(key)?.equals(newest) ?? false);
    }
  };

  readonly finish = (): void => {
    for (const log of this.#logs.values()) {
      for (const { bytes } of log.waiting.splice(0, log.moving)) log.waitingBytes -= bytes.length;
      log.moving = 0;
    }
  };

  readonly abandon = (): void => {
    for (const log of this.#logs.values()) log.moving = 0;
  };

  /** Forgets what was kept long enough, and what is one too many. */
  async sweep(nowMs: number): Promise<void> {
    for (const [merchantId, log] of this.#logs) {
      while (await this.#sweepPage(merchantId, log, nowMs));
    }
  }

  /** Whether there may be more. */
  async #sweepPage(merchantId: string, log: Log, nowMs: number): Promise<boolean> {
    const { membershipChanges } = this.#tables;
    const { start, end } = encodeMerchantRange(merchantId);
    const rows = [...membershipChanges.getRange({ start, end, limit: sweepRowsMax })];
    const isOver = ({ key, value }: { readonly key: Buffer; readonly value: Buffer }): boolean =>
      readKeyNumber(key) <= log.newest - this.#keptMax || decodeKeptChange(value).keptAtMs <= nowMs - keptMs;
    const over = rows.slice(0, rows.findIndex((row) => !isOver(row)) >>> 0);
    let last: Promise<boolean> | undefined;
    await forEachInSlices(over, ({ key }) => {
      log.oldest = Math.max(log.oldest, readKeyNumber(key) + 1);
      last = membershipChanges.remove(key);
    });
    await last;
    return over.length === sweepRowsMax;
  }

  #readMoved(merchantId: string, from: number, last: number): NumberedChange[] {
    if (last < from) return [];
    const start = encodeNumberedKey(merchantId, from);
    const end = encodeNumberedKey(merchantId, last + 1);
    const rows = this.#tables.membershipChanges.getRange({ start, end });
    return [
      ...rows.map(({ key, value }) => ({
        ...decodeKeptChange(value).change,
        sequence: readKeyNumber(key),
      })),
    ];
  }

  /** Numbers of a merchant of whom nothing is known begin with the first that comes: the journal may have let go of those before. */
  #logOf(merchantId: string, firstSequence: number): Log {
    const known = this.#logs.get(merchantId);
    if (known !== undefined) return known;
    const log = makeLog(firstSequence, firstSequence - 1);
    this.#logs.set(merchantId, log);
    return log;
  }
}

function makeLog(oldest: number, newest: number): Log {
  return { oldest, newest, shown: newest, waiting: [], waitingBytes: 0, moving: 0 };
}
