import type { EarlierRevision, PaymentIdentity, PaymentRecord } from "../../../ports/payment-store.ts";
import { readAttempt, writeAttempt } from "./attempt.ts";
import { readDecisionBlob, writeDecisionBlob } from "./decision.ts";
import { type Row, readVersion, unpackRow, versionBytes, type Whole } from "./pack.ts";
import { readPayment, writePayment } from "./payment.ts";
import {
  startBytes,
  takeBytes,
  writeArray,
  writeEach,
  writeNumber,
  writeOptional,
  writePairs,
  writeText,
} from "./row-writer.ts";

/** Version 1 knew neither limits nor the payment itself; in version 2 the decision was a row among the others. */
const version = 3;
/** Between the version and the row: until when the record is kept, so that the checkpoint need not read all of it. */
const keepUntilAt = 1;
const keepUntilBytes = 6;
const keepUntilMsMax = 2 ** 48 - 1;

/** Bytes of a payment. Its id is the key's business and is not among them. */
export function encodePaymentRecord(record: PaymentRecord): Buffer {
  const { payment, converted, earlier } = record;
  startBytes(versionBytes + keepUntilBytes);
  writeArray(8);
  writeNumber(record.revision);
  writeNumber(record.keepUntilMs);
  writeIdentity(record.identity);
  writeDecisionBlob(record.decision);
  writeEach(record.attempts, writeAttempt);
  writeOptional(payment, writePayment);
  writeOptional(converted, writePairs);
  writeOptional(earlier, (revisions) => writeEach(revisions, writeEarlier));
  const bytes = takeBytes(version);
  const keepUntilMs = Math.min(Math.max(0, Math.ceil(record.keepUntilMs)), keepUntilMsMax);
  bytes.writeUIntBE(keepUntilMs, keepUntilAt, keepUntilBytes);
  return bytes;
}

/** `keepUntilMs` of an encoded record. */
export function readKeepUntilMs(bytes: Buffer): number {
  readVersion(bytes, version, "payment");
  return bytes.readUIntBE(keepUntilAt, keepUntilBytes);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodePaymentRecord(paymentId: string, bytes: Uint8Array): PaymentRecord {
  readVersion(bytes, version, "payment");
  const [revision, keepUntilMs, identity, decision, attempts, payment, converted, earlier] = unpackRow(
    bytes,
    keepUntilBytes,
  ) as [number, number, Row, Row | Uint8Array, Row[], Row | undefined, Row | undefined, (Row[] | undefined)?];
  return {
    paymentId,
    revision,
    identity: readIdentity(identity),
    decision: readDecisionBlob(decision),
    attempts: attempts.map(readAttempt),
    keepUntilMs,
    ...(payment === undefined ? {} : { payment: readPayment(paymentId, payment) }),
    ...(converted === undefined ? {} : { converted: readMap<number>(converted) }),
    ...(earlier === undefined ? {} : { earlier: earlier.map((row) => readEarlier(paymentId, row)) }),
  };
}

function readMap<Value>(row: Row): ReadonlyMap<string, Value> {
  const map = new Map<string, Value>();
  for (let at = 0; at < row.length; at += 2) map.set(row[at] as string, row[at + 1] as Value);
  return map;
}

function writeEarlier(
  earlier: Whole<
    EarlierRevision,
    "revision" | "payment" | "decidedAtMs" | "ruleSetVersion" | "converted" | "accounts"
  >,
): void {
  writeArray(6);
  writeNumber(earlier.revision);
  writePayment(earlier.payment);
  writeNumber(earlier.decidedAtMs);
  writeNumber(earlier.ruleSetVersion);
  writePairs(earlier.converted);
  writePairs(earlier.accounts);
}

function readEarlier(paymentId: string, row: Row): EarlierRevision {
  const [revision, payment, decidedAtMs, ruleSetVersion, converted, accounts] = row as [
    number,
    Row,
    number,
    number,
    Row,
    Row,
  ];
  return {
    revision,
    payment: readPayment(paymentId, payment),
    decidedAtMs,
    ruleSetVersion,
    converted: readMap<number>(converted),
    accounts: readMap<string>(accounts),
  };
}

function writeIdentity(identity: PaymentIdentity): void {
  writeArray(6);
  writeText(identity.playerId);
  writeText(identity.kind);
  writeNumber(identity.amount.minorUnits);
  writeText(identity.amount.currencyCode);
  writeText(identity.method);
  writeText(identity.instrument);
}

function readIdentity(row: Row): PaymentIdentity {
  const [playerId, kind, minorUnits, currencyCode, method, instrument] = row as [
    string,
    PaymentIdentity["kind"],
    number,
    string,
    string,
    string,
  ];
  return { playerId, kind, amount: { minorUnits, currencyCode }, method, instrument };
}
