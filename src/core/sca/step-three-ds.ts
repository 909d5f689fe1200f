/**
 * What a step does about 3DS (`SEMANTICS.md` 3.3): the strictest of what the law asks of that PSP, the floor of the rules, and their preference.
 * docs/sca.md has the tables.
 */
import type { BinFacts } from "../bin/bin-table.ts";
import type { Step, StepThreeDs } from "../decision.ts";
import type { FxRates } from "../money.ts";
import type { Payment, ThreeDsResult } from "../payment.ts";
import { isCardPayment } from "../routing/routing-case.ts";
import { firmnessOf } from "../rules/challenge-indicator.ts";
import { compareLevels, noWish, type ThreeDsFacet } from "../rules/facets/three-ds.ts";
import type { Psp, ThreeDsLevel, ThreeDsWish } from "../rules/snapshot.ts";
import { fitIndicator, meetVersions } from "./challenge.ts";
import { findLaw, type Law, type LegalCase } from "./law.ts";
import { judgeShift, type LiableCard } from "./liability.ts";
import type { LowValueUse } from "./low-value.ts";
import { openPolicy } from "./policy-now.ts";
import { type ExemptionKind, exemptionKinds, type ScaPolicy } from "./sca-policy.ts";
import type { ThreeDsReason } from "./three-ds-reasons.ts";
import { findProof, isSpent } from "./three-ds-result.ts";

/** All that SCA is judged by beside the payment and the rules' wish. */
export type ScaContext = {
  readonly policy: ScaPolicy;
  readonly bin: BinFacts;
  /** 0 to 1000. */
  readonly riskScore: number;
  readonly fx: FxRates;
  /** What the card has used of the low-value exemption, in a currency; undefined where nobody knows the card. */
  readonly lowValueUse: (currency: string) => LowValueUse | undefined;
  readonly nowMs: number;
};

/** What the payment needs of 3DS, ready to be read for each PSP. */
export type ThreeDsNeed = {
  readonly applies: boolean;
  /** What the rules want; undefined where they say nothing, so that the law alone speaks. */
  readonly wish: ThreeDsWish | undefined;
  /** Why no player can authenticate: then only a floor of the rules asks for 3DS. */
  readonly unattended: "MIT" | "MOTO" | undefined;
  readonly legal: LegalCase;
  readonly card: LiableCard;
  /** A 3DS that is done already and can travel. */
  readonly proof: ThreeDsResult | undefined;
};

/** Indicators where the wish names none. */
const defaultIndicators: Readonly<Record<ThreeDsLevel, string>> = {
  CHALLENGE: "04",
  REQUIRE: "01",
  NO_PREFERENCE: "01",
  PREFER_FRICTIONLESS: "02",
  EXEMPT: "01",
  SKIP: "01",
};

const mandated = "04";
const dataOnly = "06";

/**
 * Reads the rules' wish for one payment.
 *
 * Card deposits only. Where no player is in session (MIT, MOTO) a preference means nothing, a floor of classes 1, 2 or 4 still does. A 3DS
 * that was run and says nothing leaves demands alone and spends preferences.
 */
export function assessThreeDs(
  payment: Payment,
  { wish, floor }: ThreeDsFacet,
  context: ScaContext,
): ThreeDsNeed {
  const { bin, riskScore, nowMs, fx, lowValueUse } = context;
  const { card } = payment;
  const policy = openPolicy(context.policy, nowMs);
  const unattended = payment.initiator === "CIT" ? undefined : payment.initiator;
  const isPrepaid = findPrepaid(payment, bin);
  const issuerCountry = card?.issuerCountry ?? bin.issuerCountry;
  const spoken = wish === noWish.wish ? undefined : wish;
  const counting = unattended === undefined ? spoken : floor;
  const isQuiet = unattended !== undefined || isSpent(payment);
  return {
    applies: payment.kind === "deposit" && isCardPayment(payment),
    wish: counting !== undefined && isQuiet && !isDemand(counting.level) ? undefined : counting,
    unattended,
    legal: {
      payment,
      policy,
      fx,
      lowValueUse,
      issuerCountry,
      fundings: listFundings(card?.funding, bin.funding),
      isAnonymous: card?.anonymous === true && isPrepaid !== false,
      isHighRisk: policy.highRiskScore !== undefined && riskScore >= policy.highRiskScore,
      namedExemption: spoken?.level === "EXEMPT" ? spoken.exemption : undefined,
    },
    card: {
      scheme: card?.scheme ?? bin.scheme,
      issuerCountry,
      isPrepaid,
      isReloadable: card?.reloadable,
    },
    proof: findProof(payment),
  };
}

