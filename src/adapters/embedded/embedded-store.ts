/**
 * The embedded family of the store ports: no server, one directory, one process.
 *
 *     <directory>/lock, holder   one process at a time
 *     <directory>/journal/       players and payments as they were put, until LMDB has them
 *     <directory>/store.mdb      LMDB: everything else, and players and payments once moved
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AuditLog } from "../../ports/audit-log.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HistoryStore } from "../../ports/history-store.ts";
import type { LimitStore } from "../../ports/limit-store.ts";
import type { MembershipLog } from "../../ports/membership-log.ts";
import type { OverrideStore } from "../../ports/override-store.ts";
import type { PaymentStore } from "../../ports/payment-store.ts";
import type { PlayerStore } from "../../ports/player-store.ts";
import type { PspStateStore } from "../../ports/psp-state-store.ts";
import type { RuleSetStore } from "../../ports/rule-set-store.ts";
import { createAuditLog } from "./audit.ts";
import { Checkpoint, readCheckpoint } from "./checkpoint.ts";
import { lockDirectory } from "./directory-lock.ts";
import { EmbeddedHistories } from "./histories.ts";
import { HistoryDisk } from "./history-disk.ts";
import { HistoryEvictor } from "./history-evictor.ts";
import { HistoryMover } from "./history-mover.ts";
import type { Intake } from "./intake.ts";
import { type JournalFiles, nodeFiles } from "./journal/files.ts";
import { type JournalRecord, recordKinds } from "./journal/format.ts";
import { Journal } from "./journal/journal.ts";
import { joinEncodedKey } from "./keys.ts";
import { EmbeddedLimits } from "./limits.ts";
import { type LmdbTables, openTables } from "./lmdb.ts";
import { EmbeddedMemberships } from "./memberships.ts";
import { createMover } from "./mover.ts";
import { createOverrideStore } from "./overrides.ts";
import { EmbeddedPayments } from "./payments.ts";
import { EmbeddedPlayers } from "./players.ts";
import { createPspStateStore } from "./psp-states.ts";
import { createRuleSetStore } from "./rule-sets.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** What bounds the store's memory and its journal. */
export type StoreLimits = {
  /** Players kept in memory, decoded. */
  readonly hotPlayersMax: number;
  /** States of memberships kept in memory, decoded: some 300 bytes each. */
  readonly hotMembershipsMax: number;
  /** Rows of histories kept in memory: some 40 bytes each. */
  readonly hotRowsMax: number;
  /** Bytes of rows that the journal may hold alone before they are moved to LMDB: what a restart replays. */
  readonly rowsBehindBytesWanted: number;
  /** Answers kept in memory, encoded: some 900 bytes each. */
  readonly hotPaymentsMax: number;
  /** Bytes of rows that LMDB does not have yet; above it rows are refused until LMDB has caught up. Those that are being moved count too. */
  readonly rowsBehindBytesMax: number;
  /** Bytes of everything else that LMDB does not have yet; above it puts of it are refused. */
  readonly behindBytesMax: number;
  readonly segmentBytesMax: number;
};

const storeLimits: StoreLimits = {
  hotPlayersMax: 200_000,
  hotMembershipsMax: 100_000,
  hotRowsMax: 24_000_000,
  rowsBehindBytesWanted: 192 * 1024 * 1024,
  rowsBehindBytesMax: 512 * 1024 * 1024,
  hotPaymentsMax: 100_000,
  behindBytesMax: 512 * 1024 * 1024,
  segmentBytesMax: 64 * 1024 * 1024,
};

export type EmbeddedStoreOptions = {
  /** Made where it does not exist. */
  readonly directory: string;
  readonly clock: Clock;
  /** Told of failures in the background; `where` names the part. */
  readonly onError: (error: unknown, where: string) => void;
  readonly limits?: Partial<StoreLimits>;
  /** The file system of the journal, for tests of disks that fail. */
  readonly files?: JournalFiles;
};

