import type { Frame } from "../cel/expr.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { Subject } from "../history/history.ts";
import { convertMinor } from "../money.ts";
import type { Money, Payment } from "../payment.ts";
import type { OwnLimit } from "../player.ts";
import { rankOf } from "../rules/rule-class.ts";
import type { Effects } from "../rules/snapshot.ts";
import type { BuiltLimit, LimitBook } from "./build-limits.ts";
import type { DistinctOf, LimitSpec } from "./limit.ts";
import { effectiveOwnLimit, type IncreaseWait } from "./player-limits.ts";
import { findSubjectId } from "./subjects.ts";

/** What limits are asked about. Instants in ms. */
export type LimitInquiry = {
  readonly book: LimitBook;
  readonly payment: Payment;
  /** Filled for the payment, segments included. */
  readonly frame: Frame;
  readonly nowMs: number;
  readonly ownLimits: readonly OwnLimit[];
  /** What looser own limits wait for in the player's jurisdictions now; asked for only where something waits. */
  readonly increaseWait: () => IncreaseWait;
  /** Thresholds of overrides, the strongest first; those of limits of classes 1 and 2 are passed over. */
  readonly replacements: NonNullable<Effects["limitThresholds"]>;
  /** Ids of limits that overrides lift: of RISK only. */
  readonly lifted: ReadonlySet<string>;
  /** Authorisations that the plan would like to send; 1 before there is a plan. */
  readonly steps: number;
};

/** Limits of one subject, with all that is needed to judge them. */
export type LimitAsk = {
  /** Its id is empty where the payment does not say which it is. */
  readonly subject: Subject;
  readonly limits: readonly AskedLimit[];
};

export type AskedLimit = {
  readonly limit: BuiltLimit;
  readonly threshold: number;
  /** Id of the segment whose threshold speaks; empty for the default. */
  readonly segment: string;
  /** Minor units or things. */
  readonly asked: number;
  /** Hash of what DISTINCT would count of this payment; else NaN. */
  readonly askedKey: number;
  /** What can't be known whatever the counters say. */
  readonly unknown: "" | "FX_MISSING" | "SUBJECT_UNKNOWN";
  /** Whether it is only unknown that it applies. */
  readonly appliesThroughUnknown: boolean;
};

/** A PSP that could take the payment, with the account. */
export type PspCandidate = { readonly psp: string; readonly mid: string };

/** What limits of PSPs and accounts are asked for one candidate. */
export type PspAsk = PspCandidate & { readonly asks: readonly LimitAsk[] };

/**
 * The limits that hold for a payment, by subject: those of the rule set that apply now, and the player's own (`SEMANTICS.md` 5.5, 5.7, 5.8). Those of
 * PSPs and accounts are asked apart.
 *
 * Shapes: subjects in the order in which a limit first names them, limits in order of id, the player's own last.
 */
export function askLimits(inquiry: LimitInquiry): readonly LimitAsk[] {
  const asks: { readonly subject: Subject; readonly limits: AskedLimit[] }[] = [];
  const { book, payment, nowMs } = inquiry;
  for (const limit of book.limits) {
    const { subject } = limit.spec;
    if (subject === "psp" || subject === "mid") continue;
    const applies = judgeApplies(limit, inquiry);
    if (applies === false) continue;
    const id = subject === "key" ? readKey(limit, inquiry.frame) : findSubjectId(payment, subject);
    if (id === undefined) continue;
    group(asks, { kind: subject, id }, askLimit(limit, inquiry, id === "", applies === undefined));
  }
  if (payment.kind === "deposit") {
    for (const own of inquiry.ownLimits) {
      const wait = own.pending && inquiry.increaseWait();
      const effective = effectiveOwnLimit(own, nowMs, wait);
      if (effective === undefined) continue;
      group(asks, { kind: "player", id: payment.playerId }, askOwnLimit(effective, inquiry));
    }
  }
  return asks;
}

