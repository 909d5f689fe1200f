import { keepKnownSince } from "./known-since.ts";
import type { FxRates } from "./money.ts";
import { convertMinor } from "./money.ts";
import type { OwnLimit, Player, StoredAttribute } from "./player.ts";
import { uniteRestrictions } from "./restriction-changes.ts";

/** Other ids of one person that are kept. */
export const aliasesMax = 64;

/**
 * Two ids of one person as one player under the first id (`SEMANTICS.md` 6.3): all restrictions, the lowest own limits, of each attribute the
 * newest value. `fx` compares limits in different currencies; where no rate does, the one of `kept` stands.
 */
export function mergePlayers(kept: Player, alias: Player, fx: FxRates | undefined): Player {
  const ownLimits = mergeOwnLimits(kept.ownLimits ?? [], alias.ownLimits ?? [], fx);
  const aliases = new Set([...(kept.aliases ?? []), ...(alias.aliases ?? []), alias.playerId]);
  aliases.delete(kept.playerId);
  const merged = {
    ...kept,
    attributes: mergeAttributes(kept.attributes, alias.attributes),
    restrictions: uniteRestrictions(kept.restrictions, alias.restrictions),
    ...(ownLimits.length > 0 && { ownLimits }),
    aliases: [...aliases].sort(),
  };
  return keepKnownSince(alias, keepKnownSince(kept, merged));
}

function mergeAttributes(
  some: ReadonlyMap<string, StoredAttribute>,
  more: ReadonlyMap<string, StoredAttribute>,
): ReadonlyMap<string, StoredAttribute> {
  const merged = new Map(some);
  for (const [name, attribute] of more) {
    const known = merged.get(name);
    if (known === undefined || attribute.setAtMs > known.setAtMs) merged.set(name, attribute);
  }
  return merged;
}

function mergeOwnLimits(
  some: readonly OwnLimit[],
  more: readonly OwnLimit[],
  fx: FxRates | undefined,
): readonly OwnLimit[] {
  const merged = new Map(some.map((limit) => [keyOf(limit), limit]));
  for (const limit of more) {
    const known = merged.get(keyOf(limit));
    merged.set(keyOf(limit), known === undefined ? limit : pickLower(known, limit, fx));
  }
  return [...merged.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ period, measure }: OwnLimit): string {
  return `${period} ${measure}`;
}

/** A limit that was set under one id lowers that of the other, and a decrease cancels an increase that waits (`SEMANTICS.md` 5.7). */
function pickLower(known: OwnLimit, other: OwnLimit, fx: FxRates | undefined): OwnLimit {
  const { pending: _waits, ...lower } = isLower(other, known, fx) ? other : known;
  return lower;
}

function isLower(a: OwnLimit, b: OwnLimit, fx: FxRates | undefined): boolean {
  const from = a.amount.currencyCode;
  const to = b.amount.currencyCode;
  if (from === to) return a.amount.minorUnits < b.amount.minorUnits;
  const converted = fx && convertMinor(fx, { amountMinor: a.amount.minorUnits, from, to });
  return converted !== undefined && converted < b.amount.minorUnits;
}