type StoreStats = {
  readonly stateVersion: number;
  /** LMDB has everything up to here. */
  readonly checkpointVersion: number;
  readonly journalBytes: number;
  readonly journalSegments: number;
  /** Records and bytes that only memory and journal hold. */
  readonly behindRecords: number;
  readonly behindBytes: number;
  readonly hotPlayers: number;
  readonly hotPayments: number;
  readonly hotMemberships: number;
  readonly openHolds: number;
  /** Rows and histories in memory, and what they take there in bytes. */
  readonly hotRows: number;
  readonly hotHistories: number;
  readonly historyBytes: number;
  /** Histories that were forgotten since the start, because there were too many rows. */
  readonly evictions: number;
  readonly labels: number;
  /** Bytes of a half-written tail that were cut off when the store was opened. */
  readonly bytesCut: number;
};

export type EmbeddedStore = {
  readonly players: PlayerStore;
  readonly payments: PaymentStore;
  readonly ruleSets: RuleSetStore;
  readonly overrides: OverrideStore;
  readonly pspStates: PspStateStore;
  readonly audit: AuditLog;
  readonly histories: HistoryStore;
  readonly limits: LimitStore;
  readonly memberships: MembershipLog;
  /** Sequence of the newest record of the journal: grows with every change of players and payments, over restarts too. */
  readonly stateVersion: () => number;
  readonly healthy: () => { readonly ok: true } | { readonly ok: false; readonly why: string };
  readonly stats: () => StoreStats;
  /** Resolves when all that was put so far is written: an answer that was read, not put, waits for this before it leaves. */
  readonly written: () => Promise<void>;
  /** Moves what the journal holds to LMDB and sweeps now, as the background does every second. */
  readonly checkpoint: () => Promise<void>;
  /** Flushes everything and lets the directory go. Fails: rejects where the disk does not keep it; the directory is let go all the same. */
  readonly close: () => Promise<void>;
};

