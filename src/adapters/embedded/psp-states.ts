import type { PspStateStore, StoredPspState } from "../../ports/psp-state-store.ts";
import { packObject, readVersion, unpackObject } from "./codec/pack.ts";
import { writeDurably } from "./durable-writes.ts";
import { encodeKey, encodeMerchantRange } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";

const layoutVersion = 1;

/** States of PSPs, straight in LMDB: the last one that was put of each. */
export function createPspStateStore(tables: LmdbTables): PspStateStore {
  const { pspStates } = tables;
  return {
    list: (merchantId) => [
      ...pspStates.getRange(encodeMerchantRange(merchantId)).map(({ value }) => {
        readVersion(value, layoutVersion, "PSP state");
        return unpackObject(value) as StoredPspState;
      }),
    ],
    put: (merchantId, state) =>
      writeDurably(tables, () => [
        pspStates.put(encodeKey(merchantId, state.psp), packObject(layoutVersion, state)),
      ]),
  };
}
