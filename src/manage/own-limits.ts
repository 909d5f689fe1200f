import { keepKnownSince } from "../core/known-since.ts";
import {
  changeOwnLimit,
  findIncreaseWait,
  type OwnLimitChange,
  type OwnLimitRequest,
} from "../core/limits/player-limits.ts";
import type { Money } from "../core/payment.ts";
import { type OwnLimit, ownLimitPeriods, type Player } from "../core/player.ts";
import type { PackInfo } from "../core/rules/snapshot.ts";
import { fail, type Managed, succeed } from "./failure.ts";
import { findKept, type PlayerDeps } from "./players.ts";

/** What is asked of a player's own limit. */
export type OwnLimitInput = Pick<OwnLimit, "period" | "measure"> & {
  readonly asked:
    | { readonly kind: "set"; readonly amount: Money }
    | { readonly kind: "remove" }
    | { readonly kind: "confirm" };
  /** Who asks for it. */
  readonly source: string;
};

export type OwnLimitUpdate = {
  readonly player: Player;
  /** Undefined where no limit is left. */
  readonly limit: OwnLimit | undefined;
  readonly became: Extract<OwnLimitChange, { readonly ok: true }>["became"];
};

/** Changes of limits that players set themselves (`SEMANTICS.md` 5.7). */
export class OwnLimits {
  readonly #deps: PlayerDeps;

  constructor(deps: PlayerDeps) {
    this.#deps = deps;
  }

  /** Stricter acts at once, looser waits as long as the packs of the player's country say. */
  set(merchantId: string, playerId: string, input: OwnLimitInput): Promise<Managed<OwnLimitUpdate>> {
    return this.#deps.queue.run(merchantId, async () => {
      const { store, active, clock, touch } = this.#deps;
      const nowMs = clock.nowMs();
      const player: Player = findKept(store, merchantId, playerId) ?? {
        playerId,
        attributes: new Map(),
        restrictions: [],
      };
      const packs = active.current(merchantId)?.snapshot.packs ?? [];
      const countries = jurisdictionsOf(player);
      const known = player.ownLimits?.find((each) => isSame(each, input));
      const zone = known?.zone ?? findZone(packs, countries, nowMs);
      const change = changeOwnLimit(known, toRequest(input, zone), {
        ...findIncreaseWait(packs, { jurisdictions: countries, physicalCountry: undefined }, nowMs),
        nowMs,
      });
      if (!change.ok) return fail({ kind: "invalid", faults: [change.fault] });
      const next = keepKnownSince(player, putLimit(player, input, change.limit));
      await store.put(merchantId, next);
      touch(merchantId, next.playerId, nowMs);
      await this.#audit(merchantId, playerId, input, change.became);
      return succeed({ player: next, limit: change.limit, became: change.became });
    });
  }

  #audit(
    merchantId: string,
    playerId: string,
    { period, measure, asked, source }: OwnLimitInput,
    became: string,
  ): Promise<void> {
    const amount =
      asked.kind === "set"
        ? { minor_units: asked.amount.minorUnits, currency_code: asked.amount.currencyCode }
        : {};
    return this.#deps.audit.append({
      atMs: this.#deps.clock.nowMs(),
      merchantId,
      actor: source,
      action: "player.limit",
      subject: `player/${playerId}`,
      detail: { period, measure, asked: asked.kind, became, ...amount },
    });
  }
}

/** Without a payment only the verified country is known. */
function jurisdictionsOf({ attributes }: Player): readonly string[] | undefined {
  const country = attributes.get("kyc_country")?.value;
  return typeof country === "string" ? [country] : undefined;
}

/** Days, weeks and months of the player's law; UTC where none is known. */
function findZone(
  packs: readonly PackInfo[],
  countries: readonly string[] | undefined,
  nowMs: number,
): string {
  const pack = packs.find(
    ({ jurisdiction, zone, fromMs, untilMs }) =>
      zone !== "" &&
      countries?.includes(jurisdiction) === true &&
      (fromMs === undefined || nowMs >= fromMs) &&
      (untilMs === undefined || nowMs < untilMs),
  );
  return pack?.zone ?? "UTC";
}

function toRequest({ period, measure, asked }: OwnLimitInput, zone: string): OwnLimitRequest {
  return asked.kind === "set"
    ? { period, measure, kind: "set", amount: asked.amount, zone }
    : { period, measure, kind: asked.kind };
}

function isSame(a: Pick<OwnLimit, "period" | "measure">, b: Pick<OwnLimit, "period" | "measure">): boolean {
  return a.period === b.period && a.measure === b.measure;
}

function putLimit(player: Player, at: OwnLimitInput, limit: OwnLimit | undefined): Player {
  const others = (player.ownLimits ?? []).filter((each) => !isSame(each, at));
  const ownLimits = (limit === undefined ? others : [...others, limit]).sort(
    (a, b) =>
      ownLimitPeriods.indexOf(a.period) - ownLimitPeriods.indexOf(b.period) ||
      (a.measure < b.measure ? -1 : a.measure > b.measure ? 1 : 0),
  );
  return { ...player, ownLimits };
}
