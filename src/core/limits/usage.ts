/**
 * What a limit has used of a subject at an instant (`SEMANTICS.md` 5): read from the rows of its history and from its open holds, never from a
 * counter, so a new limit sees all that was before, and nothing has to run for a window to move on.
 *
 * | What | Counts from | Until |
 * |---|---|---|
 * | an approval, a paid withdrawal | `counted_at`, where nobody decided its own instant | it leaves the window; a void takes it out at once |
 * | an authorisation, a decline | the same | it leaves the window |
 * | a refund, a chargeback, a payout and its return, under NET | its own instant | it leaves the window |
 * | an open hold | the instant of its payment | it leaves the window, or from `releasesAtMs` on (`countsUntil`) |
 * | `counted_at: cleared`: an open hold, an approval without clearing | in every window | it is settled; an approval after 30 days |
 * | `counted_at: cleared`: a clearing, in place of its approval | its own instant | it leaves the window |
 */
import { endOfPeriod, startOfPeriod } from "../features/windows.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { History, Tile } from "../history/history.ts";
import { convertMinor, type FxRates } from "../money.ts";
import type { BuiltLimit } from "./build-limits.ts";
import { countsUntil } from "./holds.ts";
import { type LabelView, readHoldKey, roles } from "./label-views.ts";
import { type Balance, Ledger, removable } from "./ledger.ts";
import type { Hold } from "./limit.ts";

export type UsageQuestion = {
  readonly limit: BuiltLimit;
  readonly threshold: number;
  /** Minor units or things; for DISTINCT 1, which becomes 0 where `askedKey` is among what is counted. */
  readonly asked: number;
  /** Hash of the payment's own value for DISTINCT; else NaN. */
  readonly askedKey: number;
  readonly history: History | undefined;
  readonly holds: readonly Hold[];
  readonly nowMs: number;
  /** Rows up to here are looked at: `nowMs`, or later where the payment had to wait and others did not. */
  readonly latestMs: number;
  /** The payment that asks: what it holds or got already does not stand in its own way. Empty where none does. */
  readonly paymentId: string;
  readonly fx: FxRates;
};

export type Usage = Balance & {
  readonly asked: number;
  /** By how much `used` may be too high, because old rows are kept in tiles only. It is never too low. */
  readonly errorBound: number;
};

/** A window at an instant: `afterMs < t < endMs`; what is in it leaves `spanMs` later, or at its end. */
type Frame = { readonly afterMs: number; readonly endMs: number; readonly spanMs: number };

/** An approval that did not clear in so long counts at the instant of its payment. */
const clearingMs = 30 * 86_400_000;

/** The clock of who tells of a payment may be behind ours by so much. */
const skewMs = 86_400_000;

const ledger = new Ledger();

/** Payments (and attempts) whose approvals are void, and payments whose approvals something else stands for: pairs. */
const voided: number[] = [];
const followed: number[] = [];

/** Bits: 1 where some row names its attempt, 2 where some does not. */
let tellers = 0;

/**
 * What is used, whether what is asked fits, and when that changes.
 *
 * Units: as the limit's: minor units of its currency, or things.
 * Fails: undefined where no rate converts an amount that counts (`FX_MISSING`).
 */
export function readUsage(question: UsageQuestion): Usage | undefined {
  const { spec } = question.limit;
  const frame = openWindow(question);
  ledger.clear();
  voided.length = 0;
  followed.length = 0;
  tellers = 0;
  let errorBound = 0;
  if (question.history !== undefined) {
    const own = question.paymentId === "" ? NaN : hashWide(question.paymentId);
    if (!putRows(question, question.history, frame, own)) return undefined;
    removeUndone();
    const isOfMoney = spec.measure === "GROSS" || spec.measure === "NET";
    if (isOfMoney && tellers === 3) ledger.mergeUnnamed();
    if (question.history.tiles.length > 0) {
      const bound = putTiles(question, question.history, frame);
      if (bound === undefined) return undefined;
      errorBound = bound;
    }
  }
  if (question.holds.length > 0 && !putHolds(question, frame)) return undefined;
  const isSum = spec.measure === "GROSS" || spec.measure === "NET";
  if (!isSum && (spec.measure === "DISTINCT" || spec.counted === "PAYMENTS")) ledger.merge();
  const asked = spec.measure === "DISTINCT" && ledger.has(question.askedKey) ? 0 : question.asked;
  const hasFloor = spec.measure === "NET" && !spec.netFloorNone;
  const balance = ledger.balance({ threshold: question.threshold, asked, hasFloor });
  return { ...balance, asked, errorBound };
}

