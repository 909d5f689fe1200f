/**
 * The corridor of an outcome: held against the stored payment, then its hold and the histories of its subjects, then the plan as it now stands.
 *
 * | The payment is | The report | Answer |
 * |---|---|---|
 * | stored | tells of an attempt of its plans something new | APPLIED: attempts, hold and facts are kept |
 * | stored | is known, or knows less than what is known | KNOWN |
 * | stored | names an attempt of none of its plans | refused |
 * | closed, and holds something | tells of an attempt that it can have had | APPLIED: hold and facts are kept |
 * | unknown, or closed | names the player and the kind | UNKNOWN_PAYMENT, kept as a fact of the player |
 * | unknown, or closed | does not | UNKNOWN_PAYMENT, counted |
 */
import type { PaymentFactType } from "../core/events/event-types.ts";
import { noAnswer, type PaymentFact } from "../core/events/payment-fact.ts";
import type { FieldFault } from "../core/field-fault.ts";
import { isForCapsOnly } from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import type { OutcomeReport, OutcomeResult } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import { applyReports, type ReportContext, readMeaning } from "../core/retry/apply-reports.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { codeTableOf } from "../core/retry/code-table.ts";
import type { OutcomeClass } from "../core/retry/outcome-class.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PaymentRecord } from "../ports/payment-store.ts";
import { alertOfAnswer, listAlerts, unknownSent } from "./alerts.ts";
import { type CallDeps, invalid } from "./call.ts";
import { describeHeld, hearClosed, type LaterWord } from "./closed.ts";
import type { Refused, Reported, Reporter } from "./decided.ts";
import type { DeciderDeps } from "./decider.ts";
import { type ActiveRules, type Scene, setScene } from "./judge.ts";
import { findKeepUntil } from "./keeper.ts";
import { isOverLimits, readPlayerLimits } from "./limits.ts";
import { type HeardPayment, hearAttempts, makeLaterFact } from "./outcomes.ts";
import { readReport } from "./read-report.ts";
import { describeReports } from "./report-context.ts";
import { standAgain } from "./stand-again.ts";
import { findPlayer, readState } from "./state.ts";
import { tellOutcomes } from "./tell-outcomes.ts";

type Call = { readonly report: OutcomeReport; readonly rules: ActiveRules; readonly nowMs: number };

/** A call about a stored payment, with what reports on it are read by. */
type HeardCall = Call & { readonly context: ReportContext };

export type ReporterDeps = DeciderDeps & { readonly limits: Pick<LimitStore, "hold" | "release"> };

