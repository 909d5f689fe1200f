import { compareIds } from "../../src/core/compare-ids.ts";
import { HistoryTable } from "../../src/core/history/history-table.ts";
import type { HistoryStore } from "../../src/ports/history-store.ts";

/** A history store in memory, whose every change is durable when `settle` resolves: at once unless told otherwise. */
export function createMemoryHistories(
  options: { readonly table?: HistoryTable; readonly settle?: () => Promise<void> } = {},
): HistoryStore & { readonly table: HistoryTable } {
  const done = Promise.resolve();
  const { table = new HistoryTable(), settle = () => done } = options;
  const listPlayers = (merchantId: string): string[] => {
    const ids: string[] = [];
    for (let at = table.next(0); at >= 0; at = table.next(at + 1)) {
      const { kind, id } = table.subjectOf(at);
      if (kind === "player" && table.merchantOf(at) === merchantId) ids.push(id);
    }
    return ids.sort(compareIds);
  };
  return {
    table,
    labels: table.labels,
    get: (merchantId, subject) => {
      const number = table.find(merchantId, subject);
      return number < 0 ? undefined : table.view(number);
    },
    prefetch: () => {},
    place: (merchantId, subject, row, placing) => {
      const placed = table.place(table.open(merchantId, subject), row, placing);
      return { placed, durable: settle() };
    },
    reverse: (merchantId, subject, row) => {
      const reversal = table.reverse(table.open(merchantId, subject), row);
      return { found: reversal === "reversed" || reversal === "again", durable: settle() };
    },
    merge: (merchantId, from, into) => {
      if (table.find(merchantId, from) >= 0) {
        table.merge(table.open(merchantId, from), table.open(merchantId, into));
      }
      return settle();
    },
    remove: async (merchantId, subject) => {
      const number = table.find(merchantId, subject);
      return number < 0 ? 0 : table.remove(number);
    },
    hasPlayer: (merchantId, id) => table.find(merchantId, { kind: "player", id }) >= 0,
    listPlayers: async function* (merchantId) {
      yield listPlayers(merchantId);
    },
    countPlayers: (merchantId) => listPlayers(merchantId).length,
    newestMs: (merchantId) => {
      const newest = listPlayers(merchantId).map(
        (id) => table.newestMs(table.find(merchantId, { kind: "player", id })) ?? -Infinity,
      );
      return newest.length === 0 ? undefined : Math.max(...newest);
    },
    oldestMs: (merchantId) => {
      const oldest = listPlayers(merchantId).map(
        (id) => table.oldestMs(table.find(merchantId, { kind: "player", id })) ?? Infinity,
      );
      return oldest.length === 0 ? undefined : Math.min(...oldest);
    },
  };
}
