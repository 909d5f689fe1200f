import type { Value } from "./cel/expr.ts";
import type { Money } from "./payment.ts";

export type RestrictionKind = "SELF_EXCLUSION" | "TIME_OUT" | "SANCTION" | "COURT_ORDER" | "OPERATOR_BLOCK";

/**
 * A restriction of a player (`SEMANTICS.md` 3.6), one per kind and source. Nothing lifts it but its own end: not an attribute, an override or
 * a TTL. Instants are ms since the epoch.
 */
export type Restriction = {
  readonly kind: RestrictionKind;
  readonly source: string;
  readonly fromMs: number;
  /** Excluded; absent means without end. */
  readonly untilMs?: number;
  readonly checkedAtMs: number;
  /** Older answers of the source are unknown, and close. Absent means never. */
  readonly maxAgeMs?: number;
  /** The source was asked and says that nothing holds. */
  readonly clear: boolean;
  /** The player explicitly returned after the end. */
  readonly returned: boolean;
};

/** The last value of a stored attribute: unknown from `setAtMs + ttlMs` on. */
export type StoredAttribute = {
  readonly value: Exclude<Value, undefined>;
  readonly setAtMs: number;
  readonly ttlMs?: number;
  readonly source: string;
};

/** What stands where an attribute was removed, so that an older value that comes late does not bring it back: unknown at every instant. */
export function markRemoved(setAtMs: number, source: string): StoredAttribute {
  return { value: "", setAtMs, ttlMs: 0, source };
}

export function isRemoved({ ttlMs }: StoredAttribute): boolean {
  return ttlMs === 0;
}

export const ownLimitPeriods = [
  "DAY",
  "WEEK",
  "MONTH",
  "ROLLING_DAY",
  "ROLLING_WEEK",
  "ROLLING_MONTH",
] as const;

export type OwnLimitPeriod = (typeof ownLimitPeriods)[number];

/** A limit that the player set (`SEMANTICS.md` 5.7), one per period and measure. Instants are ms since the epoch. */
export type OwnLimit = {
  readonly period: OwnLimitPeriod;
  readonly measure: "GROSS" | "NET";
  readonly amount: Money;
  readonly setAtMs: number;
  /** IANA zone of calendar periods. */
  readonly zone: string;
  /** What waits: a looser amount, or the removal where `amount` is absent. */
  readonly pending?: {
    readonly amount?: Money;
    /** Since when it waits: where the player moves to a place with a longer wait, that one counts from here. */
    readonly requestedAtMs: number;
    readonly effectiveAtMs: number;
    readonly needsConfirmation: boolean;
  };
};

/** What is stored of a player. A player of whom nothing is stored has no attributes and no restrictions. */
export type Player = {
  readonly playerId: string;
  readonly attributes: ReadonlyMap<string, StoredAttribute>;
  readonly restrictions: readonly Restriction[];
  /** By period, then measure; absent means none. */
  readonly ownLimits?: readonly OwnLimit[];
  /** Other ids of the same person; absent means none. */
  readonly aliases?: readonly string[];
  /** Where this id is an alias: the id under which everything is kept. */
  readonly mergedInto?: string;
  /** Since when something beside events is known, where that was before all that is stored now: values that were replaced. */
  readonly knownSinceMs?: number;
};
