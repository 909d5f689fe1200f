import type { EventValue, PlayerEvent } from "../core/events/event.ts";
import { actingTypes } from "../core/events/event-types.ts";
import { storedFacts } from "../core/facts.ts";
import { isCountry } from "../core/iso3166.ts";
import type { Player, Restriction, RestrictionKind, StoredAttribute } from "../core/player.ts";
import { changeRestrictions, lastingKinds, type RestrictionInput } from "../core/restriction-changes.ts";
import type { AttributeInfo } from "../core/rules/snapshot.ts";

const attributesMax = 256;

/** What an event does to what is stored of its player: nothing, and why, or the player as it now stands. */
export type PlayerChange = { readonly player: Player | undefined; readonly detail: string };

/** Types of events that set restrictions: they are heeded even where the player is deleted. */
export const restrictingTypes: ReadonlySet<string> = new Set([
  actingTypes.exclusionSet,
  actingTypes.timeOutSet,
]);

/** Types of events that change what is stored of a player. */
export const changingTypes: ReadonlySet<string> = new Set([
  ...restrictingTypes,
  actingTypes.exclusionEnded,
  actingTypes.returned,
  actingTypes.score,
  actingTypes.registered,
  actingTypes.kyc,
]);

const unchanged: PlayerChange = { player: undefined, detail: "" };

/**
 * What an event changes of its player: restrictions by the rules of `SetRestriction`, the attributes `registered_at` and `kyc_country`, and
 * declared scores. That the event happened stands in any case; where the player is left as it was, `detail` says why.
 */
export function changePlayer(
  player: Player,
  event: PlayerEvent,
  declared: ReadonlyMap<string, AttributeInfo>,
  nowMs: number,
): PlayerChange {
  switch (event.type) {
    case actingTypes.exclusionSet:
      return setRestriction(player, event, readKind(event, "SELF_EXCLUSION"), nowMs);
    case actingTypes.timeOutSet:
      return setRestriction(player, event, "TIME_OUT", nowMs);
    case actingTypes.exclusionEnded:
      return endRestriction(player, event, readKind(event, "SELF_EXCLUSION"), nowMs);
    case actingTypes.returned:
      return markReturned(player, nowMs);
    case actingTypes.score:
      return setScore(player, event, declared);
    case actingTypes.registered:
      return setAttribute(player, "registered_at", toStored(event, event.occurredAtMs));
    case actingTypes.kyc:
      return setKycCountry(player, event);
    default:
      return unchanged;
  }
}

function readKind(event: PlayerEvent, otherwise: RestrictionKind): RestrictionKind {
  return (event.attributes.get("kind") as RestrictionKind | undefined) ?? otherwise;
}

function setRestriction(
  player: Player,
  event: PlayerEvent,
  kind: RestrictionKind,
  nowMs: number,
): PlayerChange {
  const before = findRestriction(player, kind, event.source);
  const stands = before !== undefined && !before.clear;
  const untilMs = event.attributes.get("until") as number | undefined;
  return restrict(
    player,
    {
      kind,
      source: event.source,
      // Events come in any order; the earliest word on it is since when it holds.
      fromMs: stands ? Math.min(before.fromMs, event.occurredAtMs) : event.occurredAtMs,
      ...(untilMs !== undefined && { untilMs }),
      checkedAtMs: Math.max(before?.checkedAtMs ?? 0, event.occurredAtMs),
      ...readMaxAge(event),
      clear: false,
      returned: false,
    },
    nowMs,
  );
}

function endRestriction(
  player: Player,
  event: PlayerEvent,
  kind: RestrictionKind,
  nowMs: number,
): PlayerChange {
  const before = findRestriction(player, kind, event.source);
  if (before !== undefined && before.checkedAtMs > event.occurredAtMs) {
    return {
      player: undefined,
      detail: `a newer word of ${event.source} is known: the restriction is unchanged`,
    };
  }
  return restrict(
    player,
    {
      kind,
      source: event.source,
      fromMs: before?.fromMs ?? event.occurredAtMs,
      checkedAtMs: event.occurredAtMs,
      ...readMaxAge(event),
      clear: true,
      returned: false,
    },
    nowMs,
  );
}

