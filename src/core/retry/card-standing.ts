/**
 * How a card stands: what forbids another attempt with it, at whichever PSP, read from the rows of its history and of its BIN's
 * (`SEMANTICS.md` 4.6, `DOMAIN.md` 1.1-1.7), and from what payments hold that are under way. There are no counters of its own: an answer that comes late
 * or is told twice changes nothing else.
 */
import { hashWide } from "../history/hash-wide.ts";
import type { History } from "../history/history.ts";
import type { HeldAttempts, Hold } from "../limits/limit.ts";
import type { CardView, CardViews, InitiatorGroup } from "./card-views.ts";
import type { SchemeCap } from "./scheme-cap.ts";

export type CardQuestion = {
  readonly nowMs: number;
  /** Rows up to here are looked at: `nowMs`, or later where the clock is the machine's and nothing is of the future. */
  readonly latestMs: number;
  /** Those of the card's scheme that count now (`pickCaps`). */
  readonly caps: readonly SchemeCap[];
  /** Canonical scheme; undefined where unknown. */
  readonly scheme: string | undefined;
  readonly group: InitiatorGroup;
  /** Undefined where no amount is known yet: then nothing that hangs on it forbids. */
  readonly amountMinor: number | undefined;
  readonly currency: string;
  /** Hash of the player where the card is known by BIN and last four only, so that rows of others are not held against it; else NaN. */
  readonly player: number;
  /** Declines for old data up to this instant no longer count: whoever calls at the next revision has asked for new data. */
  readonly dataAsOfMs: number;
  /** The card, as a subject; empty where it is not known. */
  readonly card: string;
  /** The payment that asks: what it holds for its own steps does not stand in its way. */
  readonly paymentId: string;
  /** Whether attempts with the card are to be held: some cap may count them. */
  readonly isCounted: boolean;
};

export type CardObstacle = {
  readonly code: "HARD_DECLINE" | "SCHEME_CAP" | "ADVICE_WAIT" | "DATA_UNCHANGED";
  /** Block, cap or guard: card, card_amount, bin, agreement, cvv, data, advice or the id of a cap. */
  readonly what: string;
  /** Response or advice code behind it; empty where there is none. */
  readonly answer: string;
  /** First instant at which it no longer forbids, ms since the epoch; undefined where that is not known or never. */
  readonly untilMs: number | undefined;
  /** Whether it is not declines alone that fill a cap, but attempts of other payments of which the answer is not known yet. */
  readonly isInFlight?: true;
};

export type CapReading = {
  readonly id: string;
  readonly used: number;
  /** Attempts with the card that are under way or may still be sent, without those that the asking payment has before it. */
  readonly inFlight: number;
  readonly declines: number;
  /** When one more fits; undefined where one does now. */
  readonly freesAtMs: number | undefined;
};

export type CardStanding = {
  /** The lasting ones first: blocks, guards, waits, caps. Empty where an attempt is allowed. */
  readonly obstacles: readonly CardObstacle[];
  readonly caps: readonly CapReading[];
  /** Authorisations that the caps leave beside the declines that are known and what is in flight; Infinity where none bounds them. */
  readonly free: number;
  /** Whether attempts with the card are to be held. */
  readonly isCounted: boolean;
};

/** What is no card that anything could be held against. */
export const freeCard: CardStanding = {
  obstacles: [],
  caps: [],
  free: Number.POSITIVE_INFINITY,
  isCounted: false,
};
/** A card of which nothing is known. */
const blankCard: CardStanding = { ...freeCard, isCounted: true };
const noHolds: readonly Hold[] = [];

const hour = 3_600_000;
/** Two re-entries; the third wrong one locks (`DOMAIN.md` 6, row 19). */
const wrongCvvMax = 3;
const cvvLockMs = 24 * hour;
/** How long a card is remembered to need new data: the schemes count over as long. */
const oldDataMs = 30 * 24 * hour;

/**
 * Reads how a card stands at an instant.
 *
 * A block holds until its end; an approval of the same payment shows that its answer was none, and lifts it. A wait of an advice code holds for the card,
 * where funds or limits lacked only for that amount and higher ones. Wrong CVVs and old data are forgotten after an approval. Caps count declines that a
 * network saw, since the last approval where they reset, and what is in flight: `holds` are those with attempts of the card.
 */
