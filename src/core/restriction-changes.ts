import type { FieldFault } from "./field-fault.ts";
import type { Restriction, RestrictionKind } from "./player.ts";

const restrictionsMax = 64;
/** Kinds that only time ends: their end may be moved away, never nearer. */
export const lastingKinds: ReadonlySet<RestrictionKind> = new Set(["SELF_EXCLUSION", "TIME_OUT"]);

/** A restriction as asked for; absent instants are `nowMs`. */
export type RestrictionInput = Omit<Restriction, "fromMs" | "checkedAtMs"> & {
  readonly fromMs: number | undefined;
  readonly checkedAtMs: number | undefined;
};

export type RestrictionChange =
  /** All restrictions after the change, by kind and source, and the one that was set. */
  | { readonly ok: true; readonly restrictions: readonly Restriction[]; readonly restriction: Restriction }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

/**
 * Sets a restriction, new or in place of the one with its kind and source.
 *
 * Fails: where it would make a standing one shorter or lift it, which only its end does (`SEMANTICS.md` 3.6); fields are named as in
 * `SetRestriction`.
 */
export function changeRestrictions(
  restrictions: readonly Restriction[],
  input: RestrictionInput,
  nowMs: number,
): RestrictionChange {
  const isSame = (each: Restriction): boolean => each.kind === input.kind && each.source === input.source;
  const before = restrictions.find(isSame);
  const asked: Restriction = {
    ...input,
    fromMs: input.fromMs ?? nowMs,
    checkedAtMs: input.checkedAtMs ?? nowMs,
  };
  const faults = checkRestriction(asked, before, nowMs);
  const restriction = keepEnded(asked, before);
  const others = restrictions.filter((each) => !isSame(each));
  if (others.length >= restrictionsMax) {
    faults.push({
      field: "restriction",
      rule: "too-many",
      message: `a player has at most ${restrictionsMax} restrictions`,
    });
  }
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, restrictions: [...others, restriction].sort(byKindAndSource), restriction };
}

/** The restrictions of two ids of one person (`SEMANTICS.md` 6.3): all of them; of two with one kind and source the stricter one. */
export function uniteRestrictions(
  some: readonly Restriction[],
  more: readonly Restriction[],
): readonly Restriction[] {
  const united = new Map<string, Restriction>();
  for (const each of [...some, ...more]) {
    const key = `${each.kind}\0${each.source}`;
    const known = united.get(key);
    united.set(key, known === undefined ? each : pickStricter(known, each));
  }
  return [...united.values()].sort(byKindAndSource);
}

function pickStricter(a: Restriction, b: Restriction): Restriction {
  if (a.clear !== b.clear) return a.clear ? b : a;
  const endA = a.untilMs ?? Infinity;
  const endB = b.untilMs ?? Infinity;
  const longer = endB > endA || (endB === endA && !b.returned) ? b : a;
  return { ...longer, fromMs: Math.min(a.fromMs, b.fromMs) };
}

function checkRestriction(next: Restriction, before: Restriction | undefined, nowMs: number): FieldFault[] {
  const faults: FieldFault[] = [];
  const note = (field: string, rule: string, message: string): void => {
    faults.push({ field: `restriction.${field}`, rule, message });
  };
  if (next.untilMs !== undefined && next.untilMs <= next.fromMs)
    note("until", "after-from", "until must be after from");
  if (next.checkedAtMs > nowMs) note("checked_at", "not-in-the-future", "checked_at is in the future");
  if (before === undefined || before.clear) return faults;
  const stands = before.untilMs === undefined || before.untilMs > nowMs;
  if (next.clear && stands) {
    note(
      "clear",
      "restriction-stands",
      `the ${before.kind} by ${before.source} has not ended; it ends by its until alone`,
    );
  }
  const earlier = (next.untilMs ?? Infinity) < (before.untilMs ?? Infinity);
  const later = next.fromMs > before.fromMs && next.fromMs > nowMs;
  if (stands && lastingKinds.has(before.kind) && (earlier || later) && !next.clear) {
    note(
      earlier ? "until" : "from",
      "never-shorter",
      `a ${before.kind} that stands can be made longer, never shorter`,
    );
  }
  if (next.returned && stands)
    note("returned", "restriction-stands", "the player can return only after the end");
  return faults;
}

/**
 * A source that has nothing to say any more does not undo what it said: the ended restriction stays, freshly checked, so that marketing stays
 * suppressed until the player returns (`SEMANTICS.md` 3.6).
 */
function keepEnded(asked: Restriction, before: Restriction | undefined): Restriction {
  if (!asked.clear || before === undefined || before.clear) return asked;
  const { checkedAtMs, maxAgeMs, returned } = asked;
  return {
    ...before,
    checkedAtMs,
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    returned: before.returned || returned,
  };
}

function byKindAndSource(a: Restriction, b: Restriction): number {
  return compare(a.kind, b.kind) || compare(a.source, b.source);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
