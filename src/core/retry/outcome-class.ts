/** What became of an attempt, as far as the next step is concerned, in the order in which a plan lists its edges (`SEMANTICS.md` 4.1). */
export const outcomeClasses = [
  /** Authorised in full. */
  "APPROVED",
  /** Authorised for less than was asked. */
  "PARTIAL",
  /** Never try this card again. */
  "HARD",
  /** Wrong or missing data: again only after it has changed. */
  "DATA",
  /** The issuer asks for strong customer authentication. */
  "SCA",
  /** Not now: funds or limits. Later, or a lower amount. */
  "WAIT",
  /** Declined without saying why. */
  "GENERIC",
  /** Certainly not processed, so another PSP may try at once. */
  "TECH_NOT_PROCESSED",
  /** The issuer or its switch is down. */
  "ISSUER_DOWN",
  /** Nobody knows; forbids any other PSP until the status is known. */
  "UNKNOWN",
  /** Accepted, not yet final. */
  "PENDING",
  /** 3DS authentication failed or was refused. */
  "AUTH_FAILED",
  /** The player left. */
  "ABANDONED",
] as const;

export type OutcomeClass = (typeof outcomeClasses)[number];
