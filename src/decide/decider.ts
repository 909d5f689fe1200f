/**
 * The corridor of a payment: a call is held against what is stored, then walks the rooms, then is kept.
 *
 * | The payment is | The call says | Answer |
 * |---|---|---|
 * | new | any revision | decided |
 * | stored at revision n | n, the same payment | the stored answer; the plan as it now stands |
 * | stored at revision n | n, another payment | refused: idempotency conflict |
 * | stored at revision n | below n | refused: stale revision |
 * | stored at revision n | above n, same player and kind | decided anew, with the attempts so far |
 * | closed | anything | refused: payment closed |
 */
import type { FieldFault } from "../core/field-fault.ts";
import { decideHold, isForCapsOnly } from "../core/limits/holds.ts";
import type { Payment } from "../core/payment.ts";
import { applyReports } from "../core/retry/apply-reports.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import type { LimitStore } from "../ports/limit-store.ts";
import type { PaymentRecord, PaymentStore } from "../ports/payment-store.ts";
import { type Breakers, giveBackSteps } from "./breakers.ts";
import { type CallDeps, checkDeclared, invalid, openCall } from "./call.ts";
import { decideCashier } from "./cashier.ts";
import {
  type DecidedWith,
  decideWith,
  draftDecision,
  type EarlierRevisions,
  firstRevision,
} from "./decide-with.ts";
import type { Decided, Decider, Refused } from "./decided.ts";
import { describePlayer } from "./describe-player.ts";
import { holdAttempts } from "./held-attempts.ts";
import { findConflicts, identify } from "./identity.ts";
import { type ActiveRules, type DecisionState, setScene } from "./judge.ts";
import { findKeepUntil, type Keeper, type KeeperDeps } from "./keeper.ts";
import { accountsOf, type HeardAttempts, hearAttempts } from "./outcomes.ts";
import { describeReports } from "./report-context.ts";
import { standAgain } from "./stand-again.ts";
import { findPlayer, readState, type StateDeps } from "./state.ts";
import { type OnOutcome, tellOutcomes } from "./tell-outcomes.ts";
import { buildTrace } from "./trace.ts";

export type DeciderDeps = CallDeps &
  StateDeps & {
    readonly payments: Pick<PaymentStore, "get">;
    readonly keeper: Keeper;
    readonly limits: Pick<LimitStore, "hold" | "release">;
    readonly recordFacts: KeeperDeps["recordFacts"];
    readonly onOutcome?: OnOutcome | undefined;
    readonly breakers?: Pick<Breakers, "boardOf" | "lease" | "giveBack"> | undefined;
  };

const nothingHeard: HeardAttempts = { hold: undefined, facts: [] };

