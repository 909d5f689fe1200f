/**
 * The re-check of a stored plan on current state and the active rule set (`SEMANTICS.md` 4.2): classes 1-2 with their limits, restrictions, overrides and the
 * state of PSPs are judged again, and may only cut steps.
 */
import type { Decision, Step } from "../core/decision.ts";
import type { Payment } from "../core/payment.ts";
import type { Reason } from "../core/reason.ts";
import type { BuiltInCode } from "../core/reason-codes.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { cutPlan, type PlanCuts } from "../core/retry/standing.ts";
import { resolvePsps } from "../core/rules/facets/psps.ts";
import { facetBits, purposesOfAll, rank, type Speaker, stands } from "../core/rules/speaker.ts";
import { fallsShort } from "../core/sca/step-three-ds.ts";
import { type ActiveRules, type DecisionState, type Judgement, judgePayment } from "./judge.ts";
import { findProtectiveDenial } from "./limits.ts";

/** What is cut from the plan of a stored decision now; undefined where nothing is. */
export function recheckPlan(
  rules: ActiveRules,
  stored: Decision,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
  attempts: readonly Attempt[],
): PlanCuts | undefined {
  if (stored.plan === undefined) return undefined;
  const lifted = listLifted(stored);
  const judgement = judgePayment(rules, payment, state, nowMs, {
    approvedReviews: [],
    heard: (speaker) => rank(speaker) <= 3 || lifted.has(speaker.id),
  });
  const denial =
    judgement.restrictions[0] ??
    findDenial(judgement) ??
    findProtectiveDenial(judgement, state, stored.decidedAtMs);
  const cuts = cutPlan(stored.plan, attempts, { denial, reasonOf: createStepCheck(judgement, state) });
  return cuts.numbers.size === 0 && !cuts.isDenied ? undefined : cuts;
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

/** A review counts as well: a payment that ought to be looked at must not go on by itself. */
function findDenial({ resolution }: Judgement): Reason | undefined {
  return resolution.verdict === "APPROVE_ROUTE" ? undefined : resolution.reasons[0];
}

function createStepCheck(
  { workspace, resolution }: Judgement,
  { pspStates }: DecisionState,
): (step: Step) => Reason | undefined {
  const { snapshot, removals } = workspace;
  const { excluded, unrequired } = removals;
  resolvePsps(resolution.speakers, () => true, removals);
  const { floor } = resolution.threeDs;
  return (step) => {
    const psp = snapshot.pspOrdinals.get(step.psp);
    if (psp === undefined)
      return makeReason("PSP_DISABLED", step.psp, `${step.psp} is no longer in the rule set`);
    if (!snapshot.psps[psp]!.enabled || pspStates.get(step.psp) === "DISABLED") {
      return makeReason("PSP_DISABLED", step.psp, `${step.psp} is disabled`);
    }
    if (excluded[psp] === 1 || unrequired[psp] === 1) {
      const narrowing = listNarrowing(resolution.speakers, psp);
      const ids = narrowing.map(({ id }) => id);
      const reason = makeReason("PSP_EXCLUDED", ids[0] ?? "", `${step.psp} is excluded by ${ids.join(", ")}`);
      return { ...reason, purposes: purposesOfAll(narrowing) };
    }
    if (floor !== undefined && fallsShort(step.threeDs, floor)) {
      return makeReason("THREE_DS_FLOOR", step.psp, `the rules now demand ${floor.level}`);
    }
    return undefined;
  };
}

function listNarrowing(speakers: readonly Speaker[], psp: number): readonly Speaker[] {
  return speakers.filter(
    (speaker) =>
      (stands(speaker, "exclude") && speaker.effects.excludePsps!.includes(psp)) ||
      ((speaker.won & facetBits.require) !== 0 && speaker.effects.requirePsps?.includes(psp) === false),
  );
}

function makeReason(code: BuiltInCode, sourceId: string, detail: string): Reason {
  return { stage: "routing", code, sourceId, detail, playerMessageKey: "", purposes: ["payments"] };
}
