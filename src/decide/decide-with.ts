import type { Decision, Plan, SegmentMatch, SourceState, Verdict } from "../core/decision.ts";
import { hash128 } from "../core/hash.ts";
import type { HoldWish } from "../core/limits/holds.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Payment } from "../core/payment.ts";
import { type Reason, sortReasons } from "../core/reason.ts";
import type { BuiltInCode } from "../core/reason-codes.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { isApproved } from "../core/retry/attempts.ts";
import type { CardStanding } from "../core/retry/card-standing.ts";
import { codeTableOf } from "../core/retry/code-table.ts";
import { defaultRetryPolicy } from "../core/retry/default-policy.ts";
import { findBeyond, findShare } from "../core/retry/in-flight.ts";
import { type PlannedPsp, planRetries } from "../core/retry/plan.ts";
import {
  type AdvanceInput,
  advancePlan,
  holdBack,
  type PlanCuts,
  type PlanStanding,
  settleAttempts,
} from "../core/retry/standing.ts";
import { findAccount } from "../core/routing/eligibility.ts";
import type { Route } from "../core/routing/route.ts";
import { openRoutingCase, type RoutingCase } from "../core/routing/routing-case.ts";
import { listMatchedRules } from "../core/rules/resolve.ts";
import type { Psp, RetryPolicy, RuleSnapshot } from "../core/rules/snapshot.ts";
import { makeSpeakerReason, type Speaker } from "../core/rules/speaker.ts";
import { needsThreeDs, type ThreeDsNeed } from "../core/sca/step-three-ds.ts";
import { findBar } from "../core/sca/three-ds-result.ts";
import type { Probe } from "./breakers.ts";
import { findCardEnd, listCardReasons, type RetryBudget, readBudget, readCard } from "./card.ts";
import type { Trace } from "./decided.ts";
import { findProbe, makeLeastBadReason, readHealth } from "./health.ts";
import {
  type ActiveRules,
  type DecisionState,
  type Judgement,
  type JudgeOptions,
  judgePayment,
  setScene,
} from "./judge.ts";
import { isLimited, judgeLimitsOf, type LimitsDraft, makeTerms } from "./limits.ts";
import { assessSca } from "./sca.ts";
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
  /** What the payment is to hold; undefined where it is denied, or neither a limit nor a cap of a scheme could ever count it. */
  readonly wish: HoldWish | undefined;
  /** Attempts with the card that the plan may send before anything is heard of it; 0 where no cap of a scheme could count them. */
  readonly planned: number;
  /** Which PSP the payment is to try again, if any: whoever keeps the decision leases it. */
  readonly probe?: Probe | undefined;
  /** Present where the payment asks for it. */
  readonly trace: Trace | undefined;
};

/** What the rooms say of one payment, before it is put into one answer. */
export type Draft = Judgement & {
  readonly limits: LimitsDraft;
  readonly routingCase: RoutingCase;
  readonly threeDs: ThreeDsNeed;
  readonly route: Route;
  readonly policy: RetryPolicy;
  /** What the card's history forbids and leaves. */
  readonly card: CardStanding;
  readonly budget: RetryBudget;
  /** Attempts that the policy, the limits and the player's budget leave; not above 0 where none is. What the caps of schemes leave of them may change yet. */
  readonly attemptsLeft: number;
  /** Attempts so far. */
  readonly attempts: number;
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
  const { attempts } = earlier;
  const draft = draftDecision(rules, payment, state, nowMs, {
    approvedReviews: earlier.approvedReviews,
    attempts: attempts.length,
  });
  const decision = makeDecision(rules, draft, earlier);
  const { revision } = payment;
  const whole = standPlan(decision, { attempts, revision, nowMs, cuts: undefined });
  const cuts = whole && holdBackBeyond(whole, draft.card, findShare(draft.card.free), undefined);
  const plan = cuts === undefined ? whole : standPlan(decision, { attempts, revision, nowMs, cuts });
  const planned = countPlanned(draft, plan);
  const trace = payment.trace ? buildTrace(draft, rules.overrides, decision) : undefined;
  const probe = findProbe(rules.snapshot.psps, draft.routingCase, draft.route, decision);
  return { decision, plan, wish: makeWish(draft, decision, planned), planned, probe, trace };
}

