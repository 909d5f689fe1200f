/** The part of the file system that the journal needs, so that tests can let a disk fill up or break. */
import {
  closeSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from "node:fs";
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
  /** Makes names that were created or removed in a directory durable. */
  readonly syncDirectory: (directory: string) => void;
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
  syncDirectory: (directory) => {
    const fd = openSync(directory, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
};
