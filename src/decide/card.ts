/**
 * What a payment's card and its player's retry budget leave of attempts (`SEMANTICS.md` 4.6, `DOMAIN.md` 1.6): read from histories at the instant of
 * the decision, and again at each repeat and report.
 */

import type { FactInput } from "../core/facts.ts";
import { hashWide } from "../core/history/hash-wide.ts";
import { identifyInstrument } from "../core/limits/subjects.ts";
import { makeReason } from "../core/make-reason.ts";
import type { Reason } from "../core/reason.ts";
import {
  type CardObstacle,
  type CardQuestion,
  type CardStanding,
  freeCard,
  readCardStanding,
} from "../core/retry/card-standing.ts";
import { CardViews, groupOf } from "../core/retry/card-views.ts";
import { classifyAnswer } from "../core/retry/classify.ts";
import { codeTableOf } from "../core/retry/code-table.ts";
import { countDeclines } from "../core/retry/retry-budget.ts";
import { createCapPicker, houseSchemeCaps, type SchemeCap } from "../core/retry/scheme-cap.ts";
import { isCardPayment } from "../core/routing/routing-case.ts";
import type { RetryPolicy, RuleSnapshot } from "../core/rules/snapshot.ts";
import type { DecisionState } from "./judge.ts";

/** What of a rule set the standing of cards is read by. */
export type CardReader = {
  readonly views: CardViews;
  readonly pickCaps: (scheme: string, nowMs: number) => readonly SchemeCap[];
};

export function createCardReader({ responseCodes, schemeCaps }: RuleSnapshot): CardReader {
  const table = codeTableOf(responseCodes);
  return {
    views: new CardViews((answer, atMs) => classifyAnswer(table, answer, atMs)),
    pickCaps: createCapPicker(schemeCaps ?? houseSchemeCaps),
  };
}

/**
 * Reads how the card of a payment stands. Deposits only: a payout is not an attempt that a scheme caps.
 *
 * `announcedMs`: the instant up to which data that was declined has changed; that of a call at a later revision, undefined at the first.
 */
export function readCard(
  reader: CardReader,
  { payment, player, bin, nowMs }: FactInput,
  { ledger, isServerClock }: DecisionState,
  announcedMs: number | undefined,
): CardStanding {
  const { card } = payment;
  if (card === undefined || payment.kind !== "deposit" || !isCardPayment(payment)) return freeCard;
  const id = identifyInstrument(card);
  if (id === "" && card.bin === undefined) return freeCard;
  const scheme = card.scheme ?? bin.scheme;
  // Without the card itself nobody knows which attempts were its own.
  const caps = scheme === undefined || id === "" ? noCaps : reader.pickCaps(scheme, nowMs);
  const question: CardQuestion = {
    nowMs,
    latestMs: isServerClock === true ? Number.POSITIVE_INFINITY : nowMs,
    caps,
    scheme,
    group: groupOf(payment.initiator),
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    player: id.startsWith("bin:") ? hashWide(player.playerId) : Number.NaN,
    dataAsOfMs: announcedMs ?? Number.NEGATIVE_INFINITY,
    card: id,
    paymentId: payment.paymentId,
    // What is declined with a card of which nobody knows the scheme counts against every cap.
    isCounted: caps.length > 0 || (id !== "" && scheme === undefined),
  };
  return readCardStanding(reader.views, question, {
    card: id === "" ? undefined : ledger?.historyOf({ kind: "card", id }),
    bin: card.bin === undefined ? undefined : ledger?.historyOf({ kind: "bin", id: card.bin }),
    holds: caps.length === 0 ? undefined : ledger?.attemptsOf(id),
  });
}

const noCaps: readonly SchemeCap[] = [];

/** How many attempts may follow each other by themselves, and why they are so few. */
export type RetryBudget = {
  /** At least 1. */
  readonly attempts: number;
  /** Whether nothing may follow what was sent. */
  readonly isSpent: boolean;
  /** Undefined where nothing but the policy's own number bounds them. */
  readonly reason: Reason | undefined;
};

