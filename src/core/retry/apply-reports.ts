import type { Plan, Step } from "../decision.ts";
import type { FieldFault } from "../field-fault.ts";
import type { Payment, ReportedOutcome, ThreeDsResult } from "../payment.ts";
import type { Meaning } from "./answer.ts";
import { type Attempt, isApproved, isOpen, makeAttemptId, readAttemptId } from "./attempts.ts";
import { classifyAnswer, describeClass } from "./classify.ts";
import type { CodeTable } from "./code-table.ts";

/** The payment as it was decided last. */
export type ReportContext = {
  readonly paymentId: string;
  readonly revision: number;
  readonly plan: Plan | undefined;
  /** What answers mean. */
  readonly table: CodeTable;
  /** What was sent under a revision. */
  readonly sentAt: (revision: number) => SentPayment;
  readonly nowMs: number;
};

/** What of a payment the meaning of an answer hangs on. */
export type SentPayment = {
  /** Canonical scheme, lower case. */
  readonly scheme: string | undefined;
  readonly initiator: Payment["initiator"] | undefined;
  /** Whether SCA is asked for between the card and the acquirer of a PSP. */
  readonly isInScaZone: (psp: string) => boolean;
};

/**
 * Adds reports to what is known, by attempt id (`SEMANTICS.md` 1.2, 4.4).
 *
 * | Known as | Changes to |
 * |---|---|
 * | nothing: it was sent | whatever is told; what is voided first was unknown |
 * | UNKNOWN, PENDING | approved, declined, voided |
 * | declined | approved (late) |
 * | approved | declined, by a correction that names what was approved; voided; refunded |
 * | voided, refunded, corrected | nothing |
 *
 * Duplicates and reports that know less change nothing.
 *
 * Shapes: the same array where nothing changes. Instants in the future count as now.
 * Fails: with a fault for an attempt that no plan of the payment holds, that was planned at another PSP, or that is one more than a payment can
 * have had; for a decline by a code that approves; for a correction of another approval than the one that is known.
 */
export function applyReports(
  known: readonly Attempt[],
  reports: readonly ReportedOutcome[],
  context: ReportContext,
): { readonly attempts: readonly Attempt[]; readonly faults: readonly FieldFault[] } {
  let attempts = known;
  const faults: FieldFault[] = [];
  for (const [at, report] of reports.entries()) {
    const note = (fault: FieldFault): void => {
      const field =
        fault.field === "" ? `previous_attempts[${at}]` : `previous_attempts[${at}].${fault.field}`;
      faults.push({ ...fault, field });
    };
    const place = findPlace(report, context);
    if ("fault" in place) {
      note(place.fault);
      continue;
    }
    const read = readAttempt(report, place, context);
    const before = attempts.find(({ attemptId }) => attemptId === report.attemptId);
    const fault = checkReport(report, read, before);
    if (fault !== undefined) {
      note(fault);
      continue;
    }
    const added = addAttempt(attempts, before, read, report);
    if (added.length <= knownMax) attempts = added;
    else note(tooMany);
  }
  return { attempts, faults };
}

/** Far more than a retry policy allows; ids of plans that are no longer kept can be made up without end. */
const knownMax = 64;
const tooMany = { field: "", rule: "too-many", message: `a payment has at most ${knownMax} attempts` };

