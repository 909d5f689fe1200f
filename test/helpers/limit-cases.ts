import type { Expr, Frame } from "../../src/core/cel/expr.ts";
import { askLimits, type LimitInquiry } from "../../src/core/limits/ask.ts";
import { buildLimits, type LimitBook, type LimitSource } from "../../src/core/limits/build-limits.ts";
import { decideHold, type HoldTerms } from "../../src/core/limits/holds.ts";
import { judgeLimits, type LimitJudgement } from "../../src/core/limits/judge.ts";
import type { Hold, LimitSpec } from "../../src/core/limits/limit.ts";
import { listSubjects } from "../../src/core/limits/subjects.ts";
import { buildFx } from "../../src/core/money.ts";
import type { Payment } from "../../src/core/payment.ts";
import { plainDeposit } from "./card-deposit.ts";
import { makeLimitHistory, type PlainFact } from "./limit-history.ts";

export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

/** 2026-05-15T12:00:00Z, a Friday. */
export const noonMs = Date.UTC(2026, 4, 15, 12);

/** A gross deposit limit of EUR 100.00 per rolling 24 hours of class SEGMENT, but for what is given. */
export function makeSpec(part: Partial<LimitSpec> = {}): LimitSpec {
  return {
    id: "limit",
    ruleClass: "SEGMENT",
    kinds: ["deposit"],
    subject: "player",
    key: undefined,
    measure: "GROSS",
    counted: "PAYMENTS",
    distinctOf: undefined,
    counts: undefined,
    applies: undefined,
    window: { kind: "rolling", spanMs: dayMs, offsetMs: 0 },
    thresholds: [{ segment: undefined, value: 10_000 }],
    currency: part.measure === "COUNT" || part.measure === "DISTINCT" ? "" : "EUR",
    breach: "DENY",
    closesOnUnknown: false,
    countedAt: "DECIDED",
    netFloorNone: false,
    reason: "",
    playerMessageKey: "",
    purposes: ["payments"],
    actions: [],
    fromMs: undefined,
    untilMs: undefined,
    ...part,
  };
}

/** Names of events that conditions of tests may read: slots by place. */
export const eventNames = ["kind", "method"] as const;

/** `event.<name> == value`. */
export function eventIs(name: (typeof eventNames)[number], value: string): Expr {
  return {
    op: "compare",
    type: "bool",
    how: "eq",
    left: { op: "slot", type: "string", slot: eventNames.indexOf(name) },
    right: { op: "const", type: "string", value },
  };
}

/** Limits of a rule set with two segments, `a` and `b`, and rates between EUR, SEK and JPY. */
export function makeBook(specs: readonly LimitSpec[]): LimitBook {
  const built = buildFx({
    rates: [
      { from: "EUR", to: "SEK", rate: "11.5" },
      { from: "EUR", to: "JPY", rate: "160.25" },
    ],
    base: "EUR",
  });
  if (!built.ok) throw new Error("the rates are wrong");
  const segments = ["a", "b"].map((id) => ({ id })) as unknown as LimitSource["segments"];
  return buildLimits({
    limits: specs,
    fx: built.fx,
    version: 1,
    segments,
    eventSlots: eventNames.map((name) => ({ kind: "event", name })),
    lists: [],
  });
}

/** A deposit of EUR 10.00 of one player, but for what is given. */
export function makePayment(part: Partial<Payment> = {}): Payment {
  return { ...plainDeposit, merchantId: "m", amountMinor: 1_000, ...part };
}

/** Truths of the segments `a` and `b`: 0 false, 1 true, 2 unknown. */
export function makeFrame(truths: readonly number[] = [0, 0]): Frame {
  return {
    values: [],
    segments: Uint8Array.from(truths),
    lists: [],
    locals: [],
    nowMs: noonMs,
    evalErrors: 0,
  };
}

export function makeInquiry(book: LimitBook, part: Partial<LimitInquiry> = {}): LimitInquiry {
  return {
    book,
    payment: makePayment(),
    frame: makeFrame(),
    nowMs: noonMs,
    ownLimits: [],
    increaseWait: () => ({ waitMs: dayMs, needsConfirmation: false }),
    replacements: [],
    lifted: new Set(),
    steps: 1,
    ...part,
  };
}

/** Asks and judges limits of the rule set against one state of all subjects. */
export function judgeCase({
  specs,
  facts = [],
  holds = [],
  ...part
}: Partial<LimitInquiry> & {
  readonly specs: readonly LimitSpec[];
  readonly facts?: readonly PlainFact[];
  readonly holds?: readonly Hold[];
}): LimitJudgement {
  const book = makeBook(specs);
  const inquiry = makeInquiry(book, part);
  const history = makeLimitHistory(facts);
  return judgeLimits(
    askLimits(inquiry),
    {
      read: () => ({ history, holds }),
      nowMs: inquiry.nowMs,
      paymentId: inquiry.payment.paymentId,
      fx: book.fx,
    },
    inquiry.steps,
  );
}

export function makeTerms(part: Partial<HoldTerms> = {}): HoldTerms {
  const payment = makePayment();
  return {
    paymentId: "other",
    revision: 0,
    playerId: "p",
    kind: "deposit",
    amountMinor: 1_000,
    currency: "EUR",
    converted: new Map(),
    ratesVersion: 1,
    instantMs: noonMs,
    values: new Map([["method", "card"]]),
    subjects: listSubjects(payment),
    ...part,
  };
}

/** A hold of EUR 10.00 of another payment, decided at `instantMs` with a plan of one step that is valid for 15 minutes. */
export function makeHold(part: Partial<Hold> = {}): Hold {
  const terms = makeTerms(part);
  const wish = {
    terms,
    verdict: part.state === "REVIEW" ? "REVIEW" : "APPROVE_ROUTE",
    authorisations: 1,
    validUntilMs: terms.instantMs + 15 * minuteMs,
  } as const;
  return { ...decideHold(undefined, wish, terms.instantMs)!, ...part };
}