const unbounded: RetryBudget = { attempts: Number.POSITIVE_INFINITY, isSpent: false, reason: undefined };

/** The harm guard and the budget of declines. The segments must be those of the payment's own frame. */
export function readBudget(
  { playerDeclines, singleTry }: RetryPolicy,
  { segments }: RuleSnapshot,
  truths: Uint8Array,
  { history, isServerClock }: DecisionState,
  nowMs: number,
): RetryBudget {
  const guarded = singleTry.find((ordinal) => truths[ordinal] === 1);
  if (guarded !== undefined) {
    const { id, purposes } = segments[guarded]!;
    const detail = `players of segment ${id} get one attempt`;
    return {
      attempts: 1,
      isSpent: true,
      reason: { ...makeReason("routing", "SINGLE_TRY", id, detail), purposes },
    };
  }
  if (playerDeclines === undefined) return unbounded;
  const latestMs = isServerClock === true ? Number.POSITIVE_INFINITY : nowMs;
  const { count, windowMs } = playerDeclines;
  const declines = countDeclines(history, { nowMs, latestMs, windowMs });
  const detail = `the player had ${declines} declines where ${count} end the retries`;
  const attempts = Math.max(1, count - declines);
  return { attempts, isSpent: declines >= count, reason: makeReason("routing", "RETRY_BUDGET", "", detail) };
}

/** Why the card may not be tried, the lasting reasons first; empty where it may. */
export function listCardReasons({ obstacles }: CardStanding): readonly Reason[] {
  return obstacles.length === 0 ? noReasons : obstacles.map(makeCardReason);
}

const noReasons: readonly Reason[] = [];

/** When nothing of it forbids any more, ms since the epoch; undefined where nobody knows. */
export function findCardEnd({ obstacles }: CardStanding): number | undefined {
  let latestMs = 0;
  for (const { untilMs } of obstacles) {
    if (untilMs === undefined) return undefined;
    latestMs = Math.max(latestMs, untilMs);
  }
  return latestMs;
}

/** An issuer's own control at the holder's wish, which may be a block of gambling: nobody is nudged past it. */
const holdersOwnBlock = "9G";

function makeCardReason(obstacle: CardObstacle): Reason {
  const { code, what, untilMs } = obstacle;
  const until = untilMs === undefined ? "" : ` until ${new Date(untilMs).toISOString()}`;
  const playerMessageKey = findMessageKey(obstacle);
  return { ...makeReason("routing", code, what, describe(obstacle) + until), playerMessageKey };
}

function findMessageKey({ code, answer, isInFlight }: CardObstacle): string {
  if (code === "DATA_UNCHANGED") return "payment.change_data";
  if (isInFlight === true) return "payment.in_progress";
  return answer === holdersOwnBlock ? "payment.not_possible" : "payment.other_method";
}

function describe({ code, what, answer, isInFlight }: CardObstacle): string {
  const said = answer === "" ? "" : ` after answer ${answer}`;
  switch (code) {
    case "HARD_DECLINE":
      if (what === "cvv") return "the card is locked after three wrong CVVs";
      if (answer === holdersOwnBlock) return "the card is blocked by its holder's own control (9G)";
      return `${blocked[what] ?? what} is blocked${said}`;
    case "DATA_UNCHANGED":
      return `the data of the card was declined (${answer}): ask for it and call at the next revision`;
    case "ADVICE_WAIT":
      return `the network advises to wait (${answer})`;
    case "SCHEME_CAP":
      return isInFlight === true
        ? `with the attempts that are under way the card is tried as often as ${what} allows`
        : `the card was tried as often as ${what} allows`;
  }
}

const blocked: Readonly<Record<string, string>> = {
  card: "the card",
  card_amount: "the card with this amount",
  bin: "the card's BIN",
  agreement: "what the merchant starts with the card",
};
