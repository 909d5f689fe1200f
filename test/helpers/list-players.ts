import type { HistoryStore } from "../../src/ports/history-store.ts";

/** Ids of all players of a merchant that have a history, in order. */
export async function listPlayers(
  histories: Pick<HistoryStore, "listPlayers">,
  merchantId: string,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const page of histories.listPlayers(merchantId)) ids.push(...page);
  return ids;
}
