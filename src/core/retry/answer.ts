import type { Failure, ThreeDsResult } from "../payment.ts";
import type { OutcomeClass } from "./outcome-class.ts";

/** What a PSP answered to an attempt, as far as it was told. */
export type PspAnswer = {
  readonly psp: string;
  /** Canonical scheme, lower case. */
  readonly scheme: string | undefined;
  /** Of the network, two characters. */
  readonly code: string | undefined;
  readonly pspCode: string | undefined;
  readonly adviceCode: string | undefined;
  readonly failure: Failure | undefined;
  readonly threeDs: ThreeDsResult | undefined;
  /** Whether card and acquirer are both where SCA is asked for and the attempt had no challenge. */
  readonly inScaZone: boolean;
};

/** Whom an outcome is held against; undefined means nobody. */
export type Attribution = "PSP" | "ISSUER" | "CONFIG" | "THREE_DS" | "PLAYER";

/** What is remembered of an answer: for how long no attempt is made with the card, with the card and amount, with its BIN, under the agreement. */
export type Block = {
  readonly what: "card" | "card_amount" | "bin" | "agreement";
  /** For good where undefined. */
  readonly forMs: number | undefined;
};

/** What an answer means. */
export type Meaning = {
  readonly outcomeClass: OutcomeClass;
  readonly attribution: Attribution | undefined;
  /** Not again before so long. */
  readonly waitMs: number;
  /** Data to change, where the class is DATA and the answer says which. */
  readonly fields: readonly string[];
  readonly block: Block | undefined;
  /** Whether somebody has to look at the account of the PSP. */
  readonly alert: boolean;
};

/** An entry of the table by which answers are classified; absent members hold for all. Instants are ms since the epoch, `[fromMs, untilMs)`. */
export type ResponseCode = Meaning & {
  readonly psp?: string;
  readonly pspCode?: string;
  readonly scheme?: string;
  readonly code?: string;
  readonly adviceCode?: string;
  /** Holds only for an answer that is `inScaZone`. */
  readonly scaZoneOnly?: true;
  /** An advice that tells of the card and not of the outcome, so that the code beside it decides; it rides on approvals too. */
  readonly informational?: true;
  readonly fromMs?: number;
  readonly untilMs?: number;
  readonly meaning: string;
  /** Where the fact is from; empty where a rule set says it. */
  readonly origin: string;
};
