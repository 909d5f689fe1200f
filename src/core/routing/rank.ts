import { type WeightedCandidate, weightedOrder } from "../hash.ts";
import { convertMinor } from "../money.ts";
import type { Fee, Psp, Strategy } from "../rules/snapshot.ts";
import type { RoutingCase } from "./routing-case.ts";

/**
 * Orders the PSPs that stayed, best first; a total order, ties by id.
 *
 * `priority` keeps its own order; `weighted` draws over all PSPs that it names and then skips those that did not stay, so that an outage moves
 * only the payments of the PSP that is out (`SEMANTICS.md` 3.7); `least_cost` goes by fees; without a strategy PSPs stand by id. PSPs that a
 * strategy does not name are not used.
 *
 * `stays` says of an ordinal whether it is still in the running; ordinals are in order of id.
 */
export function rankPsps(
  strategy: Strategy | undefined,
  psps: readonly Psp[],
  payment: RoutingCase,
  stays: (psp: number) => boolean,
): readonly number[] {
  return strategy === undefined ? listStaying(psps, stays) : orderBy(strategy, psps, payment, stays);
}

/** All PSPs that stayed, by id. */
export function listStaying(psps: readonly Psp[], stays: (psp: number) => boolean): readonly number[] {
  const order: number[] = [];
  for (let psp = 0; psp < psps.length; psp++) if (stays(psp)) order.push(psp);
  return order;
}

function orderBy(
  strategy: Strategy,
  psps: readonly Psp[],
  payment: RoutingCase,
  stays: (psp: number) => boolean,
): readonly number[] {
  switch (strategy.kind) {
    case "priority":
      return strategy.psps.filter((psp, at) => stays(psp) && strategy.psps.indexOf(psp) === at);
    case "weighted":
      return drawOrder(strategy, psps, payment).filter(stays);
    case "least_cost": {
      const named = strategy.psps.length === 0 ? listStaying(psps, stays) : strategy.psps.filter(stays);
      return orderByCost(named, psps, payment);
    }
  }
}

/** What is drawn from, by strategy; a strategy lives as long as its rule set, whose ordinals these are. */
const draws = new WeakMap<
  Strategy,
  { readonly ordinals: ReadonlyMap<string, number>; readonly candidates: readonly WeightedCandidate[] }
>();

function drawOrder(
  strategy: Extract<Strategy, { kind: "weighted" }>,
  psps: readonly Psp[],
  { merchantId, paymentId }: RoutingCase,
): readonly number[] {
  const { id, weights } = strategy;
  let draw = draws.get(strategy);
  if (draw === undefined) {
    draw = {
      ordinals: new Map(weights.map(({ psp }) => [psps[psp]!.id, psp])),
      candidates: weights.map(({ psp, weight }) => ({ id: psps[psp]!.id, weight })),
    };
    draws.set(strategy, draw);
  }
  const { ordinals, candidates } = draw;
  return weightedOrder({ merchantId, paymentId, strategyId: id, candidates }).map(
    (psp) => ordinals.get(psp)!,
  );
}

function orderByCost(
  named: readonly number[],
  psps: readonly Psp[],
  payment: RoutingCase,
): readonly number[] {
  return named
    .map((psp) => ({ psp, cost: costOf(psps[psp]!, payment) ?? Number.POSITIVE_INFINITY }))
    .sort((a, b) => (a.cost < b.cost ? -1 : a.cost > b.cost ? 1 : a.psp - b.psp))
    .map(({ psp }) => psp);
}

/**
 * What the payment costs at a PSP: the fixed part, converted, plus the share of the amount, half up.
 *
 * Units: minor units of the payment's currency. Undefined where no fee fits, or where its fixed part has no rate: such PSPs come last.
 */
export function costOf(psp: Psp, payment: RoutingCase): number | undefined {
  const fee = psp.fees.find((each) => fits(each, payment));
  if (fee === undefined) return undefined;
  const share = shareOf(payment.amountMinor ?? 0, fee.bps);
  if (fee.fixed === undefined) return share;
  const { minorUnits, currencyCode } = fee.fixed;
  const fixed = convertMinor(payment.fx, {
    amountMinor: minorUnits,
    from: currencyCode,
    to: payment.currency,
  });
  return fixed === undefined ? undefined : fixed + share;
}

function fits(
  { methods, regions }: Fee,
  { method, isCard, issuerCountry, playerCountry }: RoutingCase,
): boolean {
  if (methods.length > 0 && !methods.includes(method)) return false;
  if (regions.length === 0) return true;
  const region = isCard ? (issuerCountry ?? playerCountry) : playerCountry;
  return region !== undefined && regions.includes(region);
}

/** Basis points of an amount, half up, exact where the plain product would pass 2^53. */
function shareOf(amountMinor: number, bps: number): number {
  const rest = amountMinor % 10_000;
  return ((amountMinor - rest) / 10_000) * bps + Math.floor((rest * bps + 5_000) / 10_000);
}
