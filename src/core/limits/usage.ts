/**
 * What a limit has used of a subject at an instant (`SEMANTICS.md` 5): read from the rows of its history and from its open holds, never from a
 * counter, so a new limit sees all that was before, and nothing has to run for a window to move on.
 *
 * | What | Counts from | Until |
 * |---|---|---|
 * | an approval, a paid withdrawal | `counted_at`, where nobody decided its own instant | it leaves the window; a void takes it out at once |
 * | an authorisation, a decline | the same | it leaves the window |
 * | a refund, a chargeback, a payout and its return, under NET | its own instant | it leaves the window; a void takes a payout out at once |
 * | an open hold | the instant of its payment | it leaves the window, or from `releasesAtMs` on (`countsUntil`) |
 * | `counted_at: cleared`: an open hold, an approval without clearing | in every window | it is settled; an approval after 30 days |
 * | `counted_at: cleared`: a clearing, in place of its approval | its own instant | it leaves the window |
 */
import { hashWide } from "../history/hash-wide.ts";
import type { History } from "../history/history.ts";
import type { FxRates } from "../money.ts";
import type { BuiltLimit } from "./build-limits.ts";
import { countsUntil } from "./holds.ts";
import { type LabelView, readHoldKey, roles } from "./label-views.ts";
import { type Balance, Ledger, removable } from "./ledger.ts";
import type { Hold, LimitSpec } from "./limit.ts";
import {
  boundInside,
  boundOutside,
  findRow,
  isOfNet,
  measureTile,
  readAmount,
  readAt,
  readHeldAmount,
  readInstant,
  removableOf,
  skewMs,
  takes,
} from "./row-reading.ts";
import { SumsCache } from "./sums-cache.ts";

/** What a limit is asked. */
export type UsageQuestion = {
  readonly limit: BuiltLimit;
  readonly threshold: number;
  /**
   * Minor units or things. For DISTINCT 1, which becomes 0 where `askedKey` is among what is counted; of authorisations all that the plan would like,
   * of which one has to fit.
   */
  readonly asked: number;
  /** Hash of the payment's own value for DISTINCT; else NaN. */
  readonly askedKey: number;
};

/** What is known of a subject: its rows and the open holds that touch it. */
export type SubjectState = { readonly history: History | undefined; readonly holds: readonly Hold[] };

/** Who asks, and when. */
export type Asker = {
  readonly nowMs: number;
  /** Rows up to here are looked at: `nowMs`, or later where the payment had to wait and others did not. */
  readonly latestMs: number;
  /** The payment that asks: what it holds or got already does not stand in its own way. Empty where none does. */
  readonly paymentId: string;
  /** Its hash as rows have it; NaN where none asks. */
  readonly payment: number;
  readonly fx: FxRates;
};

/** An approval that did not clear in so long counts at the instant of its payment. */
const clearingMs = 30 * 86_400_000;

const ledger = new Ledger();

/** Pairs of payments and attempts that are void, and of payments for whose approvals something else stands and NaN. */
const voided: number[] = [];
const followed: number[] = [];

/** Bits: 1 where some row names its attempt, 2 where some does not. */
let tellers = 0;
const toldBoth = 3;

/** The memory of the process is one. */
const sumsCache = new SumsCache();

/**
 * What is used, whether what is asked fits, and when that changes. Of long histories sums are kept, so that it does not take longer the more rows
 * there are.
 *
 * Units: as the limit's: minor units of its currency, or things.
 * Fails: undefined where no rate converts an amount that counts (`FX_MISSING`).
 */
export function readUsage(
  question: UsageQuestion,
  state: SubjectState,
  asker: Asker,
  cache: SumsCache = sumsCache,
): Balance | undefined {
  question.limit.window.open(asker.nowMs);
  const sums = state.history?.feed === undefined ? undefined : cache.find(question.limit, state, asker);
  return sums?.read(question, asker) ?? readByRow(question, state, asker);
}

