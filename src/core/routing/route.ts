import { isForGateways } from "../facts.ts";
import type { Reason } from "../reason.ts";
import { type PspsFacet, type Removals, resolvePsps } from "../rules/facets/psps.ts";
import type { Resolution } from "../rules/resolve.ts";
import type { Psp } from "../rules/snapshot.ts";
import { facetBits, lose, purposesOf, purposesOfAll, rank, type Speaker, stands } from "../rules/speaker.ts";
import { describeBarrier, findBarrier, type PspFilter } from "./eligibility.ts";
import { listStaying, rankPsps } from "./rank.ts";
import type { RoutingCase } from "./routing-case.ts";

/** State that people set for a PSP; ENABLED where nobody did. */
type PspState = "ENABLED" | "DRAINING" | "DISABLED";

/** Where a payment may go, and why nowhere else. Holds until the router is asked again. */
export type Route = {
  /** Ordinals of the PSPs to try, best first; empty where there is no route. */
  readonly order: readonly number[];
  /** What took a PSP out of the running, and what was compared; `undefined` where it stayed. */
  readonly removalOf: (psp: number) => PspRemoval | undefined;
  /** Why there is no route; `undefined` where there is one. */
  readonly denial: () => Reason | undefined;
};

type PspRemoval = {
  readonly filter: PspFilter;
  readonly detail: string;
  /** Whom `detail` may be told: it names rules. */
  readonly purposes: Reason["purposes"];
};

/** Why the limits of a PSP, or of its account, exclude it. */
export type PspLimitation = { readonly detail: string; readonly purposes: Reason["purposes"] };

export type Router = {
  readonly route: (
    resolution: Resolution,
    payment: RoutingCase,
    states: ReadonlyMap<string, PspState>,
    /** By ordinal. */
    limited?: ReadonlyMap<number, PspLimitation>,
  ) => Route;
};

/** Most PSPs that the detail of a reason names. */
const namedMax = 16;

/** Makes the router of a rule set, with the scratch that it needs. Calls must not nest, and a route holds until the next call. */
export function createRouter(psps: readonly Psp[]): Router {
  const barriers: (PspFilter | undefined)[] = new Array(psps.length).fill(undefined);
  const isDown = new Uint8Array(psps.length);
  const removals: Removals = {
    excluded: new Uint8Array(psps.length),
    unrequired: new Uint8Array(psps.length),
  };

  let anyUp = false;
  /** What the latest route was made of, for whoever asks why. */
  let made: Made | undefined;
  const stays = (psp: number): boolean => barriers[psp] === undefined;
  const staysUp = (psp: number): boolean => barriers[psp] === undefined && isDown[psp] === 0;
  const isUsable = (psp: number): boolean => barriers[psp] === undefined && !(anyUp && isDown[psp] === 1);

  const route: Router["route"] = (resolution, payment, states, limited = noLimits) => {
    judgeEach(payment, states, limited);
    const facet = resolvePsps(resolution.speakers, isUsable, removals);
    for (let psp = 0; psp < psps.length; psp++) {
      if (barriers[psp] !== undefined) continue;
      if (removals.excluded[psp] === 1) barriers[psp] = "rule";
      else if (removals.unrequired[psp] === 1) barriers[psp] = "require";
    }
    const named = rankPsps(resolution.strategy, psps, payment, stays);
    const up = named.every(staysUp) ? named : named.filter(staysUp);
    const order = completeOrder(up, () => listStaying(psps, staysUp), resolution, facet);
    made = { resolution, payment, facet, named, order, limited };
    return { order, removalOf, denial };
  };

  /** Asks every PSP what it can do, and whether one that can is also up. */
  const judgeEach = (
    payment: RoutingCase,
    states: ReadonlyMap<string, PspState>,
    limited: ReadonlyMap<number, PspLimitation>,
  ): void => {
    anyUp = false;
    for (let at = 0; at < psps.length; at++) {
      const psp = psps[at]!;
      const barrier = findBarrier(psp, payment) ?? (limited.has(at) ? "limit" : undefined);
      barriers[at] = barrier;
      const down = !psp.enabled || (states.size > 0 && (states.get(psp.id) ?? "ENABLED") !== "ENABLED");
      isDown[at] = down ? 1 : 0;
      if (barrier === undefined && !down) anyUp = true;
    }
  };

  // Where a require makes the strategy the loser, only its state can still keep a PSP out.
  const isOrdered = (psp: number): boolean =>
    made!.facet.isNarrowed && made!.named.length === 0 ? true : made!.named.includes(psp);
  const removalOf = (psp: number): PspRemoval | undefined => {
    const { resolution, payment, facet, order, limited } = made!;
    if (order.includes(psp)) return undefined;
    const filter = barriers[psp] ?? (isOrdered(psp) ? "state" : "strategy");
    if (filter === "limit") return { filter, ...limited.get(psp)! };
    return { filter, ...describeRemoval(filter, psps[psp]!, psp, payment, resolution, facet) };
  };
  const denial = (): Reason | undefined =>
    made!.order.length > 0
      ? undefined
      : makeDenial(psps, listStaying(psps, stays).some(isOrdered), removalOf, made!.facet);

  return { route };
}

