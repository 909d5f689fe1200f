/** What players and payments write through. */

export type Intake = {
  /**
   * Appends a record to the journal. `apply` puts it into memory, at once, and says how to take it back; the promise resolves when the record is
   * written.
   *
   * Fails: rejects with StoreUnavailable, memory untouched, where the record cannot be kept.
   */
  readonly append: (
    kind: "payment" | "player",
    key: Buffer,
    value: Buffer,
    apply: (sequence: number) => () => void,
  ) => Promise<void>;
};
