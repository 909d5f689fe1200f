/**
 * The corridor of an outcome: held against the stored payment, then its hold and the histories of its subjects, then the plan as it now stands.
 *
 * | The payment is | The report | Answer |
 * |---|---|---|
 * | stored | tells of an attempt of its plans something new | APPLIED: attempts, hold and facts are kept |
 * | stored | is known, or knows less than what is known | KNOWN |
 * | stored | names an attempt of none of its plans | refused |
 * | unknown, or closed | names the player and the kind | UNKNOWN_PAYMENT, kept as a fact of the player |
 * | unknown, or closed | does not | UNKNOWN_PAYMENT, counted |
 */
import { lookUpBin } from "../core/bin/bin-table.ts";
import type { PaymentFactType } from "../core/events/event-types.ts";
import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { FactInput } from "../core/facts.ts";
import type { FieldFault } from "../core/field-fault.ts";
import type { Hold, LimitReading } from "../core/limits/limit.ts";
import type { OutcomeReport, OutcomeResult } from "../core/outcome-report.ts";
import type { Payment, ReportedOutcome } from "../core/payment.ts";
import { type Attempt, applyReports } from "../core/retry/attempts.ts";
import type { OutcomeClass } from "../core/retry/outcome-class.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { PaymentRecord } from "../ports/payment-store.ts";
import { type CallDeps, invalid } from "./call.ts";
import { standPlan } from "./decide-with.ts";
import type { PlanNow, Refused, Reported, Reporter } from "./decided.ts";
import type { DeciderDeps } from "./decider.ts";
import { type ActiveRules, type DecisionState, readFacts, readFrame } from "./judge.ts";
import { findKeepUntil } from "./keeper.ts";
import { isOverLimits, readPlayerLimits } from "./limits.ts";
import { type HeardPayment, hearAttempts, makeLaterFact } from "./outcomes.ts";
import { recheckPlan } from "./recheck.ts";
import { findPlayer, readState, type StateDeps } from "./state.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

type Call = { readonly report: OutcomeReport; readonly rules: ActiveRules; readonly nowMs: number };

