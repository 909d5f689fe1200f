import type { Subject } from "../../core/history/history.ts";
import { HoldList } from "../../core/limits/hold-list.ts";
import type { Hold } from "../../core/limits/limit.ts";
import type { LimitStore } from "../../ports/limit-store.ts";
import { decodeHold, encodeHold } from "./codec/hold.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { encodeKey, joinKey, joinSubjectKey, readJoinedMerchant, readKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { forEachInSlices } from "./slices.ts";
import { type Pending, WriteBehind } from "./write-behind.ts";

const nothing = Buffer.alloc(0);
const noHolds: readonly Hold[] = [];

/** Open holds: all of them in memory, by payment and by subject; journal and LMDB bring them back. No bytes stand for a hold that was let go. */
export class EmbeddedLimits implements LimitStore {
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  readonly #holds = new Map<string, Hold>();
  /** Holds of a subject, in the order in which they came. */
  readonly #ofSubject = new Map<string, HoldList>();
  /** Holds with attempts of a card, in the order in which they came. */
  readonly #ofCard = new Map<string, HoldList>();
  #sweeping: Promise<void> = Promise.resolve();
  readonly behind = new WriteBehind();

  constructor(tables: LmdbTables, intake: Intake) {
    this.#tables = tables;
    this.#intake = intake;
    for (const { key, value } of tables.holds.getRange()) this.#load(key, value);
  }

  readonly holdsOf = (merchantId: string, subject: Subject): readonly Hold[] =>
    this.#ofSubject.get(joinSubjectKey(merchantId, subject)) ?? noHolds;

  readonly attemptsOf = (merchantId: string, card: string): readonly Hold[] =>
    this.#ofCard.get(joinCardKey(merchantId, card)) ?? noHolds;

  readonly get = (merchantId: string, paymentId: string): Hold | undefined =>
    // Every fact of a payment asks, and where nothing is decided here nothing is held.
    this.#holds.size === 0 ? undefined : this.#holds.get(joinKey(merchantId, paymentId));

  readonly hold = (merchantId: string, hold: Hold): Promise<void> =>
    this.#append(merchantId, hold.paymentId, hold);

  readonly release = (merchantId: string, paymentId: string): Promise<void> =>
    this.#holds.has(joinKey(merchantId, paymentId))
      ? this.#append(merchantId, paymentId, undefined)
      : Promise.resolve();

  /** Forgets in the background, slice by slice, the holds whose instant, last word and release are all before `beforeMs`. */
  readonly sweep = (beforeMs: number): void => {
    this.#sweeping = this.#sweeping.then(() =>
      forEachInSlices(this.#holds, ([mapKey, hold]) => {
        if (lastInstantOf(hold) < beforeMs) this.#forget(mapKey, hold);
      }),
    );
  };

  /** Resolves when the sweeps that were asked for are done. */
  swept(): Promise<void> {
    return this.#sweeping;
  }

  count(): number {
    return this.#holds.size;
  }

  /** Takes a record of the journal at opening. */
  replay({ sequence, key, value }: JournalRecord, mapKey: string): void {
    this.behind.set(mapKey, { sequence, key, value });
    this.#load(key, value);
  }

  /** Writes one record to LMDB. */
  move({ key, value }: Pending): Promise<boolean> {
    const { holds } = this.#tables;
    return value.length === 0 ? holds.remove(key) : holds.put(key, value);
  }

  /** Whether LMDB has it as it was moved. */
  hasMoved({ key, value }: Pending): boolean {
    const written = this.#tables.holds.getBinary(key);
    return written === undefined ? value.length === 0 : written.equals(value);
  }

  #append(merchantId: string, paymentId: string, hold: Hold | undefined): Promise<void> {
    const key = encodeKey(merchantId, paymentId);
    const value = hold === undefined ? nothing : encodeHold(hold);
    return this.#intake.append("hold", key, value, (sequence) => {
      const mapKey = joinKey(merchantId, paymentId);
      const before = this.#holds.get(mapKey);
      const undo = this.behind.set(mapKey, { sequence, key, value });
      this.#replace(merchantId, mapKey, hold);
      return () => {
        this.#replace(merchantId, mapKey, before);
        undo();
      };
    });
  }

  /** What cannot be kept now stays, and the next sweep finds it again. */
  #forget(mapKey: string, { paymentId }: Hold): void {
    this.#append(readJoinedMerchant(mapKey), paymentId, undefined).catch(() => {});
  }

  #load(key: Buffer, value: Buffer): void {
    const { merchantId, id } = readKey(key);
    const hold = value.length === 0 ? undefined : decodeHold(id, value);
    this.#replace(merchantId, joinKey(merchantId, id), hold);
  }

  #replace(merchantId: string, mapKey: string, hold: Hold | undefined): void {
    const before = this.#holds.get(mapKey);
    if (before !== undefined) this.#unlink(merchantId, before);
    if (hold === undefined) {
      this.#holds.delete(mapKey);
      return;
    }
    this.#holds.set(mapKey, hold);
    for (const subject of hold.subjects) link(this.#ofSubject, joinSubjectKey(merchantId, subject), hold);
    for (const { card } of hold.attempts ?? []) link(this.#ofCard, joinCardKey(merchantId, card), hold);
  }

  #unlink(merchantId: string, hold: Hold): void {
    for (const subject of hold.subjects) unlink(this.#ofSubject, joinSubjectKey(merchantId, subject), hold);
    for (const { card } of hold.attempts ?? []) unlink(this.#ofCard, joinCardKey(merchantId, card), hold);
  }
}

function joinCardKey(merchantId: string, id: string): string {
  return joinSubjectKey(merchantId, { kind: "card", id });
}

function link(holds: Map<string, HoldList>, key: string, hold: Hold): void {
  let found = holds.get(key);
  if (found === undefined) {
    found = new HoldList();
    holds.set(key, found);
  }
  if (found.at(-1) !== hold) found.add(hold);
}

function unlink(holds: Map<string, HoldList>, key: string, hold: Hold): void {
  const found = holds.get(key);
  if (found === undefined) return;
  found.take(hold);
  if (found.length === 0) holds.delete(key);
}

function lastInstantOf({ instantMs, lastWordMs, releasesAtMs }: Hold): number {
  return Math.max(instantMs, lastWordMs, releasesAtMs);
}
