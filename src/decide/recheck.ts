/**
 * The re-check of a stored plan on current state and the active rule set (`SEMANTICS.md` 4.2): classes 1-2 with their limits, restrictions, overrides and the
 * state of PSPs are judged again, and may only cut steps; a stricter SCA policy makes them stricter.
 */

import type { Decision, Facet, Plan, Step } from "../core/decision.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Payment } from "../core/payment.ts";
import type { Reason } from "../core/reason.ts";
import { type Attempt, isApproved } from "../core/retry/attempts.ts";
import { type CardStanding, freeCard } from "../core/retry/card-standing.ts";
import { cutPlan, type PlanCuts } from "../core/retry/standing.ts";
import { resolvePsps } from "../core/rules/facets/psps.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { facetBits, purposesOfAll, rank, type Speaker, stands } from "../core/rules/speaker.ts";
import { expectShift, fallsShort, type ThreeDsNeed, tightenThreeDs } from "../core/sca/step-three-ds.ts";
import { listCardReasons, readBudget, readCard } from "./card.ts";
import { findPolicy } from "./decide-with.ts";
import { findStepDown } from "./health.ts";
import { type ActiveRules, type DecisionState, type Judgement, judgePayment, type Scene } from "./judge.ts";
import { findProtectiveDenial } from "./limits.ts";
import { assessSca } from "./sca.ts";

export type Rechecked = {
  /** The plan, its steps as strict as the law is now; the stored one where nothing has to change. */
  readonly plan: Plan | undefined;
  /** What is cut from the plan; undefined where nothing is. */
  readonly cuts: PlanCuts | undefined;
  /** How the card stands, if that matters to the plan. */
  readonly card: CardStanding;
};

/** Holds the plan of a stored decision against the world as it is now, which is the scene of its payment. */
export function recheckPlan(
  rules: ActiveRules,
  scene: Scene,
  stored: Decision,
  attempts: readonly Attempt[],
): Rechecked {
  // What is approved is done: nothing of its plan runs any more that could be cut.
  if (stored.plan === undefined || attempts.some(isApproved))
    return { plan: stored.plan, cuts: undefined, card: freeCard };
  const lifted = listLifted(stored);
  const { state } = scene;
  const { payment } = scene.facts;
  const judgement = judgePayment(rules, scene, {
    approvedReviews: [],
    heard: (speaker) => rank(speaker) <= 3 || lifted.has(speaker.id),
  });
  const denial =
    judgement.restrictions[0] ??
    findDenial(judgement) ??
    findProtectiveDenial(judgement, state, stored.decidedAtMs);
  const checkPsp = createStepCheck(judgement, state, stored);
  const announcedMs = payment.revision > 0 ? stored.decidedAtMs : undefined;
  const card = readCard(judgement.workspace.cards, judgement.facts, state, announcedMs);
  const ended = findEnd(stored, judgement, state, attempts, card);
  const checkProof = createProofCheck(judgement, payment, attempts);
  const { plan, checkLaw } = tightenPlan(stored.plan, stored, judgement, state, attempts);
  const reasonOf = (step: Step): Reason | undefined =>
    ended ?? checkPsp(step) ?? checkLaw(step) ?? checkProof(step);
  const cuts = cutPlan(plan, attempts, { denial, reasonOf });
  return { plan, cuts: cuts.numbers.size === 0 && !cuts.isDenied ? undefined : cuts, card };
}

/**
 * The plan with its steps as strict as the SCA policy of a rule set that was activated since: none is ever looser than it was planned. Steps that were sent stay
 * what they were. `checkLaw` tells of steps whose PSP cannot do what the law asks now.
 */
function tightenPlan(
  plan: Plan,
  stored: Decision,
  judgement: Judgement,
  { ledger }: DecisionState,
  attempts: readonly Attempt[],
): { readonly plan: Plan; readonly checkLaw: (step: Step) => Reason | undefined } {
  const { psps, pspOrdinals, version } = judgement.workspace.snapshot;
  if (version === stored.ruleSetVersion) return { plan, checkLaw: () => undefined };
  const need = nameExemption(assessSca(judgement, judgement.resolution, ledger), stored, judgement);
  const unable = new Set<number>();
  const tighten = (step: Step): Step => {
    const psp = psps[pspOrdinals.get(step.psp) ?? -1];
    if (psp === undefined || attempts.some(({ attemptId }) => attemptId === step.attemptId)) return step;
    const threeDs = tightenThreeDs(step.threeDs, need, psp);
    if (threeDs === undefined) unable.add(step.number);
    if (threeDs === undefined || threeDs === step.threeDs) return step;
    return { ...step, threeDs, liabilityShift: expectShift(threeDs, need) };
  };
  const steps = plan.steps.map(tighten);
  const isSame = steps.every((step, at) => step === plan.steps[at]);
  const checkLaw = ({ number, psp }: Step): Reason | undefined =>
    unable.has(number)
      ? makeReason("routing", "THREE_DS_FLOOR", psp, `SCA is asked for now, and ${psp} cannot run 3DS`)
      : undefined;
  return { plan: isSame ? plan : { ...plan, steps }, checkLaw };
}

/** The need with the exemption that a rule named when the payment was decided, where the rule still does: its class is not heard again. */
function nameExemption(need: ThreeDsNeed, stored: Decision, { workspace }: Judgement): ThreeDsNeed {
  const wish = findWinner(stored, "three_ds", workspace.snapshot)?.threeDs;
  if (need.legal.namedExemption !== undefined || wish?.level !== "EXEMPT") return need;
  return { ...need, legal: { ...need.legal, namedExemption: wish.exemption } };
}

/**
 * Rules of 4-7 that lost to an override when the payment was decided: overrides are read live, so they speak again once it has expired
 * (`SEMANTICS.md` 3.5).
 */
