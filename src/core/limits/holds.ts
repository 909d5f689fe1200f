/**
 * The life of a hold: what a payment holds under limits until its outcome is known (`SEMANTICS.md` 1.4, 1.6, 5.1-5.4, 5.6).
 *
 * | From | `decideHold` | Approved, partial | Declined, voided | Unknown | Pending |
 * |---|---|---|---|---|---|
 * | none | HELD, REVIEW; none where denied | none | none | UNKNOWN | PENDING |
 * | HELD, REVIEW | a higher revision: HELD, REVIEW; none where denied | none | as below | UNKNOWN | PENDING |
 * | UNKNOWN, PENDING | stays, with the greater amount of the two revisions | none | as below | UNKNOWN | PENDING |
 *
 * After a decline or a void: UNKNOWN or PENDING while another attempt is; else REVIEW stays; else HELD where the plan has steps left, none where it
 * has not. Refunds and chargebacks change no hold. The same revision decided again changes nothing. An approval is a fact whether there is a hold or
 * not, so a late one always commits.
 *
 * | State | `releasesAtMs` | From then on |
 * |---|---|---|
 * | HELD, UNKNOWN | 30 min after the last word, and after `validUntilMs` + the PSP's timeout | limits of classes 4-7 let go; those of 1-2 and of players count it on, as unknown |
 * | PENDING | 7 days after the last word | the same |
 * | REVIEW | 24 h after the decision | all let go: nothing was ever sent |
 *
 * Where a payment has come to an end while an attempt of it was never told of, what is left of its hold counts under no limit, but against the caps of
 * schemes until silence is final (`keepUntold`). What is held of the card's attempts is for whoever knows the plan: here it stays as it is.
 *
 * Nothing runs when a hold lapses: whoever counts looks at the clock (`countsUntil`).
 */
import type { PaymentFact } from "../events/payment-fact.ts";
import type { Subject } from "../history/history.ts";
import type { OutcomeClass } from "../retry/outcome-class.ts";
import type { Hold } from "./limit.ts";

/** How long holds hold, in ms. */
type HoldTimes = {
  readonly silenceMs: number;
  /** The longest that a rule set lets a PSP take. */
  readonly pspTimeoutMs: number;
  readonly pendingMs: number;
  readonly reviewMs: number;
};

const holdTimes: HoldTimes = {
  silenceMs: 30 * 60_000,
  pspTimeoutMs: 300_000,
  pendingMs: 7 * 86_400_000,
  reviewMs: 24 * 3_600_000,
};

/** From then on an unknown outcome is listed for reconciliation. */
const unresolvedMs = 24 * 3_600_000;

/** What a hold keeps of its payment, whatever happens to it. */
export type HoldTerms = Omit<Hold, "state" | "lastWordMs" | "releasesAtMs" | "authorisations" | "attempts">;

/** An admitted revision: what a decision wants to hold. */
export type HoldWish = {
  readonly terms: HoldTerms;
  readonly verdict: "APPROVE_ROUTE" | "REVIEW";
  /** Authorisations that the plan may send, after it was cut to the limits. */
  readonly authorisations: number;
  /** End of the plan; any number where it is reviewed. */
  readonly validUntilMs: number;
};

/** What was heard of an attempt. */
export type Word = {
  readonly attemptId: string;
  readonly became: OutcomeClass | "VOIDED" | "REFUNDED" | "CHARGED_BACK";
  /** What was approved, refunded or charged back; undefined means all of the payment. */
  readonly amountMinor: number | undefined;
  /** When it became so, as told. */
  readonly atMs: number;
  /** When it was heard. */
  readonly heardAtMs: number;
  /** What is open among the attempts of the payment after this word, this one included; unknown before pending. */
  readonly open: "NONE" | "PENDING" | "UNKNOWN";
  /** Steps of the plan that may still run after this word. */
  readonly stepsLeft: number;
  readonly validUntilMs: number;
};

/** What a hold's part of a payment fact is; the rest (PSP, method, ...) is for whoever keeps the payment. */
export type HoldFact = Pick<
  PaymentFact,
  | "type"
  | "playerId"
  | "paymentId"
  | "attemptId"
  | "kind"
  | "amountMinor"
  | "currency"
  | "atMs"
  | "countedAtMs"
  | "outcome"
  | "converted"
  | "ratesVersion"