/** Builds the decider. It is synchronous and holds no state. */
export function createDecider(deps: DeciderDeps): Decider {
  const { keeper } = deps;

  const decide: Decider["decide"] = (payment, door) => {
    const opened = openCall(deps, payment, door);
    if (!opened.ok) return opened;
    const { rules, nowMs } = opened;
    if (payment.mode === "CASHIER") {
      const faults = checkDeclared(payment, rules.snapshot);
      if (faults.length > 0) return invalid(faults);
      const state = readState(deps, payment.merchantId, payment.playerId);
      return answer(payment, decideCashier(rules, payment, state, nowMs), undefined);
    }
    const known = deps.payments.get(payment.merchantId, payment.paymentId, nowMs);
    if (known === undefined) return decideAnew(payment, rules, nowMs, undefined, nothingHeard);
    if (known.state === "closed") {
      const { revision, finalState } = known.tombstone;
      return {
        ok: false,
        kind: "payment_closed",
        paymentId: payment.paymentId,
        currentRevision: revision,
        finalState,
      };
    }
    return decideAgain(payment, rules, nowMs, known.record);
  };

  /** What reports that came with the call tell, as if `ReportOutcome` had told it (`SEMANTICS.md` 1.2). */
  const hear = (
    payment: Payment,
    record: PaymentRecord,
    attempts: readonly Attempt[],
    nowMs: number,
  ): HeardAttempts => {
    const hold = deps.limits.get(payment.merchantId, payment.paymentId);
    if (attempts === record.attempts) return { hold, facts: [] };
    const playerId = findPlayer(deps, payment.merchantId, payment.playerId)?.playerId ?? payment.playerId;
    const decided = record.payment ?? payment;
    return hearAttempts({ payment: decided, playerId, record, hold, nowMs, bins: deps.bins }, attempts);
  };

  const decideAgain = (
    payment: Payment,
    rules: ActiveRules,
    nowMs: number,
    record: PaymentRecord,
  ): Decided | Refused => {
    const { paymentId, revision } = payment;
    const currentRevision = record.revision;
    if (revision < currentRevision) return { ok: false, kind: "stale_revision", paymentId, currentRevision };
    const isHigher = revision > currentRevision;
    const fields = findConflicts(record.identity, identify(payment), isHigher);
    if (fields.length > 0)
      return { ok: false, kind: "idempotency_conflict", paymentId, fields, currentRevision };
    const { attempts, faults } = readReports(payment, record, {
      snapshot: rules.snapshot,
      bins: deps.bins,
      nowMs,
    });
    if (faults.length > 0) return invalid(faults);
    const heard = hear(payment, record, attempts, nowMs);
    const news = attempts === record.attempts ? undefined : heard;
    const decided = isHigher
      ? decideAnew(payment, rules, nowMs, { ...record, attempts }, heard)
      : repeat(payment, rules, nowMs, { ...record, attempts }, news);
    if (decided.ok && news !== undefined)
      tellOutcomes(
        deps.onOutcome,
        { payment: record.payment ?? payment, record, bins: deps.bins, nowMs },
        attempts,
        payment.previousAttempts,
      );
    return decided;
  };

  const decideAnew = (
    payment: Payment,
    rules: ActiveRules,
    nowMs: number,
    record: PaymentRecord | undefined,
    heard: HeardAttempts,
  ): Decided | Refused => {
    const faults = [
      ...checkDeclared(payment, rules.snapshot),
      ...checkReview(payment, record, nowMs),
      ...(record === undefined ? checkNoReports(payment) : []),
    ];
    if (faults.length > 0) return invalid(faults);
    const earlier = readEarlier(payment, record);
    // What the call told of earlier attempts counts for its own judgement too.
    const begun =
      heard.facts.length === 0 ? undefined : deps.recordFacts(payment.merchantId, heard.facts).durable;
    const decided = decideWith(
      rules,
      payment,
      readState(deps, payment.merchantId, payment.playerId),
      nowMs,
      earlier,
    );
    const { wish, planned, decision, probe } = decided;
    if (record?.decision.plan !== undefined)
      giveBackSteps(deps.breakers, payment, record.decision.plan.steps);
    if (probe !== undefined) deps.breakers?.lease(payment.merchantId, probe, nowMs);
    const converted = wish?.terms.converted;
    const { bins } = deps;
    const revisions = listRevisions(record);
    const before = heard.hold !== undefined && isForCapsOnly(heard.hold) ? undefined : heard.hold;
    const held = { payment, revision: payment.revision, earlier: revisions.earlier, bins };
    const hold = decideHold(before, wish, nowMs);
    const durable = keeper.keep(payment.merchantId, {
      record: {
        paymentId: payment.paymentId,
        revision: payment.revision,
        identity: identify(payment),
        decision,
        payment,
        attempts: earlier.attempts,
        keepUntilMs: findKeepUntil(earlier.attempts, nowMs),
        ...(converted === undefined || converted.size === 0 ? {} : { converted }),
        ...revisions,
      },
      hold: holdAttempts(hold, held, earlier.attempts, planned),
      facts: [],
      begun,
    });
    if (probe !== undefined) {
      // What was not kept is not answered, so nobody makes the attempt.
      const steps = probe.attemptIds.map((attemptId) => ({ psp: probe.psp, attemptId }));
      durable.catch(() => giveBackSteps(deps.breakers, payment, steps));
    }
    return answer(payment, decided, durable);
  };

  /** The stored answer; only its plan moves on (`SEMANTICS.md` 1.2). */
  const repeat = (
    payment: Payment,
    rules: ActiveRules,
    nowMs: number,
    record: PaymentRecord,
    news: HeardAttempts | undefined,
  ): Decided => {
    const { decision, attempts } = record;
    // What the call tells counts for what it may do next: a card that is blocked now is blocked for this payment too.
    const kept =
      news === undefined
        ? keeper.last()
        : keeper.keep(payment.merchantId, {
            record: { ...record, keepUntilMs: findKeepUntil(attempts, nowMs) },
            ...news,
          });
    const state = readState(deps, payment.merchantId, payment.playerId);
    const scene = setScene(rules.snapshot, payment, state, nowMs);
    const call = { isNews: news !== undefined, durable: kept };
    const { plan, durable } = standAgain(deps, rules, scene, record, call);
    return {
      ok: true,
      payment,
      decision,
      plan,
      replayed: true,
      durable,
      trace: payment.trace ? traceAgain(rules, payment, state, nowMs, decision) : undefined,
    };
  };

  const simulate: Decider["simulate"] = (draft, payment) => {
    const opened = openCall(deps, payment, "admin", draft);
    if (!opened.ok) return { active: undefined, draft: opened };
    const { nowMs } = opened;
    const state = readState(deps, payment.merchantId, payment.playerId);
    const active = deps.rules.current(payment.merchantId);
    return {
      active: active && simulateWith(active, payment, state, nowMs),
      draft: simulateWith(draft, payment, state, nowMs),
    };
  };

  const describe: Decider["describe"] = (merchantId, player) => {
    const snapshot = deps.rules.current(merchantId)?.snapshot;
    if (snapshot === undefined) return undefined;
    const state = readState(deps, merchantId, player.playerId);
    const isOwnClock = deps.merchants.get(merchantId)?.clock !== "request";
    // Where calls bring their own clock the present is that of the newest event.
    const nowMs = (isOwnClock ? undefined : deps.histories.newestMs(merchantId)) ?? deps.clock.nowMs();
    return describePlayer(snapshot, merchantId, player, state, nowMs);
  };

  return { decide, simulate, describe };
}

