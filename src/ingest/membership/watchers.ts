import type { MembershipLog, NumberedChange } from "../../ports/membership-log.ts";

/** What a watcher gets: changes in order of their numbers; `lost` at last, where what comes next is no longer kept, or the number was never given as it is beyond the newest. */
export type Watched =
  | { readonly kind: "change"; readonly change: NumberedChange }
  | { readonly kind: "lost"; readonly afterSequence: number; readonly newest: number };

export type Watching = {
  /** Ids; empty means all. */
  readonly segments: ReadonlySet<string>;
  /** Absent means from now on. */
  readonly afterSequence: number | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
};

export type Watchers = {
  /**
   * Streams changes: those that the log has after a sequence, then new ones as they are durable, without gap or repeat. A watcher is a place in the
   * log and no queue, so that a slow one costs nothing until the log forgets what it has not read.
   */
  readonly watch: (merchantId: string, watching: Watching) => AsyncGenerator<Watched, void>;
};

/** Changes that are read in one go. */
const readMax = 256;

export function createWatchers(
  log: MembershipLog,
): Watchers & { readonly wake: (merchantId: string) => void; readonly close: () => void } {
  /** Watchers that have read everything, by merchant: called when there is more. */
  const waiting = new Map<string, Set<() => void>>();
  let isClosed = false;

  const wake = (merchantId: string): void => {
    const resolvers = waiting.get(merchantId);
    if (resolvers === undefined) return;
    waiting.delete(merchantId);
    for (const resolve of resolvers) resolve();
  };
  const waitForMore = (merchantId: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const resolvers = waiting.get(merchantId) ?? new Set();
      waiting.set(merchantId, resolvers);
      const end = (): void => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = (): void => {
        resolvers.delete(end);
        end();
      };
      resolvers.add(end);
      signal.addEventListener("abort", abort);
    });

  return {
    watch: (merchantId, { segments, afterSequence, signal }) => {
      const startSequence = afterSequence ?? log.newestSequence(merchantId);
      return follow(startSequence);

      async function* follow(from: number): AsyncGenerator<Watched, void> {
        let sequence = from;
        // Of another store, or of one that was there before: whoever waited for it would miss all until then.
        if (from > log.newestSequence(merchantId)) {
          yield { kind: "lost", afterSequence: from, newest: log.newestSequence(merchantId) };
          return;
        }
        while (!signal.aborted && !isClosed) {
          const changes = log.read(merchantId, sequence, readMax);
          if (changes === undefined) {
            yield { kind: "lost", afterSequence: sequence, newest: log.newestSequence(merchantId) };
            return;
          }
          if (changes.length === 0) await waitForMore(merchantId, signal);
          for (const change of changes) {
            sequence = change.sequence;
            if (segments.size > 0 && !segments.has(change.segment)) continue;
            yield { kind: "change", change };
            if (signal.aborted || isClosed) return;
          }
        }
      }
    },
    wake,
    close: () => {
      isClosed = true;
      for (const merchantId of [...waiting.keys()]) wake(merchantId);
    },
  };
}