type Made = {
  readonly resolution: Resolution;
  readonly payment: RoutingCase;
  readonly facet: PspsFacet;
  /** What the strategy names and passed every filter, those included that are down. */
  readonly named: readonly number[];
  readonly order: readonly number[];
  readonly limited: ReadonlyMap<number, PspLimitation>;
};

const noLimits: ReadonlyMap<number, PspLimitation> = new Map();

/**
 * A strategy orders; it does not take away what a require demands. Where it names none of the PSPs that requires left, they stand by id and the
 * strategy is the loser; and PSPs that an override forces follow those that it names.
 */
function completeOrder(
  named: readonly number[],
  listUp: () => readonly number[],
  { strategy, strategyBy, speakers }: Resolution,
  { isNarrowed, forcedBy }: PspsFacet,
): readonly number[] {
  if (strategy === undefined || (forcedBy === undefined && !isNarrowed)) return named;
  const staying = listUp();
  if (named.length === staying.length) return named;
  if (forcedBy !== undefined && named.length > 0) {
    return [...named, ...staying.filter((psp) => !named.includes(psp))];
  }
  if (!isNarrowed || named.length > 0) return named;
  const requiring = speakers.find((speaker) => (speaker.won & facetBits.require) !== 0);
  strategyBy!.won &= ~facetBits.strategy;
  lose(strategyBy!, "strategy", requiring!.id, "it names none of the PSPs that are required");
  return staying;
}

function describeRemoval(
  filter: PspFilter,
  psp: Psp,
  ordinal: number,
  payment: RoutingCase,
  { speakers, strategy, strategyBy }: Resolution,
  { forcedBy, conflict }: PspsFacet,
): Omit<PspRemoval, "filter"> {
  switch (filter) {
    case "rule": {
      const excluding = speakers.filter((each) => excludes(each, ordinal, forcedBy));
      return { detail: `excluded by ${listIds(excluding)}`, purposes: purposesOfAll(excluding) };
    }
    case "require": {
      if (conflict !== undefined) {
        return { detail: `${listIds(conflict)} have no PSP in common`, purposes: purposesOfAll(conflict) };
      }
      const requiring = speakers.filter((each) => requiresOthers(each, ordinal));
      const detail = `not among those that ${listIds(requiring)} requires`;
      return { detail, purposes: purposesOfAll(requiring) };
    }
    case "strategy":
      return { detail: `strategy ${strategy!.id} does not name it`, purposes: purposesOf(strategyBy!) };
    case "state": {
      const detail = psp.enabled ? "draining or disabled at run time" : "disabled in the rule set";
      return { detail, purposes: forPayments };
    }
    default:
      return { detail: describeBarrier(filter, psp, payment), purposes: forPayments };
  }
}

const forPayments: Reason["purposes"] = ["payments"];

function listIds(speakers: readonly Speaker[]): string {
  return speakers.map(({ id }) => id).join(", ");
}

function excludes(speaker: Speaker, psp: number, forcedBy: Speaker | undefined): boolean {
  if (!stands(speaker, "exclude") || !speaker.effects.excludePsps!.includes(psp)) return false;
  return forcedBy === undefined || rank(speaker) <= 3 || !forcedBy.effects.requirePsps!.includes(psp);
}

function requiresOthers(speaker: Speaker, psp: number): boolean {
  return (speaker.won & facetBits.require) !== 0 && speaker.effects.requirePsps?.includes(psp) === false;
}

/**
 * `ALL_ROUTES_DOWN` where some PSP passed every filter but state, else `NO_ROUTE` (`SEMANTICS.md` 3.8); it names the filter of each PSP.
 *
 * A `NO_ROUTE` that names a rule which is not for gateways is not for them either (`SEMANTICS.md` 3.9); `ALL_ROUTES_DOWN`, which is the
 * doing of no rule, leaves such PSPs out.
 */
function makeDenial(
  psps: readonly Psp[],
  someOnlyDown: boolean,
  removalOf: (psp: number) => PspRemoval | undefined,
  { conflict }: PspsFacet,
): Reason {
  const removals = psps.slice(0, namedMax).map(({ id }, psp) => ({ id, ...removalOf(psp)! }));
  const told = someOnlyDown ? removals.filter(({ purposes }) => isForGateways(purposes)) : removals;
  const named = told.map(({ id, filter, detail }) => `${id}: ${filter} (${detail})`);
  if (psps.length > namedMax) named.push(`and ${psps.length - namedMax} more`);
  const hidden = told.map(({ purposes }) => purposes).filter((purposes) => !isForGateways(purposes));
  return {
    stage: "routing",
    code: someOnlyDown ? "ALL_ROUTES_DOWN" : "NO_ROUTE",
    sourceId: conflict?.[0]?.id ?? "",
    detail: conflict === undefined ? named.join("; ") : `${listIds(conflict)} require no PSP in common`,
    playerMessageKey: "payment.other_method",
    purposes: hidden.length === 0 ? forPayments : [...new Set(hidden.flat())].sort(),
  };
}