/** The return holds for whatever ended before it, by whichever source. */
function markReturned(player: Player, nowMs: number): PlayerChange {
  let changed = player;
  let detail = "";
  for (const restriction of player.restrictions) {
    if (!lastingKinds.has(restriction.kind) || restriction.clear || restriction.returned) continue;
    const change = restrict(changed, { ...restriction, returned: true }, nowMs);
    if (change.player === undefined) detail = change.detail;
    else changed = change.player;
  }
  return { player: changed === player ? undefined : changed, detail };
}

function restrict(player: Player, input: RestrictionInput, nowMs: number): PlayerChange {
  const changed = changeRestrictions(player.restrictions, input, nowMs);
  if (changed.ok) return { player: { ...player, restrictions: changed.restrictions }, detail: "" };
  const why = changed.faults.map(({ message }) => message).join("; ");
  return { player: undefined, detail: `${why}: the restriction is unchanged` };
}

function findRestriction(player: Player, kind: RestrictionKind, source: string): Restriction | undefined {
  return player.restrictions.find((each) => each.kind === kind && each.source === source);
}

function readMaxAge({ attributes }: PlayerEvent): { readonly maxAgeMs?: number } {
  const seconds = attributes.get("max_age_seconds") as number | undefined;
  return seconds === undefined || seconds <= 0 ? {} : { maxAgeMs: seconds * 1000 };
}

function setScore(
  player: Player,
  event: PlayerEvent,
  declared: ReadonlyMap<string, AttributeInfo>,
): PlayerChange {
  const { attributes } = event;
  const name = String(attributes.get("score"));
  const info = declared.get(name);
  if (info === undefined || (info.type !== "DOUBLE" && info.type !== "INT")) {
    const detail = `no player attribute ${name} of type DOUBLE or INT is declared in the active rule set: no attribute is set`;
    return { player: undefined, detail };
  }
  const value = Number(attributes.get("value"));
  if (info.type === "INT" && !Number.isSafeInteger(value)) {
    return { player: undefined, detail: `player attribute ${name} must be an integer: it is unchanged` };
  }
  const ttlSeconds = attributes.get("ttl_seconds") as number | undefined;
  const model = [attributes.get("model"), attributes.get("version")].filter((part) => part !== undefined);
  return setAttribute(player, name, {
    value,
    setAtMs: event.occurredAtMs,
    source: model.length === 0 ? event.source : model.join("@"),
    ...(ttlSeconds !== undefined && ttlSeconds > 0 && { ttlMs: ttlSeconds * 1000 }),
  });
}

function setKycCountry(player: Player, event: PlayerEvent): PlayerChange {
  const country: EventValue | undefined = event.attributes.get("country");
  if (country === undefined) return unchanged;
  if (!isCountry(String(country))) {
    return { player: undefined, detail: "country is no ISO 3166-1 alpha-2 code: kyc_country is unchanged" };
  }
  return setAttribute(player, "kyc_country", toStored(event, String(country)));
}

function toStored(event: PlayerEvent, value: string | number): StoredAttribute {
  return { value, setAtMs: event.occurredAtMs, source: event.source };
}

/** Of two words the newer one stands; a second delivery of the same changes nothing. */
function setAttribute(player: Player, name: string, next: StoredAttribute): PlayerChange {
  const stored = player.attributes.get(name);
  if (stored !== undefined && stored.setAtMs > next.setAtMs) {
    return { player: undefined, detail: `a newer value of ${name} is stored: it is unchanged` };
  }
  if (stored === undefined && !storedFacts.has(name) && player.attributes.size >= attributesMax) {
    return {
      player: undefined,
      detail: `a player has at most ${attributesMax} attributes: ${name} is not set`,
    };
  }
  const attributes = new Map(player.attributes).set(name, next);
  return { player: { ...player, attributes }, detail: "" };
}