export function readCardStanding(
  views: CardViews,
  question: CardQuestion,
  {
    card,
    bin,
    holds = noHolds,
  }: {
    readonly card: History | undefined;
    readonly bin: History | undefined;
    readonly holds?: readonly Hold[] | undefined;
  },
): CardStanding {
  const isBlank = card === undefined || card.end === card.start;
  const blank = question.isCounted ? blankCard : freeCard;
  const found = isBlank && question.caps.length === 0 ? blank : readCard(views, question, card, holds);
  const binBlock = bin === undefined ? undefined : readBinBlock(views, question, bin);
  return binBlock === undefined ? found : { ...found, obstacles: [binBlock, ...found.obstacles] };
}

/** What is gathered on the way from the newest row to the oldest. */
type Gathered = {
  readonly views: CardViews;
  readonly blocks: Map<string, CardObstacle & { readonly untilMs: number }>;
  readonly counters: readonly Counter[];
  /** Rows of approvals: their payments are read only where a block asks for them, for reading wide values is what costs. */
  readonly approvals: number[];
  isApproved: boolean;
  wait: { readonly untilMs: number; readonly advice: string } | undefined;
  readonly wrongCvvs: number[];
  oldData: { readonly untilMs: number; readonly code: string } | undefined;
};

type Counter = {
  readonly cap: SchemeCap;
  /** Instants of declines, newest first. */
  readonly atMs: number[];
  /** Declines up to here were before an approval. */
  resetMs: number;
  /** Rows of approvals whose payments' own declines were before them as well. */
  readonly resetBy: number[];
};

function readCard(
  views: CardViews,
  question: CardQuestion,
  history: History | undefined,
  holds: readonly Hold[],
): CardStanding {
  const gathered: Gathered = {
    views,
    blocks: new Map(),
    counters: question.caps.map((cap) => ({ cap, atMs: [], resetMs: -Infinity, resetBy: [] })),
    approvals: [],
    isApproved: false,
    wait: undefined,
    wrongCvvs: [],
    oldData: undefined,
  };
  if (history !== undefined) gather(gathered, question, history);
  return conclude(gathered, question, holds);
}

function gather(gathered: Gathered, question: CardQuestion, history: History): void {
  const { views } = gathered;
  const { start, end, atMs, label, labels } = history;
  views.open(labels, question.nowMs);
  for (let row = end - 1; row >= start; row--) {
    const view = views.at(label[row]!);
    if (view.type === "nothing" || atMs[row]! > question.latestMs) continue;
    if (isOfAnother(history, row, view, question.player)) continue;
    if (view.type === "approval") noteApproval(gathered, question, history, row, view);
    else noteDecline(gathered, question, history, row, view);
  }
}

function isOfAnother({ readWide }: History, row: number, { playerPlace }: CardView, player: number): boolean {
  if (Number.isNaN(player) || playerPlace < 0) return false;
  const told = readWide(row, playerPlace);
  return !Number.isNaN(told) && told !== player;
}

function isCountedWith({ group, scheme }: CardView, question: CardQuestion): boolean {
  if (group !== undefined && group !== question.group) return false;
  return scheme === "" || question.scheme === undefined || scheme === question.scheme;
}

function isSameAmount({ readAmount }: History, row: number, view: CardView, question: CardQuestion): boolean {
  return readAmount(row) === question.amountMinor && view.currency === question.currency;
}

/**
 * An approval resets what was declined before it. Nobody knows when the issuer saw it: certainly after its payment was decided, and after the declines of the
 * same payment. What other payments met in between may have come after it, and goes on counting.
 */
function noteApproval(
  gathered: Gathered,
  question: CardQuestion,
  history: History,
  row: number,
  view: CardView,
): void {
  gathered.isApproved = true;
  gathered.approvals.push(row);
  if (!isCountedWith(view, question)) return;
  const atMs = history.atMs[row]!;
  const isSame = !view.isPartial && isSameAmount(history, row, view, question);
  for (const counter of gathered.counters) {
    const { key, resetOnApproval } = counter.cap;
    // All that is older than what a newer approval has reset is reset already.
    if (!resetOnApproval || atMs <= counter.resetMs || (key !== "CARD" && !isSame)) continue;
    counter.resetMs = Math.max(counter.resetMs, findResetBefore(history, row, view));
    counter.resetBy.push(row);
  }
}

/** The instant up to which the declines of other payments were certainly before an approval. */
function findResetBefore({ atMs, readWide }: History, row: number, { decidedPlace }: CardView): number {
  const decidedMs = decidedPlace < 0 ? Number.NaN : readWide(row, decidedPlace);
  return Number.isNaN(decidedMs) ? atMs[row]! : Math.min(decidedMs, atMs[row]!);
}

