/** Why a step does what it does about 3DS, with what that means; docs/sca.md lists the same. */
export const threeDsReasons = [
  { code: "LOW_VALUE", meaning: "Exempt as a payment of low value; the card's own counters hold." },
  { code: "TRA", meaning: "Exempt by the risk analysis of this PSP, whose fraud rate allows the amount." },
  { code: "RECURRING", meaning: "Exempt as one of a series whose first payment was authenticated." },
  { code: "TRUSTED_BENEFICIARY", meaning: "Exempt because the player trusts the merchant at the issuer." },
  { code: "MIT", meaning: "Out of scope: the merchant starts the payment." },
  { code: "MOTO", meaning: "Out of scope: by mail or telephone." },
  { code: "ANONYMOUS_PREPAID", meaning: "Out of scope: an anonymous prepaid card." },
  {
    code: "OLO",
    meaning: "Out of scope (one leg out): issuer and acquirer are not both where SCA is asked for.",
  },
  { code: "SCA", meaning: "SCA is law between issuer and acquirer, and nothing exempts the payment." },
  { code: "MANDATE", meaning: "The issuer's country asks for an authentication." },
  { code: "SETUP", meaning: "A credential is being stored, which takes a challenge." },
  { code: "RISK", meaning: "The risk score is high: no exemption, and a challenge is preferred." },
  { code: "RULE", meaning: "The rules ask for more than the law does." },
  { code: "STEP_UP", meaning: "The attempt before was declined for want of an authentication." },
  { code: "PROOF", meaning: "The caller's own 3DS is done, and this PSP takes its proof." },
  { code: "ISSUER_UNKNOWN", meaning: "Nobody knows where the issuer is: 3DS, and no exemption." },
  {
    code: "ACQUIRER_UNKNOWN",
    meaning: "The PSP does not say where its acquirer is: 3DS where it can, and no exemption.",
  },
] as const;

export type ThreeDsReason = (typeof threeDsReasons)[number]["code"];
