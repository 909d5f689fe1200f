import type {
  Decision,
  DueAction,
  Experience,
  FacetLoss,
  MatchedRule,
  SegmentMatch,
  SourceState,
} from "../../../core/decision.ts";
import type { LimitReading } from "../../../core/limits/limit.ts";
import type { Money } from "../../../core/payment.ts";
import type { Reason } from "../../../core/reason.ts";
import type {
  EarlierRevision,
  PaymentIdentity,
  PaymentRecord,
  StoredAttempt,
} from "../../../ports/payment-store.ts";
import { type Row, readVersion, unpackBlob, unpackRow, versionBytes, type Whole } from "./pack.ts";
import { readPayment, writePayment } from "./payment.ts";
import { readPlan, writePlan } from "./plan.ts";
import {
  endBlob,
  startBlob,
  startBytes,
  takeBytes,
  writeArray,
  writeBlob,
  writeEach,
  writeFlag,
  writeNumber,
  writePairs,
  writeText,
  writeTexts,
  writeUndefined,
} from "./row-writer.ts";

/** Version 1 knew neither limits nor the payment itself; in version 2 the decision was a row among the others. */
const version = 3;
/** Decisions as they are stored: a report keeps the record again, and its decision never changes. */
const blobs = new WeakMap<Decision, Uint8Array>();
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
  if (payment === undefined) writeUndefined();
  else writePayment(payment);
  if (converted === undefined) writeUndefined();
  else writePairs(converted);
  if (earlier === undefined) writeUndefined();
  else writeEach(earlier, writeEarlier);
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

type AttemptMember =
  | "attemptId"
  | "psp"
  | "outcomeClass"
  | "atMs"
  | "revision"
  | "voided"
  | "approvedMinor"
  | "code"
  | "pspCode"
  | "adviceCode"
  | "attribution"
  | "waitUntilMs"
  | "fields"
  | "block"
  | "initiator"
  | "threeDs"
  | "refunded"
  | "corrected";

function writeAttempt(attempt: Whole<StoredAttempt, AttemptMember>): void {
  const { fields, block, threeDs } = attempt;
  writeArray(18);
  writeText(attempt.attemptId);
  writeText(attempt.psp);
  writeText(attempt.outcomeClass);
  writeNumber(attempt.atMs);
  writeNumber(attempt.revision);
  writeFlag(attempt.voided);
  writeNumber(attempt.approvedMinor);
  writeText(attempt.code);
  writeText(attempt.pspCode);
  writeText(attempt.adviceCode);
  writeText(attempt.attribution);
  writeNumber(attempt.waitUntilMs);
  if (fields === undefined) writeUndefined();
  else writeTexts(fields);
  if (block === undefined) writeUndefined();
  else writeBlock(block);
  writeText(attempt.initiator);
  if (threeDs === undefined) writeUndefined();
  else writeThreeDs(threeDs);
  writeFlag(attempt.refunded);
  writeFlag(attempt.corrected);
}

function writeBlock(block: Whole<NonNullable<StoredAttempt["block"]>, "what" | "untilMs">): void {
  writeArray(2);
  writeText(block.what);
  writeNumber(block.untilMs);
}

function writeThreeDs(
  threeDs: Whole<NonNullable<StoredAttempt["threeDs"]>, "host" | "transStatus" | "eci">,
): void {
  writeArray(3);
  writeText(threeDs.host);
  writeText(threeDs.transStatus);
  writeText(threeDs.eci);
}

/** Rows of before answers were kept end after the seventh value. */
function readAttempt(row: Row): StoredAttempt {
  const [attemptId, psp, outcomeClass, atMs, revision, voided, approvedMinor] = row as [
    string,
    string,
    StoredAttempt["outcomeClass"],
    number,
    number,
    boolean | undefined,
    number | undefined,
  ];
  return {
    attemptId,
    psp,
    outcomeClass,
    atMs,
    revision,
    ...(voided === true ? { voided } : {}),
    ...(approvedMinor === undefined ? {} : { approvedMinor }),
    ...(row.length > 7 ? readAnswer(row.slice(7)) : {}),
  };
}