/**
 * Opens the store and replays its journal.
 *
 * Durability: what a promise acknowledged survives the death of the process (`kill -9`). Rule sets, overrides, PSP states and audit survive a
 * power cut too; players and payments of the last 100 ms may not (see `journal/journal.ts`).
 *
 * Fails: rejects with an Error saying so where another process has the directory, the journal is damaged, or the directory cannot be written.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<EmbeddedStore> {
  const { directory } = options;
  mkdirSync(join(directory, "journal"), { recursive: true, mode: 0o700 });
  const lock = lockDirectory(directory);
  let tables: LmdbTables | undefined;
  try {
    tables = openTables(join(directory, "store.mdb"));
    return start(options, tables, lock.release);
  } catch (error) {
    await tables?.root.close();
    lock.release();
    throw error;
  }
}

function start(options: EmbeddedStoreOptions, tables: LmdbTables, release: () => void): EmbeddedStore {
  const { clock, onError } = options;
  const limits = { ...storeLimits, ...options.limits };
  // The journal is opened last: replaying it needs the two that write through it.
  const intake: Intake = {
    append: (kind, key, value, apply) => {
      const isFull = isOfHistories(kind)
        ? historyMover.behindBytes() > limits.rowsBehindBytesMax
        : countBytesBehind() > limits.behindBytesMax;
      if (isFull) {
        return Promise.reject(new StoreUnavailable("LMDB does not keep up with what is put"));
      }
      return journal.append(recordKinds[kind], key, value, apply);
    },
    written: () => journal.written(),
    flush: () => journal.flush(),
    sequence: () => journal.sequence(),
  };
  const payments = new EmbeddedPayments(tables, intake, limits.hotPaymentsMax);
  const players = new EmbeddedPlayers(tables, intake, clock, limits.hotPlayersMax);
  const holds = new EmbeddedLimits(tables, intake);
  const memberships = new EmbeddedMemberships(tables, intake, clock, limits.hotMembershipsMax);
  const histories = new EmbeddedHistories(new HistoryDisk(tables), intake, () => evictor.check());
  const historyMover = new HistoryMover({
    histories,
    tables,
    intake,
    behindBytesWanted: limits.rowsBehindBytesWanted,
    onMoved: () => evictor.check(),
  });
  const evictor = new HistoryEvictor(histories, historyMover, limits.hotRowsMax);
  const kinds = { payment: payments, player: players, hold: holds, membership: memberships };
  const behind = Object.values(kinds).map((kind) => kind.behind);
  /** But for histories. */
  const countBytesBehind = (): number =>
    behind.reduce((sum, each) => sum + each.bytes(), memberships.changes.bytes());
  const sequenceMin = readCheckpoint(tables);
  const journal = new Journal({
    directory: join(options.directory, "journal"),
    files: options.files ?? nodeFiles,
    segmentBytesMax: limits.segmentBytesMax,
    sequenceMin,
    replay: (record) => {
      if (record.sequence > sequenceMin) replayRecord(record, kinds, histories);
    },
    onError,
  });
  histories.endReplay();
  const checkpoint = new Checkpoint({
    tables,
    journal,
    movers: [...Object.values(kinds).map(createMover), memberships.changes],
    lazy: historyMover,
    sweep: async (nowMs) => {
      await payments.sweep(nowMs);
      await memberships.changes.sweep(nowMs);
      await holds.swept();
    },
    clock,
    onError,
  });

  return {
    players,
    payments,
    ruleSets: createRuleSetStore(tables),
    overrides: createOverrideStore(tables, clock),
    pspStates: createPspStateStore(tables),
    audit: createAuditLog(tables),
    histories,
    limits: holds,
    memberships,
    stateVersion: () => journal.sequence(),
    healthy: () => {
      const why = journal.failure() ?? checkpoint.failure();
      return why === undefined ? { ok: true } : { ok: false, why };
    },
    stats: () => ({
      stateVersion: journal.sequence(),
      checkpointVersion: checkpoint.reached(),
      journalBytes: journal.stats().bytes,
      journalSegments: journal.stats().segments,
      behindRecords: behind.reduce((sum, each) => sum + each.count(), historyMover.behindRecords()),
      behindBytes: countBytesBehind() + historyMover.behindBytes(),
      hotPlayers: players.hotCount(),
      hotPayments: payments.hotCount(),
      hotMemberships: memberships.hotCount(),
      openHolds: holds.count(),
      hotRows: histories.table.countResidentRows(),
      hotHistories: histories.table.countSubjects(),
      historyBytes: histories.table.bytes(),
      evictions: evictor.evicted(),
      labels: histories.labels.count(),
      bytesCut: journal.bytesCut,
    }),
    written: () => journal.written(),
    checkpoint: () => checkpoint.run(),
    close: once(async () => {
      try {
        await checkpoint.stop();
        await journal.close();
      } finally {
        await tables.root.close();
        release();
      }
    }),
  };
}

function isOfHistories(kind: keyof typeof recordKinds): boolean {
  switch (kind) {
    case "label":
    case "row":
    case "reversal":
    case "merge":
    case "removal":
      return true;
    default:
      return false;
  }
}

type Replayer = { readonly replay: (record: JournalRecord, mapKey: string) => void };

function replayRecord(
  record: JournalRecord,
  kinds: Readonly<Record<"payment" | "player" | "hold" | "membership", Replayer>>,
  histories: EmbeddedHistories,
): void {
  switch (record.kind) {
    case recordKinds.payment:
      kinds.payment.replay(record, joinEncodedKey(record.key));
      return;
    case recordKinds.player:
      kinds.player.replay(record, joinEncodedKey(record.key));
      return;
    case recordKinds.hold:
      kinds.hold.replay(record, joinEncodedKey(record.key));
      return;
    case recordKinds.membership:
      kinds.membership.replay(record, joinEncodedKey(record.key));
      return;
    case recordKinds.label:
    case recordKinds.row:
    case recordKinds.reversal:
    case recordKinds.merge:
    case recordKinds.removal:
      histories.replay(record);
      return;
    case recordKinds.trial:
      return;
  }
}

function once(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= close();
    return closing;
  };
}
