import type { PaymentRecord, PaymentStore, StoredPayment } from "../../ports/payment-store.ts";
import { decodePlace, decodeStamp, encodePlace, encodeStamp } from "./codec/payment-place.ts";
import { decodePaymentRecord, encodePaymentRecord, readKeepUntilMs } from "./codec/payment-record.ts";
import { finalStateOf } from "./final-state.ts";
import { HotCache } from "./hot-cache.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { encodeKey, joinKey } from "./keys.ts";
import type { Bytes, LmdbTables } from "./lmdb.ts";
import { forEachInSlices } from "./slices.ts";
import { type Pending, WriteBehind } from "./write-behind.ts";

const dayMs = 24 * 60 * 60 * 1_000;
/** How long a tombstone stands after its answer (`SEMANTICS.md` 1.3). */
const tombstoneMs = 35 * dayMs;
/** Answers of payments that were decided at an instant of their own (`SEMANTICS.md` 1.7) are kept this long by the clock of the machine. */
const keptMsMin = 7 * dayMs;
/** Rows that a sweep looks at in one go. */
const sweepRowsMax = 64;

/** Answers of payments: journal and memory first, moved to LMDB by the checkpoint, swept there when their time is over. */
export class EmbeddedPayments implements PaymentStore {
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  readonly #hot: HotCache<Buffer>;
  readonly behind = new WriteBehind();

  constructor(tables: LmdbTables, intake: Intake, hotMax: number) {
    this.#tables = tables;
    this.#intake = intake;
    this.#hot = new HotCache(hotMax);
  }

  readonly get = (merchantId: string, paymentId: string, nowMs: number): StoredPayment | undefined => {
    const mapKey = joinKey(merchantId, paymentId);
    const bytes = this.#hot.get(mapKey) ?? this.behind.get(mapKey)?.value;
    if (bytes !== undefined) return judge(decodePaymentRecord(paymentId, bytes), nowMs);
    const written = this.#tables.payments.getBinary(encodeKey(merchantId, paymentId));
    if (written === undefined) return undefined;
    const place = decodePlace(written);
    if (place.state === "answered") {
      return judge(decodePaymentRecord(paymentId, this.#readAnswer(place.stamp).record), nowMs);
    }
    const { revision, finalState, keepUntilMs } = place;
    if (nowMs >= keepUntilMs) return undefined;
    return { state: "closed", tombstone: { paymentId, revision, finalState, keepUntilMs } };
  };

  readonly put = (merchantId: string, record: PaymentRecord): Promise<void> => {
    const key = encodeKey(merchantId, record.paymentId);
    const value = encodePaymentRecord(record);
    return this.#intake.append("payment", key, value, (sequence) => {
      const mapKey = joinKey(merchantId, record.paymentId);
      const undo = this.behind.set(mapKey, { sequence, key, value });
      this.#hot.set(mapKey, value);
      return () => {
        this.#hot.delete(mapKey);
        undo();
      };
    });
  };

  hotCount(): number {
    return this.#hot.size();
  }

  /** Takes a record of the journal at opening. */
  replay({ sequence, key, value }: JournalRecord, mapKey: string): void {
    this.behind.set(mapKey, { sequence, key, value });
  }

  /** Writes one record to LMDB in place of what stands there. */
  move({ sequence, key, value }: Pending, nowMs: number): Promise<boolean> {
    const { payments, answers } = this.#tables;
    const stamp = encodeStamp(Math.max(readKeepUntilMs(value), nowMs + keptMsMin), sequence);
    this.#removeOld(key);
    payments.put(key, encodePlace({ state: "answered", stamp }));
    return answers.put(stamp, encodeAnswer(key, value));
  }

  /** Whether LMDB has it as it was moved: its place and its answer are written together. */
  hasMoved({ sequence, key }: Pending): boolean {
    const written = this.#tables.payments.getBinary(key);
    return written !== undefined && decodeStamp(decodePlace(written).stamp).sequence === sequence;
  }

  /** Turns answers whose time is over into tombstones, and forgets tombstones whose time is over. */
  async sweep(nowMs: number): Promise<void> {
    await sweepTable(this.#tables.answers, nowMs, (stamp) => this.#close(stamp));
    await sweepTable(this.#tables.tombstones, nowMs, (stamp, key) => this.#forget(stamp, key));
  }

  #close(stamp: Buffer): Promise<boolean> {
    const { payments, answers, tombstones } = this.#tables;
    const { key, record } = this.#readAnswer(stamp);
    if (this.#pointsTo(key, stamp)) {
      // The id is in the key; a tombstone needs none of it.
      const { revision, decision, attempts, keepUntilMs } = decodePaymentRecord("", record);
      const { instantMs, sequence } = decodeStamp(stamp);
      const tombstoneStamp = encodeStamp(instantMs + tombstoneMs, sequence);
      const finalState = finalStateOf({ decision, attempts });
      payments.put(
        key,
        encodePlace({
          state: "closed",
          revision,
          finalState,
          keepUntilMs: keepUntilMs + tombstoneMs,
          stamp: tombstoneStamp,
        }),
      );
      tombstones.put(tombstoneStamp, key);
    }
    return answers.remove(stamp);
  }

  #forget(stamp: Buffer, key: Buffer): Promise<boolean> {
    if (this.#pointsTo(key, stamp)) this.#tables.payments.remove(key);
    return this.#tables.tombstones.remove(stamp);
  }

  #pointsTo(key: Buffer, stamp: Buffer): boolean {
    const written = this.#tables.payments.getBinary(key);
    return written !== undefined && decodePlace(written).stamp.equals(stamp);
  }

  #removeOld(key: Buffer): void {
    const written = this.#tables.payments.getBinary(key);
    if (written === undefined) return;
    const { state, stamp } = decodePlace(written);
    if (state === "answered") this.#tables.answers.remove(stamp);
    else this.#tables.tombstones.remove(stamp);
  }

  #readAnswer(stamp: Buffer): { readonly key: Buffer; readonly record: Buffer } {
    const answer = this.#tables.answers.getBinary(stamp);
    if (answer === undefined) throw new Error(`the answer ${stamp.toString("hex")} is missing`);
    const keyEnd = 2 + answer.readUInt16BE(0);
    return { key: answer.subarray(2, keyEnd), record: answer.subarray(keyEnd) };
  }
}

function judge(record: PaymentRecord, nowMs: number): StoredPayment | undefined {
  if (nowMs < record.keepUntilMs) return { state: "answered", record };
  const { paymentId, revision } = record;
  const keepUntilMs = record.keepUntilMs + tombstoneMs;
  if (nowMs >= keepUntilMs) return undefined;
  return {
    state: "closed",
    tombstone: { paymentId, revision, finalState: finalStateOf(record), keepUntilMs },
  };
}

function encodeAnswer(key: Buffer, record: Buffer): Buffer {
  const length = Buffer.allocUnsafe(2);
  length.writeUInt16BE(key.length);
  return Buffer.concat([length, key, record]);
}

/** Hands each row whose stamp is not after `nowMs` to `step`, which removes it. */
async function sweepTable(
  table: Bytes,
  nowMs: number,
  step: (stamp: Buffer, value: Buffer) => Promise<boolean>,
): Promise<void> {
  const end = encodeStamp(nowMs + 1, 0);
  for (;;) {
    const rows = [...table.getRange({ end, limit: sweepRowsMax })];
    let last: Promise<boolean> | undefined;
    await forEachInSlices(rows, ({ key, value }) => {
      last = step(key, value);
    });
    await last;
    if (rows.length < sweepRowsMax) return;
  }
}
