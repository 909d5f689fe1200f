/** What all that is kept by the journal is written through. */
import type { recordKinds } from "./journal/format.ts";

export type Intake = {
  /**
   * Appends a record to the journal. `apply` puts it into memory, at once, and says how to take it back; the promise resolves when the record is
   * written.
   *
   * Fails: rejects with StoreUnavailable, memory untouched, where the record cannot be kept.
   */
  readonly append: (
    kind: Exclude<keyof typeof recordKinds, "trial">,
    key: Uint8Array,
    value: Uint8Array,
    apply: (sequence: number) => () => void,
  ) => Promise<void>;
  /** Resolves when all that was appended so far is written. */
  readonly written: () => Promise<void>;
  /** Writes what was appended so far, now. False where it could not be: it was taken back. */
  readonly flush: () => boolean;
  /** Sequence of the newest record. */
  readonly sequence: () => number;
};
