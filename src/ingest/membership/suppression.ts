import { readStored } from "../../core/facts.ts";
import type { Player } from "../../core/player.ts";
import { findMarketingStop } from "../../core/restrictions.ts";

/** Players may refuse contacts by this attribute, where the rule set declares it. */
const optOutName = "marketing_opt_out";

/**
 * What forbids to contact a player at an instant, as public code: `RESTRICTED` (whichever restriction it is, as that is nobody's business),
 * `OPTED_OUT`, or empty where nothing does.
 */
export function findSuppression(player: Player, nowMs: number): "" | "RESTRICTED" | "OPTED_OUT" {
  if (findMarketingStop(player.restrictions, nowMs) !== undefined) return "RESTRICTED";
  return readStored({ player, nowMs }, optOutName) === true ? "OPTED_OUT" : "";
}

/** A lower bound of the next instant at which that may change by time alone; Infinity where it will not. */
export function findNextSuppression({ restrictions, attributes }: Player, nowMs: number): number {
  const optOut = attributes.get(optOutName);
  const instants = restrictions.flatMap(({ fromMs, checkedAtMs, maxAgeMs }) =>
    maxAgeMs === undefined ? [fromMs] : [fromMs, checkedAtMs + maxAgeMs + 1],
  );
  if (optOut?.ttlMs !== undefined) instants.push(optOut.setAtMs + optOut.ttlMs);
  return Math.min(...instants.filter((atMs) => atMs > nowMs));
}
