import { storedFacts } from "../core/facts.ts";
import { readAttribute } from "../core/features/read-attribute.ts";
import type { FieldFault } from "../core/field-fault.ts";
import { isCountry } from "../core/iso3166.ts";
import { findKnownSince, keepKnownSince } from "../core/known-since.ts";
import { findIncreaseWait, settleOwnLimits } from "../core/limits/player-limits.ts";
import type { AttributeInput } from "../core/payment.ts";
import { markRemoved, type Player, type Restriction, type StoredAttribute } from "../core/player.ts";
import { changeRestrictions, type RestrictionInput } from "../core/restriction-changes.ts";
import type { AttributeInfo, AttributeType } from "../core/rules/snapshot.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { PlayerStore } from "../ports/player-store.ts";
import type { ActiveRules } from "./active-rules.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import type { ChangeQueue } from "./queue.ts";

const attributesMax = 256;

export type PlayerDeps = {
  readonly store: PlayerStore;
  readonly active: ActiveRules;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: ChangeQueue;
  /** Told that something of this instant became known of a player, so that memberships follow. */
  readonly touch: (merchantId: string, playerId: string, atMs: number) => void;
};

/** `value` undefined removes the attribute. */
export type AttributeUpdate = {
  readonly value: AttributeInput | undefined;
  readonly setAtMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly source: string;
};

export type PlayerUpdate = { readonly player: Player; readonly ignored: readonly string[] };

/** Changes of what is stored of players. */
export class Players {
  readonly #deps: PlayerDeps;

  constructor(deps: PlayerDeps) {
    this.#deps = deps;
  }

  get(merchantId: string, playerId: string): Player | undefined {
    return findKept(this.#deps.store, merchantId, playerId);
  }

  /** Sets attributes; those not named stay, and one that is older than what is stored is ignored. */
  update(
    merchantId: string,
    playerId: string,
    updates: ReadonlyMap<string, AttributeUpdate>,
  ): Promise<Managed<PlayerUpdate>> {
    return this.#deps.queue.run(merchantId, async () => {
      const nowMs = this.#deps.clock.nowMs();
      const player = this.#load(merchantId, playerId);
      const attributes = new Map(player.attributes);
      const faults: FieldFault[] = [];
      const ignored: string[] = [];
      for (const [name, update] of updates) {
        const field = `attributes.${name}`;
        const setAtMs = update.setAtMs ?? nowMs;
        if (setAtMs > nowMs)
          faults.push({
            field: `${field}.set_at`,
            rule: "not-in-the-future",
            message: "set_at is in the future",
          });
        const stored = attributes.get(name);
        if (stored !== undefined && stored.setAtMs > setAtMs) ignored.push(name);
        else if (update.value === undefined && (stored !== undefined || this.#isDeclared(merchantId, name))) {
          attributes.set(name, markRemoved(setAtMs, update.source));
        } else {
          const read = this.#read(merchantId, name, update.value ?? "");
          if ("rule" in read)
            faults.push({ field: read.rule === "declared" ? field : `${field}.value`, ...read });
          else attributes.set(name, toStored(read.value, update, setAtMs));
        }
      }
      if (attributes.size > attributesMax) {
        faults.push({
          field: "attributes",
          rule: "too-many",
          message: `a player has at most ${attributesMax} attributes`,
        });
      }
      if (faults.length > 0) return fail({ kind: "invalid", faults });
      const next = keepKnownSince(player, {
        ...player,
        attributes,
        ...this.#settleLimits(merchantId, player, attributes),
      });
      await this.#deps.store.put(merchantId, next);
      const setAt = [...updates.values()].map(({ setAtMs }) => setAtMs ?? nowMs);
      this.#deps.touch(merchantId, next.playerId, Math.min(...setAt));
      return succeed({ player: next, ignored: ignored.sort() });
    });
  }