/** Whether a PSP that can neither run 3DS nor take the proof of one cannot take the payment. */
export function needsThreeDs(need: ThreeDsNeed, psp: Psp): boolean {
  const { wish, legal } = need;
  if (!need.applies) return false;
  const isAsked = wish !== undefined && isDemand(wish.level);
  if (legal.payment.mode === "CASHIER" || need.unattended !== undefined) return isAsked;
  const law = findLaw(legal, psp);
  if (!isAsked && !isDemand(law.level)) return false;
  return !takesProof(need, psp, pickLevel(wish, law));
}

/** What a first try or a cascade does at this PSP. */
export function planThreeDs(need: ThreeDsNeed, psp: Psp): StepThreeDs {
  if (!need.applies) return notApplicable;
  const version = meetVersions(psp.sca.threeDsVersion, need.legal.payment.threeDsVersion);
  const { wish, unattended } = need;
  if (unattended !== undefined) {
    if (wish === undefined || !psp.threeDs) return go("OUT_OF_SCOPE", unattended);
    return authenticate(fitIndicator(indicatorOf(wish), version), "RULE");
  }
  return decideAttended(need, psp, version, findLaw(need.legal, psp));
}

function decideAttended(need: ThreeDsNeed, psp: Psp, version: number, law: Law): StepThreeDs {
  const { wish } = need;
  const level = pickLevel(wish, law);
  const indicator = fitIndicator(pickIndicator(wish, law), version);
  if (takesProof(need, psp, level)) return authenticate(indicator, "PROOF");
  if (psp.threeDs && compareLevels(level, "EXEMPT") < 0) {
    return authenticate(indicator, level === law.level || asksGently(wish, law) ? law.reason : "RULE");
  }
  switch (law.level) {
    case "EXEMPT":
      return exempt(law.exemption!, law.reason);
    case "SKIP":
      return go("OUT_OF_SCOPE", law.reason);
    default:
      return go("NONE", law.reason);
  }
}

/** The stricter of the rules' wish and the law. */
function pickLevel(wish: ThreeDsWish | undefined, law: Law): ThreeDsLevel {
  return wish !== undefined && compareLevels(wish.level, law.level) < 0 ? wish.level : law.level;
}

/** Whether the proof of the caller's own 3DS is sent there. An attempt (A) shows that nobody was challenged. */
function takesProof({ proof }: ThreeDsNeed, psp: Psp, level: ThreeDsLevel): boolean {
  return proof !== undefined && psp.sca.takesProof && (level !== "CHALLENGE" || proof.transStatus === "Y");
}

/** Whether the rules want a frictionless 3DS, in no words of their own, where an exemption holds: then 3DS asks for that exemption. */
function asksGently(wish: ThreeDsWish | undefined, law: Law): boolean {
  return (
    law.level === "EXEMPT" && wish?.level === "PREFER_FRICTIONLESS" && wish.challengeIndicator === undefined
  );
}

/** The rules' own words, or those of the law where the rules have none or theirs are less firm than a law that demands. */
function pickIndicator(wish: ThreeDsWish | undefined, law: Law): string {
  if (wish === undefined || compareLevels(wish.level, "EXEMPT") >= 0) return law.indicator;
  if (asksGently(wish, law)) return law.indicator;
  const own = indicatorOf(wish);
  return isDemand(law.level) && firmness(own) < firmness(law.indicator) ? law.indicator : own;
}

function firmness(challengeIndicator: string): number {
  return firmnessOf({ level: "REQUIRE", challengeIndicator });
}

/**
 * What a step does that was planned under an older law: what was planned, where that is enough, else what the law asks now. Never looser; undefined where
 * the PSP cannot do it.
 */
export function tightenThreeDs(planned: StepThreeDs, need: ThreeDsNeed, psp: Psp): StepThreeDs | undefined {
  if (planned.requirement === "NOT_APPLICABLE" || !need.applies || need.unattended !== undefined)
    return planned;
  // What the rules prefer was heard when it was planned.
  const asked = { ...need, wish: undefined };
  const law = findLaw(need.legal, psp);
  const version = meetVersions(psp.sca.threeDsVersion, need.legal.payment.threeDsVersion);
  if (isEnough(planned, law, version)) return planned;
  const does = decideAttended(asked, psp, version, law);
  return isDemand(law.level) && does.requirement !== "THREE_DS" ? undefined : does;
}

/** A proof was found good for its PSP when it was planned; only a challenge that is demanded asks for more than it may show. */
function isEnough(planned: StepThreeDs, { level, indicator, exemption }: Law, version: number): boolean {
  if (planned.requirement === "THREE_DS") {
    if (!isDemand(level) || (planned.useProof && level !== "CHALLENGE")) return true;
    return (
      !planned.useProof && firmness(planned.challengeIndicator) >= firmness(fitIndicator(indicator, version))
    );
  }
  if (level !== "EXEMPT") return !isDemand(level);
  return planned.requirement === "EXEMPTION" && planned.exemption === exemption;
}

