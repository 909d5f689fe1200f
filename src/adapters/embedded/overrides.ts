import type { Clock } from "../../ports/clock.ts";
import type { OverrideStore, StoredOverride } from "../../ports/override-store.ts";
import { packObject, readVersion, unpackObject } from "./codec/pack.ts";
import { writeDurably } from "./durable-writes.ts";
import { encodeKey, encodeMerchantRange } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";

const layoutVersion = 1;
/** Expired overrides are listed this long. */
const listedMs = 90 * 24 * 60 * 60 * 1_000;
const revisionBytes = 6;

/** Overrides with their revision, straight in LMDB. Putting one forgets those of the merchant that expired over 90 days ago. */
export function createOverrideStore(tables: LmdbTables, clock: Clock): OverrideStore {
  const { overrides, overrideRevisions } = tables;
  /** Asked by every decision. */
  const revisions = new Map<string, number>();

  const readAll = (merchantId: string): readonly StoredOverride[] => [
    ...overrides.getRange(encodeMerchantRange(merchantId)).map(({ value }) => {
      readVersion(value, layoutVersion, "override");
      return unpackObject(value) as StoredOverride;
    }),
  ];
  const isForgotten = ({ untilMs }: StoredOverride): boolean => untilMs <= clock.nowMs() - listedMs;

  return {
    list: (merchantId) =>
      readAll(merchantId)
        .filter((override) => !isForgotten(override))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    revision: (merchantId) => {
      const known = revisions.get(merchantId);
      if (known !== undefined) return known;
      const bytes = overrideRevisions.getBinary(encodeKey(merchantId, ""));
      const revision = bytes === undefined ? 0 : bytes.readUIntBE(0, revisionBytes);
      // Only merchants that have overrides are remembered: they are few, names that somebody makes up are not.
      if (bytes !== undefined) revisions.set(merchantId, revision);
      return revision;
    },
    put: async (merchantId, override, revision) => {
      const written = Buffer.allocUnsafe(revisionBytes);
      written.writeUIntBE(revision, 0, revisionBytes);
      const forgotten = readAll(merchantId).filter((each) => isForgotten(each) && each.id !== override.id);
      await writeDurably(tables, () => [
        ...forgotten.map(({ id }) => overrides.remove(encodeKey(merchantId, id))),
        overrides.put(encodeKey(merchantId, override.id), packObject(layoutVersion, override)),
        overrideRevisions.put(encodeKey(merchantId, ""), written),
      ]);
      revisions.set(merchantId, revision);
    },
  };
}
