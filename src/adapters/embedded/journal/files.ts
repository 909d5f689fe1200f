/** The part of the file system that the journal needs, so that tests can let a disk fill up or break. */
import {
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { open, unlink } from "node:fs/promises";
import { promisify } from "node:util";

export type JournalFiles = {
  /** Opens for reading and writing; `create` fails where the file exists. */
  readonly open: (path: string, how: "create" | "existing") => number;
  /** Writes at `position`; may write less than asked, and says how much. */
  readonly write: (fd: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;
  readonly truncate: (fd: number, length: number) => void;
  readonly sync: (fd: number) => Promise<void>;
  readonly close: (fd: number) => void;
  readonly read: (path: string) => Buffer;
  readonly list: (directory: string) => readonly string[];
  readonly remove: (path: string) => void;
  /** As `remove`, off the loop: letting go of a large file takes the system milliseconds. */
  readonly removeLater: (path: string) => Promise<void>;
  /** Makes names that were created in a directory durable. */
  readonly syncDirectory: (directory: string) => Promise<void>;
};

const fdatasyncLater = promisify(fdatasync);

export const nodeFiles: JournalFiles = {
  open: (path, how) => openSync(path, how === "create" ? "wx+" : "r+", 0o600),
  write: writeSync,
  truncate: ftruncateSync,
  sync: fdatasyncLater,
  close: closeSync,
  read: (path) => readFileSync(path),
  list: readdirSync as (directory: string) => string[],
  remove: unlinkSync,
  removeLater: unlink,
  syncDirectory: async (directory) => {
    const handle = await open(directory, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};
