/** What a report tells of a payment whose answer is gone while it still holds something (`SEMANTICS.md` 5.3): a late approval always commits. */
import type { PaymentFact } from "../core/events/payment-fact.ts";
import type { FieldFault } from "../core/field-fault.ts";
import type { SubjectKind } from "../core/history/history.ts";
import { type HoldFact, hearOutcome, type Word } from "../core/limits/holds.ts";
import type { Hold } from "../core/limits/limit.ts";
import type { Payment, ReportedOutcome } from "../core/payment.ts";
import { applyReports } from "../core/retry/apply-reports.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import type { CodeTable } from "../core/retry/code-table.ts";
import { describeAnswer } from "./fact-answer.ts";
import type { HeardAttempts } from "./outcomes.ts";

/** What came after an approval, and so presumes it. */
export type LaterWord = {
  readonly became: "REFUNDED" | "CHARGED_BACK" | "CLEARED";
  /** The whole where undefined. */
  readonly amountMinor: number | undefined;
};

/**
 * Hears an outcome by the terms of the hold alone. Whoever tells of a `later` word tells an approval with it.
 *
 * Fails: with a fault where the attempt is of no plan that the payment can have had.
 */
export function hearClosed(
  hold: Hold,
  told: ReportedOutcome,
  {
    nowMs,
    later,
    table,
  }: { readonly nowMs: number; readonly later: LaterWord | undefined; readonly table: CodeTable },
): {
  readonly heard: HeardAttempts;
  /** Undefined where there are faults. */
  readonly attempt: Attempt | undefined;
  readonly faults: readonly FieldFault[];
} {
  const { attempts, faults } = applyReports([], [told], {
    paymentId: hold.paymentId,
    // Of whichever plan it was: none is kept.
    revision: hold.revision + 1,
    plan: undefined,
    table,
    sentAt: () => ({ scheme: hold.values.get("scheme"), initiator: undefined, isInScaZone: () => false }),
    nowMs,
  });
  const [attempt] = attempts;
  if (attempt === undefined) return { heard: { hold, facts: [] }, attempt, faults };
  const word = readWord(hold, attempt, nowMs);
  const { hold: next, facts } = hearOutcome(hold, hold, word);
  const known = attempt.outcomeClass === "ABANDONED" ? [] : facts;
  const all = later === undefined ? known : [...known, ...listLater(hold, word, later)];
  const complete = all.map((fact) => completeFact(fact, hold, attempt));
  return { heard: { hold: next, facts: complete }, attempt, faults };
}

function listLater(hold: Hold, word: Word, { became, amountMinor }: LaterWord): readonly HoldFact[] {
  // A clearing tells what a refund does, but for its type.
  const { facts } = hearOutcome(undefined, hold, {
    ...word,
    became: became === "CLEARED" ? "REFUNDED" : became,
    amountMinor,
  });
  return became === "CLEARED" ? facts.map((fact) => ({ ...fact, type: "payment_cleared" })) : facts;
}

/** What is still known of the payment, for whoever reads limits by it. */
export function describeHeld(merchantId: string, hold: Hold): Payment {
  const { paymentId, revision, playerId, kind, amountMinor, currency, values } = hold;
  const method = values.get("method");
  return {
    requestId: "",
    merchantId,
    paymentId,
    revision,
    playerId,
    brand: values.get("brand") ?? "",
    kind,
    amountMinor,
    currency,
    ...(method === undefined ? {} : { method }),
    initiator: "CIT",
    riskSignals: [],
    attributes: new Map(),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  };
}

/** Nobody knows any more which attempts were heard of: while one may be open, a decline of another lets nothing go. */
function readWord({ state, authorisations }: Hold, attempt: Attempt, nowMs: number): Word {
  return {
    attemptId: attempt.attemptId,
    became: attempt.voided === true ? "VOIDED" : attempt.outcomeClass,
    amountMinor: attempt.approvedMinor,
    atMs: attempt.atMs,
    heardAtMs: nowMs,
    open: state === "UNKNOWN" || state === "PENDING" ? state : "NONE",
    stepsLeft: Math.max(0, authorisations - 1),
    validUntilMs: nowMs,
  };
}

function completeFact(fact: HoldFact, { values, subjects, ...hold }: Hold, attempt: Attempt): PaymentFact {
  const { psp } = attempt;
  const plain = (name: string): string => values.get(name) ?? "";
  const subject = (kind: SubjectKind): string => subjects.find((each) => each.kind === kind)?.id ?? "";
  const isOfStep = plain("psp") === psp;
  const others = subjects.filter(
    ({ kind }) => kind !== "player" && kind !== "psp" && (isOfStep || kind !== "mid"),
  );
  return {
    ...fact,
    ...describeAnswer(fact, attempt, undefined),
    type:
      hold.kind === "withdrawal" && fact.type === "payment_attempted" ? "withdrawal_requested" : fact.type,
    method: plain("method"),
    psp,
    mid: isOfStep ? plain("mid") : "",
    brand: plain("brand"),
    scheme: plain("scheme"),
    funding: plain("funding"),
    card: subject("card"),
    device: subject("device"),
    ip: subject("ip"),
    bin: subject("bin"),
    subjects: subjects.some(({ kind }) => kind === "psp") ? [...others, { kind: "psp", id: psp }] : others,
  };
}
