import type { Value } from "./cel/expr.ts";

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

/** What is stored of a player. A player of whom nothing is stored has no attributes and no restrictions. */
export type Player = {
  readonly playerId: string;
  readonly attributes: ReadonlyMap<string, StoredAttribute>;
  readonly restrictions: readonly Restriction[];
};
