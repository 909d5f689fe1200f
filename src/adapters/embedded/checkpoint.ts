/**
 * Moves what the journal holds to LMDB, in the background and in slices, and lets go of the segments that are no longer needed: only after LMDB
 * has synced what they hold.
 */
import type { Clock } from "../../ports/clock.ts";
import { writeDurably } from "./durable-writes.ts";
import type { Journal } from "./journal/journal.ts";
import type { LmdbTables } from "./lmdb.ts";
import type { Mover } from "./mover.ts";

/** How long what was put stays in the journal alone, in ms, while LMDB keeps up. */
const intervalMs = 1_000;
const reachedKey = Buffer.from("checkpoint", "latin1");
const reachedBytes = 6;

export type CheckpointParts = {
  readonly tables: LmdbTables;
  readonly journal: Journal;
  /** Moved at every run. */
  readonly movers: readonly Mover[];
  /** Moved only now and then, because moving costs more than keeping: until then the journal has it. */
  readonly lazy: Mover & { readonly isDue: () => boolean };
  /** Forgets what is over. */
  readonly sweep: (nowMs: number) => Promise<void>;
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
    return this.#run(() => true);
  }

  #run(isAll: () => boolean): Promise<void> {
    const run = this.#last.then(() => this.#runOnce(isAll()));
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
      this.#run(this.#parts.lazy.isDue)
        .catch((error: unknown) => this.#parts.onError(error, "checkpoint"))
        .finally(() => this.#schedule());
    }, intervalMs);
    this.#timer.unref();
  }

  async #runOnce(isAll: boolean): Promise<void> {
    const { journal, clock, sweep } = this.#parts;
    // What a failing write may still take back must not reach LMDB.
    if (journal.flush() && journal.sequence() > this.#reached) await this.#move(journal.sequence(), isAll);
    await sweep(clock.nowMs());
  }

  async #move(sequence: number, isAll: boolean): Promise<void> {
    const { tables, journal, movers, lazy, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const moving = isAll ? [...movers, lazy] : movers;
    // All at once: together they are what the journal holds up to this sequence.
    for (const mover of moving) mover.start();
    try {
      for (const mover of moving) await mover.write(nowMs);
      if (isAll) {
        const reached = Buffer.alloc(reachedBytes);
        reached.writeUIntBE(sequence, 0, reachedBytes);
        await writeDurably(tables, () => [tables.meta.put(reachedKey, reached)]);
      }
    } catch (error) {
      for (const mover of moving) mover.abandon();
      throw error;
    }
    for (const mover of moving) mover.finish();
    if (!isAll) return;
    this.#reached = sequence;
    await journal.dropThrough(sequence);
  }
}
