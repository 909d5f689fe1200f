import type { SlotSource } from "../cel/environment.ts";
import type { Expr, Frame, Predicate } from "../cel/expr.ts";
import type { Payment, PaymentKind } from "../payment.ts";
import type { Effects } from "./snapshot.ts";

/** Whom an override is for; a segment is an ordinal of the rule set that the override was compiled against. */
export type OverrideSubject =
  | { readonly kind: "player" | "card" | "device" | "payment"; readonly id: string }
  | { readonly kind: "segment"; readonly ordinal: number }
  | { readonly kind: "everyone" };

/** A manual rule, held against one rule set. Acts in `[fromMs, untilMs)`. */
export type CompiledOverride = {
  readonly id: string;
  readonly subject: OverrideSubject;
  /** Condition beside the subject; undefined means always. */
  readonly condition: { readonly expr: Expr; readonly predicate: Predicate } | undefined;
  readonly kinds: readonly PaymentKind[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly priority: number;
  readonly author: string;
  readonly reason: string;
  readonly effects: Effects;
};

/** All overrides of a merchant that are not orphans, held against one rule set. */
export type OverrideSet = {
  readonly revision: number;
  /** Where the values come from that the conditions read: slots of a frame of their own. */
  readonly slots: readonly SlotSource[];
  /** Sorted by priority (higher first), then id: the position is the rank. */
  readonly overrides: readonly CompiledOverride[];
  readonly bySubject: OverrideIndex;
};

/** Positions in `overrides` by subject. */
export type OverrideIndex = {
  readonly player: ReadonlyMap<string, readonly number[]>;
  readonly card: ReadonlyMap<string, readonly number[]>;
  readonly device: ReadonlyMap<string, readonly number[]>;
  readonly payment: ReadonlyMap<string, readonly number[]>;
  /** Segments and everyone: few, looked at one by one. */
  readonly broad: readonly number[];
};

/** Freezes overrides into a set: sorted into total order and indexed by subject. */
export function buildOverrideSet(input: {
  readonly revision: number;
  readonly slots: readonly SlotSource[];
  readonly overrides: readonly CompiledOverride[];
}): OverrideSet {
  const overrides = [...input.overrides].sort(
    (a, b) => b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const maps = { player: new Map(), card: new Map(), device: new Map(), payment: new Map() } as const;
  const broad: number[] = [];
  overrides.forEach(({ subject }, position) => {
    if (subject.kind === "segment" || subject.kind === "everyone") broad.push(position);
    else addTo(maps[subject.kind], subject.id, position);
  });
  return { revision: input.revision, slots: input.slots, overrides, bySubject: { ...maps, broad } };
}

/**
 * The overrides that act on a payment now, strongest first. Unknown conditions and unknown segments do not match (`SEMANTICS.md` 2.1).
 *
 * `frame` holds the values of `set.slots`; its `segments` are those of the rule set.
 */
export function matchOverrides(
  set: OverrideSet,
  { payment, frame, nowMs }: { readonly payment: Payment; readonly frame: Frame; readonly nowMs: number },
): readonly CompiledOverride[] {
  if (set.overrides.length === 0) return [];
  const { player, card, device, payment: payments, broad } = set.bySubject;
  const positions = [
    ...(player.get(payment.playerId) ?? []),
    ...find(card, payment.card?.fingerprint),
    ...find(device, payment.deviceId),
    ...find(payments, payment.paymentId),
    ...broad,
  ];
  return positions
    .sort((a, b) => a - b)
    .map((position) => set.overrides[position]!)
    .filter((override) => isActing(override, payment, frame, nowMs));
}

function isActing(override: CompiledOverride, payment: Payment, frame: Frame, nowMs: number): boolean {
  if (nowMs < override.fromMs || nowMs >= override.untilMs) return false;
  if (!override.kinds.includes(payment.kind)) return false;
  if (override.subject.kind === "segment" && frame.segments[override.subject.ordinal] !== 1) return false;
  return override.condition === undefined || override.condition.predicate(frame) === true;
}

function find(map: ReadonlyMap<string, readonly number[]>, id: string | undefined): readonly number[] {
  return id === undefined || id === "" ? [] : (map.get(id) ?? []);
}

function addTo(map: Map<string, number[]>, id: string, position: number): void {
  const known = map.get(id);
  if (known === undefined) map.set(id, [position]);
  else known.push(position);
}
