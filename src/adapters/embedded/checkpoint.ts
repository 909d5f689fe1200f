/**
 * Moves what the journal holds to LMDB, in the background and in slices, and lets go of the segments that are no longer needed: only after LMDB
 * has synced what they hold.
 */
import type { Clock } from "../../ports/clock.ts";
import { waitForCommit, writeDurably } from "./durable-writes.ts";
import type { Journal } from "./journal/journal.ts";
import type { LmdbTables } from "./lmdb.ts";
import type { EmbeddedPayments } from "./payments.ts";
import type { EmbeddedPlayers } from "./players.ts";
import { forEachInSlices } from "./slices.ts";
import type { Pending } from "./write-behind.ts";

/** How long what was put stays in the journal alone, in ms, while LMDB keeps up. */
const intervalMs = 1_000;
/** Writes that wait for LMDB at once. */
const writesInFlightMax = 4_096;
const reachedKey = Buffer.from("checkpoint", "latin1");
const reachedBytes = 6;

export type CheckpointParts = {
  readonly tables: LmdbTables;
  readonly journal: Journal;
  readonly payments: EmbeddedPayments;
  readonly players: EmbeddedPlayers;
  readonly clock: Clock;
  readonly onError: (error: unknown, where: string) => void;
};

/** The sequence up to which LMDB has everything. */
export function readCheckpoint({ meta }: LmdbTables): number {
  return meta.getBinary(reachedKey)?.readUIntBE(0, reachedBytes) ?? 0;
}

export class Checkpoint {
  readonly #parts: CheckpointParts;
  #reached: number;
  /** Never rejects. */
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  #stopped = false;

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.#reached = readCheckpoint(parts.tables);
    this.#schedule();
  }

  /** Why LMDB does not take what the journal holds; undefined where it does. */
  failure(): string | undefined {
    return this.#failure;
  }

  reached(): number {
    return this.#reached;
  }

  /** Moves everything that was put so far, then sweeps; one run at a time. Fails: rejects where LMDB does. */
  run(): Promise<void> {
    const run = this.#last.then(() => this.#runOnce());
    this.#last = run.then(
      () => {
        this.#failure = undefined;
      },
      (error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        this.#failure = `LMDB does not take what the journal holds (${why})`;
      },
    );
    return run;
  }

  /** Ends the background work; what is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.run()
        .catch((error: unknown) => this.#parts.onError(error, "checkpoint"))
        .finally(() => this.#schedule());
    }, intervalMs);
    this.#timer.unref();
  }

  async #runOnce(): Promise<void> {
    const { journal, payments, clock } = this.#parts;
    // What a failing write may still take back must not reach LMDB.
    if (journal.flush() && journal.sequence() > this.#reached) await this.#move(journal.sequence());
    await payments.sweep(clock.nowMs());
  }

  async #move(sequence: number): Promise<void> {
    const { tables, journal, payments, players, clock } = this.#parts;
    const nowMs = clock.nowMs();
    // Both at once: together they are what the journal holds up to this sequence.
    const paymentMoves = payments.behind.startMove();
    const playerMoves = players.behind.startMove();
    try {
      await writeInBatches(paymentMoves, (pending) => payments.move(pending, nowMs));
      await writeInBatches(playerMoves, (pending) => players.move(pending));
      await assertMoved(payments.behind.moving(), (pending) => payments.hasMoved(pending));
      await assertMoved(players.behind.moving(), (pending) => players.hasMoved(pending));
      const reached = Buffer.alloc(reachedBytes);
      reached.writeUIntBE(sequence, 0, reachedBytes);
      await writeDurably(tables, () => [tables.meta.put(reachedKey, reached)]);
    } catch (error) {
      payments.behind.abandonMove();
      players.behind.abandonMove();
      throw error;
    }
    payments.behind.finishMove();
    players.behind.finishMove();
    this.#reached = sequence;
    await journal.dropThrough(sequence);
  }
}

/** Starts a write for each, and waits for LMDB whenever it has many to do. Fails: rejects where any write does. */
async function writeInBatches(
  all: IteratorObject<Pending>,
  write: (pending: Pending) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    const batch = [...all.take(writesInFlightMax)];
    if (batch.length === 0) return;
    // Writes of one turn share their promise.
    const commits = new Set<Promise<boolean>>();
    await forEachInSlices(batch, (pending) => commits.add(write(pending)));
    await waitForCommit(Promise.all(commits));
  }
}

/** Where the disk is full LMDB has acknowledged commits that it had dropped, and the journal must not let go of what was in them. */
async function assertMoved(
  all: IteratorObject<Pending>,
  hasMoved: (pending: Pending) => boolean,
): Promise<void> {
  let lost = 0;
  await forEachInSlices(all, (pending) => {
    if (!hasMoved(pending)) lost++;
  });
  if (lost > 0) throw new Error(`LMDB dropped ${lost} records that it acknowledged`);
}
