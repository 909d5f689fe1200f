/**
 * Which limits keep sums of which subjects (`SubjectSums`): those that are asked about long histories, as far as there is room. Who is not among them
 * is read row by row, so nothing hangs on it but time.
 */
import type { History } from "../history/history.ts";
import type { RowFeed } from "../history/row-feed.ts";
import type { BuiltLimit } from "./build-limits.ts";
import { HoldList } from "./hold-list.ts";
import type { Hold } from "./limit.ts";
import { SubjectSums } from "./subject-sums.ts";
import type { Asker, SubjectState } from "./usage.ts";

/** Entries of all sums. */
const entriesMaxDefault = 1 << 20;
/** Of a row: itself, and the instant at which it leaves. */
const entriesPerRow = 2;
/** To make sums takes as long as so many readings of the same rows, so it waits until as much was read: it never doubles what reading took. */
const makingReadings = 3;
/** How far back a question may lie before the one for which sums were made: clocks of callers differ. */
const slackMs = 60_000;
/** Sums that so many rows and holds went through unread are given up: the rule set that asked is gone, or the limit is. */
const unreadMax = 1 << 16;
/** Instants behind the window that are always borne, however few are in it. */
const goneMin = 2_048;

type Kept = { readonly sums: SubjectSums; readonly feed: RowFeed; holds: readonly Hold[]; readAt: number };

export class SumsCache {
  readonly #entriesMax: number;
  readonly #kept = new Set<Kept>();
  readonly #ofLimit = new WeakMap<BuiltLimit, WeakMap<RowFeed, Kept>>();
  /** Rows that were read one by one since sums were made. */
  #rowsRead = 0;
  #readings = 0;

  constructor(entriesMax: number = entriesMaxDefault) {
    this.#entriesMax = entriesMax;
  }

  /** How many sums are kept. */
  count(): number {
    return this.#kept.size;
  }

  /** Sums that are as rows and holds are; undefined where whoever asks must read the rows. The window of the limit is open. */
  find(limit: BuiltLimit, { history, holds }: SubjectState, asker: Asker): SubjectSums | undefined {
    const feed = history?.feed;
    if (feed === undefined || limit.spec.countedAt === "CLEARED") return undefined;
    if (holds.length > 0 && !(holds instanceof HoldList)) return undefined;
    const known = this.#ofLimit.get(limit)?.get(feed);
    const kept =
      known === undefined || isStale(known.sums, limit, asker) ? this.#make(limit, history!, asker) : known;
    if (kept === undefined || isOfPast(kept.sums, limit, asker)) return undefined;
    this.#follow(kept, history!, holds);
    kept.readAt = ++this.#readings;
    return kept.sums;
  }

  /** Makes sums in place of those that are stale, as soon as enough was read. */
  #make(limit: BuiltLimit, history: History, { fx }: Asker): Kept | undefined {
    const feed = history.feed!;
    const rows = history.end - history.start;
    this.#rowsRead = Math.min(this.#rowsRead + rows, makingReadings * this.#entriesMax);
    if (this.#rowsRead < makingReadings * rows || rows * entriesPerRow > this.#entriesMax) return undefined;
    this.#rowsRead -= makingReadings * rows;
    let ofLimit = this.#ofLimit.get(limit);
    if (ofLimit === undefined) {
      ofLimit = new WeakMap();
      this.#ofLimit.set(limit, ofLimit);
    }
    const stale = ofLimit.get(feed);
    if (stale !== undefined) this.#drop(stale);
    this.#makeRoom(rows * entriesPerRow);
    const { afterMs, endMs } = limit.window;
    const reach = { afterMs: endMs === Infinity ? afterMs - slackMs : afterMs, endMs };
    const sums = new SubjectSums(limit, reach, { labels: history.labels, fx, unreadMax });
    const kept = { sums, feed, holds: [], readAt: 0 };
    sums.addHistory(history);
    sums.onEnd = () => this.#drop(kept);
    feed.watch(sums);
    ofLimit.set(feed, kept);
    this.#kept.add(kept);
    return kept;
  }

  /** Rows are told, and so are holds of one list; tiles and lists are others at times. */
  #follow(kept: Kept, { tiles }: History, holds: readonly Hold[]): void {
    const { sums } = kept;
    sums.setTiles(tiles);
    if (kept.holds === holds) return;
    if (kept.holds instanceof HoldList) kept.holds.unwatch(sums);
    for (const hold of kept.holds) sums.holdRemoved(hold);
    for (const hold of holds) sums.holdAdded(hold);
    if (holds instanceof HoldList) holds.watch(sums);
    kept.holds = holds;
  }

  /** Gives up those that were not read for longest. */
  #makeRoom(entries: number): void {
    let taken = entries;
    for (const { sums } of this.#kept) taken += sums.size();
    while (taken > this.#entriesMax && this.#kept.size > 0) {
      let oldest: Kept | undefined;
      for (const kept of this.#kept) if (oldest === undefined || kept.readAt < oldest.readAt) oldest = kept;
      taken -= oldest!.sums.size();
      this.#drop(oldest!);
    }
  }

  #drop(kept: Kept): void {
    const { sums, feed, holds } = kept;
    feed.unwatch(sums);
    if (holds instanceof HoldList) holds.unwatch(sums);
    this.#kept.delete(kept);
    this.#ofLimit.get(sums.limit)?.delete(feed);
  }
}

/** Whether the sums are of another window or of other rates, or mostly of what has left. */
function isStale(sums: SubjectSums, { window, spec }: BuiltLimit, { nowMs, fx }: Asker): boolean {
  if (sums.fx !== fx) return true;
  if (spec.window.kind === "calendar") return window.afterMs > sums.reach.afterMs;
  return sums.countGone(nowMs) > Math.max(goneMin, sums.size() / 4);
}

/** Whether the question is one that sums of now don't answer: of an older window, or of a time at which some rows were not there. */
function isOfPast({ reach, newestRowMs }: SubjectSums, { window }: BuiltLimit, { latestMs }: Asker): boolean {
  return window.afterMs < reach.afterMs || latestMs < newestRowMs;
}
