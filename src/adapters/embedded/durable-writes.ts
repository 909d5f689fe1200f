import type { LmdbTables } from "./lmdb.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/**
 * Makes the writes that `change` starts, all of them or none, and resolves when they are on the disk.
 *
 * Fails: rejects with StoreUnavailable where LMDB could not write them. Writes must start in the call itself: those of one turn of the event
 * loop are one transaction.
 */
export async function writeDurably(
  { root }: LmdbTables,
  change: () => readonly Promise<boolean>[],
): Promise<void> {
  try {
    await Promise.all([...change(), root.flushed]);
  } catch (error) {
    throw new StoreUnavailable(
      `LMDB could not write (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}
