import type { Decision, Plan, SegmentMatch, SourceState, Verdict } from "../core/decision.ts";
import { hash128 } from "../core/hash.ts";
import type { Payment } from "../core/payment.ts";
import { type Reason, sortReasons } from "../core/reason.ts";
import type { BuiltInCode } from "../core/reason-codes.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { isApproved } from "../core/retry/attempts.ts";
import { defaultRetryPolicy } from "../core/retry/default-policy.ts";
import { type PlannedPsp, planRetries } from "../core/retry/plan.ts";
import { type AdvanceInput, advancePlan, type PlanStanding, settleAttempts } from "../core/retry/standing.ts";
import { findAccount } from "../core/routing/eligibility.ts";
import type { Route } from "../core/routing/route.ts";
import { openRoutingCase, type RoutingCase } from "../core/routing/routing-case.ts";
import { listMatchedRules } from "../core/rules/resolve.ts";
import type { Psp, RetryPolicy, RuleSnapshot } from "../core/rules/snapshot.ts";
import { makeSpeakerReason, type Speaker } from "../core/rules/speaker.ts";
import { assessThreeDs, type ThreeDsNeed } from "../core/sca/step-three-ds.ts";
import type { Trace } from "./decided.ts";
import {
  type ActiveRules,
  type DecisionState,
  type Judgement,
  type JudgeOptions,
  judgePayment,
} from "./judge.ts";
import { buildTrace } from "./trace.ts";

/** What is known of the payment from before: all of it empty at its first revision. */
export type EarlierRevisions = {
  readonly attempts: readonly Attempt[];
  /** The RISK reviews that a reviewer approved; empty where nobody did. */
  readonly approvedReviews: readonly string[];
  /** Who rejected the payment, if a reviewer did. */
  readonly rejectedBy: string | undefined;
};

export const firstRevision: EarlierRevisions = { attempts: [], approvedReviews: [], rejectedBy: undefined };

export type DecidedWith = {
  readonly decision: Decision;
  readonly plan: PlanStanding | undefined;
  /** Present where the payment asks for it. */
  readonly trace: Trace | undefined;
};

/** What the rooms say of one payment, before it is put into one answer. */
export type Draft = Judgement & {
  readonly routingCase: RoutingCase;
  readonly threeDs: ThreeDsNeed;
  readonly route: Route;
};

/** How long a reviewer has. */
const reviewTtlMs = 24 * 3_600_000;
/** After how long it is worth asking again while all routes are down: people set these states. */
const routesDownRetryMs = 60_000;
const reasonsMax = 32;

/**
 * Decides one payment in mode PAYMENT: a pure function of rule set, overrides, state, payment and instant. It stores nothing, so simulations walk
 * the very same way.
 */
export function decideWith(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
  earlier: EarlierRevisions = firstRevision,
): DecidedWith {
  const draft = draftDecision(rules, payment, state, nowMs, { approvedReviews: earlier.approvedReviews });
  const decision = makeDecision(rules, draft, earlier);
  const { attempts } = earlier;
  const plan = standPlan(decision, { attempts, revision: payment.revision, nowMs, cuts: undefined });
  return { decision, plan, trace: payment.trace ? buildTrace(draft, rules.overrides, decision) : undefined };
}

/** The plan of an answer as it now stands; where it has none, what is still to be settled, if anything is. */
export function standPlan(
  { plan, decidedAtMs }: Decision,
  input: Omit<AdvanceInput, "decidedAtMs">,
): PlanStanding | undefined {
  return plan === undefined
    ? settleAttempts(input.attempts, decidedAtMs)
    : advancePlan(plan, { ...input, decidedAtMs });
}

