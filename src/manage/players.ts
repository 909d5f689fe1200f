import { storedFacts } from "../core/facts.ts";
import { readAttribute } from "../core/features/read-attribute.ts";
import type { FieldFault } from "../core/field-fault.ts";
import { isCountry } from "../core/iso3166.ts";
import type { AttributeInput } from "../core/payment.ts";
import {
  markRemoved,
  type Player,
  type Restriction,
  type RestrictionKind,
  type StoredAttribute,
} from "../core/player.ts";
import type { AttributeInfo, AttributeType } from "../core/rules/snapshot.ts";
import type { AuditLog } from "../ports/audit-log.ts";
import type { Clock } from "../ports/clock.ts";
import type { PlayerStore } from "../ports/player-store.ts";
import type { ActiveRules } from "./active-rules.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import type { ChangeQueue } from "./queue.ts";

const attributesMax = 256;
const restrictionsMax = 64;
/** Kinds that only time ends: their end may be moved away, never nearer. */
const lastingKinds: ReadonlySet<RestrictionKind> = new Set(["SELF_EXCLUSION", "TIME_OUT"]);

export type PlayerDeps = {
  readonly store: PlayerStore;
  readonly active: ActiveRules;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly queue: ChangeQueue;
};

/** `value` undefined removes the attribute. */
export type AttributeUpdate = {
  readonly value: AttributeInput | undefined;
  readonly setAtMs: number | undefined;
  readonly ttlMs: number | undefined;
  readonly source: string;
};

export type RestrictionInput = Omit<Restriction, "fromMs" | "checkedAtMs"> & {
  readonly fromMs: number | undefined;
  readonly checkedAtMs: number | undefined;
};

export type PlayerUpdate = { readonly player: Player; readonly ignored: readonly string[] };

/** Changes of what is stored of players. */
export class Players {
  readonly #deps: PlayerDeps;

  constructor(deps: PlayerDeps) {
    this.#deps = deps;
  }

  get(merchantId: string, playerId: string): Player | undefined {
    return this.#deps.store.get(merchantId, playerId);
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
      const next: Player = { ...player, attributes };
      await this.#deps.store.put(merchantId, next);
      return succeed({ player: next, ignored: ignored.sort() });
    });
  }

  /** Sets a restriction, new or in place of the one with its kind and source. */
  restrict(merchantId: string, playerId: string, input: RestrictionInput): Promise<Managed<Player>> {
    return this.#deps.queue.run(merchantId, async () => {
      const nowMs = this.#deps.clock.nowMs();
      const player = this.#load(merchantId, playerId);
      const isSame = (each: Restriction): boolean => each.kind === input.kind && each.source === input.source;
      const before = player.restrictions.find(isSame);
      const asked: Restriction = {
        ...input,
        fromMs: input.fromMs ?? nowMs,
        checkedAtMs: input.checkedAtMs ?? nowMs,
      };
      const faults = checkRestriction(asked, before, nowMs);
      const restriction = keepEnded(asked, before);
      const others = player.restrictions.filter((each) => !isSame(each));
      if (others.length >= restrictionsMax) {
        faults.push({
          field: "restriction",
          rule: "too-many",
          message: `a player has at most ${restrictionsMax} restrictions`,
        });
      }
      if (faults.length > 0) return fail({ kind: "invalid", faults });
      const next: Player = { ...player, restrictions: [...others, restriction].sort(byKindAndSource) };
      await this.#deps.store.put(merchantId, next);
      await this.#audit(merchantId, playerId, restriction);
      return succeed(next);
    });
  }

  #load(merchantId: string, playerId: string): Player {
    return (
      this.#deps.store.get(merchantId, playerId) ?? { playerId, attributes: new Map(), restrictions: [] }
    );
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

function byKindAndSource(a: Restriction, b: Restriction): number {
  return compare(a.kind, b.kind) || compare(a.source, b.source);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
