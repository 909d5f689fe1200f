import { unknownBin } from "../bin/bin-table.ts";
import type { FactInput } from "../facts.ts";
import type { History } from "../history/history.ts";
import type { Payment } from "../payment.ts";
import type { Player, StoredAttribute } from "../player.ts";

const noPayment: Payment = {
  requestId: "",
  merchantId: "",
  paymentId: "",
  revision: 0,
  playerId: "",
  brand: "",
  kind: "deposit",
  currency: "",
  initiator: "CIT",
  riskSignals: [],
  attributes: new Map(),
  previousAttempts: [],
  mode: "CASHIER",
  trace: false,
};

/** What is known of a player. */
export type PlayerFacts = {
  readonly merchantId: string;
  readonly player: Player;
  readonly history: History | undefined;
};

/** Facts at an instant without a payment in sight. What the payment in it says of itself means nothing: see `isOfPlayer`. */
export function makePlayerInput(facts: PlayerFacts, nowMs: number, player = facts.player): FactInput {
  const { history } = facts;
  return {
    payment: standInFor(facts),
    player,
    bin: unknownBin,
    licence: undefined,
    nowMs,
    ...(history && { history }),
  };
}

/** The stand-in that was made last: one player is mostly looked at many times in a row. */
let latest: Payment = { ...noPayment };

function standInFor({ merchantId, player: { playerId } }: PlayerFacts): Payment {
  if (latest.playerId !== playerId || latest.merchantId !== merchantId) {
    latest = { ...noPayment, merchantId, playerId };
  }
  return latest;
}

/** The player as known at an instant: what was set later is unknown, as what it took the place of is not kept. */
export function viewPlayerAt(player: Player, atMs: number): Player {
  const { attributes } = player;
  let isWhole = true;
  for (const { setAtMs } of attributes.values()) isWhole &&= setAtMs <= atMs;
  if (isWhole) return player;
  const known = new Map<string, StoredAttribute>();
  for (const [name, stored] of attributes) if (stored.setAtMs <= atMs) known.set(name, stored);
  return { ...player, attributes: known };
}
