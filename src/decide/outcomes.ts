/** What becomes of a payment's hold when attempts are heard of, and the facts that they tell (`SEMANTICS.md` 5.1-5.6, 6.1). */

import type { BinTable } from "../core/bin/bin-table.ts";
import { lookUpBin, unknownBin } from "../core/bin/bin-table.ts";
import type { Plan } from "../core/decision.ts";
import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { Subject } from "../core/history/history.ts";
import {
  type HoldFact,
  type HoldTerms,
  hearOutcome,
  isForCapsOnly,
  keepUntold,
  moveHold,
  type Word,
} from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import { identifyInstrument, listSubjects } from "../core/limits/subjects.ts";
import type { Payment } from "../core/payment.ts";
import { type Attempt, isApproved, isOpen } from "../core/retry/attempts.ts";
import { countAhead, countSilent } from "../core/retry/in-flight.ts";
import type { PlanStanding } from "../core/retry/standing.ts";
import type { PaymentRecord } from "../ports/payment-store.ts";
import { standPlan } from "./decide-with.ts";
import { describeAnswer } from "./fact-answer.ts";
import { holdAttempts, plannedOf } from "./held-attempts.ts";
import { listValues } from "./limits.ts";

export type HeardPayment = {
  readonly payment: Payment;
  /** Under which the player's history is kept. */
  readonly playerId: string;
  readonly record: PaymentRecord;
  readonly hold: Hold | undefined;
  readonly nowMs: number;
  readonly bins: BinTable;
  /** Accounts of PSPs, where they are those of an earlier revision. */
  readonly accounts?: ReadonlyMap<string, string>;
};

export type HeardAttempts = { readonly hold: Hold | undefined; readonly facts: readonly PaymentFact[] };

/** Hears every attempt of which something new is known, in the order in which they became known. */
export function hearAttempts(whole: HeardPayment, after: readonly Attempt[]): HeardAttempts {
  const isOver = whole.hold !== undefined && isForCapsOnly(whole.hold);
  const heard = isOver ? { ...whole, hold: undefined } : whole;
  const { record, nowMs } = heard;
  const facts: PaymentFact[] = [];
  let { hold } = heard;
  const { revision } = record;
  const standing = standPlan(record.decision, { attempts: after, revision, nowMs, cuts: undefined });
  for (const attempt of after) {
    const before = record.attempts.find(({ attemptId }) => attemptId === attempt.attemptId);
    if (before === attempt || (before !== undefined && tellsTheSame(before, attempt))) continue;
    const word = readWord(attempt, before, after, { standing, plan: record.decision.plan, nowMs });
    const planned = readPlanned(heard, attempt);
    const terms = findTerms(planned);
    if (before !== undefined && isApproved(before) && attempt.corrected === true) {
      // What was never approved must not count: limits take it out by a void.
      const { facts: voids } = hearOutcome(undefined, terms, { ...word, became: "VOIDED" });
      for (const fact of voids) facts.push(completeFact(fact, planned, attempt));
    }
    const next = hearOutcome(hold, terms, word);
    hold = next.hold;
    if (attempt.outcomeClass === "ABANDONED") continue;
    for (const fact of next.facts) facts.push(completeFact(fact, planned, attempt));
  }
  if (hold?.state === "HELD" && hold.revision < revision) hold = { ...hold, ...findCurrentTerms(heard) };
  return { hold: holdForCard(whole, hold && moveToStep(hold, standing), after, standing), facts };
}

/**
 * What is held of the card's attempts from now on. Each that was told of is one fewer that may come; where the payment has come to an end only those
 * count that were never told of.
 */