function openWindow({ limit, nowMs }: UsageQuestion): Frame {
  const { window } = limit.spec;
  if (window.kind === "rolling")
    return { afterMs: nowMs - window.spanMs, endMs: Infinity, spanMs: window.spanMs };
  return { afterMs: startOfPeriod(nowMs, window) - 1, endMs: endOfPeriod(nowMs, window), spanMs: 0 };
}

function leavesAt(instantMs: number, { endMs, spanMs }: Frame): number {
  return endMs === Infinity ? instantMs + spanMs : endMs;
}

/** Whether a rate was there for every amount. */
function putRows(question: UsageQuestion, history: History, frame: Frame, own: number): boolean {
  const { limit, nowMs, latestMs } = question;
  const { spec, views } = limit;
  const { atMs, label, labels, end, readWide } = history;
  const isCleared = spec.countedAt === "CLEARED";
  const reachMs = isCleared ? Math.min(frame.afterMs, nowMs - clearingMs) : frame.afterMs;
  const isOfPayments = spec.counted === "PAYMENTS";
  for (let row = findRow(history, reachMs - skewMs); row < end; row++) {
    const view = views.at(label[row]!, labels);
    if (view.role === roles.nothing) continue;
    const payment = readAt(readWide, row, view.paymentPlace);
    const attempt = readAt(readWide, row, view.attemptPlace);
    const isOwn = payment === own && isOfPayments;
    let instantMs = atMs[row]!;
    let sign = 1;
    let removableBy = 0;
    switch (view.role) {
      case roles.voids:
        voided.push(payment, attempt);
        continue;
      case roles.cleared:
        followed.push(payment, NaN);
        removableBy = removable.byVoid;
        if (isOwn) continue;
        break;
      case roles.takes:
        sign = -1;
        break;
      case roles.returns:
        break;
      default:
        if (view.role === roles.paid) followed.push(payment, NaN);
        if (isOwn) continue;
        if (view.role !== roles.fact) removableBy = removable.byVoid;
        if (view.role === roles.approval) removableBy |= removable.byFollower;
        instantMs = readInstant(readWide, row, view, instantMs);
    }
    if (instantMs > latestMs) continue;
    let leavesAtMs = leavesAt(instantMs, frame);
    const isUncleared = isCleared && view.role === roles.approval && instantMs > nowMs - clearingMs;
    if (isUncleared) leavesAtMs = Math.max(leavesAtMs, instantMs + clearingMs);
    else if (instantMs <= frame.afterMs || instantMs >= frame.endMs) continue;
    if (!putRow(question, history, row, view, sign, leavesAtMs, payment, attempt, removableBy)) return false;
  }
  return true;
}