/** Walks a payment past the rooms: judged, then routed. */
export function draftDecision(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
  options: JudgeOptions,
): Draft {
  const judgement = judgePayment(rules, payment, state, nowMs, options);
  const { workspace, facts, shadows, resolution, restrictions } = judgement;
  const threeDs = assessThreeDs(payment, resolution.threeDs);
  const routingCase = openRoutingCase(facts, rules.snapshot, threeDs.isNeeded);
  const route = workspace.router.route(resolution, routingCase, state.pspStates);
  return { workspace, facts, shadows, resolution, restrictions, threeDs, routingCase, route };
}

function makeDecision(
  { snapshot, overrides }: ActiveRules,
  draft: Draft,
  earlier: EarlierRevisions,
): Decision {
  const { resolution, shadows, facts } = draft;
  const { payment, nowMs } = facts;
  const policy = findPolicy(snapshot, resolution.retryPolicy);
  const attemptsLeft = policy.maxAttempts - earlier.attempts.length;
  const denials = listDenials(draft, earlier, attemptsLeft);
  const verdict: Verdict = denials.length > 0 ? "DENY" : resolution.verdict;
  const reasons = denials.length > 0 ? denials : resolution.reasons;
  const { matchedRules, matchedRulesOmitted } = listMatchedRules(resolution.speakers, shadows);
  return {
    decisionId: hash128(payment.merchantId, payment.paymentId, String(payment.revision)),
    verdict,
    reasons: finishReasons(reasons, draft),
    plan: verdict === "APPROVE_ROUTE" ? makePlan(snapshot.psps, draft, policy, attemptsLeft) : undefined,
    limits: [],
    segments: listSegments(snapshot, draft.workspace.frame.segments),
    matchedRules,
    matchedRulesOmitted,
    experience: undefined,
    actions: resolution.actions,
    removedActions: resolution.removedActions,
    ruleSetVersion: snapshot.version,
    ruleSetHash: snapshot.hash,
    overrideRevision: overrides.revision,
    sources: listSources(nowMs),
    decidedAtMs: nowMs,
    retryAfterMs: verdict === "DENY" ? findRetryAfter(denials, resolution.retryAfterMs, nowMs) : undefined,
    reviewUntilMs: verdict === "REVIEW" ? nowMs + reviewTtlMs : undefined,
    riskScore: resolution.riskScore,
    reviewedRules: verdict === "REVIEW" ? resolution.reviewedRules : noIds,
  };
}

const noIds: readonly string[] = [];

/** The policy that a rule names, else the default of the rule set, else that of the house. */
function findPolicy({ retryPolicies }: RuleSnapshot, id: string | undefined): RetryPolicy {
  return (
    (id === undefined ? undefined : retryPolicies.get(id)) ??
    retryPolicies.get(defaultRetryPolicy.id) ??
    defaultRetryPolicy
  );
}

/** Why the payment is denied, by stage; empty where it is not. Routing has its say only where nothing else forbids or reviews it. */
function listDenials(
  { resolution, restrictions, route }: Draft,
  { attempts, rejectedBy }: EarlierRevisions,
  attemptsLeft: number,
): readonly Reason[] {
  const state =
    attempts.length === 0 && rejectedBy === undefined ? noReasons : judgeState(attempts, rejectedBy);
  const isDenied = resolution.verdict === "DENY";
  if (state.length > 0 || restrictions.length > 0) {
    return [...state, ...restrictions, ...(isDenied ? resolution.reasons : noReasons)];
  }
  if (isDenied) return resolution.reasons;
  if (resolution.verdict === "REVIEW") return noReasons;
  const noRoute = route.denial();
  if (noRoute !== undefined) return [noRoute];
  return attemptsLeft > 0 ? noReasons : [exhaustedReason(attempts.length)];
}

const noReasons: readonly Reason[] = [];

