import type { AuditEntry, AuditLog } from "../../ports/audit-log.ts";
import { writeDurably } from "./durable-writes.ts";
import type { LmdbTables } from "./lmdb.ts";
import { NumberedTable } from "./numbered-table.ts";

/** `detail` as pairs: its keys are the caller's, and only pairs keep every key as it is. */
type WrittenEntry = Omit<AuditEntry, "detail"> & {
  readonly detail: readonly (readonly [string, AuditEntry["detail"][string]])[];
};

/** The audit trail, straight in LMDB, in the order of `append`. */
export function createAuditLog(tables: LmdbTables): AuditLog {
  const entries = new NumberedTable<WrittenEntry>(tables.audit, "audit entry");
  return {
    append: (entry) =>
      writeDurably(tables, () => [
        entries.append(entry.merchantId, { ...entry, detail: Object.entries(entry.detail) }),
      ]),
    list: (merchantId, most) =>
      most <= 0
        ? []
        : entries
            .newestFirst(merchantId, most)
            .map((entry) => ({ ...entry, detail: Object.fromEntries(entry.detail) })),
  };
}