  /** Sets a restriction, new or in place of the one with its kind and source. */
  restrict(merchantId: string, playerId: string, input: RestrictionInput): Promise<Managed<Player>> {
    return this.#deps.queue.run(merchantId, async () => {
      const nowMs = this.#deps.clock.nowMs();
      const player = this.#load(merchantId, playerId);
      const changed = changeRestrictions(player.restrictions, input, nowMs);
      if (!changed.ok) return fail({ kind: "invalid", faults: changed.faults });
      const next = keepKnownSince(player, { ...player, restrictions: changed.restrictions });
      await this.#deps.store.put(merchantId, next);
      const sinceMs = findKnownSince(next);
      this.#deps.touch(merchantId, next.playerId, sinceMs < findKnownSince(player) ? sinceMs : nowMs);
      await this.#audit(merchantId, playerId, changed.restriction);
      return succeed(next);
    });
  }

  #load(merchantId: string, playerId: string): Player {
    return this.get(merchantId, playerId) ?? { playerId, attributes: new Map(), restrictions: [] };
  }

  #read(
    merchantId: string,
    name: string,
    value: AttributeInput,
  ): { readonly value: StoredAttribute["value"] } | { readonly rule: string; readonly message: string } {
    const info = this.#declaration(merchantId, name);
    if (info === undefined) {
      return {
        rule: "declared",
        message: `${name} is neither built in nor declared as a player attribute in the active rule set`,
      };
    }
    // birth_date is a day: stored as its first instant in UTC.
    if (name === "birth_date") return readDay(value);
    const read = readAttribute(info, value);
    if ("rule" in read) return read;
    if (name === "kyc_country" && !isCountry(String(read.value))) {
      return { rule: "iso-3166", message: "kyc_country is no ISO 3166-1 alpha-2 code" };
    }
    return read;
  }

  /** Before a player moves to another country what waited there is settled (`SEMANTICS.md` 5.7). */
  #settleLimits(
    merchantId: string,
    { ownLimits, attributes: before }: Player,
    after: Player["attributes"],
  ): Pick<Player, "ownLimits"> {
    const country = before.get("kyc_country")?.value;
    if (ownLimits === undefined || country === after.get("kyc_country")?.value) return {};
    const nowMs = this.#deps.clock.nowMs();
    const packs = this.#deps.active.current(merchantId)?.snapshot.packs ?? [];
    const jurisdictions = typeof country === "string" ? [country] : undefined;
    const wait = findIncreaseWait(packs, { jurisdictions, physicalCountry: undefined }, nowMs);
    return { ownLimits: settleOwnLimits(ownLimits, nowMs, wait) };
  }

  #isDeclared(merchantId: string, name: string): boolean {
    return this.#declaration(merchantId, name) !== undefined;
  }

  #declaration(merchantId: string, name: string): AttributeInfo | undefined {
    const builtIn = storedFacts.get(name);
    if (builtIn !== undefined)
      return { name, type: builtIn.toUpperCase() as AttributeType, values: [], purposes: [] };
    return this.#deps.active.current(merchantId)?.snapshot.playerAttributes.get(name);
  }

  #audit(
    merchantId: string,
    playerId: string,
    { kind, source, untilMs, clear, returned }: Restriction,
  ): Promise<void> {
    return this.#deps.audit.append({
      atMs: this.#deps.clock.nowMs(),
      merchantId,
      actor: source,
      action: "player.restrict",
      subject: `player/${playerId}`,
      detail: { kind, clear, returned, ...(untilMs === undefined ? {} : { until_ms: untilMs }) },
    });
  }
}

function readDay(
  value: AttributeInput,
): { readonly value: number } | { readonly rule: string; readonly message: string } {
  const wrong = { rule: "type", message: "birth_date must be a day such as 1990-12-31" };
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return wrong;
  const ms = Date.parse(`${value}T00:00:00Z`);
  // Date.parse rolls 2023-02-30 over on some inputs; the round trip shows it.
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value) ? wrong : { value: ms };
}

function toStored(
  value: StoredAttribute["value"],
  { ttlMs, source }: AttributeUpdate,
  setAtMs: number,
): StoredAttribute {
  return { value, setAtMs, source, ...(ttlMs === undefined ? {} : { ttlMs }) };
}

/** The player behind an id: that of an alias is the one it was merged into. */
export function findKept(store: PlayerStore, merchantId: string, playerId: string): Player | undefined {
  const player = store.get(merchantId, playerId);
  return player?.mergedInto === undefined ? player : store.get(merchantId, player.mergedInto);
}