function noteDecline(
  gathered: Gathered,
  question: CardQuestion,
  history: History,
  row: number,
  view: CardView,
): void {
  const atMs = history.atMs[row]!;
  const { nowMs } = question;
  if (view.block !== "" && view.block !== "bin") noteBlock(gathered, question, history, row, view);
  if (view.adviceWaitMs > 0 && atMs + view.adviceWaitMs > nowMs && waits(history, row, view, question)) {
    const untilMs = atMs + view.adviceWaitMs;
    if (gathered.wait === undefined || untilMs > gathered.wait.untilMs)
      gathered.wait = { untilMs, advice: view.advice };
  }
  if (!gathered.isApproved) {
    if (view.isWrongCvv && atMs > nowMs - 2 * cvvLockMs) gathered.wrongCvvs.push(atMs);
    const untilMs = atMs + oldDataMs;
    if (view.needsNewData && gathered.oldData === undefined && atMs > question.dataAsOfMs && untilMs > nowMs)
      gathered.oldData = { untilMs, code: view.code };
  }
  if (view.isCounted && isCountedWith(view, question)) {
    for (const { cap, atMs: counted, resetMs, resetBy } of gathered.counters) {
      if (atMs <= resetMs || atMs <= nowMs - cap.windowMs) continue;
      if (cap.key !== "CARD" && !isSameAmount(history, row, view, question)) continue;
      if (!isOfOne(gathered.views, history, row, resetBy)) counted.push(atMs);
    }
  }
}

/** Whether the row is of the payment of one of the approvals, which are rows too. */
function isOfOne(
  views: CardViews,
  { readWide, label }: History,
  row: number,
  approvals: readonly number[],
): boolean {
  if (approvals.length === 0) return false;
  const paymentOf = (each: number): number => {
    const { paymentPlace } = views.at(label[each]!);
    return paymentPlace < 0 ? Number.NaN : readWide(each, paymentPlace);
  };
  const payment = paymentOf(row);
  return approvals.some((each) => paymentOf(each) === payment);
}

function noteBlock(
  { views, blocks, approvals }: Gathered,
  question: CardQuestion,
  history: History,
  row: number,
  view: CardView,
): void {
  const { block } = view;
  if (block === "agreement" && question.group !== "MIT") return;
  if (block === "card_amount" && !isSameAmount(history, row, view, question)) return;
  const untilMs = readBlockUntil(history, row, view);
  if (untilMs <= question.nowMs) return;
  if (isOfOne(views, history, row, approvals)) return;
  const known = blocks.get(block);
  if (known !== undefined && known.untilMs >= untilMs) return;
  blocks.set(block, { code: "HARD_DECLINE", what: block, answer: view.code, untilMs });
}

/** For good where the row does not say. */
function readBlockUntil({ readWide }: History, row: number, { blockUntilPlace }: CardView): number {
  const untilMs = blockUntilPlace < 0 ? Number.NaN : readWide(row, blockUntilPlace);
  return Number.isNaN(untilMs) ? Number.POSITIVE_INFINITY : untilMs;
}

/** Where funds or limits lacked a lower amount may go at once; amounts in another currency cannot be compared. */
function waits({ readAmount }: History, row: number, view: CardView, question: CardQuestion): boolean {
  if (!view.isOfFunds) return true;
  if (question.amountMinor === undefined) return false;
  return view.currency !== question.currency || question.amountMinor >= readAmount(row);
}

const blockOrder = ["card", "card_amount", "agreement"];

function conclude(gathered: Gathered, question: CardQuestion, holds: readonly Hold[]): CardStanding {
  const { blocks, wait, wrongCvvs, oldData, counters } = gathered;
  const obstacles: CardObstacle[] = [];
  for (const what of blockOrder) {
    const block = blocks.get(what);
    if (block !== undefined) obstacles.push({ ...block, untilMs: finite(block.untilMs) });
  }
  const lockedUntilMs = findCvvLock(wrongCvvs);
  if (lockedUntilMs !== undefined && lockedUntilMs > question.nowMs)
    obstacles.push({ code: "HARD_DECLINE", what: "cvv", answer: "N7", untilMs: lockedUntilMs });
  if (oldData !== undefined)
    obstacles.push({ code: "DATA_UNCHANGED", what: "data", answer: oldData.code, untilMs: undefined });
  if (wait !== undefined)
    obstacles.push({ code: "ADVICE_WAIT", what: "advice", answer: wait.advice, untilMs: wait.untilMs });
  const caps =
    question.amountMinor === undefined ? counters.filter(({ cap }) => cap.key === "CARD") : counters;
  const held = caps.length === 0 ? [] : listHeld(question, holds);
  const readings = caps.map((counter) => readCap(counter, question, held));
  let free = Number.POSITIVE_INFINITY;
  for (const { id, used, inFlight, declines, freesAtMs } of readings) {
    free = Math.min(free, Math.max(0, declines - used - inFlight));
    if (freesAtMs === undefined) continue;
    const obstacle = { code: "SCHEME_CAP", what: id, answer: "", untilMs: freesAtMs } as const;
    obstacles.push(used < declines ? { ...obstacle, isInFlight: true } : obstacle);
  }
  return { obstacles, caps: readings, free, isCounted: question.isCounted };
}

