import { hash32 } from "../hash.ts";
import type { Payment, ThreeDsResult } from "../payment.ts";
import type { Attribution, Block } from "./answer.ts";
import type { OutcomeClass } from "./outcome-class.ts";

/** An attempt of a payment that was reported. Members that were not told, or that the answer leaves open, are absent. */
export type Attempt = {
  readonly attemptId: string;
  readonly psp: string;
  readonly outcomeClass: OutcomeClass;
  readonly atMs: number;
  /** The revision in whose plan it was a step. */
  readonly revision: number;
  /** Voided since: it neither holds the player's money nor forbids another attempt. Absent means no. */
  readonly voided?: boolean;
  /** Minor units that were approved, where fewer than asked. */
  readonly approvedMinor?: number;
  /** Codes of the answer: of the network, of the PSP, and the network's advice. */
  readonly code?: string;
  readonly pspCode?: string;
  readonly adviceCode?: string;
  /** Whom the outcome is held against; absent means nobody. */
  readonly attribution?: Attribution;
  /** Not again before this instant, ms since the epoch. */
  readonly waitUntilMs?: number;
  /** Data to change before another attempt, where the answer says which. */
  readonly fields?: readonly string[];
  /** What is blocked by the answer, and until when; Infinity means for good. */
  readonly block?: { readonly what: Block["what"]; readonly untilMs: number };
  readonly initiator?: Payment["initiator"];
  /** What 3DS came to, where it was run in the attempt; `host` says at whom. */
  readonly threeDs?: Pick<ThreeDsResult, "host" | "transStatus" | "eci">;
  /** All of what was approved was given back since: still an approval, but none that has to be voided. Absent means no. */
  readonly refunded?: boolean;
  /** The approval that was reported first was none: final, whatever is heard of it later. Absent means no. */
  readonly corrected?: boolean;
};

/** What makes an attempt's id: a step of a plan of its payment. */
export type AttemptPlace = { readonly revision: number; readonly number: number; readonly psp: string };

const idPattern = /^r(\d{1,10})-s(\d{1,2})-[0-9a-f]{8}$/;

/**
 * The id of a step's attempt, such as `r0-s1-9f86d081`: unique in the payment because a revision has one plan, and never used again because
 * revisions only grow (`SEMANTICS.md` 4.3). The last part is a check over the PSP, so that a late report on a plan that is no longer kept can
 * still be held against the PSP that it names.
 */
export function makeAttemptId({ revision, number, psp }: AttemptPlace): string {
  return revision === 0 ? firstIdOf(psp, number) : `r${revision}-s${number}-${checkOf(psp)}`;
}

/** By id of the PSP; the PSPs of all rule sets of a process are few. A report can name any PSP, so only so many are remembered. */
const pspChecks = new Map<string, string>();
/** The ids of revision 0 by the number of the step, which most plans are made of; steps have at most two digits. */
const firstIds = new Map<string, (string | undefined)[]>();
const pspsMax = 10_000;

function firstIdOf(psp: string, number: number): string {
  let ids = firstIds.get(psp);
  if (ids === undefined) {
    ids = [];
    if (firstIds.size < pspsMax) firstIds.set(psp, ids);
  }
  let id = ids[number];
  if (id === undefined) {
    id = `r0-s${number}-${checkOf(psp)}`;
    ids[number] = id;
  }
  return id;
}

function checkOf(psp: string): string {
  let check = pspChecks.get(psp);
  if (check === undefined) {
    check = hash32(psp).toString(16).padStart(8, "0");
    if (pspChecks.size < pspsMax) pspChecks.set(psp, check);
  }
  return check;
}

/** What an id says of the place of its attempt, which PSP or not; undefined where no plan makes such ids. */
export function readAttemptId(attemptId: string): Omit<AttemptPlace, "psp"> | undefined {
  const parts = idPattern.exec(attemptId);
  if (parts === null) return undefined;
  const number = Number(parts[2]);
  return number >= 1 && number <= stepsMax ? { revision: Number(parts[1]), number } : undefined;
}

/** Most steps of a plan. */
const stepsMax = 16;

/** Whether nobody knows yet what became of it, so that no other PSP may be tried. */
export function isOpen({ outcomeClass, voided }: Attempt): boolean {
  if (voided === true) return false;
  return outcomeClass === "UNKNOWN" || outcomeClass === "PENDING";
}

export function isApproved({ outcomeClass, voided }: Attempt): boolean {
  return (outcomeClass === "APPROVED" || outcomeClass === "PARTIAL") && voided !== true;
}

/** Whether it has the player's money: approved, neither voided nor given back. Of a payment one attempt may. */
export function isCharged(attempt: Attempt): boolean {
  return isApproved(attempt) && attempt.refunded !== true;
}
