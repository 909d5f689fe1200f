/** The LMDB environment: one file, one database per kind of thing, keys and values as bytes. */
import { type Database, open, type RootDatabase } from "lmdb";

export type Bytes = Database<Buffer, Buffer>;

export type LmdbTables = {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** What the checkpoint reached. */
  readonly meta: Bytes;
  readonly players: Bytes;
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
};

/** Databases in the file, with room for later ones. */
const databasesMax = 32;

export function openTables(path: string): LmdbTables {
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
  const table = (name: string): Bytes => root.openDB(name, asBytes);
  return {
    root,
    meta: table("meta"),
    players: table("players"),
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
  };
}
