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
import { packRow, type Row, readVersion, unpackRow, type Whole } from "./pack.ts";
import { readPayment, writePayment } from "./payment.ts";
import { readPlan, writePlan } from "./plan.ts";

/** Version 1 knew neither limits nor the payment itself. */
const version = 2;
/** Between the version and the row: until when the record is kept, so that the checkpoint need not read all of it. */
const keepUntilAt = 1;
const keepUntilBytes = 6;
const keepUntilMsMax = 2 ** 48 - 1;

/** Bytes of a payment. Its id is the key's business and is not among them. */
export function encodePaymentRecord(record: PaymentRecord): Buffer {
  const row = [
    record.revision,
    record.keepUntilMs,
    writeIdentity(record.identity),
    writeDecision(record.decision),
    record.attempts.map(writeAttempt),
    record.payment === undefined ? undefined : writePayment(record.payment),
    record.converted === undefined ? undefined : [...record.converted].flat(),
    record.earlier?.map(writeEarlier),
  ];
  const bytes = packRow(version, row, keepUntilBytes);
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
  ) as [number, number, Row, Row, Row[], Row | undefined, Row | undefined, (Row[] | undefined)?];
  return {
    paymentId,
    revision,
    identity: readIdentity(identity),
    decision: readDecision(decision),
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
): Row {
  const { revision, payment, decidedAtMs, ruleSetVersion, converted, accounts } = earlier;
  const maps = [[...converted].flat(), [...accounts].flat()];
  return [revision, writePayment(payment), decidedAtMs, ruleSetVersion, ...maps];
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

function writeIdentity(identity: PaymentIdentity): Row {
  const { minorUnits, currencyCode } = identity.amount;
  return [identity.playerId, identity.kind, minorUnits, currencyCode, identity.method, identity.instrument];
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

function writeAttempt(
  attempt: Whole<
    StoredAttempt,
    "attemptId" | "psp" | "outcomeClass" | "atMs" | "revision" | "voided" | "approvedMinor"
  >,
): Row {
  const { attemptId, psp, outcomeClass, atMs, revision, voided, approvedMinor } = attempt;
  return [attemptId, psp, outcomeClass, atMs, revision, voided, approvedMinor];
}

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
  };
}

function writeDecision(decision: Decision): Row {
  return [
    decision.decisionId,
    decision.verdict,
    decision.reasons.map(writeReason),
    writePlan(decision.plan),
    decision.segments.map(writeSegment),
    decision.matchedRules.map(writeMatchedRule),
    decision.matchedRulesOmitted,
    writeExperience(decision.experience),
    decision.actions.map(writeAction),
    decision.removedActions.map(writeAction),
    decision.ruleSetVersion,
    decision.ruleSetHash,
    decision.overrideRevision,
    decision.sources.map(writeSource),
    decision.decidedAtMs,
    decision.retryAfterMs,
    decision.reviewUntilMs,
    decision.riskScore,
    decision.reviewedRules,
    decision.limits.map(writeLimit),
  ];
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

function writeLimit(reading: Whole<LimitReading, LimitMember>): Row {
  const { limitId, ruleClass, fits, used, limit, headroom, asked, currency } = reading;
  const { resetsAtMs, fitsAtMs, unknown, segment, subject, errorBound, overrun, purposes } = reading;
  // One array and no copies: five of them are written with every decision.
  return [
    limitId,
    ruleClass,
    fits,
    used,
    limit,
    headroom,
    asked,
    currency,
    resetsAtMs,
    fitsAtMs,
    unknown,
    segment,
    subject,
    errorBound,
    overrun,
    purposes,
  ];
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

function writeReason(reason: Whole<Reason, ReasonMember>): Row {
  const { stage, code, ruleClass, sourceId, detail, playerMessageKey, purposes } = reason;
  return [stage, code, ruleClass, sourceId, detail, playerMessageKey, purposes];
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

function writeSegment(segment: SegmentMatch): Row {
  return [segment.id, segment.purposes];
}

function readSegment(row: Row): SegmentMatch {
  const [id, purposes] = row as [string, SegmentMatch["purposes"]];
  return { id, purposes };
}

function writeMatchedRule(rule: MatchedRule): Row {
  const lost = rule.lost.map(({ facet, to, why }) => [facet, to, why]);
  return [rule.id, rule.ruleClass, rule.shadow, rule.throughUnknown, rule.won, lost, rule.purposes];
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

function writeExperience(experience: Experience | undefined): Row | undefined {
  return (
    experience && [
      experience.methods.map(({ method, maxAmount }) => [method, maxAmount && writeMoney(maxAmount)]),
      experience.hiddenMethods.map(({ method, reasons }) => [method, reasons.map(writeReason)]),
      experience.amounts.map(writeMoney),
      experience.messageKeys,
    ]
  );
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

function writeMoney(money: Money): Row {
  return [money.minorUnits, money.currencyCode];
}

function readMoney(row: Row): Money {
  const [minorUnits, currencyCode] = row as [number, string];
  return { minorUnits, currencyCode };
}

function writeAction(action: DueAction): Row {
  return [action.kind, action.key, action.purposes];
}

function readAction(row: Row): DueAction {
  const [kind, key, purposes] = row as [DueAction["kind"], string, DueAction["purposes"]];
  return { kind, key, purposes };
}

function writeSource(source: SourceState): Row {
  return [source.source, source.asOfMs, source.degraded];
}

function readSource(row: Row): SourceState {
  const [source, asOfMs, degraded] = row as [string, number, boolean];
  return { source, asOfMs, degraded };
}