>;

/** What becomes of a hold, and what is to be remembered for good. */
export type Heard = {
  /** Undefined where nothing is held any more. */
  readonly hold: Hold | undefined;
  /** In order. A fact that is known already merges with itself. */
  readonly facts: readonly HoldFact[];
};

/** When a limit stops counting a hold, if nothing else is heard; Infinity where only its window ends that. */
export function countsUntil({ state, releasesAtMs }: Hold, isProtective: boolean): number {
  return isProtective && state !== "REVIEW" ? Infinity : releasesAtMs;
}

/**
 * What a payment holds after a decision: `wish` is undefined where the payment was denied.
 *
 * A repeat of the same revision moves nothing. Attempts that nobody knows the outcome of keep their hold, and make it cover what a new revision may
 * send when they are settled.
 */
export function decideHold(
  known: Hold | undefined,
  wish: HoldWish | undefined,
  nowMs: number,
  times: HoldTimes = holdTimes,
): Hold | undefined {
  if (known?.state === "UNKNOWN" || known?.state === "PENDING")
    return wish === undefined ? known : cover(known, wish);
  if (wish === undefined) return undefined;
  if (known !== undefined && known.revision >= wish.terms.revision) return known;
  const { terms, verdict, authorisations, validUntilMs } = wish;
  const state = verdict === "REVIEW" ? "REVIEW" : "HELD";
  return keep(terms, state, { heardAtMs: nowMs, stepsLeft: authorisations, validUntilMs }, times);
}

/**
 * An open hold with room for what may be sent once it is settled: of the two amounts, of which one at most will be taken, the greater in each
 * currency. The rest stays that of the open attempt.
 */
function cover(known: Hold, { terms }: HoldWish): Hold {
  const converted = new Map(readAmounts(terms));
  for (const [currency, amountMinor] of readAmounts(known))
    converted.set(currency, Math.max(amountMinor, converted.get(currency) ?? 0));
  const amountMinor = converted.get(known.currency)!;
  converted.delete(known.currency);
  return { ...known, amountMinor, converted };
}

function readAmounts({ amountMinor, currency, converted }: HoldTerms): Iterable<[string, number]> {
  return [...converted, [currency, amountMinor]];
}

/**
 * What becomes of a hold when an outcome is heard. `terms` are those of the hold, or, where it is gone, what the payment was decided with.
 *
 * Shapes: up to two facts: that the attempt was sent, and what became of it. Amounts in other currencies are the stored ones, for a part of the
 * payment their part, half up (`SEMANTICS.md` 5.8).
 */
export function hearOutcome(
  known: Hold | undefined,
  terms: HoldTerms,
  word: Word,
  times: HoldTimes = holdTimes,
): Heard {
  return { hold: settle(known, terms, word, times), facts: listFacts(terms, word) };
}

function settle(known: Hold | undefined, terms: HoldTerms, word: Word, times: HoldTimes): Hold | undefined {
  switch (word.became) {
    case "APPROVED":
    case "PARTIAL":
      return undefined;
    case "REFUNDED":
    case "CHARGED_BACK":
      return known;
    case "UNKNOWN":
    case "PENDING":
      return keep(known ?? terms, word.open === "NONE" ? word.became : word.open, word, times);
    default:
      if (known === undefined) return undefined;
      if (word.open !== "NONE") return keep(known, word.open, word, times);
      if (known.state === "REVIEW") return known;
      return word.stepsLeft === 0 ? undefined : keep(known, "HELD", word, times);
  }
}

function keep(
  terms: HoldTerms,
  state: Hold["state"],
  word: Pick<Word, "heardAtMs" | "stepsLeft" | "validUntilMs">,
  times: HoldTimes,
): Hold {
  const { heardAtMs: lastWordMs, stepsLeft: authorisations, validUntilMs } = word;
  const releasesAtMs = releaseAt(state, lastWordMs, validUntilMs, times);
  return { ...terms, state, lastWordMs, releasesAtMs, authorisations };
}

