/** One way of finding all rules that match a payment; payments are addressed by their index in the corpus. */
export type Contender = {
  readonly name: string;
  /** What was given to it, in a few words, for the report. */
  readonly form: string;
  /** Ordinals of all matching rules, in any order; asynchronous where the library is. */
  readonly match: (payment: number) => readonly number[] | Promise<readonly number[]>;
  /** Runs `match` over payments `first .. first + count`, wrapping around, and returns the number of matches (so that none is optimised away). */
  readonly run: (first: number, count: number) => number | Promise<number>;
};

/** The loop of a contender that answers at once. */
export function runSync(match: (payment: number) => readonly number[], payments: number): Contender["run"] {
  return (first, count) => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      found += match((first + i) % payments).length;
    }
    return found;
  };
}

/** The loop of a contender that answers with a promise: one decision at a time, as a caller waits for its own. */
export function runAsync(
  match: (payment: number) => Promise<readonly number[]>,
  payments: number,
): Contender["run"] {
  return async (first, count) => {
    let found = 0;
    for (let i = 0; i < count; i++) {
      found += (await match((first + i) % payments)).length;
    }
    return found;
  };
}
