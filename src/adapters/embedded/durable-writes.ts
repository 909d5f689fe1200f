import { randomBytes } from "node:crypto";
import type { LmdbTables } from "./lmdb.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** How long LMDB may take for a commit, in ms. One that fails may leave the next one without an answer, ever. */
const commitMsMax = 30_000;
const proofKey = Buffer.from("proof", "latin1");
const proofBytes = 8;

/**
 * Makes the writes that `change` starts, all of them or none, and resolves when they are on the disk. One after the other: `change` is called when
 * its turn has come, and must start its writes at once, because those of one turn of the event loop are one transaction.
 *
 * LMDB is not taken at its word: where the disk is full it has acknowledged transactions that it had dropped. So each brings a proof of its own,
 * which must then be there.
 *
 * Fails: rejects with StoreUnavailable where LMDB could not write them.
 */
export function writeDurably(tables: LmdbTables, change: () => readonly Promise<boolean>[]): Promise<void> {
  const write = tables.durable.last.then(() => writeWithProof(tables, change));
  tables.durable.last = write.catch(() => {});
  return write;
}

async function writeWithProof(
  { root, meta }: LmdbTables,
  change: () => readonly Promise<boolean>[],
): Promise<void> {
  const proof = randomBytes(proofBytes);
  try {
    await waitForCommit(Promise.all([...change(), meta.put(proofKey, proof), root.flushed]));
    if (!meta.getBinary(proofKey)?.equals(proof)) throw new Error("it dropped what it acknowledged");
  } catch (error) {
    throw new StoreUnavailable(
      `LMDB could not write (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
}

/** Fails: rejects as the commit does, and where there is no word of it in time. */
export async function waitForCommit<T>(commit: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no word of a commit in ${commitMsMax} ms`)),
    commitMsMax,
  );
  timer.unref();
  try {
    return await Promise.race([commit, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