function releaseAt(state: Hold["state"], lastWordMs: number, validUntilMs: number, times: HoldTimes): number {
  switch (state) {
    case "REVIEW":
      return lastWordMs + times.reviewMs;
    case "PENDING":
      return lastWordMs + times.pendingMs;
    case "HELD":
    case "UNKNOWN":
      // A step may run at `validUntilMs` itself and be answered at the end of the timeout: only after that is silence final.
      return Math.max(lastWordMs + times.silenceMs, validUntilMs + times.pspTimeoutMs + 1);
  }
}

/** What is left of a hold for attempts that were never told of: no limit finds it any more. */
export function keepUntold(hold: Hold, heardAtMs: number, { silenceMs }: HoldTimes = holdTimes): Hold {
  const releasesAtMs = Math.max(hold.releasesAtMs, heardAtMs + silenceMs);
  return { ...hold, lastWordMs: heardAtMs, releasesAtMs, authorisations: 0, subjects: [] };
}

/** Whether the payment has come to an end, and only attempts of it that were never told of still count. */
export function isForCapsOnly({ subjects }: Hold): boolean {
  return subjects.length === 0;
}

/** The hold at the next step's PSP: limits of PSPs and their accounts move with the step (`SEMANTICS.md` 5.2). */
export function moveHold(hold: Hold, { psp, mid }: { readonly psp: string; readonly mid: string }): Hold {
  const rest = hold.subjects.filter(({ kind }) => kind !== "psp" && kind !== "mid");
  const subjects: Subject[] = [...rest, { kind: "psp", id: psp }];
  if (mid !== "") subjects.push({ kind: "mid", id: mid });
  const values = new Map(hold.values);
  values.set("psp", psp);
  if (mid === "") values.delete("mid");
  else values.set("mid", mid);
  return { ...hold, subjects, values };
}

/** Whether the outcome has been unknown for so long that somebody has to look (`SEMANTICS.md` 5.3). Silence is an unknown outcome. */
export function isUnresolved(hold: Hold, nowMs: number): boolean {
  switch (hold.state) {
    case "REVIEW":
      return false;
    case "PENDING":
      return nowMs >= hold.releasesAtMs;
    case "HELD":
    case "UNKNOWN":
      return nowMs >= hold.lastWordMs + unresolvedMs;
  }
}

function listFacts(terms: HoldTerms, word: Word): readonly HoldFact[] {
  const isDeposit = terms.kind === "deposit";
  switch (word.became) {
    case "APPROVED":
    case "PARTIAL":
      return [
        makeFact("payment_attempted", terms, word),
        makeFact(isDeposit ? "payment_approved" : "withdrawal_paid", terms, word),
      ];
    case "UNKNOWN":
    case "PENDING":
      return [makeFact("payment_attempted", terms, word)];
    case "VOIDED":
      return [makeFact("payment_voided", terms, word)];
    case "REFUNDED":
      return [makeFact(isDeposit ? "payment_refunded" : "withdrawal_returned", terms, word)];
    case "CHARGED_BACK":
      return [makeFact("payment_charged_back", terms, word)];
    default:
      return [makeFact("payment_attempted", terms, word), makeFact("payment_declined", terms, word)];
  }
}

function makeFact(type: HoldFact["type"], terms: HoldTerms, word: Word): HoldFact {
  const isWhole = type === "payment_attempted" || type === "payment_declined";
  const amountMinor = isWhole ? terms.amountMinor : (word.amountMinor ?? terms.amountMinor);
  return {
    type,
    playerId: terms.playerId,
    paymentId: terms.paymentId,
    attemptId: word.attemptId,
    kind: terms.kind,
    amountMinor,
    currency: terms.currency,
    atMs: word.atMs,
    countedAtMs: terms.instantMs,
    outcome: type === "payment_declined" ? (word.became as OutcomeClass) : "",
    converted: convertPart(terms, amountMinor),
    ratesVersion: terms.ratesVersion,
  };
}

/** The stored amounts in other currencies, for a part of the payment. */
function convertPart({ converted, amountMinor: whole }: HoldTerms, part: number): HoldTerms["converted"] {
  if (part === whole || converted.size === 0) return converted;
  return new Map(
    [...converted].map(([currency, amountMinor]) => {
      const exact = 2n * BigInt(amountMinor) * BigInt(part) + BigInt(whole);
      return [currency, Number(exact / (2n * BigInt(whole)))];
    }),
  );
}
