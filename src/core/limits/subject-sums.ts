/**
 * What a limit has used of a subject, kept ready while rows and holds come and go, so that a reading need not look at all of them. It is what
 * `readUsage` reads of the same rows, tiles and holds, and nothing else: it may be thrown away and made anew at any time.
 *
 * | What | Where |
 * |---|---|
 * | what each payment, or each value of DISTINCT, leaves and when | `#sums` |
 * | rows and holds by payment, because a void, a clearing and the payment that asks need them | `#entries` |
 * | payments of which it depends on the window how much counts | `#unsettled`: worked out at every reading |
 *
 * Limits by clearing are not for it: their windows have two edges.
 */
import { hashWide } from "../history/hash-wide.ts";
import type { History, Labels, Tile } from "../history/history.ts";
import type { RowView, RowWatcher } from "../history/row-feed.ts";
import type { FxRates } from "../money.ts";
import type { BuiltLimit } from "./build-limits.ts";
import type { HoldWatcher } from "./hold-list.ts";
import { countsUntil } from "./holds.ts";
import { readHoldKey, roles } from "./label-views.ts";
import { LeavingSums } from "./leaving-sums.ts";
import { type Balance, Ledger } from "./ledger.ts";
import type { Hold } from "./limit.ts";
import { marks, PaymentEntries, type PaymentEntry } from "./payment-entries.ts";
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
import type { Asker, UsageQuestion } from "./usage.ts";
import { ValueTimes } from "./value-times.ts";

/** Which instants count: `afterMs < t`, and before `endMs`, which is Infinity where the window is rolling. */
export type Reach = { readonly afterMs: number; readonly endMs: number };

/** What a payment leaves, as worked out last. `keys` are the values of DISTINCT. */
const left = { length: 0, leavesAtMs: [] as number[], deltas: [] as number[], keys: [] as number[] };
/** Entries of a payment that nothing undid, as worked out last. */
const standing: number[] = [];
const ledger = new Ledger();
const noTiles: readonly Tile[] = [];

export class SubjectSums implements RowWatcher, HoldWatcher {
  readonly limit: BuiltLimit;
  readonly fx: FxRates;
  readonly reach: Reach;
  /** The newest instant of a row. */
  newestRowMs = -Infinity;
  /** Called when the rows leave memory, and when too much came and went that nobody read. */
  onEnd: () => void = () => {};
  readonly #labels: Labels;
  readonly #unreadMax: number;
  /** Rows and holds that came or went since somebody read. */
  #unread = 0;
  readonly #spanMs: number;
  readonly #isOfPayments: boolean;
  readonly #isSum: boolean;
  readonly #sums = new LeavingSums();
  readonly #bounds = new LeavingSums();
  /** How many amounts no rate converts. */
  readonly #unconverted = new LeavingSums();
  readonly #entries = new PaymentEntries();
  readonly #values = new ValueTimes(this.#sums);
  readonly #unsettled = new Set<number>();
  readonly #holds = new Map<string, Hold>();
  #tiles: readonly Tile[] = noTiles;
  /** Whether payments are worked out once all of their rows are there. */
  #isFilling = false;

  /** Empty. The rates and what labels mean must stay those that it begins with. */
  constructor(
    limit: BuiltLimit,
    reach: Reach,
    { labels, fx, unreadMax }: { readonly labels: Labels; readonly fx: FxRates; readonly unreadMax: number },
  ) {
    const { measure, counted, window } = limit.spec;
    this.limit = limit;
    this.fx = fx;
    this.reach = reach;
    this.#labels = labels;
    this.#unreadMax = unreadMax;
    this.#spanMs = window.kind === "rolling" ? window.spanMs : NaN;
    this.#isOfPayments = counted === "PAYMENTS";
    this.#isSum = measure === "GROSS" || measure === "NET";
  }

  /** Entries of all kinds: 40 to 60 bytes each. */
  size(): number {
    return this.#entries.length + this.#sums.length + this.#values.length + this.#holds.size;
  }

  /** How many instants are behind a window that ends now. */
  countGone(nowMs: number): number {
    return this.#sums.countGone(nowMs);
  }

