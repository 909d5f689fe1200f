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
import { type BinTable, lookUpBin } from "../core/bin/bin-table.ts";
import { checkAttributes } from "../core/features/frame-reader.ts";
import type { FieldFault } from "../core/field-fault.ts";
import type { Payment } from "../core/payment.ts";
import { type Attempt, applyReports, isOpen } from "../core/retry/attempts.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { PaymentRecord, PaymentStore } from "../ports/payment-store.ts";
import type { PlayerStore } from "../ports/player-store.ts";
import type { PspStateKind } from "../ports/psp-state-store.ts";
import { decideCashier } from "./cashier.ts";
import {
  type DecidedWith,
  decideWith,
  draftDecision,
  type EarlierRevisions,
  firstRevision,
  standPlan,
} from "./decide-with.ts";
import type { Decided, Decider, Refused } from "./decided.ts";
import { findConflicts, identify } from "./identity.ts";
import type { ActiveRules, DecisionState } from "./judge.ts";
import { recheckPlan } from "./recheck.ts";
import { findSegments } from "./segments-of.ts";
import { buildTrace } from "./trace.ts";

export type DeciderDeps = {
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly rules: { readonly current: (merchantId: string) => ActiveRules | undefined };
  readonly players: Pick<PlayerStore, "get">;
  readonly payments: PaymentStore;
  readonly pspStates: (merchantId: string) => ReadonlyMap<string, PspStateKind>;
  readonly bins: BinTable;
  readonly clock: Clock;
};

type Door = "gateway" | "admin";

/** Answers are kept this long after the last word on the payment, and while nobody knows what became of an attempt (`SEMANTICS.md` 1.3). */
const keepMs = 7 * 24 * 3_600_000;
const endOfTimeMs = Date.UTC(9999, 0);

/** Builds the decider. It is synchronous and holds no state but the promise of the last write. */
export function createDecider(deps: DeciderDeps): Decider {
  /** Writes become durable in order, so a repeat that finds an answer in memory waits for the latest one. */
  let lastWrite: Promise<void> | undefined;
  const store = (merchantId: string, record: PaymentRecord): Promise<void> => {
    const write = deps.payments.put(merchantId, record);
    lastWrite = write;
    // A write that failed has left nothing behind, so no repeat has to wait for it.
    write.catch(() => {
      if (lastWrite === write) lastWrite = undefined;
    });
    return write;
  };

  const decide: Decider["decide"] = (payment, door) => {
    const opened = openCall(deps, payment, door);
    if (!opened.ok) return opened;
    const { rules, nowMs } = opened;
    if (payment.mode === "CASHIER") {
      const faults = checkDeclared(payment, rules.snapshot);
      if (faults.length > 0) return invalid(faults);
      const state = readState(deps, payment);
      return answer(payment, decideCashier(rules, payment, state, nowMs), undefined);
    }
    const known = deps.payments.get(payment.merchantId, payment.paymentId, nowMs);
    if (known === undefined) return decideAnew(payment, rules, nowMs, undefined);
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
    const { attempts, faults } = readReports(payment, record, deps.bins, nowMs);
    if (faults.length > 0) return invalid(faults);
    if (isHigher) return decideAnew(payment, rules, nowMs, { ...record, attempts });
    return repeat(payment, rules, nowMs, { ...record, attempts }, attempts !== record.attempts);
  };

  const decideAnew = (
    payment: Payment,
    rules: ActiveRules,
    nowMs: number,
    record: PaymentRecord | undefined,
  ): Decided | Refused => {
    const faults = [
      ...checkDeclared(payment, rules.snapshot),
      ...checkReview(payment, record, nowMs),
      ...(record === undefined ? checkNoReports(payment) : []),
    ];
    if (faults.length > 0) return invalid(faults);
    const earlier = readEarlier(payment, record);
    const decided = decideWith(rules, payment, readState(deps, payment), nowMs, earlier);
    const durable = store(payment.merchantId, {
      paymentId: payment.paymentId,
      revision: payment.revision,
      identity: identify(payment),
      decision: decided.decision,
      attempts: earlier.attempts,
      keepUntilMs: findKeepUntil(earlier.attempts, nowMs),
    });
    return answer(payment, decided, durable);
  };

  /** The stored answer; only its plan moves on (`SEMANTICS.md` 1.2). */
  const repeat = (
    payment: Payment,
    rules: ActiveRules,
    nowMs: number,
    record: PaymentRecord,
    hasNews: boolean,
  ): Decided => {
    const { decision, attempts, revision } = record;
    const state = readState(deps, payment);
    const cuts = recheckPlan(rules, decision, payment, state, nowMs, attempts);
    return {
      ok: true,
      payment,
      decision,
      plan: standPlan(decision, { attempts, revision, nowMs, cuts }),
      replayed: true,
      durable: hasNews
        ? store(payment.merchantId, { ...record, keepUntilMs: findKeepUntil(attempts, nowMs) })
        : lastWrite,
      trace: payment.trace ? traceAgain(rules, payment, state, nowMs, decision) : undefined,
    };
  };

  const simulate: Decider["simulate"] = (draft, payment) => {
    const opened = openCall(deps, payment, "admin", draft);
    if (!opened.ok) return { active: undefined, draft: opened };
    const { nowMs } = opened;
    const state = readState(deps, payment);
    const active = deps.rules.current(payment.merchantId);
    return {
      active: active && simulateWith(active, payment, state, nowMs),
      draft: simulateWith(draft, payment, state, nowMs),
    };
  };

  const segmentsOf: Decider["segmentsOf"] = (merchantId, player) => {
    const snapshot = deps.rules.current(merchantId)?.snapshot;
    if (snapshot === undefined) return { segments: [], unknownSegments: [] };
    return findSegments(snapshot, { merchantId, player, nowMs: deps.clock.nowMs() });
  };

  return { decide, simulate, segmentsOf };
}