/** The limits of PSPs and accounts that hold for a payment, candidate by candidate; candidates without any are left out. */
export function askPspLimits(inquiry: LimitInquiry, candidates: readonly PspCandidate[]): readonly PspAsk[] {
  const limits = inquiry.book.limits.filter(
    (limit) =>
      (limit.spec.subject === "psp" || limit.spec.subject === "mid") &&
      judgeApplies(limit, inquiry) !== false,
  );
  if (limits.length === 0) return [];
  // One candidate takes one step: the next one may be another's.
  const oneStep = { ...inquiry, steps: 1 };
  return candidates.flatMap(({ psp, mid }) => {
    const asks: { readonly subject: Subject; readonly limits: AskedLimit[] }[] = [];
    for (const limit of limits) {
      const kind = limit.spec.subject;
      const id = kind === "psp" ? psp : mid;
      if (id === "") continue;
      const isThroughUnknown = judgeApplies(limit, inquiry) === undefined;
      group(asks, { kind, id }, askLimit(limit, oneStep, false, isThroughUnknown));
    }
    return asks.length === 0 ? [] : [{ psp, mid, asks }];
  });
}

/**
 * The amount in every currency that a limit counts in, as it is stored with what is reserved (`SEMANTICS.md` 5.8); currencies without a rate are left
 * out, and so is its own.
 */
export function convertForLimits(
  book: LimitBook,
  { minorUnits, currencyCode: from }: Money,
  ownLimits: readonly OwnLimit[],
): ReadonlyMap<string, number> {
  const converted = new Map<string, number>();
  const add = (to: string): void => {
    if (to === from || converted.has(to)) return;
    const amount = convertMinor(book.fx, { amountMinor: minorUnits, from, to });
    if (amount !== undefined) converted.set(to, amount);
  };
  book.currencies.forEach(add);
  for (const { amount, pending } of ownLimits) {
    add(amount.currencyCode);
    if (pending?.amount !== undefined) add(pending.amount.currencyCode);
  }
  return converted;
}

/** Subjects of the limits with a key of their own, as a hold names them. */
export function listKeySubjects(book: LimitBook, frame: Frame): readonly Subject[] {
  return book.limits.flatMap((limit) => {
    const id = limit.spec.subject === "key" ? readKey(limit, frame) : "";
    return id === "" ? [] : [{ kind: "key" as const, id }];
  });
}

/**
 * Adds what DISTINCT limits count of a payment, by name, to the `values` of its hold: they must see two payments that race with different
 * cards, whether any limit is about cards or not.
 */
export function addDistinctValues(
  values: Map<string, string>,
  book: LimitBook,
  payment: Payment,
): ReadonlyMap<string, string> {
  for (const { spec } of book.limits) {
    const { distinctOf } = spec;
    if (distinctOf === undefined || distinctOf === "player") continue;
    const text = distinctOf === "method" ? payment.method : findSubjectId(payment, distinctOf);
    if (text !== undefined && text !== "") values.set(distinctOf, text);
  }
  return values;
}

/** False where it does not hold for the payment; undefined where that is unknown and unknown closes. */
function judgeApplies(
  { spec, applies }: BuiltLimit,
  { payment, frame, nowMs, lifted }: LimitInquiry,
): boolean | undefined {
  if (!spec.kinds.includes(payment.kind)) return false;
  if (spec.fromMs !== undefined && nowMs < spec.fromMs) return false;
  if (spec.untilMs !== undefined && nowMs >= spec.untilMs) return false;
  if (lifted.size > 0 && spec.ruleClass === "RISK" && lifted.has(spec.id)) return false;
  if (applies === undefined) return true;
  return applies(frame) ?? (spec.closesOnUnknown ? undefined : false);
}