/** What a step-up does: the challenge is mandated. */
export function planStepUp(): StepThreeDs {
  return authenticate(mandated, "STEP_UP");
}

/** Whether a step already mandates a challenge, so that there is nothing to step up to. */
export function isChallenge(threeDs: StepThreeDs): boolean {
  return threeDs.requirement === "THREE_DS" && threeDs.challengeIndicator === mandated && !threeDs.useProof;
}

/** Whether a step falls short of a floor, in what it does or in how firmly it asks for a challenge; used when a floor appears after a plan was made. */
export function fallsShort(threeDs: StepThreeDs, floor: ThreeDsWish): boolean {
  if (threeDs.requirement === "NOT_APPLICABLE" || !isDemand(floor.level)) return false;
  if (threeDs.requirement !== "THREE_DS") return true;
  return firmness(threeDs.challengeIndicator) < firmnessOf(floor);
}

const exemptionByReason: ReadonlyMap<string, ExemptionKind> = new Map(
  exemptionKinds.map((kind) => [kind.toUpperCase(), kind]),
);

/** The exemption that a step asks for, in the authorisation or by way of 3DS; undefined where none. */
export function findExemptionOf({ reason }: StepThreeDs): ExemptionKind | undefined {
  return exemptionByReason.get(reason);
}

/**
 * Who bears fraud liability if the step goes as planned (`DOMAIN.md` 2.2): the issuer, if authentication succeeds; the merchant, without, with
 * data only, or where an exemption is accepted. A 3DS that is done already is judged by what it came to. Cards of the US are not promised a shift for gambling.
 */
export function expectShift(threeDs: StepThreeDs, { card, proof }: ThreeDsNeed): Step["liabilityShift"] {
  if (threeDs.requirement === "NOT_APPLICABLE") return "UNKNOWN";
  if (threeDs.requirement !== "THREE_DS") return "NOT_EXPECTED";
  if (threeDs.useProof) return judgeShift(proof!, card);
  if (threeDs.challengeIndicator === dataOnly || findExemptionOf(threeDs) !== undefined)
    return "NOT_EXPECTED";
  return card.issuerCountry === "US" ? "UNKNOWN" : "EXPECTED";
}

/** Whether the level asks for 3DS whatever the PSP can do. */
function isDemand(level: ThreeDsLevel): boolean {
  return compareLevels(level, "REQUIRE") <= 0;
}

function indicatorOf({ level, challengeIndicator }: ThreeDsWish): string {
  return challengeIndicator ?? defaultIndicators[level];
}

/** By the caller or the table; undefined where neither says. */
function findPrepaid({ card }: Payment, bin: BinFacts): boolean | undefined {
  const funding = card?.funding ?? bin.funding;
  if (bin.prepaid === true || funding === "prepaid") return true;
  return funding === undefined ? bin.prepaid : false;
}

function listFundings(said: string | undefined, listed: string | undefined): readonly string[] {
  return [said, listed].filter((funding) => funding !== undefined);
}

/** Every answer that was given, shared between plans: by what it does, then by why. */
const answers = new Map<string, Map<string, StepThreeDs>>();
const notApplicable: StepThreeDs = Object.freeze({ requirement: "NOT_APPLICABLE", reason: "" });

function go(requirement: "NONE" | "OUT_OF_SCOPE", reason: ThreeDsReason): StepThreeDs {
  return findAnswer(requirement, reason) ?? keepAnswer(requirement, { requirement, reason });
}

function exempt(exemption: string, reason: ThreeDsReason): StepThreeDs {
  return (
    findAnswer(exemption, reason) ?? keepAnswer(exemption, { requirement: "EXEMPTION", exemption, reason })
  );
}

/** Only the reason PROOF goes with a proof, so that it need not be part of the key. */
function authenticate(challengeIndicator: string, reason: ThreeDsReason): StepThreeDs {
  return (
    findAnswer(challengeIndicator, reason) ??
    keepAnswer(challengeIndicator, {
      requirement: "THREE_DS",
      challengeIndicator,
      reason,
      useProof: reason === "PROOF",
    })
  );
}

function findAnswer(what: string, reason: string): StepThreeDs | undefined {
  return answers.get(what)?.get(reason);
}

function keepAnswer(what: string, answer: StepThreeDs): StepThreeDs {
  const known = answers.get(what) ?? new Map<string, StepThreeDs>();
  answers.set(what, known.set(answer.reason, Object.freeze(answer)));
  return answer;
}