/** As `readUsage`, from every row of the window and every open hold. */
export function readByRow(
  question: UsageQuestion,
  { history, holds }: SubjectState,
  asker: Asker,
): Balance | undefined {
  const { limit, threshold } = question;
  const { measure, counted, netFloorNone } = limit.spec;
  limit.window.open(asker.nowMs);
  ledger.clear();
  let errorBound = 0;
  if (history !== undefined) {
    if (!putRows(limit, history, asker)) return undefined;
    if (history.tiles.length > 0) {
      const bound = putTiles(limit, history, asker);
      if (bound === undefined) return undefined;
      errorBound = bound;
    }
  }
  if (holds.length > 0 && !putHolds(limit, holds, asker)) return undefined;
  let { asked } = question;
  if (measure === "DISTINCT") {
    ledger.merge();
    if (ledger.has(question.askedKey)) asked = 0;
  } else if (measure === "COUNT") {
    if (counted === "PAYMENTS") ledger.merge();
    else asked = Math.min(1, asked);
  }
  return ledger.balance(threshold, asked, measure === "NET" && !netFloorNone, errorBound);
}

/** Whether a rate was there for every amount. */
function putRows(limit: BuiltLimit, history: History, asker: Asker): boolean {
  const { spec, views, window } = limit;
  const { nowMs, latestMs } = asker;
  const { label, labels, end, readWide } = history;
  const isCleared = spec.countedAt === "CLEARED";
  const reachMs = isCleared ? Math.min(window.afterMs, nowMs - clearingMs) : window.afterMs;
  const isOfPayments = spec.counted === "PAYMENTS";
  voided.length = 0;
  followed.length = 0;
  tellers = 0;
  for (let row = findRow(history, reachMs - skewMs); row < end; row++) {
    const view = views.at(label[row]!, labels);
    const { role } = view;
    if (role === roles.nothing) continue;
    if (role >= roles.paid) noteUndoing(history, row, view);
    if (role === roles.voids) continue;
    const instantMs = readInstant(history, row, view);
    if (instantMs > latestMs) continue;
    let leavesAtMs = window.leavesAt(instantMs);
    if (isCleared && role === roles.approval && instantMs > nowMs - clearingMs)
      leavesAtMs = Math.max(leavesAtMs, instantMs + clearingMs);
    else if (!window.has(instantMs)) continue;
    // Reading wide values is what costs, so an authorisation reads no more than its instant.
    const payment = role === roles.fact ? NaN : readAt(readWide, row, view.paymentPlace);
    if (payment === asker.payment && isOfPayments && !isOfNet(role)) continue;
    if (!putRow(limit, history, row, view, leavesAtMs, payment, asker.fx)) return false;
  }
  if (voided.length > 0 || followed.length > 0) removeUndone();
  if (tellers === toldBoth) ledger.mergeUnnamed();
  return true;
}

function noteUndoing(
  { readWide }: History,
  row: number,
  { role, paymentPlace, attemptPlace }: LabelView,
): void {
  if (role === roles.voids) {
    voided.push(readAt(readWide, row, paymentPlace), readAt(readWide, row, attemptPlace));
  } else if (role === roles.paid || role === roles.cleared)
    followed.push(readAt(readWide, row, paymentPlace), NaN);
}

/** Whether a rate was there. */
function putRow(
  { spec }: BuiltLimit,
  history: History,
  row: number,
  view: LabelView,
  leavesAtMs: number,
  payment: number,
  fx: FxRates,
): boolean {
  const { role } = view;
  const attempt = role === roles.fact ? NaN : readAt(history.readWide, row, view.attemptPlace);
  const removableBy = removableOf[role];
  switch (spec.measure) {
    case "GROSS":
    case "NET": {
      const amount = readAmount(history, row, view, { currency: spec.currency, fx });
      if (amount === undefined) return false;
      tellers |= Number.isNaN(attempt) ? 2 : 1;
      ledger.put(leavesAtMs, takes(role) ? -amount : amount, NaN, payment, attempt, removableBy);
      return true;
    }
    case "COUNT": {
      const key = spec.counted === "PAYMENTS" ? payment : NaN;
      ledger.put(leavesAtMs, 1, key, payment, attempt, removableBy);
      return true;
    }
    case "DISTINCT": {
      const key = view.keyPlace < 0 ? view.key : history.readWide(row, view.keyPlace);
      // Nothing is no value.
      if (!Number.isNaN(key)) ledger.put(leavesAtMs, 1, key, payment, attempt, removableBy);
      return true;
    }
  }
}

