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
import { type Row, unpackBlob, type Whole } from "./pack.ts";
import { readPlan, writePlan } from "./plan.ts";
import {
  endBlob,
  startBlob,
  writeArray,
  writeBlob,
  writeEach,
  writeFlag,
  writeNumber,
  writeOptional,
  writeText,
  writeTexts,
} from "./row-writer.ts";

/** Decisions as they are stored: a report keeps the record again, and its decision never changes. */
const blobs = new WeakMap<Decision, Uint8Array>();

/** Written once, and copied from then on. */
export function writeDecisionBlob(decision: Decision): void {
  const known = blobs.get(decision);
  if (known !== undefined) {
    writeBlob(known);
    return;
  }
  const blob = startBlob();
  writeDecision(decision);
  endBlob(blob);
}

/** A blob, or before version 3 of a record the row itself. */
export function readDecisionBlob(written: Row | Uint8Array): Decision {
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
  writeOptional(decision.plan, writePlan);
  writeEach(decision.segments, writeSegment);
  writeEach(decision.matchedRules, writeMatchedRule);
  writeNumber(decision.matchedRulesOmitted);
  writeOptional(decision.experience, writeExperience);
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

function writeExperience(experience: Experience): void {
  writeArray(4);
  writeEach(experience.methods, ({ method, maxAmount }) => {
    writeArray(2);
    writeText(method);
    writeOptional(maxAmount, writeMoney);
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
