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
import {
  enterBlob,
  readEach,
  readFlag,
  readNumber,
  readOptional,
  readOptionalNumber,
  readOptionalWord,
  readText,
  readTexts,
  readWord,
  readWords,
} from "./byte-reader.ts";
import {
  endBlob,
  startBlob,
  writeBlob,
  writeEach,
  writeFlag,
  writeNumber,
  writeOptional,
  writeText,
  writeTexts,
  writeWord,
  writeWords,
} from "./byte-writer.ts";
import { type Making, setTold } from "./members.ts";
import type { Whole } from "./pack.ts";
import { readPlan, writePlan } from "./plan.ts";

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

export function readDecisionBlob(): Decision {
  const blob = enterBlob();
  const decision = readDecision();
  blobs.set(decision, blob);
  return decision;
}

type DecisionMember =
  | "decisionId"
  | "verdict"
  | "reasons"
  | "plan"
  | "limits"
  | "segments"
  | "matchedRules"
  | "matchedRulesOmitted"
  | "experience"
  | "actions"
  | "removedActions"
  | "ruleSetVersion"
  | "ruleSetHash"
  | "overrideRevision"
  | "sources"
  | "decidedAtMs"
  | "retryAfterMs"
  | "reviewUntilMs"
  | "riskScore"
  | "reviewedRules";

function writeDecision(decision: Whole<Decision, DecisionMember>): void {
  writeText(decision.decisionId);
  writeWord(decision.verdict);
  writeEach(decision.reasons, writeReason);
  writeOptional(decision.plan, writePlan);
  writeEach(decision.limits, writeLimit);
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
}

function readDecision(): Decision {
  return {
    decisionId: readText(),
    verdict: readWord(),
    reasons: readEach(readReason),
    plan: readOptional(readPlan),
    limits: readEach(readLimit),
    segments: readEach(readSegment),
    matchedRules: readEach(readMatchedRule),
    matchedRulesOmitted: readNumber(),
    experience: readOptional(readExperience),
    actions: readEach(readAction),
    removedActions: readEach(readAction),
    ruleSetVersion: readNumber(),
    ruleSetHash: readText(),
    overrideRevision: readNumber(),
    sources: readEach(readSource),
    decidedAtMs: readNumber(),
    retryAfterMs: readOptionalNumber(),
    reviewUntilMs: readOptionalNumber(),
    riskScore: readNumber(),
    reviewedRules: readTexts(),
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
  writeText(reading.limitId);
  writeWord(reading.ruleClass);
  writeFlag(reading.fits);
  writeNumber(reading.used);
  writeNumber(reading.limit);
  writeNumber(reading.headroom);
  writeNumber(reading.asked);
  writeWord(reading.currency);
  writeNumber(reading.resetsAtMs);
  writeNumber(reading.fitsAtMs);
  writeFlag(reading.unknown);
  writeText(reading.segment);
  writeWord(reading.subject);
  writeNumber(reading.errorBound);
  writeFlag(reading.overrun);
  writeWords(reading.purposes);
}

function readLimit(): LimitReading {
  return {
    limitId: readText(),
    ruleClass: readWord(),
    fits: readFlag(),
    used: readNumber(),
    limit: readNumber(),
    headroom: readNumber(),
    asked: readNumber(),
    currency: readWord(),
    resetsAtMs: readOptionalNumber(),
    fitsAtMs: readOptionalNumber(),
    unknown: readFlag(),
    segment: readText(),
    subject: readWord(),
    errorBound: readNumber(),
    overrun: readFlag(),
    purposes: readWords(),
  };
}

type ReasonMember = "stage" | "code" | "ruleClass" | "sourceId" | "detail" | "playerMessageKey" | "purposes";

function writeReason(reason: Whole<Reason, ReasonMember>): void {
  writeWord(reason.stage);
  writeText(reason.code);
  writeText(reason.sourceId);
  writeText(reason.detail);
  writeText(reason.playerMessageKey);
  writeWords(reason.purposes);
  writeWord(reason.ruleClass);
}

function readReason(): Reason {
  const reason: Making<Reason> = {
    stage: readWord(),
    code: readText(),
    sourceId: readText(),
    detail: readText(),
    playerMessageKey: readText(),
    purposes: readWords(),
  };
  setTold(reason, "ruleClass", readOptionalWord());
  return reason;
}

function writeSegment({ id, purposes }: Whole<SegmentMatch, "id" | "purposes">): void {
  writeText(id);
  writeWords(purposes);
}

function readSegment(): SegmentMatch {
  return { id: readText(), purposes: readWords() };
}

type MatchedRuleMember = "id" | "ruleClass" | "shadow" | "throughUnknown" | "won" | "lost" | "purposes";

function writeMatchedRule(rule: Whole<MatchedRule, MatchedRuleMember>): void {
  writeText(rule.id);
  writeWord(rule.ruleClass);
  writeFlag(rule.shadow);
  writeFlag(rule.throughUnknown);
  writeWords(rule.won);
  writeEach(rule.lost, writeLoss);
  writeWords(rule.purposes);
}

function readMatchedRule(): MatchedRule {
  return {
    id: readText(),
    ruleClass: readWord(),
    shadow: readFlag(),
    throughUnknown: readFlag(),
    won: readWords(),
    lost: readEach(readLoss),
    purposes: readWords(),
  };
}

function writeLoss({ facet, to, why }: Whole<FacetLoss, "facet" | "to" | "why">): void {
  writeWord(facet);
  writeText(to);
  writeText(why);
}

function readLoss(): FacetLoss {
  return { facet: readWord(), to: readText(), why: readText() };
}

type ExperienceMember = "methods" | "hiddenMethods" | "amounts" | "messageKeys";

function writeExperience(experience: Whole<Experience, ExperienceMember>): void {
  writeEach(experience.methods, ({ method, maxAmount }) => {
    writeText(method);
    writeOptional(maxAmount, writeMoney);
  });
  writeEach(experience.hiddenMethods, ({ method, reasons }) => {
    writeText(method);
    writeEach(reasons, writeReason);
  });
  writeEach(experience.amounts, writeMoney);
  writeTexts(experience.messageKeys);
}

function readExperience(): Experience {
  return {
    methods: readEach(() => ({ method: readText(), maxAmount: readOptional(readMoney) })),
    hiddenMethods: readEach(() => ({ method: readText(), reasons: readEach(readReason) })),
    amounts: readEach(readMoney),
    messageKeys: readTexts(),
  };
}

function writeMoney({ minorUnits, currencyCode }: Whole<Money, "minorUnits" | "currencyCode">): void {
  writeNumber(minorUnits);
  writeWord(currencyCode);
}

function readMoney(): Money {
  return { minorUnits: readNumber(), currencyCode: readWord() };
}

function writeAction({ kind, key, purposes }: Whole<DueAction, "kind" | "key" | "purposes">): void {
  writeWord(kind);
  writeText(key);
  writeWords(purposes);
}

function readAction(): DueAction {
  return { kind: readWord(), key: readText(), purposes: readWords() };
}

function writeSource({
  source,
  asOfMs,
  degraded,
}: Whole<SourceState, "source" | "asOfMs" | "degraded">): void {
  writeWord(source);
  writeNumber(asOfMs);
  writeFlag(degraded);
}

function readSource(): SourceState {
  return { source: readWord(), asOfMs: readNumber(), degraded: readFlag() };
}