/** Attempts in flight, and until when those count that may still be sent. */
type InFlight = { readonly held: HeldAttempts; readonly planned: number; readonly releasesAtMs: number };

/** What counts against the card's caps, whatever amounts they are about. */
function listHeld(question: CardQuestion, holds: readonly Hold[]): readonly InFlight[] {
  const { nowMs, latestMs, player, paymentId, card, group, scheme } = question;
  const found: InFlight[] = [];
  for (const hold of holds) {
    const { attempts = [], releasesAtMs } = hold;
    if (hold.instantMs > latestMs || (!Number.isNaN(player) && hashWide(hold.playerId) !== player)) continue;
    const plans = hold.paymentId !== paymentId && nowMs < releasesAtMs;
    for (const held of attempts) {
      const isOfScheme = held.scheme === "" || scheme === undefined || held.scheme === scheme;
      if (held.group !== group || !isOfScheme || held.card !== card) continue;
      found.push({ held, planned: plans ? held.planned : 0, releasesAtMs });
    }
  }
  return found;
}

/** One more fits when so many have left the window, or were let go, that fewer than allowed are in it. */
function readCap({ cap, atMs }: Counter, question: CardQuestion, all: readonly InFlight[]): CapReading {
  const { id, declines, windowMs } = cap;
  const used = atMs.length;
  const counted = all.filter(({ held }) => cap.key === "CARD" || isOfAmount(held, question));
  let inFlight = 0;
  for (const { held, planned } of counted) inFlight += planned + countOpen(held, cap, question);
  if (used + inFlight < declines) return { id, used, inFlight, declines, freesAtMs: undefined };
  const leavesAtMs = atMs.map((at) => at + windowMs);
  for (const { held, planned, releasesAtMs } of counted) {
    for (let at = 0; at < planned; at++) leavesAtMs.push(releasesAtMs);
    for (let at = countOpen(held, cap, question); at > 0; at--) leavesAtMs.push(held.openAtMs + windowMs);
  }
  leavesAtMs.sort((a, b) => a - b);
  return { id, used, inFlight, declines, freesAtMs: leavesAtMs[used + inFlight - declines]! };
}

/** Those that are known to be out, in the window of a cap. */
function countOpen(held: HeldAttempts, { windowMs }: SchemeCap, { nowMs }: CardQuestion): number {
  return nowMs < held.openAtMs + windowMs ? held.open : 0;
}

function isOfAmount(held: HeldAttempts, { amountMinor, currency }: CardQuestion): boolean {
  return held.amountMinor === amountMinor && held.currency === currency;
}

/** The end of the lock after the newest wrong CVV that is the third within 24 hours; `instants` are newest first. */
function findCvvLock(instants: readonly number[]): number | undefined {
  for (let at = 0; at + wrongCvvMax - 1 < instants.length; at++) {
    if (instants[at]! - instants[at + wrongCvvMax - 1]! < cvvLockMs) return instants[at]! + cvvLockMs;
  }
  return undefined;
}

function readBinBlock(
  views: CardViews,
  { nowMs, latestMs }: CardQuestion,
  history: History,
): CardObstacle | undefined {
  const { start, end, atMs, label, labels } = history;
  views.open(labels, nowMs);
  if (!views.mayBlockBins()) return undefined;
  let latest: (CardObstacle & { readonly untilMs: number }) | undefined;
  for (let row = end - 1; row >= start; row--) {
    const view = views.at(label[row]!);
    if (view.block !== "bin" || atMs[row]! > latestMs) continue;
    const untilMs = readBlockUntil(history, row, view);
    if (untilMs > nowMs && (latest === undefined || untilMs > latest.untilMs))
      latest = { code: "HARD_DECLINE", what: "bin", answer: view.code, untilMs };
  }
  return latest && { ...latest, untilMs: finite(latest.untilMs) };
}

function finite(untilMs: number): number | undefined {
  return Number.isFinite(untilMs) ? untilMs : undefined;
}
