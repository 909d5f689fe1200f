import type { Decision, Verdict } from "../core/decision.ts";
import { buildExperience, findGreatest, findServing, type MethodSurvey } from "../core/experience.ts";
import { hash128 } from "../core/hash.ts";
import { formatMoney } from "../core/money.ts";
import type { Payment } from "../core/payment.ts";
import { type Reason, sortReasons } from "../core/reason.ts";
import { listMatchedRules } from "../core/rules/resolve.ts";
import { listenBeforeChoice } from "./before-choice.ts";
import { listCardReasons } from "./card.ts";
import { type DecidedWith, type Draft, draftDecision, listSegments, listSources } from "./decide-with.ts";
import type { ActiveRules, DecisionState } from "./judge.ts";
import { findHeadroom } from "./limits.ts";
import { buildTrace } from "./trace.ts";

/** A method as judged for this player: what it says to the verdict beside what it says to the cashier. */
type Survey = MethodSurvey & { readonly verdict: Verdict; readonly reasons: readonly Reason[] };

/**
 * Answers in mode CASHIER (`SEMANTICS.md` 1.5): what to show, for a payment of which merchant, player, kind and currency are known and the rest
 * may be unknown. Stores nothing.
 *
 * Every method is judged by itself, as if the payment had been asked with it, so a rule about cards hides cards and nothing else. The verdict is
 * that of the best method.
 */
export function decideCashier(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
): DecidedWith {
  const { snapshot, overrides } = rules;
  const surveys = snapshot.methods.map((method) => surveyMethod(rules, payment, method, state, nowMs));
  const draft = draftDecision(rules, payment, state, nowMs, listenBeforeChoice(snapshot, payment));
  const { resolution, shadows, workspace } = draft;
  const experience = buildExperience({
    facet: resolution.experience,
    surveys,
    capMinor: findBound(draft),
    currency: payment.currency,
    fx: snapshot.fx,
  });
  const { verdict, reasons } = findBest(surveys, draft);
  const { matchedRules, matchedRulesOmitted } = listMatchedRules(resolution.speakers, shadows);
  const decision: Decision = {
    decisionId: hash128(payment.merchantId, payment.playerId, payment.requestId, String(nowMs)),
    verdict,
    reasons,
    plan: undefined,
    limits: [],
    segments: listSegments(snapshot, workspace.frame.segments),
    matchedRules,
    matchedRulesOmitted,
    experience,
    actions: resolution.actions,
    removedActions: resolution.removedActions,
    ruleSetVersion: snapshot.version,
    ruleSetHash: snapshot.hash,
    overrideRevision: overrides.revision,
    sources: listSources(nowMs),
    decidedAtMs: nowMs,
    retryAfterMs: undefined,
    reviewUntilMs: undefined,
    riskScore: resolution.riskScore,
    reviewedRules: [],
  };
  return {
    decision,
    plan: undefined,
    wish: undefined,
    planned: 0,
    trace: payment.trace ? buildTrace(draft, overrides, decision) : undefined,
  };
}

function surveyMethod(
  rules: ActiveRules,
  payment: Payment,
  method: string,
  state: DecisionState,
  nowMs: number,
): Survey {
  const asked = withMethod(payment, method);
  const draft = draftDecision(rules, asked, state, nowMs, listenBeforeChoice(rules.snapshot, asked));
  const { resolution, route, workspace, limits } = draft;
  const denials = listDenials(draft);
  // Of a card that is known already; of any other nothing is held against the method.
  const ofCard = denials.length === 0 ? listCardReasons(draft.card) : noReasons;
  const noRoute = denials.length === 0 && ofCard.length === 0 ? route.denial() : undefined;
  const psps = route.order.map((psp) => workspace.snapshot.psps[psp]!);
  const bounds = {
    currency: payment.currency,
    fx: workspace.snapshot.fx,
    capMinor: findBound(draft),
  };
  const serving = findServing(psps, method, bounds);
  const isServed = serving.length > 0 || psps.length === 0;
  const obstacles = [...denials, ...ofCard, ...(noRoute === undefined ? [] : [noRoute])];
  if (denials.length === 0 && ofCard.length === 0 && !isServed)
    obstacles.push(makeNoAmount(bounds.capMinor!, bounds.currency));
  const reviews = [...resolution.reasons, ...limits.reviews];
  return {
    method,
    verdict: obstacles.length > 0 ? "DENY" : limits.reviews.length > 0 ? "REVIEW" : resolution.verdict,
    reasons: obstacles.length > 0 ? obstacles : reviews,
    obstacles,
    maxMinor: findGreatest(serving, method, bounds),
  };
}

const noReasons: readonly Reason[] = [];

function listDenials({ resolution, restrictions, limits }: Draft): readonly Reason[] {
  const { verdict, reasons } = resolution;
  return sortReasons([...restrictions, ...(verdict === "DENY" ? reasons : []), ...limits.denials]);
}

/** The smallest cap and headroom, in minor units of the currency asked; undefined where nothing bounds the amount. */
function findBound({ workspace, limits, resolution, facts }: Draft): number | undefined {
  const { maxMinor } = resolution.cap;
  const headroom = findHeadroom(workspace, limits, facts.payment.currency);
  if (maxMinor === undefined || headroom === undefined) return maxMinor ?? headroom;
  return Math.min(maxMinor, headroom);
}

function makeNoAmount(capMinor: number, currencyCode: string): Reason {
  const detail = `no PSP takes ${formatMoney({ minorUnits: capMinor, currencyCode })} or less`;
  const playerMessageKey = "payment.other_method";
  return {
    stage: "routing",
    code: "NO_ROUTE",
    sourceId: "",
    detail,
    playerMessageKey,
    purposes: ["payments"],
  };
}

/** The payment as if it were asked with the method. A card belongs to the method that was asked, else to `card`. */
function withMethod(payment: Payment, method: string): Payment {
  const { card, ...rest } = payment;
  const keepsCard = card !== undefined && method === (payment.method ?? "card");
  return keepsCard ? { ...payment, method } : { ...rest, method };
}

/** A payment is possible where one method is; else the reasons that hold for the player, or those of the first method. */
function findBest(
  surveys: readonly Survey[],
  draft: Draft,
): { readonly verdict: Verdict; readonly reasons: readonly Reason[] } {
  const open = surveys.find(({ verdict }) => verdict === "APPROVE_ROUTE");
  if (open !== undefined) return { verdict: "APPROVE_ROUTE", reasons: [] };
  const reviewed = surveys.find(({ verdict }) => verdict === "REVIEW");
  if (reviewed !== undefined) return { verdict: "REVIEW", reasons: sortReasons([...reviewed.reasons]) };
  const denials = listDenials(draft);
  return { verdict: "DENY", reasons: denials.length > 0 ? denials : (surveys[0]?.obstacles ?? []) };
}
