import type { ReasonStage } from "./reason.ts";

/** A reason code that this service gives by itself; rules may declare codes of their own. */
type ReasonCode = {
  readonly code: string;
  /** Where it stands in the fixed precedence; `rule` is the stage of the class of the rule that speaks. */
  readonly stage: ReasonStage | "rule";
  readonly meaning: string;
};

/** Every built-in reason code, in the order of stages. docs/reasons.md lists the same. */
export const reasonCodes = [
  {
    code: "ALREADY_APPROVED",
    stage: "request_state",
    meaning: "An attempt of the payment was approved; a new revision is denied.",
  },
  {
    code: "REVIEW_REJECTED",
    stage: "request_state",
    meaning: "The reviewer rejected the payment.",
  },
  {
    code: "AUTH_FAILED",
    stage: "request_state",
    meaning:
      "The 3DS that the caller ran was not passed: no PSP may authorise, so another method it has to be.",
  },
  {
    code: "CHALLENGE_PENDING",
    stage: "request_state",
    meaning: "The 3DS that the caller ran wants a challenge: finish it, then ask at the next revision.",
  },
  {
    code: "UNKNOWN_OUTCOME",
    stage: "request_state",
    meaning:
      "Nobody knows what became of an attempt of an earlier revision; no step may run until it is known.",
  },
  {
    code: "SANCTION",
    stage: "restriction",
    meaning: "The player is under sanctions. Also forbids withdrawals.",
  },
  { code: "SELF_EXCLUSION", stage: "restriction", meaning: "The player excluded themselves." },
  { code: "COURT_ORDER", stage: "restriction", meaning: "A court or an authority ordered it." },
  { code: "TIME_OUT", stage: "restriction", meaning: "The player takes a break." },
  { code: "OPERATOR_BLOCK", stage: "restriction", meaning: "The operator blocks the player." },
  {
    code: "RESTRICTION_UNKNOWN",
    stage: "restriction",
    meaning:
      "The source of a restriction was last asked longer ago than its `max_age` allows: unknown, and closed.",
  },
  {
    code: "REGULATORY",
    stage: "rule",
    meaning: "A REGULATORY rule denies, where it declares no code of its own.",
  },
  {
    code: "SAFER_GAMBLING",
    stage: "rule",
    meaning: "A SAFER_GAMBLING rule denies or reviews, where it declares no code of its own.",
  },
  {
    code: "PLAYER_LIMIT_EXCEEDED",
    stage: "protective_limit",
    meaning: "The payment does not fit a limit that the player set.",
  },
  { code: "OVERRIDE", stage: "rule", meaning: "An override denies or reviews." },
  {
    code: "RISK",
    stage: "rule",
    meaning: "A RISK rule denies or reviews, where it declares no code of its own.",
  },
  {
    code: "RISK_SCORE",
    stage: "risk",
    meaning: "The scores of RISK rules add up to the threshold for review or denial.",
  },
  {
    code: "AMOUNT_CAP",
    stage: "rule",
    meaning: "The amount is above the smallest cap, which the detail states.",
  },
  {
    code: "FX_MISSING",
    stage: "rule",
    meaning:
      "An amount cap or a limit cannot be held against the payment, because the rule set has no rate between the currencies.",
  },
  {
    code: "LIMIT_EXCEEDED",
    stage: "limit",
    meaning:
      "The payment does not fit a limit that declares no code of its own. Of a limit of class 1 or 2: protective limit.",
  },
  {
    code: "LIMIT_UNKNOWN",
    stage: "limit",
    meaning:
      "Whether a limit applies, or what is used of it, is unknown, and unknown closes. Of a limit of class 1 or 2: protective limit.",
  },
  {
    code: "NO_ROUTE",
    stage: "routing",
    meaning: "No PSP can take the payment; the detail names the filter that removed each.",
  },
  {
    code: "ALL_ROUTES_DOWN",
    stage: "routing",
    meaning:
      "Some PSP could take the payment, but all of these are disabled, draining, in maintenance or behind an open breaker. Transient.",
  },
  {
    code: "ATTEMPTS_EXHAUSTED",
    stage: "routing",
    meaning: "The payment has had as many attempts as its retry policy allows.",
  },
  {
    code: "HARD_DECLINE",
    stage: "routing",
    meaning:
      "The card, its BIN or its agreement is blocked by an earlier answer, or the card is locked after three wrong CVVs; `retry_after` where it ends.",
  },
  {
    code: "SCHEME_CAP",
    stage: "routing",
    meaning:
      "The card was declined, or is being tried, as often as its scheme lets it be tried, over all PSPs; in `cut`: steps that are held back until more is reported.",
  },
  {
    code: "ADVICE_WAIT",
    stage: "routing",
    meaning: "The network advised not to try the card again before `retry_after`.",
  },
  {
    code: "DATA_UNCHANGED",
    stage: "routing",
    meaning:
      "The card was declined for its data: ask the player for it, and call at the next revision to say that it has changed.",
  },
  {
    code: "PROOF_NOT_PORTABLE",
    stage: "routing",
    meaning:
      "A planned step was cut: 3DS was run already, and its PSP cannot take the proof, so the player would be challenged twice.",
  },
  {
    code: "SINGLE_TRY",
    stage: "routing",
    meaning: "A planned step was cut: a segment of the player allows one attempt.",
  },
  {
    code: "RETRY_BUDGET",
    stage: "routing",
    meaning: "A planned step was cut: the player had as many declines as the retry policy bears.",
  },
  {
    code: "HOLD_RELEASED",
    stage: "routing",
    meaning:
      "A planned step was cut: an earlier report left no step to run, so the payment no longer holds anything under limits; call at the next revision.",
  },
  {
    code: "PSP_DISABLED",
    stage: "routing",
    meaning: "A planned step was cut: its PSP was disabled or is no longer in the rule set.",
  },
  {
    code: "PSP_EXCLUDED",
    stage: "routing",
    meaning:
      "A planned step was cut: a rule of class 1 or 2 or an override excludes its PSP, or requires others.",
  },
  {
    code: "PSP_MAINTENANCE",
    stage: "routing",
    meaning: "A planned step was cut: its PSP is in maintenance.",
  },
  {
    code: "BREAKER_OPEN",
    stage: "routing",
    meaning: "A planned step was cut: the breaker of its PSP is open, or half-open and the step is no probe.",
  },
  {
    code: "THREE_DS_FLOOR",
    stage: "routing",
    meaning:
      "A planned step was cut: a rule of class 1 or 2, or the SCA policy, now demands more of 3DS than the step does, or than its PSP can.",
  },
  { code: "METHOD_HIDDEN", stage: "informational", meaning: "A rule hides the method in the cashier." },
  {
    code: "LEAST_BAD_ROUTE",
    stage: "informational",
    meaning: "The breakers of all PSPs are open, and the rule set says to use the one that fails least.",
  },
  {
    code: "EVAL_ERROR",
    stage: "informational",
    meaning:
      "A condition met an evaluation error (overflow, division by zero), which reads as unknown. Also the code of a rule that matched through it.",
  },
  {
    code: "SECOND_APPROVAL",
    stage: "informational",
    meaning: "Alert: a payment was approved more than once; all but one are to be voided.",
  },
  {
    code: "APPROVAL_CONTRADICTED",
    stage: "informational",
    meaning:
      "Alert: an approval was reported of an attempt that had been voided while nobody knew its outcome, or corrected to a decline; it was not taken.",
  },
  {
    code: "ANSWER_ALERT",
    stage: "informational",
    meaning:
      "Alert: an answer says that an account at a PSP is set up wrongly, or that compliance has to look.",
  },
] as const satisfies readonly ReasonCode[];

/** A code that this service gives by itself. */
export type BuiltInCode = (typeof reasonCodes)[number]["code"];
