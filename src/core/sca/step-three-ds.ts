/**
 * What a step does about 3DS (`SEMANTICS.md` 3.3): the wish of the rules, read for one PSP.
 *
 * Until the SCA engine exists nobody knows the legal floor of a PSP, so no exemption is asked for and nothing is skipped: EXEMPT and SKIP are
 * read as NO_PREFERENCE, and NO_PREFERENCE on a card in session is THREE_DS with indicator 01, which is right wherever SCA is law and harmless
 * where it is not. docs/plan.md has the table.
 */
import type { Step, StepThreeDs } from "../decision.ts";
import type { Payment } from "../payment.ts";
import { isCardPayment } from "../routing/routing-case.ts";
import { firmnessOf } from "../rules/challenge-indicator.ts";
import { compareLevels, type ThreeDsFacet } from "../rules/facets/three-ds.ts";
import type { Psp, ThreeDsLevel, ThreeDsWish } from "../rules/snapshot.ts";

/** What the payment needs of 3DS at every PSP. */
export type ThreeDsNeed = {
  readonly applies: boolean;
  readonly wish: ThreeDsWish;
  /** Whether a PSP that cannot run 3DS cannot take the payment. */
  readonly isNeeded: boolean;
  /** Whether an EXEMPT or SKIP was read as NO_PREFERENCE. */
  readonly isLoosened: boolean;
};

/** Indicators where the wish names none; `SETUP` and step-ups mandate a challenge. */
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

const notApplicable: StepThreeDs = { requirement: "NOT_APPLICABLE" };
const none: StepThreeDs = { requirement: "NONE" };
/** Every indicator that was asked for, shared between answers. */
const authentications = new Map<string, StepThreeDs>();

/**
 * Reads the rules' wish for one payment.
 *
 * Card deposits only. A payment that the merchant starts (MIT) has no player in session: a preference means nothing there, a floor of classes 1,
 * 2 or 4 still does. Storing a credential mandates a challenge.
 */
export function assessThreeDs(payment: Payment, { wish, floor }: ThreeDsFacet): ThreeDsNeed {
  if (payment.kind !== "deposit" || !isCardPayment(payment)) return unneeded;
  if (payment.initiator === "MIT") {
    const demanded = floor !== undefined && isDemand(floor.level);
    return { applies: true, wish: demanded ? floor : skip, isNeeded: demanded, isLoosened: false };
  }
  if (payment.storedCredential === "SETUP") return setUp;
  const isLoosened = wish.level === "EXEMPT" || wish.level === "SKIP";
  return {
    applies: true,
    wish: isLoosened ? noPreference : wish,
    isNeeded: isDemand(wish.level),
    isLoosened,
  };
}

const skip: ThreeDsWish = { level: "SKIP" };
const noPreference: ThreeDsWish = { level: "NO_PREFERENCE" };
const unneeded: ThreeDsNeed = { applies: false, wish: skip, isNeeded: false, isLoosened: false };
const setUp: ThreeDsNeed = {
  applies: true,
  wish: { level: "CHALLENGE", challengeIndicator: mandated },
  isNeeded: true,
  isLoosened: false,
};

/** What a first try or a cascade does at this PSP. */
export function planThreeDs({ applies, wish }: ThreeDsNeed, psp: Psp): StepThreeDs {
  if (!applies) return notApplicable;
  if (wish.level === "SKIP" || !psp.threeDs) return none;
  return authenticate(wish.challengeIndicator ?? defaultIndicators[wish.level]);
}

/** What a step-up does: the challenge is mandated. */
export function planStepUp(): StepThreeDs {
  return authenticate(mandated);
}

/** Whether a step already mandates a challenge, so that there is nothing to step up to. */
export function isChallenge(threeDs: StepThreeDs): boolean {
  return threeDs.requirement === "THREE_DS" && threeDs.challengeIndicator === mandated;
}

/** Whether a step falls short of a floor, in what it does or in how firmly it asks for a challenge; used when a floor appears after a plan was made. */
export function fallsShort(threeDs: StepThreeDs, floor: ThreeDsWish): boolean {
  if (threeDs.requirement === "NOT_APPLICABLE" || !isDemand(floor.level)) return false;
  if (threeDs.requirement !== "THREE_DS") return true;
  const { challengeIndicator } = threeDs;
  return firmnessOf({ level: "REQUIRE", challengeIndicator }) < firmnessOf(floor);
}

/**
 * Who bears fraud liability if the step goes as planned (`DOMAIN.md` 2.2): the issuer, if authentication succeeds; the merchant, without or
 * with data only. Cards of the US are not promised a shift for gambling.
 */
export function expectShift(threeDs: StepThreeDs, issuerCountry: string | undefined): Step["liabilityShift"] {
  if (threeDs.requirement === "NOT_APPLICABLE") return "UNKNOWN";
  if (threeDs.requirement !== "THREE_DS" || threeDs.challengeIndicator === dataOnly) return "NOT_EXPECTED";
  return issuerCountry === "US" ? "UNKNOWN" : "EXPECTED";
}

function isDemand(level: ThreeDsLevel): boolean {
  return compareLevels(level, "REQUIRE") <= 0;
}

function authenticate(challengeIndicator: string): StepThreeDs {
  let step = authentications.get(challengeIndicator);
  if (step === undefined) {
    step = Object.freeze({ requirement: "THREE_DS", challengeIndicator });
    authentications.set(challengeIndicator, step);
  }
  return step;
}
