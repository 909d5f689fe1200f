/** How long a caller should wait before it asks again, in ms. */
const retryAfterMsDefault = 1_000;

/** The store cannot keep what it was given: nothing was stored. Tell it by `code`; `cause` says what the file system said. */
export class StoreUnavailable extends Error {
  readonly code = "STORE_UNAVAILABLE";
  readonly dependency = "embedded store";
  readonly retryAfterMs = retryAfterMsDefault;

  constructor(why: string, cause?: unknown) {
    super(`the embedded store is unavailable: ${why}`, cause === undefined ? undefined : { cause });
    this.name = "StoreUnavailable";
  }
}