type OpenedCall = { readonly ok: true; readonly rules: ActiveRules; readonly nowMs: number } | Refused;

/** One rule set and one instant for the whole call. */
function openCall(deps: DeciderDeps, payment: Payment, door: Door, draft?: ActiveRules): OpenedCall {
  const merchant = deps.merchants.get(payment.merchantId);
  if (merchant === undefined) return { ok: false, kind: "unknown_merchant", merchantId: payment.merchantId };
  const faults: FieldFault[] = [];
  if (payment.decideAtMs !== undefined && merchant.clock !== "request") {
    const message = `merchant ${payment.merchantId} decides by the clock of the server`;
    faults.push({ field: "decide_at", rule: "clock", message });
  }
  if (payment.review !== undefined && door !== "admin") {
    const message = "reviews are settled on the admin listener only";
    faults.push({ field: "review", rule: "admin-only", message });
  }
  if (payment.mode === "CASHIER") faults.push(...checkAskedOnly(payment));
  if (faults.length > 0) return invalid(faults);
  const rules = draft ?? deps.rules.current(payment.merchantId);
  if (rules === undefined) return { ok: false, kind: "no_active_rule_set" };
  return { ok: true, rules, nowMs: payment.decideAtMs ?? deps.clock.nowMs() };
}

/** The cashier stores nothing, so what would have to be stored is refused instead of lost. */
function checkAskedOnly({ review, previousAttempts }: Payment): readonly FieldFault[] {
  const faults: FieldFault[] = [];
  const note = (field: string): void => {
    faults.push({ field, rule: "payment-mode", message: `mode CASHIER stores nothing, so no ${field}` });
  };
  if (previousAttempts.length > 0) note("previous_attempts");
  if (review !== undefined) note("review");
  return faults;
}

function readState(
  { players, pspStates, bins }: DeciderDeps,
  { merchantId, playerId }: Payment,
): DecisionState {
  return { player: players.get(merchantId, playerId), pspStates: pspStates(merchantId), bins };
}

function findKeepUntil(attempts: readonly Attempt[], nowMs: number): number {
  return attempts.some(isOpen) ? endOfTimeMs : nowMs + keepMs;
}

function readReports(
  payment: Payment,
  record: PaymentRecord,
  bins: BinTable,
  nowMs: number,
): { readonly attempts: readonly Attempt[]; readonly faults: readonly FieldFault[] } {
  if (payment.previousAttempts.length === 0) return { attempts: record.attempts, faults: [] };
  const bin = payment.card?.bin;
  return applyReports(record.attempts, payment.previousAttempts, {
    paymentId: payment.paymentId,
    revision: record.revision,
    plan: record.decision.plan,
    scheme: payment.card?.scheme ?? (bin === undefined ? undefined : lookUpBin(bins, bin).scheme),
    nowMs,
  });
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

/** What the rule set must have declared: attributes, and the brand, on whose licence the law hangs. */
function checkDeclared(payment: Payment, { attributes, brands }: RuleSnapshot): readonly FieldFault[] {
  const faults = checkAttributes(payment, attributes);
  if (payment.brand === "" || brands.has(payment.brand)) return faults;
  const message = `the rule set declares no brand ${payment.brand}`;
  return [{ field: "brand", rule: "declared", message }, ...faults];
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

function invalid(faults: readonly FieldFault[]): Refused {
  return { ok: false, kind: "invalid", faults };
}