const revisionsMax = 16;

/** The revisions of before of which attempts may still be heard. */
function listRevisions(record: PaymentRecord | undefined): Pick<PaymentRecord, "earlier"> {
  if (record === undefined) return {};
  const { revision, payment, decision, converted = new Map(), earlier = [] } = record;
  const { plan, decidedAtMs, ruleSetVersion } = decision;
  const accounts = accountsOf(plan);
  const known =
    payment === undefined || plan === undefined
      ? earlier
      : [...earlier, { revision, payment, decidedAtMs, ruleSetVersion, converted, accounts }];
  return known.length === 0 ? {} : { earlier: known.slice(-revisionsMax) };
}

function readReports(
  payment: Payment,
  record: PaymentRecord,
  at: Parameters<typeof describeReports>[2],
): { readonly attempts: readonly Attempt[]; readonly faults: readonly FieldFault[] } {
  if (payment.previousAttempts.length === 0) return { attempts: record.attempts, faults: [] };
  const decided = record.payment ?? payment;
  return applyReports(record.attempts, payment.previousAttempts, describeReports(record, decided, at));
}

function checkNoReports({ paymentId, previousAttempts }: Payment): readonly FieldFault[] {
  return previousAttempts.map(({ attemptId }, at) => ({
    field: `previous_attempts[${at}].attempt_id`,
    rule: "known",
    message: `payment ${paymentId} was never decided, so it has no attempt ${attemptId}`,
  }));
}

/** A review settles the REVIEW of the revision just before, while that stands (`SEMANTICS.md` 1.6). */
function checkReview(
  { review, revision }: Payment,
  record: PaymentRecord | undefined,
  nowMs: number,
): readonly FieldFault[] {
  if (review === undefined) return [];
  const note = (rule: string, message: string): readonly FieldFault[] => [{ field: "review", rule, message }];
  if (record?.decision.verdict !== "REVIEW")
    return note("pending-review", "no revision of the payment is in review");
  if (revision !== record.revision + 1) {
    return note("next-revision", `revision ${record.revision} is settled at revision ${record.revision + 1}`);
  }
  const untilMs = record.decision.reviewUntilMs!;
  if (nowMs < untilMs) return [];
  return note("pending-review", `the review could be settled until ${new Date(untilMs).toISOString()}`);
}

function readEarlier({ review }: Payment, record: PaymentRecord | undefined): EarlierRevisions {
  if (record === undefined) return firstRevision;
  const isApproved = review?.result === "APPROVED";
  return {
    attempts: record.attempts,
    approvedReviews: isApproved ? record.decision.reviewedRules : [],
    rejectedBy: review?.result === "REJECTED" ? review.reviewer : undefined,
  };
}

function simulateWith(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
): Decided | Refused {
  const faults = checkDeclared(payment, rules.snapshot);
  if (faults.length > 0) return invalid(faults);
  const decideIn = payment.mode === "CASHIER" ? decideCashier : decideWith;
  return answer(payment, decideIn(rules, payment, state, nowMs), undefined);
}

function traceAgain(
  rules: ActiveRules,
  payment: Payment,
  state: DecisionState,
  nowMs: number,
  decision: Decided["decision"],
): Decided["trace"] {
  const trace = buildTrace(
    draftDecision(rules, payment, state, nowMs, { approvedReviews: [] }),
    rules.overrides,
    decision,
  );
  const note = "the answer is the stored one; this trace judges the payment once more, on current state";
  return { ...trace, notes: [note, ...trace.notes] };
}

function answer(
  payment: Payment,
  { decision, plan, trace }: DecidedWith,
  durable: Promise<void> | undefined,
): Decided {
  return { ok: true, payment, decision, plan, replayed: false, durable, trace };
}
