import type { EarlierRevision, PaymentIdentity, PaymentRecord } from "../../../ports/payment-store.ts";
import { readAttempt, writeAttempt } from "./attempt.ts";
import { openBytes, readEach, readMap, readNumber, readOptional, readText, readWord } from "./byte-reader.ts";
import {
  startBytes,
  takeBytes,
  writeEach,
  writeMap,
  writeNumber,
  writeOptional,
  writeText,
  writeWord,
} from "./byte-writer.ts";
import { readDecisionBlob, writeDecisionBlob } from "./decision.ts";
import { type Making, setTold } from "./members.ts";
import { readVersion, versionBytes, type Whole } from "./pack.ts";
import { readPayment, writePayment } from "./payment.ts";

/** Those before it were never released. */
const version = 4;
/** After the version: until when the record is kept, so that the checkpoint need not read all of it. */
const keepUntilAt = 1;
const keepUntilBytes = 6;
const keepUntilMsMax = 2 ** 48 - 1;

/** Bytes of a payment. Its id is the key's business and is not among them. */
export function encodePaymentRecord(
  record: Whole<
    PaymentRecord,
    | "paymentId"
    | "revision"
    | "identity"
    | "decision"
    | "payment"
    | "converted"
    | "earlier"
    | "attempts"
    | "keepUntilMs"
  >,
): Buffer {
  startBytes(versionBytes + keepUntilBytes);
  writeNumber(record.revision);
  writeNumber(record.keepUntilMs);
  writeIdentity(record.identity);
  writeDecisionBlob(record.decision);
  writeEach(record.attempts, writeAttempt);
  writeOptional(record.payment, writePayment);
  writeOptional(record.converted, writeAmounts);
  writeOptional(record.earlier, writeEarlier);
  const bytes = takeBytes(version);
  const keepUntilMs = Math.min(Math.max(0, Math.ceil(record.keepUntilMs)), keepUntilMsMax);
  bytes.writeUIntBE(keepUntilMs, keepUntilAt, keepUntilBytes);
  return bytes;
}

/** `keepUntilMs` of an encoded record. */
export function readKeepUntilMs(bytes: Buffer): number {
  readVersion(bytes, version, "payment", version);
  return bytes.readUIntBE(keepUntilAt, keepUntilBytes);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodePaymentRecord(paymentId: string, bytes: Uint8Array): PaymentRecord {
  readVersion(bytes, version, "payment", version);
  openBytes(bytes, versionBytes + keepUntilBytes);
  const revision = readNumber();
  const keepUntilMs = readNumber();
  const record: Making<PaymentRecord> = {
    paymentId,
    revision,
    identity: readIdentity(),
    decision: readDecisionBlob(),
    attempts: readEach(readAttempt),
    keepUntilMs,
  };
  setTold(
    record,
    "payment",
    readOptional(() => readPayment(paymentId)),
  );
  setTold(record, "converted", readOptional(readAmounts));
  setTold(
    record,
    "earlier",
    readOptional(() => readEach(() => readRevision(paymentId))),
  );
  return record;
}

function writeAmounts(converted: ReadonlyMap<string, number>): void {
  writeMap(converted, writeNumber);
}

function readAmounts(): ReadonlyMap<string, number> {
  return readMap(readNumber);
}

function writeEarlier(earlier: readonly EarlierRevision[]): void {
  writeEach(earlier, writeRevision);
}

function writeRevision(
  earlier: Whole<
    EarlierRevision,
    "revision" | "payment" | "decidedAtMs" | "ruleSetVersion" | "converted" | "accounts"
  >,
): void {
  writeNumber(earlier.revision);
  writePayment(earlier.payment);
  writeNumber(earlier.decidedAtMs);
  writeNumber(earlier.ruleSetVersion);
  writeAmounts(earlier.converted);
  writeMap(earlier.accounts, writeText);
}

function readRevision(paymentId: string): EarlierRevision {
  return {
    revision: readNumber(),
    payment: readPayment(paymentId),
    decidedAtMs: readNumber(),
    ruleSetVersion: readNumber(),
    converted: readAmounts(),
    accounts: readMap(readText),
  };
}

function writeIdentity(
  identity: Whole<PaymentIdentity, "playerId" | "kind" | "amount" | "method" | "instrument">,
): void {
  writeText(identity.playerId);
  writeWord(identity.kind);
  writeNumber(identity.amount.minorUnits);
  writeWord(identity.amount.currencyCode);
  writeWord(identity.method);
  writeText(identity.instrument);
}

function readIdentity(): PaymentIdentity {
  return {
    playerId: readText(),
    kind: readWord(),
    amount: { minorUnits: readNumber(), currencyCode: readWord() },
    method: readWord(),
    instrument: readText(),
  };
}