function holdForCard(
  { hold: before, record, payment, bins, nowMs }: HeardPayment,
  hold: Hold | undefined,
  after: readonly Attempt[],
  standing: PlanStanding | undefined,
): Hold | undefined {
  if (before?.attempts === undefined && hold?.state !== "UNKNOWN" && hold?.state !== "PENDING") return hold;
  const { revision, earlier, attempts } = record;
  const isGoingOn = hold !== undefined && goesOn(standing);
  const silent = after.some(isApproved) ? 0 : countSilent(record.decision.plan?.steps ?? [], after);
  const told = after.filter(
    (each) => each.revision === revision && !attempts.some(({ attemptId }) => attemptId === each.attemptId),
  ).length;
  const ahead = isGoingOn ? Math.min(countAhead(standing!), plannedOf(before, revision) - told - silent) : 0;
  const planned = silent + Math.max(0, ahead);
  const kept = hold ?? (silent > 0 && before !== undefined ? keepUntold(before, nowMs) : undefined);
  return holdAttempts(kept, { payment, revision, earlier, bins }, after, planned);
}

function goesOn(standing: PlanStanding | undefined): boolean {
  const action = standing?.next.action;
  return action === "STEP" || action === "WAIT_UNTIL" || action === "STATUS_CHECK";
}

/** Whether nothing is new of an attempt for limits and histories: what was given back since, they hear as a refund. */
export function tellsTheSame(before: Attempt, attempt: Attempt): boolean {
  return before.outcomeClass === attempt.outcomeClass && before.voided === attempt.voided;
}

/**
 * The payment as it was when the attempt was planned: a later revision may be about another amount or card. Of an open attempt of an earlier
 * revision the hold names the subjects, but may hold more than it asked for (`decideHold`).
 */
function readPlanned(heard: HeardPayment, { revision }: Pick<Attempt, "revision">): HeardPayment {
  const { hold, ...rest } = heard;
  if (revision === heard.record.revision)
    return hold?.revision === revision ? heard : { ...rest, hold: undefined };
  const earlier = heard.record.earlier?.find((each) => each.revision === revision);
  if (earlier === undefined) return heard;
  const { payment, decidedAtMs, ruleSetVersion, converted, accounts } = earlier;
  const decision = { ...heard.record.decision, decidedAtMs, ruleSetVersion };
  const record = { ...heard.record, revision, decision, converted };
  const terms = findTerms({ ...rest, payment, record, hold: undefined });
  return {
    ...rest,
    payment,
    record,
    accounts,
    hold: hold?.revision === revision ? { ...hold, ...terms, subjects: hold.subjects } : undefined,
  };
}

/** What the payment holds from the instant on at which no attempt of an earlier revision is open any more. */
function findCurrentTerms(heard: HeardPayment): HoldTerms {
  const { payment, bins } = heard;
  const bin = payment.card?.bin === undefined ? unknownBin : lookUpBin(bins, payment.card.bin);
  const values = listValues({ payment, bin }, { psp: "", mid: "" });
  return { ...findTerms({ ...heard, hold: undefined }), values };
}

/** A fact of an attempt that is no outcome of it: a refund, a chargeback, a clearing. */
export function makeLaterFact(
  whole: HeardPayment,
  attempt: Attempt,
  told: {
    readonly became: "REFUNDED" | "CHARGED_BACK" | "CLEARED";
    readonly amountMinor: number | undefined;
    readonly atMs: number;
  },
): readonly PaymentFact[] {
  const known = whole.record.attempts.find(({ attemptId }) => attemptId === attempt.attemptId);
  const heard = known === undefined ? whole : readPlanned(whole, known);
  const terms = findTerms(heard);
  // A clearing tells what a refund does, but for its type.
  const became = told.became === "CLEARED" ? "REFUNDED" : told.became;
  const { facts } = hearOutcome(heard.hold, terms, {
    attemptId: attempt.attemptId,
    became,
    amountMinor: told.amountMinor,
    atMs: told.atMs,
    heardAtMs: heard.nowMs,
    open: "NONE",
    stepsLeft: 0,
    validUntilMs: 0,
  });
  return facts.map((fact) => {
    const complete = completeFact(fact, heard, known ?? attempt);
    return told.became === "CLEARED" ? { ...complete, type: "payment_cleared" } : complete;
  });
}