  /** All rows of a history, and its tiles; the first that it is told. */
  addHistory(history: History): void {
    this.#isFilling = true;
    for (let row = findRow(history, this.reach.afterMs - skewMs); row < history.end; row++)
      this.#count(history, row, true);
    this.#isFilling = false;
    for (const payment of this.#entries.payments()) this.#settle(payment);
    this.setTiles(history.tiles);
  }

  /** What a history has but for the money of its rows: what undoes it, and tiles. */
  addUndoing(history: History): void {
    for (let row = findRow(history, this.reach.afterMs - skewMs); row < history.end; row++)
      this.#countUndoing(history, row, true);
    this.setTiles(history.tiles);
  }

  /** The money of one row. */
  addMoney(rows: RowView, row: number): void {
    this.#countMoney(rows, row, true);
  }

  readonly rowAdded = (rows: RowView, row: number): void => {
    this.#count(rows, row, true);
    this.#noteUnread();
  };

  readonly rowRemoved = (rows: RowView, row: number): void => {
    this.#count(rows, row, false);
    this.#noteUnread();
  };

  readonly rowsLost = (): void => this.onEnd();

  readonly holdAdded = (hold: Hold): void => {
    this.#countHold(hold, true);
    this.#noteUnread();
  };

  readonly holdRemoved = (hold: Hold): void => {
    this.#countHold(hold, false);
    this.#noteUnread();
  };

  /** The tiles of the history, in place of those that were set before. */
  setTiles(tiles: readonly Tile[]): void {
    if (tiles === this.#tiles) return;
    for (const tile of this.#tiles) this.#countTile(tile, -1);
    for (const tile of tiles) this.#countTile(tile, 1);
    this.#tiles = tiles;
  }

  /** Undefined where an amount counts that no rate converts: whoever asks may not be concerned. */
  read(question: UsageQuestion, asker: Asker): Balance | undefined {
    this.#unread = 0;
    const { nowMs } = asker;
    if (this.#unconverted.sumAfter(nowMs) > 0) return undefined;
    const { measure, netFloorNone } = this.limit.spec;
    ledger.clear();
    if (this.#isOfPayments && this.#isSum) this.#putUnsettled(asker);
    this.#leaveOut(asker);
    let { asked } = question;
    if (measure === "DISTINCT") {
      if (this.#values.lastOf(question.askedKey, ownLeaves(question.askedKey)) > nowMs) asked = 0;
    } else if (measure === "COUNT" && !this.#isOfPayments) asked = Math.min(1, asked);
    return ledger.balanceWith(this.#sums, {
      threshold: question.threshold,
      asked,
      hasFloor: measure === "NET" && !netFloorNone,
      errorBound: this.#bounds.sumAfter(nowMs),
      nowMs,
    });
  }

  /** What is used of all that is there, in the window that ends then; undefined where no rate converts an amount that counts. */
  usedAt(nowMs: number): number | undefined {
    if (this.#unconverted.sumAfter(nowMs) > 0) return undefined;
    ledger.clear();
    if (this.#unsettled.size > 0) this.#putUnsettled({ nowMs, payment: NaN });
    return ledger.sum() + this.#sums.sumAfter(nowMs);
  }

  #noteUnread(): void {
    if (++this.#unread > this.#unreadMax) this.onEnd();
  }

  #leavesAt(instantMs: number): number {
    return Number.isNaN(this.#spanMs) ? this.reach.endMs : instantMs + this.#spanMs;
  }

  #reaches(instantMs: number): boolean {
    return instantMs > this.reach.afterMs && instantMs < this.reach.endMs;
  }

  #count(rows: RowView, row: number, isAdded: boolean): void {
    this.#countUndoing(rows, row, isAdded);
    this.#countMoney(rows, row, isAdded);
  }

  /** That a row undoes others, or takes their place, whenever it comes. */
  #countUndoing(rows: RowView, row: number, isAdded: boolean): void {
    const view = this.limit.views.at(rows.label[row]!, this.#labels);
    const isVoid = view.role === roles.voids;
    if (!isVoid && view.role !== roles.paid) return;
    const payment = readAt(rows.readWide, row, view.paymentPlace);
    if (Number.isNaN(payment) || this.#isTooOld(rows, row)) return;
    const attempt = isVoid ? readAt(rows.readWide, row, view.attemptPlace) : NaN;
    const role = isVoid ? marks.voids : marks.follows;
    this.#withdraw(payment);
    this.#change(payment, { role, instantMs: 0, delta: 0, attempt, key: NaN }, isAdded);
    this.#settle(payment);
  }

  /** Whoever reads row by row does not look so far back. */
  #isTooOld({ atMs }: RowView, row: number): boolean {
    return atMs[row]! <= this.reach.afterMs - skewMs;
  }

  #countMoney(rows: RowView, row: number, isAdded: boolean): void {
    const view = this.limit.views.at(rows.label[row]!, this.#labels);
    if (view.role === roles.nothing || view.role === roles.voids || this.#isTooOld(rows, row)) return;
    const { currency, measure } = this.limit.spec;
    const instantMs = readInstant(rows, row, view);
    if (!this.#reaches(instantMs)) return;
    const { role } = view;
    const sign = isAdded ? 1 : -1;
    if (instantMs > this.newestRowMs) this.newestRowMs = instantMs;
    let delta = 1;
    let key = NaN;
    if (this.#isSum) {
      const amount = readAmount(rows, row, view, { currency, fx: this.fx });
      if (amount === undefined) {
        this.#unconverted.add(this.#leavesAt(instantMs), sign);
        return;
      }
      delta = takes(role) ? -amount : amount;
    } else if (measure === "DISTINCT") {
      key = view.keyPlace < 0 ? view.key : rows.readWide(row, view.keyPlace);
      if (Number.isNaN(key)) return;
    }
    const payment = role === roles.fact ? NaN : readAt(rows.readWide, row, view.paymentPlace);
    if (Number.isNaN(payment)) {
      this.#put(this.#leavesAt(instantMs), delta, key, sign);
      return;
    }
    const attempt = readAt(rows.readWide, row, view.attemptPlace);
    this.#withdraw(payment);
    this.#change(payment, { role, instantMs, delta, attempt, key }, isAdded);
    this.#settle(payment);
  }

  #countHold(hold: Hold, isAdded: boolean): void {
    const { spec, counts, isProtective } = this.limit;
    const { measure, counted, currency, closesOnUnknown, distinctOf } = spec;
    const { instantMs } = hold;
    if (counted === "DECLINES" || !this.#reaches(instantMs)) return;
    if (!(counts.hold(hold) ?? closesOnUnknown)) return;
    if (counted === "AUTHORISATIONS" && hold.authorisations === 0) return;
    if (isAdded) this.#holds.set(hold.paymentId, hold);
    else this.#holds.delete(hold.paymentId);
    const untilMs = countsUntil(hold, isProtective);
    const sign = isAdded ? 1 : -1;
    let delta = counted === "AUTHORISATIONS" && measure === "COUNT" ? hold.authorisations : 1;
    if (this.#isSum) {
      const amount = readHeldAmount(hold, currency, this.fx);
      if (amount === undefined) {
        this.#unconverted.add(Math.min(untilMs, this.#leavesAt(instantMs)), sign);
        return;
      }
      delta = amount;
    }
    const key = measure === "DISTINCT" ? readHoldKey(hold, distinctOf!) : NaN;
    if (!this.#isOfPayments) {
      if (measure === "COUNT" || !Number.isNaN(key))
        this.#put(Math.min(untilMs, this.#leavesAt(instantMs)), delta, key, sign);
      return;
    }
    const payment = hashWide(hold.paymentId);
    this.#withdraw(payment);
    this.#change(payment, { role: marks.hold, instantMs, delta, attempt: untilMs, key }, isAdded);
    this.#settle(payment);
  }

  #countTile(tile: Tile, sign: number): void {
    const { spec, views } = this.limit;
    const view = views.at(tile.label, this.#labels);
    const { role } = view;
    const lastMs = tile.untilMs - 1;
    const { afterMs, endMs } = this.reach;
    if (role === roles.nothing || lastMs <= afterMs || tile.fromMs >= endMs) return;
    const measured = measureTile(spec, tile, view, this.fx);
    if (measured === undefined) {
      this.#unconverted.add(this.#leavesAt(lastMs), sign);
      return;
    }
    const { size } = measured;
    const isInside = tile.fromMs > afterMs && tile.untilMs <= endMs;
    const outside = boundOutside(role, measured);
    this.#bounds.add(this.#leavesAt(lastMs), sign * outside);
    if (isInside)
      this.#bounds.add(this.#leavesAt(tile.fromMs), sign * (boundInside(spec, role, measured) - outside));
    if (role === roles.voids) return;
    if (!takes(role)) this.#sums.add(this.#leavesAt(lastMs), sign * size);
    else if (isInside) this.#sums.add(this.#leavesAt(tile.fromMs), -sign * size);
  }

  #put(leavesAtMs: number, delta: number, key: number, sign: number): void {
    if (this.limit.spec.measure !== "DISTINCT") this.#sums.add(leavesAtMs, sign * delta);
    else if (sign > 0) this.#values.add(key, leavesAtMs);
    else this.#values.remove(key, leavesAtMs);
  }

  #change(payment: number, entry: PaymentEntry, isAdded: boolean): void {
    if (isAdded) this.#entries.add(payment, entry);
    else this.#entries.remove(payment, entry);
  }

  #withdraw(payment: number): void {
    if (this.#isFilling) return;
    if (this.#workOut(payment)) this.#putLeft(-1);
    else this.#unsettled.delete(payment);
  }

  #settle(payment: number): void {
    if (this.#isFilling) return;
    if (this.#workOut(payment)) this.#putLeft(1);
    else this.#unsettled.add(payment);
  }

  #putLeft(sign: number): void {
    const { length, leavesAtMs, deltas, keys } = left;
    for (let at = 0; at < length; at++) this.#put(leavesAtMs[at]!, deltas[at]!, keys[at]!, sign);
  }

  /** Works out what a payment leaves into `left`. False where that depends on the window. */
  #workOut(payment: number): boolean {
    left.length = 0;
    const { role, instantMs, delta, attempt, key } = this.#entries;
    const hold = this.#findStanding(payment);
    switch (this.limit.spec.measure) {
      case "COUNT": {
        let lastMs = hold < 0 ? -Infinity : this.#holdLeavesAt(hold);
        for (const entry of standing) lastMs = Math.max(lastMs, this.#leavesAt(instantMs[entry]!));
        if (lastMs > -Infinity) leave(lastMs, 1, NaN);
        return true;
      }
      case "DISTINCT":
        for (const entry of standing) leave(this.#leavesAt(instantMs[entry]!), 1, key[entry]!);
        if (hold >= 0 && !Number.isNaN(key[hold]!)) leave(this.#holdLeavesAt(hold), 1, key[hold]!);
        return true;
      case "GROSS":
      case "NET":
        break;
    }
    if (!this.#isSettled(hold)) return false;
    let taken = 0;
    for (const entry of standing) {
      let amount = delta[entry]!;
      if (Number.isNaN(attempt[entry]!)) {
        const named = this.#sumNamed(amount > 0);
        if (Math.abs(named) >= Math.abs(amount)) continue;
        amount -= named;
      }
      if (removableOf[role[entry] as keyof typeof removableOf] !== 0) taken += amount;
      leave(this.#leavesAt(instantMs[entry]!), amount, NaN);
    }
    if (hold >= 0) {
      const rest = delta[hold]! - Math.max(0, taken);
      if (rest > 0) leave(this.#holdLeavesAt(hold), rest, NaN);
    }
    return true;
  }

  #holdLeavesAt(hold: number): number {
    return Math.min(this.#entries.attempt[hold]!, this.#leavesAt(this.#entries.instantMs[hold]!));
  }

  /** Fills `standing` with the money of a payment that nothing undid. Returns the entry of its hold, -1 where it has none. */
  #findStanding(payment: number): number {
    const { role, attempt } = this.#entries;
    standing.length = 0;
    let hold = -1;
    let isFollowed = false;
    let isVoided = false;
    for (let entry = this.#entries.first(payment); entry >= 0; entry = this.#entries.next(entry)) {
      if (role[entry] === marks.hold) hold = entry;
      else if (role[entry] === marks.follows) isFollowed = true;
      else if (role[entry] === marks.voids) isVoided = true;
      else standing.push(entry);
    }
    if (!isFollowed && !isVoided) return hold;
    let kept = 0;
    for (const entry of standing) {
      const isUndone =
        (isFollowed && role[entry] === roles.approval) ||
        (isVoided && !isOfReturn(role[entry]!) && this.#isVoided(payment, attempt[entry]!));
      if (!isUndone) standing[kept++] = entry;
    }
    standing.length = kept;
    return hold;
  }

  #isVoided(payment: number, attempt: number): boolean {
    const { role, attempt: attempts } = this.#entries;
    for (let entry = this.#entries.first(payment); entry >= 0; entry = this.#entries.next(entry)) {
      if (role[entry] !== marks.voids) continue;
      const voided = attempts[entry]!;
      if (Number.isNaN(voided) || Number.isNaN(attempt) || voided === attempt) return true;
    }
    return false;
  }

  /** Whether entries of the payment that depend on each other are in the same windows. */
  #isSettled(hold: number): boolean {
    const { instantMs, attempt } = this.#entries;
    if (Number.isNaN(this.#spanMs) || standing.length === 0) return true;
    let isOneInstant = hold < 0 || instantMs[standing[0]!] === instantMs[hold];
    let named = 0;
    for (const entry of standing) {
      if (instantMs[entry] !== instantMs[standing[0]!]) isOneInstant = false;
      if (!Number.isNaN(attempt[entry]!)) named++;
    }
    return isOneInstant || (hold < 0 && (named === 0 || named === standing.length));
  }

  /** What was told of attempts, of one sign. */
  #sumNamed(isGain: boolean): number {
    const { delta, attempt } = this.#entries;
    let sum = 0;
    for (const entry of standing)
      if (!Number.isNaN(attempt[entry]!) && delta[entry]! > 0 === isGain) sum += delta[entry]!;
    return sum;
  }

  /** Puts what depends on the window into the ledger, and of the payment that asks what happened to its money after it was taken. */
  #putUnsettled({ nowMs, payment: asking }: Pick<Asker, "nowMs" | "payment">): void {
    for (const payment of this.#unsettled) if (payment !== asking) this.#putMoney(payment, nowMs, false);
    if (!Number.isNaN(asking) && this.#entries.first(asking) >= 0) this.#putMoney(asking, nowMs, true);
    if (ledger.length > 0) ledger.mergeUnnamed();
    for (const payment of this.#unsettled) {
      if (payment === asking) continue;
      const hold = this.#findStanding(payment);
      if (hold < 0 || this.#holdLeavesAt(hold) <= nowMs) continue;
      const rest = this.#entries.delta[hold]! - Math.max(0, ledger.sumOf(payment));
      if (rest > 0) ledger.put(this.#holdLeavesAt(hold), rest, NaN, NaN, NaN, 0);
    }
  }

  #putMoney(payment: number, nowMs: number, isOfNetOnly: boolean): void {
    const { role, instantMs, delta, attempt } = this.#entries;
    this.#findStanding(payment);
    for (const entry of standing) {
      const own = role[entry] as keyof typeof removableOf;
      const leavesAtMs = this.#leavesAt(instantMs[entry]!);
      if (leavesAtMs <= nowMs || (isOfNetOnly && !isOfNet(own))) continue;
      ledger.put(leavesAtMs, delta[entry]!, NaN, payment, attempt[entry]!, removableOf[own]);
    }
  }

  /** Takes out what the payment that asks holds or got already: of authorisations and declines only what it holds. */
  #leaveOut({ nowMs, paymentId, payment }: Asker): void {
    left.length = 0;
    if (paymentId === "") return;
    if (!this.#isOfPayments) {
      const hold = this.#holds.get(paymentId);
      if (hold === undefined) return;
      const { spec, isProtective } = this.limit;
      const leavesAtMs = Math.min(countsUntil(hold, isProtective), this.#leavesAt(hold.instantMs));
      if (spec.measure === "COUNT") leave(leavesAtMs, hold.authorisations, NaN);
      else leave(leavesAtMs, 1, readHoldKey(hold, spec.distinctOf!));
    } else if (this.#entries.first(payment) < 0 || this.#unsettled.has(payment)) return;
    else this.#workOut(payment);
    if (this.limit.spec.measure === "DISTINCT") this.#leaveOutValues(nowMs);
    else {
      for (let at = 0; at < left.length; at++)
        if (left.leavesAtMs[at]! > nowMs)
          ledger.put(left.leavesAtMs[at]!, -left.deltas[at]!, NaN, NaN, NaN, 0);
    }
  }

  /** A value that others have too leaves with the last of them. */
  #leaveOutValues(nowMs: number): void {
    for (let at = 0; at < left.length; at++) {
      const key = left.keys[at]!;
      if (Number.isNaN(key) || left.keys.indexOf(key) !== at) continue;
      const lastMs = this.#values.lastOf(key, []);
      const othersMs = this.#values.lastOf(key, ownLeaves(key));
      if (lastMs === othersMs || lastMs <= nowMs) continue;
      ledger.put(lastMs, -1, NaN, NaN, NaN, 0);
      if (othersMs > nowMs) ledger.put(othersMs, 1, NaN, NaN, NaN, 0);
    }
  }
}

function leave(leavesAtMs: number, delta: number, key: number): void {
  const at = left.length++;
  left.leavesAtMs[at] = leavesAtMs;
  left.deltas[at] = delta;
  left.keys[at] = key;
}

/** When a value leaves of the payment in `left`. */
function ownLeaves(key: number): readonly number[] {
  return left.leavesAtMs.filter((_, at) => at < left.length && left.keys[at] === key);
}

/** Refunds, chargebacks and returned payouts stand, whatever is voided. */
function isOfReturn(role: number): boolean {
  return role === roles.takes || role === roles.returns;
}