function judgeState(attempts: readonly Attempt[], rejectedBy: string | undefined): readonly Reason[] {
  const reasons: Reason[] = [];
  const approved = attempts.find(isApproved);
  if (approved !== undefined) {
    const detail = `attempt ${approved.attemptId} at ${approved.psp} was approved`;
    reasons.push(makeReason("request_state", "ALREADY_APPROVED", approved.attemptId, detail));
  }
  if (rejectedBy !== undefined) {
    reasons.push(makeReason("request_state", "REVIEW_REJECTED", "review", `rejected by ${rejectedBy}`));
  }
  return reasons;
}

function exhaustedReason(attempts: number): Reason {
  return makeReason("routing", "ATTEMPTS_EXHAUSTED", "", `the payment has had ${attempts} attempts`);
}

function makeReason(stage: Reason["stage"], code: BuiltInCode, sourceId: string, detail: string): Reason {
  return { stage, code, sourceId, detail, playerMessageKey: "", purposes: ["payments"] };
}

/** In the fixed precedence, with what there is to say beside it; at most 32. */
function finishReasons(reasons: readonly Reason[], { workspace, resolution }: Draft): readonly Reason[] {
  const { evalErrors } = workspace.frame;
  if (evalErrors === 0 && reasons.length < 2) return reasons;
  const all = [...reasons];
  if (evalErrors > 0) all.push(...listErrors(evalErrors, resolution.speakers));
  return sortReasons(all).slice(0, reasonsMax);
}

/** Names the rules that matched through an error; where none did, the error only kept some condition from being known. */
function listErrors(count: number, speakers: readonly Speaker[]): readonly Reason[] {
  const matched = speakers.filter(({ flag }) => flag === 2);
  const detail = `an evaluation error (${count} in all) reads as unknown`;
  if (matched.length === 0) return [makeReason("informational", "EVAL_ERROR", "", detail)];
  return matched.map((speaker) => ({
    ...makeSpeakerReason(speaker, "EVAL_ERROR", detail),
    stage: "informational" as const,
  }));
}

function findRetryAfter(
  denials: readonly Reason[],
  ruleWaitMs: number | undefined,
  nowMs: number,
): number | undefined {
  const [first] = denials;
  if (first?.code === "ALL_ROUTES_DOWN") return nowMs + routesDownRetryMs;
  const isByRules = first !== undefined && first.ruleClass !== undefined;
  return isByRules && ruleWaitMs !== undefined ? nowMs + ruleWaitMs : undefined;
}

function makePlan(
  psps: readonly Psp[],
  { facts, routingCase, route, threeDs }: Draft,
  policy: RetryPolicy,
  attemptsLeft: number,
): Plan {
  const { payment, nowMs } = facts;
  return planRetries({
    payment,
    policy,
    route: route.order.map((psp) => preparePsp(psps[psp]!, routingCase)),
    threeDs,
    issuerCountry: routingCase.issuerCountry,
    attemptsLeft,
    nowMs,
  });
}

function preparePsp(psp: Psp, routingCase: RoutingCase): PlannedPsp {
  const mid = psp.accounts.length === 0 ? "" : (findAccount(psp, routingCase)?.mid ?? "");
  const instrument = routingCase.isCard ? (routingCase.credential ?? psp.credentials[0] ?? "") : "";
  return { psp, mid, instrument };
}

/** Outside conditions membership means true (`SEMANTICS.md` 2.1). */
export function listSegments({ segments }: RuleSnapshot, truths: Uint8Array): readonly SegmentMatch[] {
  const matched: SegmentMatch[] = [];
  for (let at = 0; at < segments.length; at++) if (truths[at] === 1) matched.push(segments[at]!);
  return matched;
}

const sourceNames = ["bins", "overrides", "players", "psps", "rules"] as const;
let sources: readonly SourceState[] = [];

/** All state is held in memory and is as of now. One list serves all decisions of one ms. */
export function listSources(nowMs: number): readonly SourceState[] {
  if (sources[0]?.asOfMs !== nowMs) {
    sources = sourceNames.map((source) => ({ source, asOfMs: nowMs, degraded: false }));
  }
  return sources;
}
