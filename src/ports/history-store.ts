import type { History, Labels, NewRow, Placed, Subject } from "../core/history/history.ts";

/**
 * Where histories are kept: in memory while hot, on disk for good. Every key begins with the merchant. A change is visible at once; `durable`
 * resolves when it is kept, before which nothing may be acknowledged.
 */
export type HistoryStore = {
  readonly labels: Labels;
  /** The history of a subject, loaded where it is cold; undefined where there is none. */
  readonly get: (merchantId: string, subject: Subject) => History | undefined;
  /** Says that rows of these players are placed next, so that their histories are fetched together. Nothing depends on it. */
  readonly prefetch: (merchantId: string, playerIds: readonly string[]) => void;
  /**
   * Puts one row, or finds it there. Ids of payment facts merge where `isPaymentFact`; `amountWins` says that the gateway's outcome tells the
   * fact, so that its amount stands instead of a wallet's.
   */
  readonly place: (
    merchantId: string,
    subject: Subject,
    row: NewRow,
    options: { readonly isPaymentFact: boolean; readonly amountWins?: boolean },
  ) => { readonly placed: Placed; readonly durable: Promise<void> };
  /** Takes a row back by its id, or remembers that it was taken back where it has not come yet (`atMs` is its tombstone's instant). */
  readonly reverse: (
    merchantId: string,
    subject: Subject,
    row: { readonly id: number; readonly atMs: number },
  ) => { readonly found: boolean; readonly durable: Promise<void> };
  /** Puts all rows of one history into another, and forgets the one. */
  readonly merge: (merchantId: string, from: Subject, into: Subject) => Promise<void>;
  /** Forgets a history. Resolves with the number of its rows. */
  readonly remove: (merchantId: string, subject: Subject) => Promise<number>;
  /** Whether a player has a history; nothing is loaded for it. */
  readonly hasPlayer: (merchantId: string, playerId: string) => boolean;
  /** Ids of all players that have a history, hot and cold, in the order of `compareIds`, page by page; yields in slices. Those that come meanwhile may be missing. */
  readonly listPlayers: (merchantId: string) => AsyncGenerator<readonly string[], void>;
  readonly countPlayers: (merchantId: string) => number;
  /** The newest instant among the rows of players of a merchant; undefined where there is none. */
  readonly newestMs: (merchantId: string) => number | undefined;
  /** The oldest instant among them: since when events are known. */
  readonly oldestMs: (merchantId: string) => number | undefined;
};