/** The cuts, and the steps that would be more attempts than the next `most`; undefined where there are neither. */
export function holdBackBeyond(
  standing: PlanStanding,
  { caps, free }: CardStanding,
  most: number,
  cuts: PlanCuts | undefined,
): PlanCuts | undefined {
  // No way has more attempts than there are steps.
  if (most >= standing.steps.length) return cuts;
  const beyond = findBeyond(standing, most);
  if (beyond.size === 0) return cuts;
  const tightest = caps.find(({ declines, used, inFlight }) => declines - used - inFlight <= free);
  const detail = `the caps leave ${free} more with the card: report what becomes of each step, and follow next`;
  return holdBack(cuts, beyond, makeReason("routing", "SCHEME_CAP", tightest?.id ?? "", detail));
}

/** As many as there are steps, or the policy, the limits and the caps leave; each is on some way, if not all on one. */
function countPlanned({ card, attemptsLeft }: Draft, plan: PlanStanding | undefined): number {
  if (!card.isCounted || plan === undefined) return 0;
  return Math.min(plan.steps.length, attemptsLeft, findShare(card.free));
}

/** The plan of an answer as it now stands; where it has none, what is still to be settled, if anything is. */
export function standPlan(
  { plan, decidedAtMs }: Decision,
  input: Omit<AdvanceInput, "decidedAtMs">,
): PlanStanding | undefined {
  return plan === undefined
    ? settleAttempts(input.attempts, { decidedAtMs, nowMs: input.nowMs })
    : advancePlan(plan, { ...input, decidedAtMs });
}

function makeWish(draft: Draft, decision: Decision, planned: number): HoldWish | undefined {
  const { workspace, facts } = draft;
  const { verdict, plan, decidedAtMs } = decision;
  if (verdict === "DENY" || (planned === 0 && !isLimited(workspace, facts.player))) return undefined;
  return {
    terms: makeTerms(workspace, facts, decision),
    verdict,
    authorisations: Math.min(draft.attemptsLeft, plan?.steps.length ?? draft.attemptsLeft),
    validUntilMs: plan?.validUntilMs ?? decidedAtMs,
  };
}

/** Walks a payment past the rooms: judged, then routed. */
export function draftDecision(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
  options: JudgeOptions,
): Draft {
  const judgement = judgePayment(rules, setScene(rules.snapshot, payment, state, nowMs), options);
  const { workspace, facts, shadows, restrictions } = judgement;
  const policy = findPolicy(rules.snapshot, judgement.resolution.retryPolicy);
  // Whoever calls at a later revision has asked for data again where it was declined.
  const card = readCard(workspace.cards, facts, state, payment.revision > 0 ? nowMs : undefined);
  const budget = readBudget(policy, rules.snapshot, workspace.frame.segments, state, nowMs);
  const attemptsLeft = Math.min(policy.maxAttempts - (options.attempts ?? 0), budget.attempts);
  const limits = judgeLimitsOf(judgement, state, openRoutingCase(facts, rules.snapshot, never), {
    approvedReviews: options.approvedReviews,
    steps: Math.max(1, attemptsLeft),
  });
  const { resolution } = limits;
  const threeDs = assessSca(judgement, resolution, state.ledger);
  const routingCase = openRoutingCase(facts, rules.snapshot, (psp) => needsThreeDs(threeDs, psp));
  const health = readHealth(judgement, routingCase, state);
  const route = workspace.router.route(resolution, routingCase, state.pspStates, limits.limited, health);
  return {
    workspace,
    facts,
    shadows,
    resolution,
    restrictions,
    limits,
    policy,
    card,
    budget,
    attemptsLeft: Math.min(attemptsLeft, limits.judged.steps),
    attempts: options.attempts ?? 0,
    threeDs,
    routingCase,
    route,
  };
}

