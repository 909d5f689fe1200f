import type { SlotSource } from "../cel/environment.ts";

/** Whether a value is known without a payment: what is stored of the player, what their events say, and the time. */
export function isOfPlayer(source: SlotSource): boolean {
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