function askLimit(
  limit: BuiltLimit,
  inquiry: LimitInquiry,
  isSubjectUnknown: boolean,
  appliesThroughUnknown: boolean,
): AskedLimit {
  const { spec } = limit;
  const { payment, book } = inquiry;
  const { threshold, segment } = findThreshold(spec, inquiry);
  const asked = measureAsked(spec, inquiry);
  const askedKey = spec.distinctOf === undefined ? NaN : readKeyOf(payment, spec.distinctOf);
  const isKeyUnknown = spec.measure === "DISTINCT" && Number.isNaN(askedKey);
  const unknown =
    isSubjectUnknown || isKeyUnknown ? "SUBJECT_UNKNOWN" : asked === undefined ? "FX_MISSING" : "";
  return {
    limit,
    threshold,
    segment: segment === undefined ? "" : book.segmentIds[segment]!,
    asked: asked ?? 0,
    askedKey,
    unknown,
    appliesThroughUnknown,
  };
}

function askOwnLimit(own: OwnLimit, inquiry: LimitInquiry): AskedLimit {
  const limit = inquiry.book.own(own);
  const asked = measureAsked(limit.spec, inquiry);
  return {
    limit,
    threshold: own.amount.minorUnits,
    segment: "",
    asked: asked ?? 0,
    askedKey: NaN,
    unknown: asked === undefined ? "FX_MISSING" : "",
    appliesThroughUnknown: false,
  };
}

/** Undefined where no rate converts the amount. */
function measureAsked(
  { measure, counted, currency }: LimitSpec,
  { payment, book, steps }: LimitInquiry,
): number | undefined {
  if (measure === "GROSS" || measure === "NET") {
    const { amountMinor, currency: from } = payment;
    // Without an amount (a cashier) nothing is asked for, and what is left is still told.
    return amountMinor === undefined ? 0 : convertMinor(book.fx, { amountMinor, from, to: currency });
  }
  return measure === "COUNT" && counted === "AUTHORISATIONS" ? steps : 1;
}

/** The first segment that is true speaks, and the lowest of it and the unknown ones before it binds (`SEMANTICS.md` 5.5). */
function findThreshold(
  spec: LimitSpec,
  { frame, replacements, book }: LimitInquiry,
): { readonly threshold: number; readonly segment: number | undefined } {
  if (replacements.length > 0 && rankOf[spec.ruleClass] > 2) {
    const replaced = findReplacement(spec, replacements, book);
    if (replaced !== undefined) return { threshold: replaced, segment: undefined };
  }
  let threshold = Infinity;
  let binding: number | undefined;
  for (const { segment, value } of spec.thresholds) {
    const truth = segment === undefined ? 1 : frame.segments[segment];
    if (truth === 0) continue;
    if (value < threshold) {
      threshold = value;
      binding = segment;
    }
    if (truth === 1) break;
  }
  return { threshold, segment: binding };
}

function findReplacement(
  spec: LimitSpec,
  replacements: LimitInquiry["replacements"],
  { fx }: LimitBook,
): number | undefined {
  const found = replacements.find(({ limit }) => limit === spec.id);
  if (found === undefined || found.currency === spec.currency) return found?.value;
  // An override may have been put under a rule set whose limit counted in another currency.
  return convertMinor(fx, { amountMinor: found.value, from: found.currency, to: spec.currency });
}

/** Keys of different limits never meet, even where they give the same text. */
function readKey({ spec, key }: BuiltLimit, frame: Frame): string {
  const text = key?.(frame);
  return typeof text === "string" && text !== "" ? `${spec.id}:${text}` : "";
}

function readKeyOf(payment: Payment, distinctOf: DistinctOf): number {
  const text = distinctOf === "method" ? payment.method : findSubjectId(payment, distinctOf);
  return text === undefined || text === "" ? NaN : hashWide(text);
}

function group(
  asks: { readonly subject: Subject; readonly limits: AskedLimit[] }[],
  subject: Subject,
  asked: AskedLimit,
): void {
  const known = asks.find((ask) => ask.subject.kind === subject.kind && ask.subject.id === subject.id);
  if (known === undefined) asks.push({ subject, limits: [asked] });
  else known.limits.push(asked);
}
