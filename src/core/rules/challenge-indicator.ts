import type { ThreeDsLevel } from "./snapshot.ts";

/** EMV challenge indicators that ask for no challenge: 3DS becomes a formality. */
export const relaxingIndicators: ReadonlySet<string> = new Set(["02", "05", "06", "07", "08", "10", "11"]);

/** The indicator that asks for a challenge as a mandate; of CHALLENGE where it names none. */
export const mandatedIndicator = "04";
const noPreference = "01";

/** A level with its indicator; absent or empty means the default of the level. */
type Demand = { readonly level: ThreeDsLevel; readonly challengeIndicator?: string };

/** How firmly 3DS asks for a challenge: 3 as a mandate, 2 by wish, 1 not minding, 0 asking for none. */
export function firmnessOf({ level, challengeIndicator }: Demand): number {
  const indicator = challengeIndicator || (level === "CHALLENGE" ? mandatedIndicator : noPreference);
  if (indicator === mandatedIndicator) return 3;
  if (indicator === noPreference) return 1;
  return relaxingIndicators.has(indicator) ? 0 : 2;
}