function removeUndone(): void {
  ledger.remove(voided, removable.byVoid);
  ledger.remove(followed, removable.byFollower);
}

/**
 * What was folded away, always to the side of too much used: a tile that reaches into the window counts whole where it uses and not at all where it
 * gives back, and voids in tiles undo nothing. Returns the bound of that; undefined where a rate is missing.
 */
function putTiles(limit: BuiltLimit, history: History, { nowMs, fx }: Asker): number | undefined {
  const { spec, views, window } = limit;
  let bound = 0;
  for (const tile of history.tiles) {
    const view = views.at(tile.label, history.labels);
    const { role } = view;
    if (role === roles.nothing) continue;
    const clearsBeforeMs =
      spec.countedAt === "CLEARED" && role === roles.approval ? tile.untilMs + clearingMs : -Infinity;
    const isUncleared = clearsBeforeMs > nowMs;
    if (!isUncleared && (tile.untilMs - 1 <= window.afterMs || tile.fromMs >= window.endMs)) continue;
    const measured = measureTile(spec, tile, view, fx);
    if (measured === undefined) return undefined;
    const { size } = measured;
    const isInside = !isUncleared && tile.fromMs > window.afterMs && tile.untilMs <= window.endMs;
    bound += isInside ? boundInside(spec, role, measured) : boundOutside(role, measured);
    if (takes(role)) {
      if (isInside) ledger.put(window.leavesAt(tile.fromMs), -size, NaN, NaN, NaN, 0);
      continue;
    }
    if (role === roles.voids) continue;
    ledger.put(Math.max(window.leavesAt(tile.untilMs - 1), clearsBeforeMs), size, NaN, NaN, NaN, 0);
  }
  return bound;
}

/** Whether a rate was there for every amount. */
function putHolds(limit: BuiltLimit, holds: readonly Hold[], { nowMs, paymentId, fx }: Asker): boolean {
  const { spec, window } = limit;
  if (spec.counted === "DECLINES") return true;
  const isSticky = spec.countedAt === "CLEARED";
  for (const hold of holds) {
    if (hold.paymentId === paymentId) continue;
    const untilMs = countsUntil(hold, limit.isProtective);
    if (nowMs >= untilMs || !(limit.counts.hold(hold) ?? spec.closesOnUnknown)) continue;
    if (!isSticky && !window.has(hold.instantMs)) continue;
    const leavesAtMs = isSticky ? untilMs : Math.min(untilMs, window.leavesAt(hold.instantMs));
    if (!putHold(spec, hold, leavesAtMs, fx)) return false;
  }
  return true;
}

/** Whether a rate was there. */
function putHold(spec: LimitSpec, hold: Hold, leavesAtMs: number, fx: FxRates): boolean {
  const { measure, counted, currency, distinctOf } = spec;
  if (counted === "AUTHORISATIONS" && hold.authorisations === 0) return true;
  // What was approved of a payment already is not held once more.
  const payment = ledger.length === 0 && counted !== "PAYMENTS" ? NaN : hashWide(hold.paymentId);
  switch (measure) {
    case "GROSS":
    case "NET": {
      const amount = readHeldAmount(hold, currency, fx);
      if (amount === undefined) return false;
      const rest = amount - Math.max(0, ledger.sumOf(payment));
      if (rest > 0) ledger.put(leavesAtMs, rest, NaN, NaN, NaN, 0);
      return true;
    }
    case "COUNT":
      if (counted === "AUTHORISATIONS") ledger.put(leavesAtMs, hold.authorisations, NaN, NaN, NaN, 0);
      else ledger.put(leavesAtMs, 1, payment, payment, NaN, 0);
      return true;
    case "DISTINCT": {
      const key = readHoldKey(hold, distinctOf!);
      if (!Number.isNaN(key)) ledger.put(leavesAtMs, 1, key, payment, NaN, 0);
      return true;
    }
  }
}
