import { unknownBin } from "../core/bin/bin-table.ts";
import type { SlotSource } from "../core/cel/environment.ts";
import type { Payment } from "../core/payment.ts";
import type { Player } from "../core/player.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { openWorkspace } from "./workspace.ts";

export type SegmentsOf = {
  readonly segments: readonly string[];
  readonly unknownSegments: readonly string[];
};

/**
 * The segments that a player is in, and those that cannot be told, without a payment in sight: all that a payment would tell is unknown.
 *
 * Shapes: ids, sorted.
 */
export function findSegments(
  snapshot: RuleSnapshot,
  {
    merchantId,
    player,
    nowMs,
  }: { readonly merchantId: string; readonly player: Player; readonly nowMs: number },
): SegmentsOf {
  const { frame, read } = openWorkspace(snapshot);
  const payment = standIn(merchantId, player.playerId);
  read({ payment, player, bin: unknownBin, licence: undefined, nowMs }, frame);
  for (const [slot, source] of snapshot.slots.entries()) {
    if (!isOfPlayer(source)) frame.values[slot] = undefined;
  }
  frame.evalErrors = 0;
  snapshot.matchSegments(frame);
  const list = (truth: number): readonly string[] =>
    snapshot.segments.filter((_, at) => frame.segments[at] === truth).map(({ id }) => id);
  return { segments: list(1), unknownSegments: list(2) };
}

function isOfPlayer(source: SlotSource): boolean {
  switch (source.kind) {
    case "field":
      return source.path.startsWith("player.") || source.path === "context.merchant";
    case "playerAttribute":
    case "localHour":
    case "localWeekday":
    case "now":
    case "feature":
      return true;
    case "paymentAttribute":
    case "amountIn":
    case "event":
      return false;
  }
}

/** Facts are read from a payment, so there has to be one; what it says of itself is taken back. */
function standIn(merchantId: string, playerId: string): Payment {
  return {
    requestId: "",
    merchantId,
    paymentId: "",
    revision: 0,
    playerId,
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
}