/** Builds the reporter. */
export function createReporter(deps: DeciderDeps): Reporter {
  const { keeper } = deps;

  const report: Reporter["report"] = (told) => {
    const opened = openReport(deps, told);
    if (!opened.ok) return opened;
    const call: Call = { report: told, ...opened };
    const known = deps.payments.get(told.merchantId, told.paymentId, call.nowMs);
    if (known?.state === "answered" && known.record.payment !== undefined)
      return hearOf(call, known.record, known.record.payment);
    return keepUnknown(call);
  };

  const hearOf = (call: Call, record: PaymentRecord, payment: Payment): Reported | Refused => {
    const { report: told, nowMs } = call;
    const faults = checkAmount(told, payment);
    if (faults.length > 0) return invalid(faults);
    const { merchantId, paymentId } = told;
    const heard: HeardPayment = {
      payment,
      playerId: findPlayer(deps, merchantId, payment.playerId)?.playerId ?? payment.playerId,
      record,
      hold: deps.limits.get(merchantId, paymentId),
      nowMs,
      bins: deps.bins,
    };
    const isLater = laterResults.has(told.result);
    const reported: ReportedOutcome = isLater
      ? { attemptId: told.attemptId, psp: told.psp, outcomeClass: "APPROVED" }
      : toOutcome(told);
    const applied = applyReports(record.attempts, [reported], {
      paymentId,
      revision: record.revision,
      plan: record.decision.plan,
      scheme: payment.card?.scheme ?? findScheme(deps, payment),
      nowMs,
    });
    if (applied.faults.length > 0) return invalid(applied.faults.map(atReport));
    return isLater ? keepLater(call, heard) : keepAttempts(call, heard, applied.attempts);
  };

  const keepAttempts = (call: Call, heard: HeardPayment, attempts: readonly Attempt[]): Reported => {
    const { record } = heard;
    if (attempts === record.attempts) return answer(call, heard, attempts, "KNOWN", keeper.last());
    const { hold, facts } = hearAttempts(heard, attempts);
    const durable = keeper.keep(call.report.merchantId, {
      record: { ...record, attempts, keepUntilMs: findKeepUntil(attempts, call.nowMs) },
      hold,
      facts,
    });
    return answer(call, heard, attempts, "APPLIED", durable);
  };

  /** A refund, a chargeback or a clearing changes no attempt and no hold. */
  const keepLater = (call: Call, heard: HeardPayment): Reported => {
    const { report: told, nowMs } = call;
    const facts = makeLaterFact(heard, told, {
      became: told.result as "REFUNDED" | "CHARGED_BACK" | "CLEARED",
      amountMinor: told.amount?.minorUnits,
      atMs: Math.min(told.atMs ?? nowMs, nowMs),
    });
    const { placed, durable } = deps.recordFacts(told.merchantId, facts);
    const isNew = placed.some(({ kind }) => kind === "added");
    return answer(call, heard, heard.record.attempts, isNew ? "APPLIED" : "KNOWN", durable);
  };

  const answer = (
    { report: told, rules, nowMs }: Call,
    { record, payment, hold }: HeardPayment,
    attempts: readonly Attempt[],
    verdict: Reported["verdict"],
    durable: Promise<void> | undefined,
  ): Reported => {
    const state = readState(deps, told.merchantId, payment.playerId);
    const cuts = recheckPlan(rules, record.decision, payment, state, nowMs, attempts);
    const plan: PlanNow | undefined = standPlan(record.decision, {
      attempts,
      revision: record.revision,
      nowMs,
      cuts,
    });
    const now = standNow(rules.snapshot, payment, state, nowMs);
    const limits = readPlayerLimits(...now);
    const overrun =
      isApproval(told) &&
      (isOverrun(limits) ||
        (isLate(hold, nowMs) && isOverLimits(...now, hold?.instantMs ?? record.decision.decidedAtMs)));
    return { ok: true, verdict, plan, limits, overrun, durable };
  };

  /** An outcome of a payment that was never decided here is what a wallet might have told. */
  const keepUnknown = ({ report: told, nowMs }: Call): Reported => {
    const type = factTypes[told.result];
    const nothing = {
      ok: true,
      verdict: "UNKNOWN_PAYMENT",
      plan: undefined,
      limits: [],
      overrun: false,
    } as const;
    if (told.playerId === undefined || told.kind === undefined || type === undefined)
      return { ...nothing, durable: undefined };
    const fact = makeUnknownFact(told, told.playerId, type, nowMs);
    return { ...nothing, durable: deps.recordFacts(told.merchantId, [fact]).durable };
  };

  return { report };
}

/** What limits are read by now: the workspace with its frame filled. */
function standNow(
  snapshot: RuleSnapshot,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
): [Workspace, FactInput, DecisionState] {
  const workspace = openWorkspace(snapshot);
  const facts = readFacts(snapshot, payment, state, nowMs);
  readFrame(workspace, facts, state);
  snapshot.matchSegments(workspace.frame);
  return [workspace, facts, state];
}

/** Whether others may have been let in where the payment would have been: nothing was held for it any more. */
function isLate(hold: Hold | undefined, nowMs: number): boolean {
  return hold === undefined || nowMs >= hold.releasesAtMs;
}

type Opened = { readonly ok: true; readonly rules: ActiveRules; readonly nowMs: number } | Refused;

function openReport({ merchants, rules, clock }: CallDeps, told: OutcomeReport): Opened {
  const { merchantId, reportAtMs } = told;
  const merchant = merchants.get(merchantId);
  if (merchant === undefined) return { ok: false, kind: "unknown_merchant", merchantId };
  if (reportAtMs !== undefined && merchant.clock !== "request") {
    const message = `merchant ${merchantId} goes by the clock of the server`;
    return invalid([{ field: "report_at", rule: "clock", message }]);
  }
  const active = rules.current(merchantId);
  if (active === undefined) return { ok: false, kind: "no_active_rule_set" };
  return { ok: true, rules: active, nowMs: reportAtMs ?? clock.nowMs() };
}

