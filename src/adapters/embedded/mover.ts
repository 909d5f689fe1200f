/** How what the journal holds gets to LMDB: each kind of thing moves its own, all of a checkpoint together. */
import { waitForCommit } from "./durable-writes.ts";
import { forEachInSlices } from "./slices.ts";
import type { Pending, WriteBehind } from "./write-behind.ts";

/** Writes that wait for LMDB at once. */
const writesInFlightMax = 4_096;

/** `start`, then `write`, then `finish`, or `abandon` where any of them failed. */
export type Mover = {
  /** Takes all that was put so far; what is put from now on is for the next move. */
  readonly start: () => void;
  /**
   * Writes it and sees that it is there: where the disk is full LMDB has acknowledged commits that it had dropped, and the journal must not let
   * go of what was in them. Fails: rejects where LMDB does not have it.
   */
  readonly write: (nowMs: number) => Promise<void>;
  readonly finish: () => void;
  /** Everything is to be moved again. */
  readonly abandon: () => void;
};

/** What is kept record by record. */
export type Movable = {
  readonly behind: WriteBehind;
  /** Writes one record to LMDB. */
  readonly move: (pending: Pending, nowMs: number) => Promise<boolean>;
  /** Whether LMDB has it as it was moved. */
  readonly hasMoved: (pending: Pending) => boolean;
};

export function createMover(movable: Movable): Mover {
  const { behind } = movable;
  return {
    start: () => behind.startMove(),
    write: async (nowMs) => {
      await writeInBatches(behind.moving(), (pending) => movable.move(pending, nowMs));
      await assertMoved(behind.moving(), (pending) => movable.hasMoved(pending));
    },
    finish: () => behind.finishMove(),
    abandon: () => behind.abandonMove(),
  };
}

/** Starts a write for each, and waits for LMDB whenever it has many to do. Fails: rejects where any write does. */
export async function writeInBatches<T>(
  all: IteratorObject<T>,
  write: (each: T) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    const batch = [...all.take(writesInFlightMax)];
    if (batch.length === 0) return;
    // Writes of one turn share their promise.
    const commits = new Set<Promise<boolean>>();
    await forEachInSlices(batch, (each) => commits.add(write(each)));
    await waitForCommit(Promise.all(commits));
  }
}

/** Fails: rejects where one of them is not there. */
export async function assertMoved<T>(all: IteratorObject<T>, hasMoved: (each: T) => boolean): Promise<void> {
  let lost = 0;
  await forEachInSlices(all, (each) => {
    if (!hasMoved(each)) lost++;
  });
  if (lost > 0) throw new Error(`LMDB dropped ${lost} records that it acknowledged`);
}
