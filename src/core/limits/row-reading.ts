/** What a limit reads of rows, tiles and holds, whoever adds it up. */
import { factSkewMs } from "../events/payment-fact.ts";
import type { History, Tile } from "../history/history.ts";
import type { RowView } from "../history/row-feed.ts";
import { convertMinor, type FxRates } from "../money.ts";
import { type LabelView, type Role, roles } from "./label-views.ts";
import { removable } from "./ledger.ts";
import type { Hold, LimitSpec } from "./limit.ts";

/** Rows lie at most so far before the instant from which they count. */
export const skewMs = factSkewMs;

/** Bits of `removable`, by role. */
export const removableOf: Readonly<Record<Role, number>> = {
  [roles.nothing]: 0,
  [roles.approval]: removable.byVoid | removable.byFollower,
  [roles.fact]: 0,
  [roles.paid]: removable.byVoid,
  [roles.cleared]: removable.byVoid,
  [roles.takes]: 0,
  [roles.returns]: 0,
  [roles.voids]: 0,
  [roles.pays]: removable.byVoid,
};

/** What happens to money after it was taken; it counts even of the payment that asks. */
export function isOfNet(role: Role): boolean {
  return takes(role) || role === roles.returns;
}

export function takes(role: Role): boolean {
  return role === roles.takes || role === roles.pays;
}

/** The instant from which a row counts: that of its payment, unless that is more than a day after the row. */
export function readInstant({ atMs, readWide }: RowView, row: number, view: LabelView): number {
  const { role } = view;
  if (isOfNet(role) || role === roles.cleared) return atMs[row]!;
  const countedAtMs = readAt(readWide, row, view.instantPlace);
  return Number.isNaN(countedAtMs) ? atMs[row]! : Math.min(countedAtMs, atMs[row]! + skewMs);
}

/** The amount in a currency; undefined where no rate converts it. */
export function readAmount(
  { readAmount: readOwn, readWide }: RowView,
  row: number,
  view: LabelView,
  { currency, fx }: { readonly currency: string; readonly fx: FxRates },
): number | undefined {
  const amountMinor = readOwn(row);
  if (view.isSameCurrency || amountMinor === 0) return amountMinor;
  const converted = readAt(readWide, row, view.convertedPlace);
  if (!Number.isNaN(converted)) return converted;
  return convertMinor(fx, { amountMinor, from: view.currency, to: currency });
}

/** NaN where there is no such place. */
export function readAt(readWide: History["readWide"], row: number, place: number): number {
  return place < 0 ? NaN : readWide(row, place);
}

/** The first row after an instant. */
export function findRow({ atMs, start, end }: History, afterMs: number): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (atMs[middle]! > afterMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What a hold holds in a currency: as it was converted when it was made, else (the limit is newer) at the rates of now. */
export function readHeldAmount(hold: Hold, currency: string, fx: FxRates): number | undefined {
  if (hold.currency === currency) return hold.amountMinor;
  return (
    hold.converted.get(currency) ??
    convertMinor(fx, { amountMinor: hold.amountMinor, from: hold.currency, to: currency })
  );
}

/** What a limit makes of a tile, in minor units or things. */
export type TileSize = {
  /** Never too little where it uses, and never too much where it gives back. */
  readonly size: number;
  /** By how much it may be off because what was converted row by row is not known: half a unit up and down for each. */
  readonly slack: number;
};

/** Undefined where no rate converts the amounts. */
export function measureTile(
  { measure, currency }: LimitSpec,
  tile: Tile,
  view: LabelView,
  fx: FxRates,
): TileSize | undefined {
  if (measure === "COUNT" || measure === "DISTINCT") return { size: tile.count, slack: 0 };
  if (view.isSameCurrency || tile.sumMinor === 0) return { size: tile.sumMinor, slack: 0 };
  const told = tile.convertedMinor?.[view.convertedAt] ?? NaN;
  if (!Number.isNaN(told)) return { size: told, slack: 0 };
  const amount = convertMinor(fx, { amountMinor: tile.sumMinor, from: view.currency, to: currency });
  if (amount === undefined) return undefined;
  const half = Math.ceil(tile.count / 2);
  return { size: takes(view.role) ? Math.max(0, amount - half) : amount + half, slack: 2 * half };
}

/** By how much what is used may be too high for a tile that reaches over the edge of a window: where it gives back, it does not count. */
export function boundOutside(role: Role, { size, slack }: TileSize): number {
  return takes(role) ? size + slack : size;
}

/** The same of a tile inside a window: its rows may be of payments or values that are counted already, and voids in it undo nothing. */
export function boundInside({ measure, counted }: LimitSpec, role: Role, { size, slack }: TileSize): number {
  if (takes(role)) return slack;
  const isEachOnce = measure === "DISTINCT" || (measure === "COUNT" && counted === "PAYMENTS");
  return isEachOnce || role === roles.voids ? size : slack;
}