function readAttempt(report: ReportedOutcome, place: FoundPlace, context: ReportContext): Attempt {
  const { attemptId, psp, responseCode: code, pspCode, adviceCode, threeDs, approvedMinor, voided } = report;
  const atMs = Math.min(report.atMs ?? context.nowMs, context.nowMs);
  const sent = context.sentAt(place.revision);
  const { outcomeClass, attribution, waitMs, fields, block } = readMeaning(report, place.step, {
    ...sent,
    table: context.table,
    atMs,
  });
  return {
    attemptId,
    psp,
    outcomeClass,
    atMs,
    revision: place.revision,
    ...(approvedMinor === undefined ? {} : { approvedMinor }),
    ...(voided === true ? { voided } : {}),
    ...(code === undefined ? {} : { code }),
    ...(pspCode === undefined ? {} : { pspCode }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(attribution === undefined ? {} : { attribution }),
    ...(waitMs === 0 ? {} : { waitUntilMs: atMs + waitMs }),
    ...(fields.length === 0 ? {} : { fields }),
    ...(block === undefined
      ? {}
      : { block: { what: block.what, untilMs: atMs + (block.forMs ?? Infinity) } }),
    ...(sent.initiator === undefined ? {} : { initiator: sent.initiator }),
    ...(threeDs === undefined ? {} : { threeDs: readThreeDs(threeDs) }),
    ...(report.refunded === true ? { refunded: true } : {}),
    ...(report.corrects === undefined ? {} : { corrected: true }),
  };
}

function readThreeDs({ host, transStatus, eci }: ThreeDsResult): NonNullable<Attempt["threeDs"]> {
  return {
    host,
    ...(transStatus === undefined ? {} : { transStatus }),
    ...(eci === undefined ? {} : { eci }),
  };
}

/** What the answer means by the table; a class that the caller names stands. `step` is that of the plan, where it is known. */
export function readMeaning(
  { psp, outcomeClass, responseCode: code, pspCode, adviceCode, failure, threeDs, declined }: ReportedOutcome,
  step: Step | undefined,
  sent: SentPayment & { readonly table: CodeTable; readonly atMs: number },
): Meaning {
  const inScaZone = !wasChallenged(step, threeDs) && sent.isInScaZone(psp);
  const answer = { psp, scheme: sent.scheme, code, pspCode, adviceCode, failure, threeDs, inScaZone };
  const meaning = classifyAnswer(sent.table, answer, sent.atMs);
  if (outcomeClass !== undefined && outcomeClass !== meaning.outcomeClass)
    return describeClass(outcomeClass, failure);
  if (declined !== true || code !== undefined || pspCode !== undefined || adviceCode !== undefined)
    return meaning;
  // A decline without a code is GENERIC, and a challenge that was not finished authenticated nobody.
  if (meaning.outcomeClass === "UNKNOWN") return describeClass("GENERIC", failure);
  return meaning.outcomeClass === "PENDING" ? describeClass("AUTH_FAILED", failure) : meaning;
}

/** Whether the player was authenticated, or had to be challenged. */
function wasChallenged(step: Step | undefined, threeDs: ThreeDsResult | undefined): boolean {
  if (threeDs?.transStatus === "Y") return true;
  return step?.threeDs.requirement === "THREE_DS" && step.threeDs.challengeIndicator === "04";
}

function checkReport(
  { declined, corrects, responseCode, pspCode }: ReportedOutcome,
  read: Attempt,
  before: Attempt | undefined,
): FieldFault | undefined {
  if (declined === true && isApproved(read)) {
    const field = pspCode === undefined ? "response_code" : "psp_code";
    const message = `${pspCode ?? responseCode} says that the attempt was approved, not declined`;
    return { field, rule: "conflict", message };
  }
  if (
    corrects === undefined ||
    before === undefined ||
    !isApproved(before) ||
    before.outcomeClass === corrects
  )
    return undefined;
  const message = `the attempt is known as ${before.outcomeClass}, not as ${corrects}`;
  return { field: "corrects", rule: "conflict", message };
}

function addAttempt(
  known: readonly Attempt[],
  before: Attempt | undefined,
  next: Attempt,
  report: ReportedOutcome,
): readonly Attempt[] {
  if (before === undefined) return [...known, next];
  const after = meetAttempt(before, next, report);
  return after === before ? known : known.with(known.indexOf(before), after);
}

/** The attempt after it was heard of once more; the same object where that changes nothing. */
function meetAttempt(
  before: Attempt,
  next: Attempt,
  { voided, refunded, corrects }: ReportedOutcome,
): Attempt {
  if (before.voided === true || before.refunded === true || before.corrected === true) return before;
  if (voided === true) return isOpen(before) || isApproved(before) ? { ...before, voided } : before;
  if (corrects !== undefined)
    return isApproved(before) || isOpen(before) ? next : { ...before, corrected: true };
  if (isApproved(before)) return refunded === true ? { ...before, refunded } : before;
  if (isOpen(before)) return isOpen(next) ? before : next;
  return isApproved(next) ? next : before;
}

type FoundPlace = { readonly revision: number; readonly step: Step | undefined };

function findPlace(
  { attemptId, psp }: ReportedOutcome,
  { paymentId, revision, plan }: ReportContext,
): FoundPlace | { readonly fault: FieldFault } {
  const step = plan?.steps.find((each) => each.attemptId === attemptId);
  if (step !== undefined) {
    if (step.psp === psp) return { revision, step };
    const message = `attempt ${attemptId} was planned at ${step.psp}, not ${psp}`;
    return { fault: { field: "psp", rule: "conflict", message } };
  }
  const claimed = readAttemptId(attemptId);
  const isEarlier = claimed !== undefined && claimed.revision < revision;
  if (isEarlier && makeAttemptId({ ...claimed, psp }) === attemptId)
    return { revision: claimed.revision, step: undefined };
  const message = `no plan of payment ${paymentId} has attempt ${attemptId}${isEarlier ? ` at ${psp}` : ""}`;
  return { fault: { field: "attempt_id", rule: "known", message } };
}
