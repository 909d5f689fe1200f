import type { Clock } from "../../ports/clock.ts";
import type { HistoryStore } from "../../ports/history-store.ts";
import type { Job } from "./dirty-list.ts";
import { DueQueue } from "./due-queue.ts";

export type MerchantClocks = {
  /** Whether the merchant's time is that of its newest event. */
  readonly isOfEvents: (merchantId: string) => boolean;
  readonly nowOf: (merchantId: string) => number;
  readonly dueOf: (merchantId: string) => DueQueue;
  readonly takeDue: () => Job | undefined;
  /** When the next is due by the machine's clock; those of other clocks are due when an event comes, which touches somebody. */
  readonly firstMs: () => number;
  readonly scheduled: () => number;
};

/** What is due when, by the clock of each merchant: that of the machine for all together, or that of its own events. */
export function createMerchantClocks({
  merchants,
  histories,
  clock,
}: {
  readonly merchants: ReadonlyMap<string, { readonly clock: "server" | "request" }>;
  readonly histories: Pick<HistoryStore, "newestMs">;
  readonly clock: Clock;
}): MerchantClocks {
  const byMachine = new DueQueue();
  const byEvents = new Map<string, DueQueue>();
  for (const [merchantId, { clock: kind }] of merchants) {
    if (kind === "request") byEvents.set(merchantId, new DueQueue());
  }
  const newestOf = (merchantId: string): number => histories.newestMs(merchantId) ?? Number.NEGATIVE_INFINITY;
  const takeFirst = (): number => {
    const number = byMachine.take(clock.nowMs());
    if (number !== -1) return number;
    for (const [merchantId, queue] of byEvents) {
      const due = queue.size === 0 ? -1 : queue.take(newestOf(merchantId));
      if (due !== -1) return due;
    }
    return -1;
  };
  return {
    isOfEvents: (merchantId) => byEvents.has(merchantId),
    nowOf: (merchantId) => (byEvents.has(merchantId) ? newestOf(merchantId) : clock.nowMs()),
    dueOf: (merchantId) => byEvents.get(merchantId) ?? byMachine,
    takeDue: () => {
      const number = takeFirst();
      return number === -1 ? undefined : { number, touchedMs: Number.POSITIVE_INFINITY };
    },
    firstMs: () => byMachine.firstMs(),
    scheduled: () => [...byEvents.values()].reduce((sum, { size }) => sum + size, byMachine.size),
  };
}
