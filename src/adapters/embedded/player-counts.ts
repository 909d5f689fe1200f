import { SortedIds } from "../../core/sorted-ids.ts";
import { IdSet } from "./id-set.ts";
import { forEachInSlices } from "./slices.ts";

/** The oldest and the newest instant of rows of players. */
export type Span = { readonly oldestMs: number; readonly newestMs: number };

const noSpan: Span = { oldestMs: Number.POSITIVE_INFINITY, newestMs: Number.NEGATIVE_INFINITY };

type Counts = {
  /** Histories of players that LMDB has. */
  landed: number;
  /** Those that it will have when all that was sent to it has landed. */
  sent: number;
  /** Of those that it has, the ones that are no more. */
  gone: number;
  span: Span;
  /** Ids of those that only memory and journal have. */
  readonly fresh: IdSet;
};

/** How many players of a merchant have a history, and which of them LMDB does not know. */
export class PlayerCounts {
  readonly #merchants = new Map<string, Counts>();
  /** The merchant that came last: calls come in runs of one merchant. */
  #lastId: string | undefined;
  #last: Counts | undefined;

  load(merchantId: string, players: number, span: Span): void {
    const counts = { ...makeCounts(), landed: players, sent: players, span };
    this.#merchants.set(merchantId, counts);
    this.#lastId = undefined;
  }

  count(merchantId: string): number {
    const counts = this.#merchants.get(merchantId);
    return counts === undefined ? 0 : counts.landed - counts.gone + counts.fresh.size;
  }

  span(merchantId: string): Span {
    if (merchantId === this.#lastId) return this.#last!.span;
    return this.#merchants.get(merchantId)?.span ?? noSpan;
  }

  setSpan(merchantId: string, span: Span): void {
    this.#open(merchantId).span = span;
  }

  /** There is a row at that instant. */
  widenSpan(merchantId: string, atMs: number): void {
    const { oldestMs, newestMs } = this.span(merchantId);
    if (atMs >= oldestMs && atMs <= newestMs) return;
    this.setSpan(merchantId, { oldestMs: Math.min(oldestMs, atMs), newestMs: Math.max(newestMs, atMs) });
  }

  /** Ids of those that LMDB does not have at the call, in order. Works in slices. */
  async sortFresh(merchantId: string): Promise<SortedIds> {
    const sorted = new SortedIds();
    const { fresh } = this.#open(merchantId);
    await forEachInSlices(fresh, (id) => sorted.add(id));
    await forEachInSlices(sorted.sort(), () => {});
    return sorted;
  }

  isFresh(merchantId: string, playerId: string): boolean {
    return this.#merchants.get(merchantId)?.fresh.has(playerId) ?? false;
  }

  /** A player of whom LMDB has nothing has a history. */
  addFresh(merchantId: string, playerId: string): void {
    this.#open(merchantId).fresh.add(playerId);
  }

  removeFresh(merchantId: string, playerId: string): void {
    this.#open(merchantId).fresh.delete(playerId);
  }

  /** The history of a player that LMDB has is no more. */
  addGone(merchantId: string): void {
    this.#open(merchantId).gone++;
  }

  /** One more (1) or one less (-1) is on its way to LMDB. */
  send(merchantId: string, players: 1 | -1): void {
    this.#open(merchantId).sent += players;
  }

  sent(merchantId: string): number {
    return this.#open(merchantId).sent;
  }

  /** What was sent is there. */
  land(merchantId: string, playerId: string, players: 1 | -1): void {
    const counts = this.#open(merchantId);
    counts.landed += players;
    if (players < 0) counts.gone--;
    else this.removeFresh(merchantId, playerId);
  }

  /** What was sent and did not land is not there. */
  unsend(): void {
    for (const counts of this.#merchants.values()) counts.sent = counts.landed;
  }

  #open(merchantId: string): Counts {
    if (merchantId === this.#lastId) return this.#last!;
    let counts = this.#merchants.get(merchantId);
    if (counts === undefined) {
      counts = makeCounts();
      this.#merchants.set(merchantId, counts);
    }
    this.#lastId = merchantId;
    this.#last = counts;
    return counts;
  }
}

function makeCounts(): Counts {
  return { landed: 0, sent: 0, gone: 0, span: noSpan, fresh: new IdSet() };
}