function listLifted({ matchedRules }: Decision): ReadonlySet<string> {
  const overrides = new Set(
    matchedRules.filter(({ ruleClass }) => ruleClass === "OVERRIDE").map(({ id }) => id),
  );
  const lifted = matchedRules.filter(
    ({ ruleClass, lost }) => ruleClass !== "OVERRIDE" && lost.some(({ to }) => overrides.has(to)),
  );
  return new Set(lifted.map(({ id }) => id));
}

/**
 * Why no other attempt may follow, whichever PSP: the card stands differently now, by an answer to this payment or to any other with the card, or the
 * player's budget is used up. Not a denial of the player: another method is as good as before.
 */
function findEnd(
  stored: Decision,
  { workspace, facts, resolution }: Judgement,
  state: DecisionState,
  attempts: readonly Attempt[],
  card: CardStanding,
): Reason | undefined {
  const { plan } = stored;
  const [first] = listCardReasons(card);
  if (first !== undefined) return first;
  if (!attempts.some((each) => plan!.steps.some(({ attemptId }) => attemptId === each.attemptId)))
    return undefined;
  const { snapshot, frame } = workspace;
  const chosen = resolution.retryPolicy ?? findWinner(stored, "retry", snapshot)?.retryPolicy;
  const policy = findPolicy(snapshot, chosen);
  const budget = readBudget(policy, snapshot, frame.segments, state, facts.nowMs);
  return budget.isSpent ? budget.reason : undefined;
}

/** What the rule says now that won a facet when the payment was decided: its class is not heard again. */
function findWinner(
  { matchedRules }: Decision,
  facet: Facet,
  { rules, ruleOrdinals }: RuleSnapshot,
): RuleSnapshot["rules"][number]["effects"] | undefined {
  const winner = matchedRules.find(({ won }) => won.includes(facet));
  const ordinal = winner && ruleOrdinals.get(winner.id);
  return ordinal === undefined ? undefined : rules[ordinal]!.effects;
}

/**
 * Whether a step would have the player challenged once more in silence: 3DS was run in this revision, and its proof cannot go to another PSP. That of a PSP
 * stays there; that of the merchant travels to those that take it.
 */
function createProofCheck(
  { workspace }: Judgement,
  { revision }: Payment,
  attempts: readonly Attempt[],
): (step: Step) => Reason | undefined {
  const ran = attempts.filter((each) => each.revision === revision && hasRun3ds(each));
  if (ran.length === 0) return () => undefined;
  const { pspOrdinals, psps } = workspace.snapshot;
  return ({ psp, kind }) => {
    const elsewhere = ran.filter((each) => each.psp !== psp);
    if (kind !== "CASCADE" && elsewhere.length === 0) return undefined;
    const isPortable = elsewhere.every(({ threeDs }) => threeDs!.host === "MERCHANT");
    if (elsewhere.length === 0 || (isPortable && psps[pspOrdinals.get(psp)!]!.sca.takesProof))
      return undefined;
    const at = elsewhere.find(({ threeDs }) => threeDs!.host === "PSP");
    const detail =
      at === undefined
        ? `${psp} does not take the proof of the merchant's 3DS`
        : `3DS was run at ${at.psp}, where its proof stays`;
    return makeReason("routing", "PROOF_NOT_PORTABLE", psp, detail);
  };
}

/** U says that it could not be run. */
function hasRun3ds({ threeDs }: Attempt): boolean {
  return threeDs !== undefined && threeDs.transStatus !== "U";
}

/** A review counts as well: a payment that ought to be looked at must not go on by itself. */
function findDenial({ resolution }: Judgement): Reason | undefined {
  return resolution.verdict === "APPROVE_ROUTE" ? undefined : resolution.reasons[0];
}

function createStepCheck(
  judgement: Judgement,
  state: DecisionState,
  stored: Decision,
): (step: Step) => Reason | undefined {
  const { workspace, resolution } = judgement;
  const { pspStates } = state;
  const { snapshot, removals } = workspace;
  const { excluded, unrequired } = removals;
  resolvePsps(resolution.speakers, () => true, removals);
  const { floor } = resolution.threeDs;
  return (step) => {
    const psp = snapshot.pspOrdinals.get(step.psp);
    if (psp === undefined)
      return makeReason("routing", "PSP_DISABLED", step.psp, `${step.psp} is no longer in the rule set`);
    if (!snapshot.psps[psp]!.enabled || pspStates.get(step.psp) === "DISABLED") {
      return makeReason("routing", "PSP_DISABLED", step.psp, `${step.psp} is disabled`);
    }
    if (excluded[psp] === 1 || unrequired[psp] === 1) {
      const narrowing = listNarrowing(resolution.speakers, psp);
      const ids = narrowing.map(({ id }) => id);
      const reason = makeReason(
        "routing",
        "PSP_EXCLUDED",
        ids[0] ?? "",
        `${step.psp} is excluded by ${ids.join(", ")}`,
      );
      return { ...reason, purposes: purposesOfAll(narrowing) };
    }
    if (floor !== undefined && fallsShort(step.threeDs, floor)) {
      return makeReason("routing", "THREE_DS_FLOOR", step.psp, `the rules now demand ${floor.level}`);
    }
    const down = findStepDown(judgement, state, step, snapshot.psps[psp]!, stored);
    return down && makeReason("routing", down.code, step.psp, down.detail);
  };
}

function listNarrowing(speakers: readonly Speaker[], psp: number): readonly Speaker[] {
  return speakers.filter(
    (speaker) =>
      (stands(speaker, "exclude") && speaker.effects.excludePsps!.includes(psp)) ||
      ((speaker.won & facetBits.require) !== 0 && speaker.effects.requirePsps?.includes(psp) === false),
  );
}
