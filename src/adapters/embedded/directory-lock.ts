/**
 * One process at a time per directory. SQLite's lock on a file is used for nothing but itself: the kernel drops it with the process that holds it,
 * however that dies, so no lock is ever stale; and it is taken in one step, so no two processes can both believe they have it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const sqliteBusy = 5;

export type DirectoryLock = { readonly release: () => void };

/** Fails: throws an Error naming the process that has the directory open, or the system's reason. */
export function lockDirectory(directory: string): DirectoryLock {
  const holderPath = join(directory, "holder");
  const database = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { errcode?: unknown }).errcode !== sqliteBusy) throw error;
    throw new Error(`${directory} is already open: ${readHolder(holderPath)}. One process at a time.`, {
      cause: error,
    });
  }
  writeFileSync(holderPath, `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}\n`);
  return { release: () => database.close() };
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "the holder left no name";
  }
}
