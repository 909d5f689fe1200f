import type { Plan } from "../decision.ts";
import type { FieldFault } from "../field-fault.ts";
import { hash32 } from "../hash.ts";
import type { Payment, ReportedOutcome, ThreeDsResult } from "../payment.ts";
import type { Attribution, Block } from "./answer.ts";
import { classifyCode } from "./code-table.ts";
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

/** Whether nobody knows yet what became of it, so that no other PSP may be tried. */
export function isOpen({ outcomeClass, voided }: Attempt): boolean {
  if (voided === true) return false;
  return outcomeClass === "UNKNOWN" || outcomeClass === "PENDING";
}

export function isApproved({ outcomeClass, voided }: Attempt): boolean {
  return (outcomeClass === "APPROVED" || outcomeClass === "PARTIAL") && voided !== true;
}

/** The payment as it was decided last. */
export type ReportContext = {
  readonly paymentId: string;
  readonly revision: number;
  readonly plan: Plan | undefined;
  readonly scheme: string | undefined;
  readonly nowMs: number;
};

/**
 * Adds reports to what is known, by attempt id (`SEMANTICS.md` 1.2): what was known already changes only from unknown or pending to an answer, or
 * from a decline to a late approval. Duplicates and reports that know less change nothing.
 *
 * Shapes: the same array where nothing changes. Instants in the future count as now.
 * Fails: with a fault for an attempt that no plan of the payment holds, that was planned at another PSP, or that is one more than a payment can
 * have had.
 */
export function applyReports(
  known: readonly Attempt[],
  reports: readonly ReportedOutcome[],
  context: ReportContext,
): { readonly attempts: readonly Attempt[]; readonly faults: readonly FieldFault[] } {
  let attempts = known;
  const faults: FieldFault[] = [];
  for (const [at, report] of reports.entries()) {
    const place = findPlace(report, context);
    if ("fault" in place) {
      faults.push({ ...place.fault, field: `previous_attempts[${at}].${place.fault.field}` });
      continue;
    }
    const added = addAttempt(attempts, readAttempt(report, place.revision, context));
    if (added.length <= knownMax) attempts = added;
    else faults.push({ ...tooMany, field: `previous_attempts[${at}]` });
  }
  return { attempts, faults };
}

/** Far more than a retry policy allows; ids of plans that are no longer kept can be made up without end. */
const knownMax = 64;
const tooMany = { rule: "too-many", message: `a payment has at most ${knownMax} attempts` };
/** Most steps of a plan. */
const stepsMax = 16;

function readAttempt(report: ReportedOutcome, revision: number, { scheme, nowMs }: ReportContext): Attempt {
  const { attemptId, psp, outcomeClass, responseCode, atMs, approvedMinor, voided } = report;
  return {
    attemptId,
    psp,
    outcomeClass: outcomeClass ?? classifyCode({ scheme, code: responseCode }),
    atMs: Math.min(atMs ?? nowMs, nowMs),
    revision,
    ...(approvedMinor === undefined ? {} : { approvedMinor }),
    ...(voided === true ? { voided } : {}),
  };
}

function addAttempt(known: readonly Attempt[], next: Attempt): readonly Attempt[] {
  const at = known.findIndex(({ attemptId }) => attemptId === next.attemptId);
  if (at < 0) return [...known, next];
  const before = known[at]!;
  if (next.voided === true)
    return before.voided === true ? known : known.with(at, { ...before, voided: true });
  return supersedes(next, before) ? known.with(at, next) : known;
}

function supersedes(next: Attempt, before: Attempt): boolean {
  // What was voided stays so, whatever is heard of it later.
  if (before.voided === true) return false;
  if (isOpen(before)) return !isOpen(next);
  return !isApproved(before) && isApproved(next);
}

function findPlace(
  { attemptId, psp }: ReportedOutcome,
  { paymentId, revision, plan }: ReportContext,
): { readonly revision: number } | { readonly fault: FieldFault } {
  const step = plan?.steps.find((each) => each.attemptId === attemptId);
  if (step !== undefined) {
    if (step.psp === psp) return { revision };
    const message = `attempt ${attemptId} was planned at ${step.psp}, not ${psp}`;
    return { fault: { field: "psp", rule: "conflict", message } };
  }
  const parts = idPattern.exec(attemptId);
  const claimed = { revision: Number(parts?.[1]), number: Number(parts?.[2]) };
  const isEarlier = claimed.revision < revision && claimed.number >= 1 && claimed.number <= stepsMax;
  if (isEarlier && makeAttemptId({ ...claimed, psp }) === attemptId) return claimed;
  const message = `no plan of payment ${paymentId} has attempt ${attemptId}${isEarlier ? ` at ${psp}` : ""}`;
  return { fault: { field: "attempt_id", rule: "known", message } };
}