function putRow(
  { limit, fx }: UsageQuestion,
  history: History,
  row: number,
  view: LabelView,
  sign: number,
  leavesAtMs: number,
  payment: number,
  attempt: number,
  removableBy: number,
): boolean {
  const { spec } = limit;
  switch (spec.measure) {
    case "GROSS":
    case "NET": {
      const amount = readAmount(history, row, view, spec.currency, fx);
      if (amount === undefined) return false;
      tellers |= Number.isNaN(attempt) ? 2 : 1;
      ledger.put(leavesAtMs, sign * amount, NaN, payment, attempt, removableBy);
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
  for (let at = 0; at < voided.length; at += 2) {
    if (!Number.isNaN(voided[at]!)) ledger.remove(voided[at]!, voided[at + 1]!, removable.byVoid);
  }
  for (let at = 0; at < followed.length; at += 2) {
    if (!Number.isNaN(followed[at]!)) ledger.remove(followed[at]!, NaN, removable.byFollower);
  }
}

/**
 * What was folded away, always to the side of too much used: a tile that reaches into the window counts whole where it uses and not at all where it
 * gives back, and voids in tiles undo nothing. Returns the bound of that; undefined where a rate is missing.
 */
function putTiles(question: UsageQuestion, history: History, frame: Frame): number | undefined {
  const { spec, views } = question.limit;
  let bound = 0;
  for (const tile of history.tiles) {
    const view = views.at(tile.label, history.labels);
    if (view.role === roles.nothing) continue;
    const isUncleared =
      spec.countedAt === "CLEARED" &&
      view.role === roles.approval &&
      tile.untilMs > question.nowMs - clearingMs;
    if (!isUncleared && (tile.untilMs - 1 <= frame.afterMs || tile.fromMs >= frame.endMs)) continue;
    const size = measureTile(question, tile, view);
    if (size === undefined) return undefined;
    const isInside = tile.fromMs > frame.afterMs && tile.untilMs <= frame.endMs && !isUncleared;
    if (view.role === roles.voids) bound += size;
    else if (view.role !== roles.takes) {
      const leavesAtMs = leavesAt(tile.untilMs - 1, frame);
      ledger.put(
        isUncleared ? Math.max(leavesAtMs, tile.untilMs + clearingMs) : leavesAtMs,
        size,
        NaN,
        NaN,
        NaN,
        0,
      );
      bound += isInside ? boundInside(question.limit, size) : size;
    } else if (isInside) ledger.put(leavesAt(tile.fromMs, frame), -size, NaN, NaN, NaN, 0);
    else bound += size;
  }
  return bound;
}

/** Rows of one tile may be of one payment, or of one value that is counted already. */
function boundInside({ spec }: BuiltLimit, size: number): number {
  if (spec.measure === "DISTINCT") return size;
  return spec.measure === "COUNT" && spec.counted === "PAYMENTS" ? size - 1 : 0;
}

function measureTile({ limit, fx }: UsageQuestion, tile: Tile, view: LabelView): number | undefined {
  const { measure, currency } = limit.spec;
  if (measure === "COUNT" || measure === "DISTINCT") return tile.count;
  if (view.isSameCurrency || tile.sumMinor === 0) return tile.sumMinor;
  return convertMinor(fx, { amountMinor: tile.sumMinor, from: view.currency, to: currency });
}

/** Whether a rate was there for every amount. */
function putHolds(question: UsageQuestion, frame: Frame): boolean {
  const { limit, nowMs, holds, paymentId } = question;
  const { spec } = limit;
  if (spec.counted === "DECLINES") return true;
  for (const hold of holds) {
    if (hold.paymentId === paymentId) continue;
    const untilMs = countsUntil(hold, limit.isProtective);
    if (nowMs >= untilMs || !(limit.counts.hold(hold) ?? spec.closesOnUnknown)) continue;
    const isSticky = spec.countedAt === "CLEARED";
    if (!isSticky && (hold.instantMs <= frame.afterMs || hold.instantMs >= frame.endMs)) continue;
    const leavesAtMs = isSticky ? untilMs : Math.min(untilMs, leavesAt(hold.instantMs, frame));
    if (!putHold(question, hold, leavesAtMs)) return false;
  }
  return true;
}

function putHold({ limit, fx }: UsageQuestion, hold: Hold, leavesAtMs: number): boolean {
  const { measure, counted, currency, distinctOf } = limit.spec;
  if (counted === "AUTHORISATIONS" && hold.authorisations === 0) return true;
  // What was approved of a payment already is not held once more.
  const payment = ledger.length === 0 && counted !== "PAYMENTS" ? NaN : hashWide(hold.paymentId);
  switch (measure) {
    case "GROSS":
    case "NET": {
      const amount = holdAmount(hold, currency, fx);
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

/** What a hold holds in a currency: as it was converted when it was made, else (the limit is newer) at the rates of now. */
function holdAmount(hold: Hold, currency: string, fx: FxRates): number | undefined {
  if (hold.currency === currency) return hold.amountMinor;
  return (
    hold.converted.get(currency) ??
    convertMinor(fx, { amountMinor: hold.amountMinor, from: hold.currency, to: currency })
  );
}

function readAmount(
  history: History,
  row: number,
  view: LabelView,
  currency: string,
  fx: FxRates,
): number | undefined {
  const amountMinor = history.amountMinor[row]!;
  if (view.isSameCurrency || amountMinor === 0) return amountMinor;
  const converted = readAt(history.readWide, row, view.convertedPlace);
  if (!Number.isNaN(converted)) return converted;
  return convertMinor(fx, { amountMinor, from: view.currency, to: currency });
}

function readInstant(readWide: History["readWide"], row: number, view: LabelView, atMs: number): number {
  const countedAtMs = readAt(readWide, row, view.instantPlace);
  return Number.isNaN(countedAtMs) ? atMs : countedAtMs;
}

function readAt(readWide: History["readWide"], row: number, place: number): number {
  return place < 0 ? NaN : readWide(row, place);
}

/** The first row after an instant. */
function findRow({ atMs, start, end }: History, afterMs: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atMs[middle]! > afterMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