function readWord(
  attempt: Attempt,
  before: Attempt | undefined,
  all: readonly Attempt[],
  at: {
    readonly standing: PlanStanding | undefined;
    readonly plan: Plan | undefined;
    readonly nowMs: number;
  },
): Word {
  const isVoid = attempt.voided === true && before?.voided !== true;
  const open = all.filter(isOpen);
  return {
    attemptId: attempt.attemptId,
    became: isVoid ? "VOIDED" : attempt.outcomeClass,
    amountMinor: attempt.approvedMinor,
    atMs: attempt.atMs,
    heardAtMs: at.nowMs,
    open: open.some(({ outcomeClass }) => outcomeClass === "UNKNOWN")
      ? "UNKNOWN"
      : open.length > 0
        ? "PENDING"
        : "NONE",
    stepsLeft: countStepsLeft(at.standing),
    validUntilMs: at.plan?.validUntilMs ?? at.nowMs,
  };
}

function countStepsLeft(standing: PlanStanding | undefined): number {
  const next = standing?.next;
  if (next?.action !== "STEP" && next?.action !== "WAIT_UNTIL") return 0;
  return standing!.steps.filter(({ number }) => number >= next.step).length;
}

function moveToStep(hold: Hold, standing: PlanStanding | undefined): Hold {
  const next = standing?.next;
  if (next?.action !== "STEP" && next?.action !== "WAIT_UNTIL") return hold;
  const step = standing!.steps.find(({ number }) => number === next.step);
  return step === undefined || hold.values.get("psp") === step.psp ? hold : moveHold(hold, step);
}

/** What the payment holds by, or held by where nothing is held any more. */
function findTerms({ payment, playerId, record, hold }: HeardPayment): HoldTerms {
  if (hold !== undefined) return hold;
  const { decision, converted } = record;
  return {
    paymentId: payment.paymentId,
    revision: record.revision,
    playerId,
    kind: payment.kind,
    amountMinor: payment.amountMinor ?? 0,
    currency: payment.currency,
    converted: converted ?? new Map(),
    ratesVersion: decision.ruleSetVersion,
    instantMs: decision.decidedAtMs,
    values: new Map(),
    subjects: listSubjects({ ...payment, playerId }),
  };
}

/** The account of each PSP of a plan, where it has one. */
export function accountsOf(plan: Plan | undefined): ReadonlyMap<string, string> {
  const steps = plan?.steps.filter(({ mid }) => mid !== "") ?? [];
  return new Map(steps.map(({ psp, mid }) => [psp, mid]));
}

function completeFact(fact: HoldFact, heard: HeardPayment, attempt: Attempt): PaymentFact {
  const { payment, bins, record, hold, accounts } = heard;
  const { subjects } = findTerms(heard);
  const { psp } = attempt;
  const { card } = payment;
  const step = record.decision.plan?.steps.find(({ attemptId }) => attemptId === attempt.attemptId);
  const mid = (accounts ?? accountsOf(record.decision.plan)).get(psp) ?? "";
  const table = card?.bin === undefined ? unknownBin : lookUpBin(bins, card.bin);
  const isWithdrawal = fact.kind === "withdrawal";
  return {
    ...fact,
    ...describeAnswer(fact, attempt, { step, payment }),
    // That a payout was sent has a name of its own.
    type: isWithdrawal && fact.type === "payment_attempted" ? "withdrawal_requested" : fact.type,
    method: payment.method ?? "",
    psp,
    mid,
    brand: payment.brand,
    scheme: card?.scheme ?? table.scheme ?? "",
    funding: card?.funding ?? table.funding ?? "",
    card: card === undefined ? "" : identifyInstrument(card),
    device: payment.deviceId ?? "",
    ip: payment.ip ?? "",
    bin: card?.bin ?? "",
    // Without a hold whoever keeps the fact finds them in what it says.
    ...(hold === undefined ? {} : { subjects: subjects.flatMap((each) => atStep(each, psp, mid)) }),
  };
}

/** Subjects beside the player; PSP and account are those of the attempt, wherever the payment has moved since. */
function atStep(subject: Subject, psp: string, mid: string): readonly Subject[] {
  switch (subject.kind) {
    case "player":
      return [];
    case "psp":
      return [{ kind: "psp", id: psp }];
    case "mid":
      return mid === "" ? [] : [{ kind: "mid", id: mid }];
    default:
      return [subject];
  }
}
