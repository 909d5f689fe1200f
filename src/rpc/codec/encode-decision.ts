import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Decision, DueAction, Edge, MatchedRule, Step, StepThreeDs } from "../../core/decision.ts";
import { isForGateways, type Purpose } from "../../core/facts.ts";
import type { Money } from "../../core/payment.ts";
import type { Reason } from "../../core/reason.ts";
import type { ActionKind } from "../../core/rules/snapshot.ts";
import type { Decided, PlanNow } from "../../decide/decided.ts";
import {
  type DecideResponse,
  DecideResponse_Verdict,
  DecideResponseSchema,
  Edge_Action,
  type EdgeSchema,
  type ExperienceSchema,
  type MatchedRuleSchema,
  type PlanSchema,
  type ReasonSchema,
  Step_Kind,
  Step_LiabilityShift,
  type StepSchema,
  ThreeDs_Requirement,
  type ThreeDsSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import { type MoneySchema, Outcome_Class } from "../../gen/switchyard/v1/payment_pb.js";
import { Action_Kind, type ActionSchema, Rule_Class } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { Door } from "../../wire/transport.ts";
import { encodeReadings } from "./encode-limits.ts";
import { encodeTrace } from "./encode-trace.ts";
import { encodeDuration, encodeInstant } from "./time.ts";

const reasonsMax = 32;
const segmentsMax = 256;
const actionsMax = 64;
const methodsMax = 64;
const lossesMax = 32;

/** Actions that the player is to see at the checkout: a gateway that is not told can't show them. They say what to do, never why. */
const promptKinds: ReadonlySet<ActionKind> = new Set(["COOL_OFF_PROMPT", "TIME_OUT", "LIMIT_PROMPT"]);

/** The one public reason that stands for all reasons of safer gambling and anti-money-laundering. */
const neutralCode = "NOT_AVAILABLE";

/** Whether a door may show what serves the purposes. */
type Shows = (purposes: readonly Purpose[]) => boolean;

const showAll: Shows = () => true;

/** Admins see everything, gateways what is for payments and fraud (`SEMANTICS.md` 3.9). */
export function findShown(door: Door): Shows {
  return door === "admin" ? showAll : isForGateways;
}

/** The answer as it leaves by a door: reasons, rules, segments and actions that it may show. */
export function encodeDecision(decided: Decided, requestId: string, door: Door): DecideResponse {
  const { decision, payment, replayed } = decided;
  const shows = findShown(door);
  const segments = decision.segments.filter(({ purposes }) => shows(purposes));
  const actions = decision.actions.filter(({ kind, purposes }) => promptKinds.has(kind) || shows(purposes));
  return create(DecideResponseSchema, {
    decisionId: decision.decisionId,
    requestId,
    paymentId: payment.paymentId,
    revision: payment.revision,
    verdict: DecideResponse_Verdict[decision.verdict],
    reasons: encodeReasons(decision.reasons, shows),
    ...(decided.plan === undefined ? {} : { plan: encodePlan(decided.plan, shows) }),
    limits: encodeReadings(decision.limits, door, new Set(segments.map(({ id }) => id))),
    segments: segments.slice(0, segmentsMax).map(({ id }) => id),
    matchedRules: encodeMatchedRules(decision.matchedRules, door),
    matchedRulesOmitted: decision.matchedRulesOmitted,
    ...(decision.experience === undefined
      ? {}
      : { experience: encodeExperience(decision.experience, shows) }),
    actions: actions.slice(0, actionsMax).map(encodeAction),
    removedActions: door === "admin" ? decision.removedActions.slice(0, actionsMax).map(encodeAction) : [],
    ruleSet: { version: BigInt(decision.ruleSetVersion), hash: decision.ruleSetHash },
    overrideRevision: BigInt(decision.overrideRevision),
    sources: decision.sources.map(({ source, asOfMs, degraded }) => ({
      source,
      asOf: encodeInstant(asOfMs),
      degraded,
    })),
    replayed,
    decidedAt: encodeInstant(decision.decidedAtMs),
    ...(decision.retryAfterMs === undefined ? {} : { retryAfter: encodeInstant(decision.retryAfterMs) }),
    ...(decision.reviewUntilMs === undefined ? {} : { reviewUntil: encodeInstant(decision.reviewUntilMs) }),
    riskScore: decision.riskScore,
    ...(decided.trace === undefined ? {} : { trace: encodeTrace(decided.trace, door) }),
  });
}

/** Reasons in order. Those that a gateway may not see become one neutral reason, at the place of the first, with its key for the player. */
function encodeReasons(reasons: readonly Reason[], shows: Shows): MessageInitShape<typeof ReasonSchema>[] {
  const encoded: MessageInitShape<typeof ReasonSchema>[] = [];
  let neutralDone = false;
  for (const reason of reasons) {
    if (shows(reason.purposes)) encoded.push(encodeReason(reason));
    else if (!neutralDone) {
      neutralDone = true;
      encoded.push({ code: neutralCode, playerMessageKey: reason.playerMessageKey });
    }
  }
  return encoded.slice(0, reasonsMax);
}

export function encodeReason(reason: Reason): MessageInitShape<typeof ReasonSchema> {
  return {
    code: reason.code,
    ruleClass: reason.ruleClass === undefined ? Rule_Class.CLASS_UNSPECIFIED : Rule_Class[reason.ruleClass],
    sourceId: reason.sourceId,
    detail: reason.detail,
    playerMessageKey: reason.playerMessageKey,
  };
}

/** Who stands where a shown rule lost, if not a rule: none of these tells anything of the player. */
const impersonal: ReadonlySet<string> = new Set(["eligibility", "fx_rates", "review", "risk_thresholds"]);

/** For gateways only shown rules, and their losses only to each other: one to a hidden rule or to a restriction would tell of it. */
function encodeMatchedRules(
  matched: readonly MatchedRule[],
  door: Door,
): MessageInitShape<typeof MatchedRuleSchema>[] {
  if (door === "admin") return matched.map((rule) => encodeMatchedRule(rule, () => true));
  const shown = matched.filter(({ purposes }) => isForGateways(purposes));
  const ids = new Set(shown.map(({ id }) => id));
  return shown.map((rule) => encodeMatchedRule(rule, (to) => ids.has(to) || impersonal.has(to)));
}

function encodeMatchedRule(
  rule: MatchedRule,
  showsLossTo: (to: string) => boolean,
): MessageInitShape<typeof MatchedRuleSchema> {
  return {
    id: rule.id,
    class: Rule_Class[rule.ruleClass],
    shadow: rule.shadow,
    throughUnknown: rule.throughUnknown,
    won: [...rule.won],
    lost: rule.lost
      .filter(({ to }) => showsLossTo(to))
      .slice(0, lossesMax)
      .map((loss) => ({ ...loss })),
  };
}

export function encodePlan(plan: PlanNow, shows: Shows): MessageInitShape<typeof PlanSchema> {
  return {
    steps: plan.steps.map(encodeStep),
    validUntil: encodeInstant(plan.validUntilMs),
    codeTableVersion: plan.codeTableVersion,
    next: encodeEdge(plan.next),
    attempts: plan.attempts.map(({ attemptId, psp, outcomeClass, voided = false }) => ({
      attemptId,
      psp,
      outcome: Outcome_Class[outcomeClass],
      voided,
    })),
    cut: encodeReasons(plan.cut, shows),
  };
}

function encodeStep(step: Step): MessageInitShape<typeof StepSchema> {
  const { number, psp, mid, instrument, attemptId, idempotencyKey, notBeforeMs } = step;
  return {
    number,
    kind: Step_Kind[step.kind],
    psp,
    mid,
    instrument,
    threeDs: encodeThreeDs(step.threeDs),
    liabilityShift:
      step.liabilityShift === "UNKNOWN"
        ? Step_LiabilityShift.LIABILITY_SHIFT_UNSPECIFIED
        : Step_LiabilityShift[step.liabilityShift],
    attemptId,
    idempotencyKey,
    ...(notBeforeMs === undefined ? {} : { notBefore: encodeInstant(notBeforeMs) }),
    edges: step.edges.map(({ outcomeClass, edge }) => ({
      outcome: Outcome_Class[outcomeClass],
      edge: encodeEdge(edge),
    })),
    timeout: encodeDuration(step.timeoutMs),
    mayResend: step.mayResend,
  };
}

function encodeThreeDs(threeDs: StepThreeDs): MessageInitShape<typeof ThreeDsSchema> {
  return {
    requirement: ThreeDs_Requirement[threeDs.requirement],
    reason: threeDs.reason,
    ...(threeDs.requirement === "THREE_DS"
      ? { challengeIndicator: threeDs.challengeIndicator, useProof: threeDs.useProof }
      : {}),
    ...(threeDs.requirement === "EXEMPTION" ? { exemption: threeDs.exemption } : {}),
  };
}

function encodeEdge(edge: Edge): MessageInitShape<typeof EdgeSchema> {
  const notBeforeMs = "notBeforeMs" in edge ? edge.notBeforeMs : undefined;
  return {
    action: Edge_Action[edge.action],
    ...("step" in edge ? { step: edge.step } : {}),
    ...(notBeforeMs === undefined ? {} : { notBefore: encodeInstant(notBeforeMs) }),
    ...("fields" in edge ? { fields: [...edge.fields] } : {}),
  };
}

function encodeExperience(
  experience: NonNullable<Decision["experience"]>,
  shows: Shows,
): MessageInitShape<typeof ExperienceSchema> {
  return {
    methods: experience.methods.slice(0, methodsMax).map(({ method, maxAmount }) => ({
      method,
      ...(maxAmount === undefined ? {} : { maxAmount: encodeMoney(maxAmount) }),
    })),
    hiddenMethods: experience.hiddenMethods.slice(0, methodsMax).map(({ method, reasons }) => ({
      method,
      reasons: encodeReasons(reasons, shows),
    })),
    amounts: experience.amounts.map(encodeMoney),
    messageKeys: [...experience.messageKeys],
  };
}

function encodeMoney({ minorUnits, currencyCode }: Money): MessageInitShape<typeof MoneySchema> {
  return { minorUnits: BigInt(minorUnits), currencyCode };
}

function encodeAction({ kind, key }: DueAction): MessageInitShape<typeof ActionSchema> {
  return { kind: Action_Kind[kind], key };
}
