/** The LMDB environment: one file, one database per kind of thing, keys and values as bytes. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";

export type Bytes = Database<Buffer, Buffer>;

export type LmdbTables = {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** The last durable write that was begun; never rejects. */
  readonly durable: { last: Promise<void> };
  /** What the checkpoint reached, and the proof of the last durable write. */
  readonly meta: Bytes;
  readonly players: Bytes;
  /** Hash of a player's key -> what forbids them payments still. */
  readonly deletedPlayers: Bytes;
  /** Payment key -> where its answer is, or its tombstone. */
  readonly payments: Bytes;
  /** Answers in the order in which they may be forgotten. */
  readonly answers: Bytes;
  /** Payment keys in the order in which their tombstones may be forgotten. */
  readonly tombstones: Bytes;
  readonly ruleSets: Bytes;
  readonly documents: Bytes;
  readonly activations: Bytes;
  readonly overrides: Bytes;
  readonly overrideRevisions: Bytes;
  readonly pspStates: Bytes;
  readonly audit: Bytes;
  readonly holds: Bytes;
  readonly membershipStates: Bytes;
  readonly membershipChanges: Bytes;
  /** The newest number given out of a merchant. */
  readonly membershipNewest: Bytes;
  /** Labels of rows by number. */
  readonly labels: Bytes;
  /** What is known of a subject's history beside its rows. */
  readonly historyHeads: Bytes;
  /** Rows of a subject, chunk by chunk. */
  readonly historyRows: Bytes;
  /** How many players with a history a merchant has, and their newest instant. */
  readonly historyCounts: Bytes;
};

/** Databases in the file, with room for later ones. */
const databasesMax = 64;

/** Fails: throws an Error where the file is there and is none of LMDB's, or has lost its end. */
export function openTables(path: string): LmdbTables {
  const fault = findFileFault(path);
  if (fault !== undefined) {
    throw new Error(
      `${path} is damaged: ${fault}. Nothing was changed. Restore the directory from a copy, or move it away to start empty.`,
    );
  }
  const asBytes = { encoding: "binary", keyEncoding: "binary" } as const;
  const root: RootDatabase<Buffer, Buffer> = open({
    path,
    ...asBytes,
    noSubdir: true,
    maxDbs: databasesMax,
    // Commits are visible at once and synced behind; who promises durability waits for `flushed`.
    overlappingSync: true,
    // All writes of one turn are one transaction: pairs that belong together rely on it.
    eventTurnBatching: true,
    cache: false,
    compression: false,
  });
  const hush = makeHush(root);
  const table = (name: string): Bytes => {
    const opened: Bytes = root.openDB(name, asBytes);
    const { put, remove, ifNoExists } = opened;
    return Object.assign(opened, {
      put: (...write: Parameters<typeof put>) => hush(put.apply(opened, write)),
      remove: (...write: Parameters<typeof remove>) => hush(remove.apply(opened, write)),
      ifNoExists: (...write: Parameters<typeof ifNoExists>) => hush(ifNoExists.apply(opened, write)),
    });
  };
  return {
    root,
    durable: { last: Promise.resolve() },
    meta: table("meta"),
    players: table("players"),
    deletedPlayers: table("deleted-players"),
    payments: table("payments"),
    answers: table("answers"),
    tombstones: table("tombstones"),
    ruleSets: table("rule-sets"),
    documents: table("documents"),
    activations: table("activations"),
    overrides: table("overrides"),
    overrideRevisions: table("override-revisions"),
    pspStates: table("psp-states"),
    audit: table("audit"),
    holds: table("holds"),
    membershipStates: table("membership-states"),
    membershipChanges: table("membership-changes"),
    membershipNewest: table("membership-newest"),
    labels: table("labels"),
    historyHeads: table("history-heads"),
    historyRows: table("history-rows"),
    historyCounts: table("history-counts"),
  };
}

/**
 * A commit that fails rejects the promise of every write in it, also of those that nobody waits for because a later write of the same turn
 * stands for them; one that LMDB keeps to itself, for the turn; and one more inside the error. Left alone, each would end the process. Whoever
 * waits is told all the same.
 */
function makeHush(root: RootDatabase<Buffer, Buffer>): <T>(write: Promise<T>) => Promise<T> {
  let last: Promise<unknown> | undefined;
  let isTurnHushed = false;
  const ignore = (error: unknown): void => {
    const { commitError } = error as { readonly commitError?: unknown };
    if (commitError instanceof Promise) commitError.catch(() => {});
  };
  const hushTurn = (): void => {
    isTurnHushed = false;
    root.committed.then(() => {}, ignore);
  };
  return (write) => {
    // The writes of one turn mostly share their promise.
    if (write !== last) write.catch(ignore);
    last = write;
    // LMDB closes its turn by an immediate that the write has queued, so this one comes right after it.
    if (!isTurnHushed) setImmediate(hushTurn);
    isTurnHushed = true;
    return write;
  };
}

/** `mdb.c`: two pages of meta data begin the file, each with this at byte 24. */
const metaMagic = 0xbeef_c0de;
const metaBytes = 160;
const noPage = 0xffff_ffff_ffff_ffffn;

/** LMDB trusts the file that it maps, and dies with the process where that is another's or cut short; so its head is read first. */
function findFileFault(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    // A store that is new. What else is wrong LMDB can tell.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return undefined;
    const first = readMeta(fd, 0);
    if (first === undefined) return "it is no LMDB file";
    const second = readMeta(fd, first.pageBytes);
    if (second === undefined) return "its second page is none of LMDB's";
    const { rootPage, pageBytes } = second.transaction > first.transaction ? second : first;
    return (rootPage + 1n) * BigInt(pageBytes) > size ? `it is cut short, at ${size} bytes` : undefined;
  } finally {
    closeSync(fd);
  }
}

type Meta = {
  readonly pageBytes: number;
  readonly transaction: bigint;
  /** The last page that a tree begins at. */
  readonly rootPage: bigint;
};

function readMeta(fd: number, at: number): Meta | undefined {
  const bytes = Buffer.alloc(metaBytes);
  if (readSync(fd, bytes, 0, metaBytes, at) < metaBytes || bytes.readUInt32LE(24) !== metaMagic)
    return undefined;
  // Of the free pages and of the databases.
  const roots = [bytes.readBigUInt64LE(88), bytes.readBigUInt64LE(136)].filter((page) => page !== noPage);
  return {
    pageBytes: bytes.readUInt32LE(48),
    transaction: bytes.readBigUInt64LE(152),
    rootPage: roots.reduce((last, page) => (page > last ? page : last), 1n),
  };
}
