import { isForGateways } from "../facts.ts";
import type { Reason } from "../reason.ts";
import { type PspsFacet, type Removals, resolvePsps } from "../rules/facets/psps.ts";
import type { Resolution } from "../rules/resolve.ts";
import type { Psp } from "../rules/snapshot.ts";
import { facetBits, lose, purposesOf, purposesOfAll, rank, type Speaker, stands } from "../rules/speaker.ts";
import { describeBarrier, findBarrier, type PspFilter } from "./eligibility.ts";
import { allWell, type Health, type PspHealth } from "./health.ts";
import { listStaying, rankPsps } from "./rank.ts";
import type { RoutingCase } from "./routing-case.ts";

/** State that people set for a PSP; ENABLED where nobody did. */
type PspState = "ENABLED" | "DRAINING" | "DISABLED";

/** Where a payment may go, and why nowhere else. Holds until the router is asked again. */
export type Route = {
  /** Ordinals of the PSPs to try, best first; empty where there is no route. */
  readonly order: readonly number[];
  /** Whether the first of them is to be tried, and so needs a lease of its breaker. */
  readonly isProbe: boolean;
  /** Whether the only one is the least bad, because breakers leave none. */
  readonly isLeastBad: boolean;
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
    health?: Health,
  ) => Route;
};

/** Most PSPs that the detail of a reason names. */
const namedMax = 16;

/** Makes the router of a rule set, with the scratch that it needs. Calls must not nest, and a route holds until the next call. */
export function createRouter(psps: readonly Psp[]): Router {
  const barriers: (PspFilter | undefined)[] = new Array(psps.length).fill(undefined);
  const downs: (DownFilter | undefined)[] = new Array(psps.length).fill(undefined);
  const healths: (PspHealth | undefined)[] = new Array(psps.length).fill(undefined);
  const removals: Removals = {
    excluded: new Uint8Array(psps.length),
    unrequired: new Uint8Array(psps.length),
  };

  let anyUp = false;
  /** What the latest route was made of, for whoever asks why. */
  let made: Made | undefined;
  const stays = (psp: number): boolean => barriers[psp] === undefined;
  const isBroken = (psp: number): boolean => barriers[psp] === undefined && downs[psp] === "breaker";
  const staysUp = (psp: number): boolean => barriers[psp] === undefined && downs[psp] === undefined;
  const isUsable = (psp: number): boolean =>
    barriers[psp] === undefined && !(anyUp && downs[psp] !== undefined);

  const route: Router["route"] = (resolution, payment, states, limited = noLimits, health = allWell) => {
    judgeEach(payment, states, limited, health);
    const facet = resolvePsps(resolution.speakers, isUsable, removals);
    for (let psp = 0; psp < psps.length; psp++) {
      if (barriers[psp] !== undefined) continue;
      if (removals.excluded[psp] === 1) barriers[psp] = "rule";
      else if (removals.unrequired[psp] === 1) barriers[psp] = "require";
    }
    const named = rankPsps(resolution.strategy, psps, payment, stays);
    const orderOf = (isIn: (psp: number) => boolean): readonly number[] => {
      const kept = named.every(isIn) ? named : named.filter(isIn);
      return completeOrder(kept, () => listStaying(psps, isIn), resolution, facet);
    };
    const up = placeProbes(orderOf(staysUp), healths);
    const order = up.length === 0 && health.usesLeastBad ? pickLeastBad(orderOf(isBroken), healths) : up;
    made = { resolution, payment, facet, named, order, limited };
    return {
      order,
      isProbe: up.length > 0 && healths[up[0]!]?.kind === "probe",
      isLeastBad: order !== up && order.length > 0,
      removalOf,
      denial,
    };
  };

  /** Asks every PSP what it can do, and whether one that can is also up. */
  const judgeEach = (
    payment: RoutingCase,
    states: ReadonlyMap<string, PspState>,
    limited: ReadonlyMap<number, PspLimitation>,
    health: Health,
  ): void => {
    anyUp = false;
    for (let at = 0; at < psps.length; at++) {
      const psp = psps[at]!;
      const barrier = findBarrier(psp, payment) ?? (limited.has(at) ? "limit" : undefined);
      barriers[at] = barrier;
      const isSet = !psp.enabled || (states.size > 0 && (states.get(psp.id) ?? "ENABLED") !== "ENABLED");
      const state = barrier === undefined && !isSet ? health.of(psp) : undefined;
      healths[at] = state;
      downs[at] = isSet ? "state" : state?.kind === "probe" ? undefined : state?.kind;
      if (barrier === undefined && downs[at] === undefined) anyUp = true;
    }
  };

  // Where a require makes the strategy the loser, only its state can still keep a PSP out.
  const isOrdered = (psp: number): boolean =>
    made!.facet.isNarrowed && made!.named.length === 0 ? true : made!.named.includes(psp);
  const removalOf = (psp: number): PspRemoval | undefined => {
    const { resolution, payment, facet, order, limited } = made!;
    if (order.includes(psp)) return undefined;
    // One that is up and not in the order could only have been tried as the first step.
    const filter = barriers[psp] ?? (isOrdered(psp) ? (downs[psp] ?? "breaker") : "strategy");
    if (filter === "limit") return { filter, ...limited.get(psp)! };
    if (filter === "maintenance" || filter === "breaker")
      return { filter, detail: healths[psp]?.detail ?? "", purposes: forPayments };
    return { filter, ...describeRemoval(filter, psps[psp]!, psp, payment, resolution, facet) };
  };
  const denial = (): Reason | undefined =>
    made!.order.length > 0
      ? undefined
      : makeDenial(psps, listStaying(psps, stays).some(isOrdered), removalOf, made!.facet);

  return { route };
}

/** What keeps a PSP out that passed every other filter. */
type DownFilter = "state" | "maintenance" | "breaker";

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

/** A PSP that is to be tried stands first or nowhere; one that nobody tried for long stands first. */
function placeProbes(
  order: readonly number[],
  healths: readonly (PspHealth | undefined)[],
): readonly number[] {
  const isProbe = (psp: number): boolean => healths[psp]?.kind === "probe";
  if (!order.some(isProbe)) return order;
  const first = order.find((psp) => isOverdue(healths[psp])) ?? order[0]!;
  return [first, ...order.filter((psp) => psp !== first && !isProbe(psp))];
}

function isOverdue(health: PspHealth | undefined): boolean {
  return health?.kind === "probe" && health.isOverdue;
}

/** The one that failed least when it opened; of equals the one that ranks first. */
function pickLeastBad(
  order: readonly number[],
  healths: readonly (PspHealth | undefined)[],
): readonly number[] {
  let best: number | undefined;
  const shareOf = (psp: number): number => {
    const health = healths[psp];
    return health?.kind === "breaker" ? health.failureShare : 1;
  };
  for (const psp of order) if (best === undefined || shareOf(psp) < shareOf(best)) best = psp;
  return best === undefined ? [] : [best];
}

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
 * `ALL_ROUTES_DOWN` where some PSP passed every filter but state, maintenance and breaker, else `NO_ROUTE` (`SEMANTICS.md` 3.8); it names the filter of each PSP.
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