function makeDecision(
  { snapshot, overrides }: ActiveRules,
  draft: Draft,
  earlier: EarlierRevisions,
): Decision {
  const { resolution, shadows, facts, limits } = draft;
  const { payment, nowMs } = facts;
  const denials = listDenials(draft, earlier);
  const reviews =
    limits.reviews.length === 0 ? resolution.reasons : [...resolution.reasons, ...limits.reviews];
  const verdict: Verdict =
    denials.length > 0 ? "DENY" : limits.reviews.length > 0 ? "REVIEW" : resolution.verdict;
  const leastBad =
    verdict === "APPROVE_ROUTE" && draft.route.isLeastBad ? snapshot.psps[draft.route.order[0]!] : undefined;
  const allowing = leastBad === undefined ? reviews : [...reviews, makeLeastBadReason(leastBad)];
  const reasons = denials.length > 0 ? denials : allowing;
  const { matchedRules, matchedRulesOmitted } = listMatchedRules(resolution.speakers, shadows);
  return {
    decisionId: hash128(payment.merchantId, payment.paymentId, String(payment.revision)),
    verdict,
    reasons: finishReasons(reasons, draft),
    plan: verdict === "APPROVE_ROUTE" ? makePlan(snapshot, draft) : undefined,
    limits: limits.readings,
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
    retryAfterMs: verdict === "DENY" ? findRetryAfter(denials, draft) : undefined,
    reviewUntilMs: verdict === "REVIEW" ? nowMs + reviewTtlMs : undefined,
    riskScore: resolution.riskScore,
    reviewedRules: verdict === "REVIEW" ? [...resolution.reviewedRules, ...limits.reviewedLimits] : noIds,
  };
}

const noIds: readonly string[] = [];
const never = (): boolean => false;

/** The policy that a rule names, else the default of the rule set, else that of the house. */
export function findPolicy({ retryPolicies }: RuleSnapshot, id: string | undefined): RetryPolicy {
  return (
    (id === undefined ? undefined : retryPolicies.get(id)) ??
    retryPolicies.get(defaultRetryPolicy.id) ??
    defaultRetryPolicy
  );
}

/** Why the payment is denied, by stage; empty where it is not. Routing has its say only where nothing else forbids or reviews it. */
function listDenials(
  { facts, resolution, restrictions, limits, route, attemptsLeft, policy, card }: Draft,
  { attempts, rejectedBy }: EarlierRevisions,
): readonly Reason[] {
  const { threeDs } = facts.payment;
  const isPlain = attempts.length === 0 && rejectedBy === undefined && threeDs === undefined;
  const state = isPlain ? noReasons : judgeState(attempts, rejectedBy, findBar(facts.payment));
  const isDenied = resolution.verdict === "DENY";
  if (state.length > 0 || restrictions.length > 0 || limits.denials.length > 0) {
    const rules = isDenied ? resolution.reasons : noReasons;
    return sortReasons([...state, ...restrictions, ...rules, ...limits.denials]);
  }
  if (isDenied) return resolution.reasons;
  if (resolution.verdict === "REVIEW" || limits.reviews.length > 0) return noReasons;
  const noRoute = route.denial();
  const ofCard = listCardReasons(card);
  if (ofCard.length > 0) return noRoute === undefined ? ofCard : [...ofCard, noRoute];
  if (noRoute !== undefined) return [noRoute];
  const isExhausted = attemptsLeft <= 0 || policy.maxAttempts <= attempts.length;
  return isExhausted ? [exhaustedReason(attempts.length)] : noReasons;
}

const noReasons: readonly Reason[] = [];

/** Why the 3DS that was run forbids to authorise: for good, or until its challenge is finished. */
const barDetails = {
  AUTH_FAILED: "3DS says not to authorise, at any PSP",
  CHALLENGE_PENDING: "the challenge has to be finished first",
} as const;

