/** A store of one family, opened empty for one test. */
export type OpenedPort<T> = {
  /** The store as it stands; another object after `reopen`. */
  readonly store: () => T;
  readonly setNowMs: (nowMs: number) => void;
  /** Lets all background work be done: whatever moves or forgets things has run. */
  readonly settle: () => Promise<void>;
  /** As a restart does it: everything that was acknowledged must still be there. */
  readonly reopen: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** Opens an empty store whose clock stands at `startMs`. */
export type OpenPort<T> = () => Promise<OpenedPort<T>>;

export const startMs = 1_792_900_000_000;
export const dayMs = 24 * 60 * 60 * 1_000;

/** Ids that a careless key would forge, merge or choke on. */
export const hostileIds: readonly string[] = [
  "",
  "a",
  "ab",
  "a:b",
  "1:a",
  "a\u0000b",
  "a\u0000",
  "__proto__",
  "constructor",
  `'"\`;--\\`,
  "\u{10ffff}\u{10ffff}",
  "漢".repeat(128),
  "\u{1f600}".repeat(64),
  "\ud800",
  "\udfff",
  "\ufffd",
];

/** Merchants and ids whose plain concatenations are all the same. */
export const collidingKeys: readonly (readonly [merchantId: string, id: string])[] = [
  ["abc", ""],
  ["ab", "c"],
  ["a", "bc"],
  ["", "abc"],
];

/** Checks at once, after a restart, after background work and after another restart. */
export async function checkThroughout(
  port: OpenedPort<unknown>,
  check: () => void | Promise<void>,
): Promise<void> {
  await check();
  await port.reopen();
  await check();
  await port.settle();
  await check();
  await port.reopen();
  await check();
}
