/**
 * Words that stored values say over and over, each written as its place. Places are part of the layout: append only, 240 at most. A word that is missing
 * here is written out.
 */
const words = [
  // Verdicts, steps, and what they do about 3DS, with their reasons.
  ...["APPROVE_ROUTE", "REVIEW", "DENY", "FIRST", "CASCADE", "STEP_UP", "PAN"],
  ...["NONE", "OUT_OF_SCOPE", "NOT_APPLICABLE", "THREE_DS", "EXEMPTION"],
  ...["low_value", "tra", "recurring", "trusted_beneficiary", "EXPECTED", "NOT_EXPECTED", "UNKNOWN"],
  ...["LOW_VALUE", "TRA", "RECURRING", "TRUSTED_BENEFICIARY", "MIT", "MOTO", "ANONYMOUS_PREPAID", "OLO"],
  ...["SCA", "MANDATE", "SETUP", "RISK", "RULE", "PROOF", "ISSUER_UNKNOWN", "ACQUIRER_UNKNOWN"],
  // Classes of outcomes and of rules, facets and purposes.
  ...["APPROVED", "PARTIAL", "HARD", "DATA", "WAIT", "GENERIC", "TECH_NOT_PROCESSED", "ISSUER_DOWN"],
  ...["PENDING", "AUTH_FAILED", "ABANDONED"],
  ...["REGULATORY", "SAFER_GAMBLING", "OVERRIDE", "EXPERIMENT", "SEGMENT", "DEFAULT"],
  ...[
    "verdict",
    "exclude",
    "require",
    "cap",
    "three_ds",
    "strategy",
    "retry",
    "experience",
    "actions",
    "score",
  ],
  ...["payments", "fraud", "rg", "aml", "marketing"],
  // Where reasons come from, and what a decision knew.
  ...["request_state", "restriction", "regulatory", "safer_gambling", "protective_limit", "override", "risk"],
  ...["limit", "routing", "informational", "bins", "overrides", "players", "psps", "rules"],
  // Payments, their subjects, holds and attempts.
  ...["deposit", "withdrawal", "card", "CIT", "PSP", "ISSUER", "CONFIG", "PLAYER", "MERCHANT", "HELD"],
  ...["player", "device", "ip", "bin", "psp", "mid", "brand", "key"],
  ...["credit", "debit", "prepaid", "visa", "mastercard", "amex", "EUR", "GBP", "USD"],
  ...["kind", "method", "scheme", "funding", "", "card_amount", "agreement"],
] as const;

const places: ReadonlyMap<string, number> = new Map(words.map((word, place) => [word, place]));

/** Undefined where it is not known. */
export function findWord(word: string): number | undefined {
  return places.get(word);
}

/** Fails: throws a RangeError where no word has the place: a newer build wrote it. */
export function wordAt(place: number): string {
  const word = words[place];
  if (word === undefined) throw new RangeError(`no known word has place ${place}`);
  return word;
}
