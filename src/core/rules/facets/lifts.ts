import type { Facet } from "../../decision.ts";
import { facetBits, lose, type Speaker, win } from "../speaker.ts";

/** What `allow` of an override lifts of a RISK rule: all but its actions. The verdict has more to say and notes its own winners. */
const liftable: readonly Facet[] = ["verdict", "exclude", "require", "cap", "three_ds", "score"];

/**
 * Lets overrides lift the RISK rules that they name (`SEMANTICS.md` 3.2): by id, never by a wildcard, and of no other class.
 *
 * A rule that several overrides name is lifted by the strongest of them.
 */
export function applyLifts(speakers: readonly Speaker[]): void {
  for (const override of speakers) {
    const named = override.effects.allow;
    if (override.ruleClass !== "OVERRIDE" || named === undefined) continue;
    for (const speaker of speakers) {
      if (speaker.ruleClass !== "RISK" || speaker.lifted || !named.includes(speaker.id)) continue;
      speaker.lifted = true;
      noteLift(speaker, override);
    }
  }
}

function noteLift(speaker: Speaker, override: Speaker): void {
  for (const facet of liftable) {
    if ((speaker.speaks & facetBits[facet]) === 0) continue;
    lose(speaker, facet, override.id, "lifted by a named override");
    if (facet !== "verdict") win(override, facet);
  }
}