function readAnswer(row: Row): Partial<StoredAttempt> {
  const [code, pspCode, adviceCode, attribution, waitUntilMs, fields, block, initiator] = row as [
    string | undefined,
    string | undefined,
    string | undefined,
    StoredAttempt["attribution"],
    number | undefined,
    string[] | undefined,
    Row | undefined,
    StoredAttempt["initiator"],
  ];
  const [threeDs, refunded, corrected] = row.slice(8) as [
    Row | undefined,
    boolean | undefined,
    boolean | undefined,
  ];
  return {
    ...(code === undefined ? {} : { code }),
    ...(pspCode === undefined ? {} : { pspCode }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(attribution === undefined ? {} : { attribution }),
    ...(waitUntilMs === undefined ? {} : { waitUntilMs }),
    ...(fields === undefined ? {} : { fields }),
    ...(block === undefined ? {} : { block: readBlock(block) }),
    ...(initiator === undefined ? {} : { initiator }),
    ...(threeDs === undefined ? {} : { threeDs: readThreeDs(threeDs) }),
    ...(refunded === true ? { refunded } : {}),
    ...(corrected === true ? { corrected } : {}),
  };
}

function readBlock(row: Row): NonNullable<StoredAttempt["block"]> {
  const [what, untilMs] = row as [NonNullable<StoredAttempt["block"]>["what"], number];
  return { what, untilMs };
}

type StoredThreeDs = NonNullable<StoredAttempt["threeDs"]>;

function readThreeDs(row: Row): StoredThreeDs {
  const [host, transStatus, eci] = row as [
    StoredThreeDs["host"],
    StoredThreeDs["transStatus"],
    string | undefined,
  ];
  return {
    host,
    ...(transStatus === undefined ? {} : { transStatus }),
    ...(eci === undefined ? {} : { eci }),
  };
}

function writeDecisionBlob(decision: Decision): void {
  const known = blobs.get(decision);
  if (known !== undefined) {
    writeBlob(known);
    return;
  }
  const blob = startBlob();
  writeDecision(decision);
  endBlob(blob);
}

function readDecisionBlob(written: Row | Uint8Array): Decision {
  if (!(written instanceof Uint8Array)) return readDecision(written);
  const decision = readDecision(unpackBlob(written));
  blobs.set(decision, written);
  return decision;
}

function writeDecision(decision: Decision): void {
  writeArray(20);
  writeText(decision.decisionId);
  writeText(decision.verdict);
  writeEach(decision.reasons, writeReason);
  writePlan(decision.plan);
  writeEach(decision.segments, writeSegment);
  writeEach(decision.matchedRules, writeMatchedRule);
  writeNumber(decision.matchedRulesOmitted);
  writeExperience(decision.experience);
  writeEach(decision.actions, writeAction);
  writeEach(decision.removedActions, writeAction);
  writeNumber(decision.ruleSetVersion);
  writeText(decision.ruleSetHash);
  writeNumber(decision.overrideRevision);
  writeEach(decision.sources, writeSource);
  writeNumber(decision.decidedAtMs);
  writeNumber(decision.retryAfterMs);
  writeNumber(decision.reviewUntilMs);
  writeNumber(decision.riskScore);
  writeTexts(decision.reviewedRules);
  writeEach(decision.limits, writeLimit);
}

function readDecision(row: Row): Decision {
  const [decisionId, verdict, reasons, plan, segments, matchedRules, matchedRulesOmitted] = row as [
    string,
    Decision["verdict"],
    Row[],
    Row | undefined,
    Row[],
    Row[],
    number,
  ];
  const [experience, actions, removedActions, ruleSetVersion, ruleSetHash, overrideRevision] = row.slice(
    7,
  ) as [Row | undefined, Row[], Row[], number, string, number];
  const [sources, decidedAtMs, retryAfterMs, reviewUntilMs, riskScore, reviewedRules, limits] = row.slice(
    13,
  ) as [Row[], number, number | undefined, number | undefined, number, string[], Row[]?];
  return {
    decisionId,
    verdict,
    reasons: reasons.map(readReason),
    plan: readPlan(plan),
    segments: segments.map(readSegment),
    matchedRules: matchedRules.map(readMatchedRule),
    matchedRulesOmitted,
    experience: readExperience(experience),
    actions: actions.map(readAction),
    removedActions: removedActions.map(readAction),
    ruleSetVersion,
    ruleSetHash,
    overrideRevision,
    sources: sources.map(readSource),
    decidedAtMs,
    retryAfterMs,
    reviewUntilMs,
    riskScore,
    reviewedRules,
    limits: limits?.map(readLimit) ?? [],
  };
}

type LimitMember =
  | "limitId"
  | "ruleClass"
  | "fits"
  | "used"
  | "limit"
  | "headroom"
  | "asked"
  | "currency"
  | "resetsAtMs"
  | "fitsAtMs"
  | "unknown"
  | "segment"
  | "subject"
  | "errorBound"
  | "overrun"
  | "purposes";

function writeLimit(reading: Whole<LimitReading, LimitMember>): void {
  writeArray(16);
  writeText(reading.limitId);
  writeText(reading.ruleClass);
  writeFlag(reading.fits);
  writeNumber(reading.used);
  writeNumber(reading.limit);
  writeNumber(reading.headroom);
  writeNumber(reading.asked);
  writeText(reading.currency);
  writeNumber(reading.resetsAtMs);
  writeNumber(reading.fitsAtMs);
  writeFlag(reading.unknown);
  writeText(reading.segment);
  writeText(reading.subject);
  writeNumber(reading.errorBound);
  writeFlag(reading.overrun);
  writeTexts(reading.purposes);
}

function readLimit(row: Row): LimitReading {
  const [limitId, ruleClass, fits, used, limit, headroom, asked, currency] = row as [
    string,
    LimitReading["ruleClass"],
    boolean,
    number,
    number,
    number,
    number,
    string,
  ];
  const [resetsAtMs, fitsAtMs, unknown, segment, subject, errorBound, overrun, purposes] = row.slice(8) as [
    number | undefined,
    number | undefined,
    boolean,
    string,
    LimitReading["subject"],
    number,
    boolean,
    LimitReading["purposes"],
  ];
  const figures = { limitId, ruleClass, fits, used, limit, headroom, asked, currency };
  return { ...figures, resetsAtMs, fitsAtMs, unknown, segment, subject, errorBound, overrun, purposes };
}

type ReasonMember = "stage" | "code" | "ruleClass" | "sourceId" | "detail" | "playerMessageKey" | "purposes";

function writeReason(reason: Whole<Reason, ReasonMember>): void {
  writeArray(7);
  writeText(reason.stage);
  writeText(reason.code);
  writeText(reason.ruleClass);
  writeText(reason.sourceId);
  writeText(reason.detail);
  writeText(reason.playerMessageKey);
  writeTexts(reason.purposes);
}

function readReason(row: Row): Reason {
  const [stage, code, ruleClass, sourceId, detail, playerMessageKey, purposes] = row as [
    Reason["stage"],
    string,
    Reason["ruleClass"],
    string,
    string,
    string,
    Reason["purposes"],
  ];
  const reason = { stage, code, sourceId, detail, playerMessageKey, purposes };
  return ruleClass === undefined ? reason : { ...reason, ruleClass };
}

function writeSegment(segment: SegmentMatch): void {
  writeArray(2);
  writeText(segment.id);
  writeTexts(segment.purposes);
}

function readSegment(row: Row): SegmentMatch {
  const [id, purposes] = row as [string, SegmentMatch["purposes"]];
  return { id, purposes };
}

function writeMatchedRule(rule: MatchedRule): void {
  writeArray(7);
  writeText(rule.id);
  writeText(rule.ruleClass);
  writeFlag(rule.shadow);
  writeFlag(rule.throughUnknown);
  writeTexts(rule.won);
  writeEach(rule.lost, writeLoss);
  writeTexts(rule.purposes);
}

function writeLoss({ facet, to, why }: FacetLoss): void {
  writeArray(3);
  writeText(facet);
  writeText(to);
  writeText(why);
}

function readMatchedRule(row: Row): MatchedRule {
  const [id, ruleClass, shadow, throughUnknown, won, lost, purposes] = row as [
    string,
    MatchedRule["ruleClass"],
    boolean,
    boolean,
    MatchedRule["won"],
    [FacetLoss["facet"], string, string][],
    MatchedRule["purposes"],
  ];
  const losses = lost.map(([facet, to, why]): FacetLoss => ({ facet, to, why }));
  return { id, ruleClass, shadow, throughUnknown, won, lost: losses, purposes };
}

function writeExperience(experience: Experience | undefined): void {
  if (experience === undefined) {
    writeUndefined();
    return;
  }
  writeArray(4);
  writeEach(experience.methods, ({ method, maxAmount }) => {
    writeArray(2);
    writeText(method);
    if (maxAmount === undefined) writeUndefined();
    else writeMoney(maxAmount);
  });
  writeEach(experience.hiddenMethods, ({ method, reasons }) => {
    writeArray(2);
    writeText(method);
    writeEach(reasons, writeReason);
  });
  writeEach(experience.amounts, writeMoney);
  writeTexts(experience.messageKeys);
}

function readExperience(row: Row | undefined): Experience | undefined {
  if (row === undefined) return undefined;
  const [methods, hiddenMethods, amounts, messageKeys] = row as [
    [string, Row | undefined][],
    [string, Row[]][],
    Row[],
    string[],
  ];
  return {
    methods: methods.map(([method, amount]) => ({ method, maxAmount: amount && readMoney(amount) })),
    hiddenMethods: hiddenMethods.map(([method, reasons]) => ({ method, reasons: reasons.map(readReason) })),
    amounts: amounts.map(readMoney),
    messageKeys,
  };
}

function writeMoney(money: Money): void {
  writeArray(2);
  writeNumber(money.minorUnits);
  writeText(money.currencyCode);
}

function readMoney(row: Row): Money {
  const [minorUnits, currencyCode] = row as [number, string];
  return { minorUnits, currencyCode };
}

function writeAction(action: DueAction): void {
  writeArray(3);
  writeText(action.kind);
  writeText(action.key);
  writeTexts(action.purposes);
}

function readAction(row: Row): DueAction {
  const [kind, key, purposes] = row as [DueAction["kind"], string, DueAction["purposes"]];
  return { kind, key, purposes };
}

function writeSource(source: SourceState): void {
  writeArray(3);
  writeText(source.source);
  writeNumber(source.asOfMs);
  writeFlag(source.degraded);
}

function readSource(row: Row): SourceState {
  const [source, asOfMs, degraded] = row as [string, number, boolean];
  return { source, asOfMs, degraded };
}