/** Builds the reporter. */
export function createReporter(deps: ReporterDeps): Reporter {
  const { keeper } = deps;

  const report: Reporter["report"] = (told) => {
    const opened = openReport(deps, told);
    if (!opened.ok) return opened;
    const call: Call = { report: told, ...opened };
    const known = deps.payments.get(told.merchantId, told.paymentId, call.nowMs);
    if (known?.state === "answered" && known.record.payment !== undefined)
      return hearOf(call, known.record, known.record.payment);
    const hold = deps.limits.get(told.merchantId, told.paymentId);
    return hold === undefined || isForCapsOnly(hold) ? keepUnknown(call) : keepClosed(call, hold);
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
    const later = findLater(told);
    const reported = readReport(told, refundableOf(record, payment, told));
    const { snapshot } = call.rules;
    const context = describeReports(record, payment, { snapshot, bins: deps.bins, nowMs });
    const applied = applyReports(record.attempts, [reported], context);
    if (applied.faults.length > 0) return invalid(applied.faults.map(atReport));
    if (applied.attempts !== record.attempts)
      tellOutcomes(deps.onOutcome, heard, applied.attempts, [reported], told.latencyMs);
    const now: HeardCall = { ...call, context };
    return later === undefined
      ? keepAttempts(now, heard, applied.attempts)
      : keepLater(now, heard, applied.attempts, later);
  };

  const keepAttempts = (call: HeardCall, heard: HeardPayment, attempts: readonly Attempt[]): Reported => {
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

  /** A refund, a chargeback or a clearing changes no attempt and no hold, unless it is the first to tell of the approval. */
  const keepLater = (
    call: HeardCall,
    heard: HeardPayment,
    attempts: readonly Attempt[],
    later: LaterWord,
  ): Reported => {
    const { report: told, nowMs } = call;
    const { merchantId } = told;
    const { record } = heard;
    const facts = makeLaterFact(heard, findAttempt(attempts, told), {
      ...later,
      atMs: Math.min(told.atMs ?? nowMs, nowMs),
    });
    if (attempts === record.attempts) {
      const { placed, durable } = deps.recordFacts(merchantId, facts);
      const isNew = placed.some(({ kind }) => kind === "added");
      return answer(call, heard, attempts, isNew ? "APPLIED" : "KNOWN", durable);
    }
    const approved = hearAttempts(heard, attempts);
    const durable = keeper.keep(merchantId, {
      record: { ...record, attempts, keepUntilMs: findKeepUntil(attempts, nowMs) },
      hold: approved.hold,
      facts: [...approved.facts, ...facts],
    });
    return answer(call, heard, attempts, "APPLIED", durable);
  };

  const answer = (
    { report: told, rules, nowMs, context }: HeardCall,
    { record, payment, hold }: HeardPayment,
    attempts: readonly Attempt[],
    verdict: Reported["verdict"],
    kept: Promise<void> | undefined,
  ): Reported => {
    const state = readState(deps, told.merchantId, payment.playerId);
    const isNews = attempts !== record.attempts;
    const scene = setScene(rules.snapshot, payment, state, nowMs);
    const call = { isNews, durable: kept };
    const { plan, durable } = standAgain(deps, rules, scene, { ...record, attempts }, call);
    const standing = readStanding(told, scene, hold, hold?.instantMs ?? record.decision.decidedAtMs);
    const attempt = findAttempt(attempts, told);
    return {
      ok: true,
      verdict,
      plan,
      ...standing,
      outcome: attempt.outcomeClass,
      attribution: attempt.attribution,
      alerts: listAlerts(told, attempt, {
        attempts,
        ...context.sentAt(attempt.revision),
        table: context.table,
      }),
      durable,
    };
  };

  /** The answer is gone, but not what the payment holds. */
  const keepClosed = (call: Call, hold: Hold): Reported | Refused => {
    const { report: told, rules, nowMs } = call;
    const { merchantId, paymentId } = told;
    const amountFaults = checkAmount(told, hold);
    if (amountFaults.length > 0) return invalid(amountFaults);
    const later = findLater(told);
    const outcome = readReport(told, hold.amountMinor);
    const table = codeTableOf(rules.snapshot.responseCodes);
    const { heard, attempt, faults } = hearClosed(hold, outcome, { nowMs, later, table });
    if (attempt === undefined) return invalid(faults.map(atReport));
    const writes = [
      deps.recordFacts(merchantId, heard.facts).durable,
      heard.hold === undefined
        ? deps.limits.release(merchantId, paymentId)
        : deps.limits.hold(merchantId, heard.hold),
    ];
    const state = readState(deps, merchantId, hold.playerId);
    const scene = setScene(rules.snapshot, describeHeld(merchantId, hold), state, nowMs);
    const durable = Promise.all(writes).then(() => {});
    const standing = readStanding(told, scene, hold, hold.instantMs);
    const { outcomeClass, attribution } = attempt;
    const scheme = hold.values.get("scheme");
    const alerts = listAlerts(told, attempt, { attempts: [attempt], ...unknownSent, scheme, table });
    return {
      ok: true,
      verdict: "APPLIED",
      plan: undefined,
      ...standing,
      outcome: outcomeClass,
      attribution,
      alerts,
      durable,
    };
  };

  /** An outcome of a payment that was never decided here is what a wallet might have told. */
  const keepUnknown = ({ report: told, rules, nowMs }: Call): Reported => {
    const type = factTypes[told.result];
    const table = codeTableOf(rules.snapshot.responseCodes);
    const meaning = readMeaning(readReport(told, 0), undefined, {
      ...unknownSent,
      table,
      atMs: Math.min(told.atMs ?? nowMs, nowMs),
    });
    const nothing = {
      ok: true,
      verdict: "UNKNOWN_PAYMENT",
      plan: undefined,
      limits: [],
      overrun: false,
      outcome: meaning.outcomeClass,
      attribution: meaning.attribution,
      alerts: meaning.alert ? [alertOfAnswer(told)] : [],
    } as const;
    if (told.playerId === undefined || told.kind === undefined || type === undefined)
      return { ...nothing, durable: undefined };
    const fact = makeUnknownFact(told, told.playerId, { type, outcome: meaning.outcomeClass, nowMs });
    return { ...nothing, durable: deps.recordFacts(told.merchantId, [fact]).durable };
  };

  return { report };
}

/** Limits of the player as they stand now, and whether the report is an approval that went over a limit. `hold` is what was held before it. */
function readStanding(
  told: OutcomeReport,
  { workspace, facts, state }: Scene,
  hold: Hold | undefined,
  instantMs: number,
): Pick<Reported, "limits" | "overrun"> {
  const limits = readPlayerLimits(workspace, facts, state);
  const isOver = (): boolean =>
    limits.some(({ overrun }) => overrun) ||
    (isLate(hold, facts.nowMs) && isOverLimits(workspace, facts, state, instantMs));
  return { limits, overrun: isApproval(told) && isOver() };
}

/** Whether others may have been let in where the payment would have been: nothing was held for it any more. */
function isLate(hold: Hold | undefined, nowMs: number): boolean {
  return hold === undefined || isForCapsOnly(hold) || nowMs >= hold.releasesAtMs;
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

/** What comes after an approval; undefined where the report tells of the attempt itself. */
function findLater({ result, amount }: OutcomeReport): LaterWord | undefined {
  if (result !== "REFUNDED" && result !== "CHARGED_BACK" && result !== "CLEARED") return undefined;
  return { became: result, amountMinor: amount?.minorUnits };
}

function isApproval({ result }: OutcomeReport): boolean {
  return result === "APPROVED" || result === "PARTIAL";
}

function checkAmount(
  { amount }: OutcomeReport,
  payment: { readonly amountMinor?: number; readonly currency: string },
): readonly FieldFault[] {
  if (amount === undefined) return [];
  if (amount.currencyCode !== payment.currency) {
    const message = `the payment is in ${payment.currency}, so its outcomes are too`;
    return [{ field: "amount.currency_code", rule: "conflict", message }];
  }
  if (amount.minorUnits <= (payment.amountMinor ?? 0)) return [];
  const message = `the payment is of ${payment.amountMinor} minor units, so no outcome is of ${amount.minorUnits}`;
  return [{ field: "amount.minor_units", rule: "out-of-range", message }];
}

/** What of an attempt can be given back, minor units. */
function refundableOf(
  { attempts }: PaymentRecord,
  { amountMinor }: Payment,
  { attemptId }: OutcomeReport,
): number {
  const known = attempts.find((each) => each.attemptId === attemptId);
  return known?.approvedMinor ?? amountMinor ?? 0;
}

function findAttempt(attempts: readonly Attempt[], { attemptId }: OutcomeReport): Attempt {
  return attempts.find((each) => each.attemptId === attemptId)!;
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
  { type, outcome, nowMs }: { type: PaymentFactType; outcome: OutcomeClass; nowMs: number },
): PaymentFact {
  const isDecline = type === "payment_declined";
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
    outcome: isDecline ? outcome : "",
    ...noAnswer,
    code: isDecline ? (told.responseCode ?? "") : "",
    advice: isDecline ? (told.adviceCode ?? "") : "",
    card: "",
    device: "",
    ip: "",
    bin: "",
    converted: new Map(),
    ratesVersion: NaN,
  };
}