function judgeState(
  attempts: readonly Attempt[],
  rejectedBy: string | undefined,
  bar: ReturnType<typeof findBar>,
): readonly Reason[] {
  const reasons: Reason[] = [];
  const approved = attempts.find(isApproved);
  if (approved !== undefined) {
    const detail = `attempt ${approved.attemptId} at ${approved.psp} was approved`;
    reasons.push(makeReason("request_state", "ALREADY_APPROVED", approved.attemptId, detail));
  }
  if (rejectedBy !== undefined) {
    reasons.push(makeReason("request_state", "REVIEW_REJECTED", "review", `rejected by ${rejectedBy}`));
  }
  if (bar !== undefined) {
    const playerMessageKey = bar === "AUTH_FAILED" ? "payment.other_method" : "";
    reasons.push({ ...makeReason("request_state", bar, "three_ds", barDetails[bar]), playerMessageKey });
  }
  return reasons;
}

function exhaustedReason(attempts: number): Reason {
  return makeReason("routing", "ATTEMPTS_EXHAUSTED", "", `the payment has had ${attempts} attempts`);
}

/** In the fixed precedence, with what there is to say beside it; at most 32. */
function finishReasons(
  reasons: readonly Reason[],
  { workspace, resolution, limits }: Draft,
): readonly Reason[] {
  const { evalErrors } = workspace.frame;
  if (evalErrors === 0 && limits.notices.length === 0 && reasons.length < 2) return reasons;
  const all = [...reasons, ...limits.notices];
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

/** A DENY is transient where everything that denies is: limits until the payment fits, rules that say so (`SEMANTICS.md` 1.4). */
function findRetryAfter(
  denials: readonly Reason[],
  { resolution, limits, facts, card }: Draft,
): number | undefined {
  const others = denials.filter(({ stage }) => stage !== "protective_limit" && stage !== "limit");
  const [first, second] = others;
  const isLimited = others.length < denials.length;
  if (first === undefined) return isLimited ? limits.fitsAtMs : undefined;
  if (first.code === "CHALLENGE_PENDING" && second !== undefined) return undefined;
  const waitMs = others.some(isOfCard)
    ? findCardWait(others, card, facts.nowMs)
    : findWait(first, resolution.retryAfterMs);
  if (waitMs === undefined || (isLimited && limits.fitsAtMs === undefined)) return undefined;
  return Math.max(facts.nowMs + waitMs, isLimited ? limits.fitsAtMs! : 0);
}

const cardCodes: ReadonlySet<string> = new Set<BuiltInCode>([
  "HARD_DECLINE",
  "SCHEME_CAP",
  "ADVICE_WAIT",
  "DATA_UNCHANGED",
]);

function isOfCard({ stage, code }: Reason): boolean {
  return stage === "routing" && cardCodes.has(code);
}

/** Until the card may be tried again, where all else that denies will pass as well. */
function findCardWait(denials: readonly Reason[], card: CardStanding, nowMs: number): number | undefined {
  const endMs = findCardEnd(card);
  const rest = denials.filter((reason) => !isOfCard(reason));
  if (endMs === undefined || rest.some(({ code }) => code !== "ALL_ROUTES_DOWN")) return undefined;
  return Math.max(endMs - nowMs, rest.length > 0 ? routesDownRetryMs : 0);
}

function findWait({ code, ruleClass }: Reason, ruleWaitMs: number | undefined): number | undefined {
  if (code === "ALL_ROUTES_DOWN") return routesDownRetryMs;
  if (code === "CHALLENGE_PENDING") return 0;
  return ruleClass === undefined ? undefined : ruleWaitMs;
}

function makePlan(
  { psps, responseCodes }: RuleSnapshot,
  { facts, routingCase, route, threeDs, policy, attemptsLeft, budget }: Draft,
): Plan {
  const { payment, nowMs } = facts;
  return planRetries({
    payment,
    policy,
    route: route.order.map((psp) => preparePsp(psps[psp]!, routingCase)),
    threeDs,
    attemptsLeft,
    isSingle: budget.attempts === 1,
    codeTableVersion: codeTableOf(responseCodes).version,
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
