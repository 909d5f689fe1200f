/**
 * Tells of the rows of one history as they come and go, so that whoever keeps sums of them need not read them all again.
 */
import type { History } from "./history.ts";

/** Histories of fewer rows have no feed: to read them whole is as quick. */
export const feedRowsMin = 512;

/** Columns that a row can be read from, by its index, during the call. */
export type RowView = Pick<History, "atMs" | "label" | "readAmount" | "readWide">;

/** A row that changes goes and comes again. */
export type RowWatcher = {
  /** The row is there now. */
  readonly rowAdded: (rows: RowView, row: number) => void;
  /** The row goes after this call. */
  readonly rowRemoved: (rows: RowView, row: number) => void;
  /** Nothing will be told any more: the rows left memory, or many came at once from elsewhere. */
  readonly rowsLost: () => void;
};

export class RowFeed {
  #watchers: readonly RowWatcher[] = [];

  watch(watcher: RowWatcher): void {
    this.#watchers = [...this.#watchers, watcher];
  }

  unwatch(watcher: RowWatcher): void {
    this.#watchers = this.#watchers.filter((each) => each !== watcher);
  }

  tellAdded(rows: RowView, row: number): void {
    for (const watcher of this.#watchers) watcher.rowAdded(rows, row);
  }

  tellRemoved(rows: RowView, row: number): void {
    for (const watcher of this.#watchers) watcher.rowRemoved(rows, row);
  }

  tellLost(): void {
    for (const watcher of this.#watchers) watcher.rowsLost();
    this.#watchers = [];
  }
}
