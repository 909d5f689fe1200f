/**
 * How much of the low-value exemption a card has used since its last authentication, read from the card's history: so nobody keeps a counter of its own.
 *
 * The counters of the law live at the issuer; these are ours, over all PSPs, and stricter: sum and count must both hold (`DOMAIN.md` 6).
 */
import { hashWide } from "../history/hash-wide.ts";
import type { History, Label } from "../history/history.ts";
import { convertMinor, type FxRates } from "../money.ts";

/** What approvals say of SCA in their label (`payment-fact.ts`). */
const approvedType = "payment_approved";
const authenticated = "authenticated";
const lowValue = "low_value";

export type LowValueUse = {
  readonly count: number;
  /** Minor units of the currency that was asked for; undefined where a rate is missing. */
  readonly sumMinor: number | undefined;
};

/**
 * Exempt payments of low value since the last authentication.
 *
 * `playerId` where the card is known by BIN and last four digits only: then rows of other players are those of other cards. Of rows that were folded into
 * tiles the order is known only from tile to tile: one that may be younger than the last authentication counts.
 */
export function readLowValueUse(
  history: History | undefined,
  asked: { readonly currency: string; readonly fx: FxRates; readonly playerId: string | undefined },
): LowValueUse {
  if (history === undefined) return nothing;
  const player = asked.playerId === undefined ? undefined : hashWide(asked.playerId);
  const use = { count: 0, sumMinor: 0 as number | undefined };
  const add = (count: number, amountMinor: number, { currency }: Label): void => {
    use.count += count;
    const converted = convertMinor(asked.fx, { amountMinor, from: currency, to: asked.currency });
    use.sumMinor =
      use.sumMinor === undefined || converted === undefined ? undefined : use.sumMinor + converted;
  };
  for (let row = history.end - 1; row >= history.start; row--) {
    const label = history.labels.get(history.label[row]!);
    if (label.type !== approvedType || !isOfPlayer(history, row, label, player)) continue;
    const sca = label.values.get("sca");
    if (sca === authenticated) return use;
    if (sca === lowValue) add(1, history.readAmount(row), label);
  }
  addTiles(history, player !== undefined, add);
  return use;
}

const nothing: LowValueUse = { count: 0, sumMinor: 0 };

function isOfPlayer(history: History, row: number, { wides }: Label, player: number | undefined): boolean {
  if (player === undefined) return true;
  const place = wides.indexOf("player");
  return place >= 0 && history.readWide(row, place) === player;
}

/** Tiles say nothing of players, so those of a card that players may share reset nothing. */
function addTiles(
  { tiles, labels }: History,
  isShared: boolean,
  add: (count: number, sumMinor: number, label: Label) => void,
): void {
  if (tiles.length === 0) return;
  let authenticatedFromMs = -Infinity;
  for (const { label, fromMs } of isShared ? [] : tiles)
    if (readSca(labels.get(label)) === authenticated)
      authenticatedFromMs = Math.max(authenticatedFromMs, fromMs);
  for (const { label, untilMs, count, sumMinor } of tiles) {
    const of = labels.get(label);
    if (readSca(of) === lowValue && untilMs > authenticatedFromMs) add(count, sumMinor, of);
  }
}

function readSca({ type, values }: Label): unknown {
  return type === approvedType ? values.get("sca") : undefined;
}
