import type { Activation, RuleSetStore, StoredRuleSet } from "../../ports/rule-set-store.ts";
import { writeDurably } from "./durable-writes.ts";
import { encodeNumberedKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { NumberedTable } from "./numbered-table.ts";

/** Rule sets, their documents and activations, straight in LMDB. A version that exists is never replaced: `put` rejects. */
export function createRuleSetStore(tables: LmdbTables): RuleSetStore {
  const { documents } = tables;
  const ruleSets = new NumberedTable<StoredRuleSet>(tables.ruleSets, "rule set");
  const activations = new NumberedTable<Activation>(tables.activations, "activation");
  return {
    list: (merchantId) => ruleSets.newestFirst(merchantId, Number.MAX_SAFE_INTEGER),
    get: (merchantId, version) => ruleSets.get(merchantId, version),
    document: (merchantId, version) => documents.getBinary(encodeNumberedKey(merchantId, version)),
    newestVersion: (merchantId) => ruleSets.newestNumber(merchantId),
    put: async (merchantId, ruleSet, document) => {
      const key = encodeNumberedKey(merchantId, ruleSet.version);
      // The caller may use its bytes again while they are being written.
      const copy = Buffer.from(document);
      let isNew = true;
      await writeDurably(tables, () => {
        const done = tables.ruleSets.ifNoExists(key, () => {
          ruleSets.put(merchantId, ruleSet.version, ruleSet);
          documents.put(key, copy);
        });
        return [done.then((written) => (isNew = written))];
      });
      if (!isNew) throw new Error(`version ${ruleSet.version} exists already and is never replaced`);
    },
    activations: (merchantId) => activations.oldestFirst(merchantId),
    activate: (merchantId, activation) =>
      writeDurably(tables, () => [activations.append(merchantId, activation)]),
  };
}