/** Results that come after an approval and change no attempt. */
const laterResults: ReadonlySet<OutcomeResult> = new Set(["REFUNDED", "CHARGED_BACK", "CLEARED"]);

function isApproval({ result }: OutcomeReport): boolean {
  return result === "APPROVED" || result === "PARTIAL";
}

function isOverrun(limits: readonly LimitReading[]): boolean {
  return limits.some(({ overrun }) => overrun);
}

function checkAmount({ amount }: OutcomeReport, payment: Payment): readonly FieldFault[] {
  if (amount === undefined) return [];
  if (amount.currencyCode !== payment.currency) {
    const message = `the payment is in ${payment.currency}, so its outcomes are too`;
    return [{ field: "amount.currency_code", rule: "conflict", message }];
  }
  if (amount.minorUnits <= (payment.amountMinor ?? 0)) return [];
  const message = `the payment is of ${payment.amountMinor} minor units, so no outcome is of ${amount.minorUnits}`;
  return [{ field: "amount.minor_units", rule: "out-of-range", message }];
}

function toOutcome(told: OutcomeReport): ReportedOutcome {
  const { attemptId, psp, amount, atMs, responseCode } = told;
  const outcomeClass = classify(told);
  return {
    attemptId,
    psp,
    ...(outcomeClass === undefined ? {} : { outcomeClass }),
    ...(responseCode === undefined ? {} : { responseCode }),
    ...(atMs === undefined ? {} : { atMs }),
    ...(told.result === "VOIDED" ? { voided: true } : {}),
    ...(told.result === "PARTIAL" && amount !== undefined ? { approvedMinor: amount.minorUnits } : {}),
  };
}

/** Undefined where the response code is to say what a decline means. */
function classify({ result, outcomeClass, responseCode }: OutcomeReport): OutcomeClass | undefined {
  switch (result) {
    case "DECLINED":
      return outcomeClass ?? (responseCode === undefined ? "GENERIC" : undefined);
    case "APPROVED":
    case "PARTIAL":
    case "PENDING":
    case "ABANDONED":
    case "UNKNOWN":
      return result;
    default:
      return "UNKNOWN";
  }
}

function findScheme({ bins }: StateDeps, { card }: Payment): string | undefined {
  return card?.bin === undefined ? undefined : lookUpBin(bins, card.bin).scheme;
}

/** Faults of a report are told of its own fields. */
function atReport({ field, rule, message }: FieldFault): FieldFault {
  return { field: field.replace(/^previous_attempts\[0\]\.?/, "") || "attempt_id", rule, message };
}

/** Facts that outcomes tell where nothing else is known; an abandoned attempt and an open one tell none. */
const factTypes: Readonly<Partial<Record<OutcomeResult, PaymentFactType>>> = {
  APPROVED: "payment_approved",
  PARTIAL: "payment_approved",
  DECLINED: "payment_declined",
  UNKNOWN: "payment_attempted",
  PENDING: "payment_attempted",
  VOIDED: "payment_voided",
  REFUNDED: "payment_refunded",
  CHARGED_BACK: "payment_charged_back",
  CLEARED: "payment_cleared",
};

function makeUnknownFact(
  told: OutcomeReport,
  playerId: string,
  type: PaymentFactType,
  nowMs: number,
): PaymentFact {
  const isPaidOut = told.kind === "withdrawal" && type === "payment_approved";
  return {
    type: isPaidOut ? "withdrawal_paid" : type,
    playerId,
    paymentId: told.paymentId,
    attemptId: told.attemptId,
    kind: told.kind!,
    amountMinor: told.amount?.minorUnits ?? 0,
    currency: told.amount?.currencyCode ?? "",
    atMs: Math.min(told.atMs ?? nowMs, nowMs),
    countedAtMs: undefined,
    method: "",
    psp: told.psp,
    mid: "",
    brand: "",
    scheme: "",
    funding: "",
    outcome: type === "payment_declined" ? (told.outcomeClass ?? "GENERIC") : "",
    card: "",
    device: "",
    ip: "",
    bin: "",
    converted: new Map(),
    ratesVersion: NaN,
  };
}
