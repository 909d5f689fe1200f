import { lose, type Speaker, stands, win } from "../speaker.ts";

/** *Strategy and retry come from the first rule that speaks* (`DESIGN.md` §4.3): who that is; the others lose to it. */
export function findFirst(speakers: readonly Speaker[], facet: "strategy" | "retry"): Speaker | undefined {
  let first: Speaker | undefined;
  for (const speaker of speakers) {
    if (!stands(speaker, facet)) continue;
    if (first === undefined) {
      first = speaker;
      win(speaker, facet);
    } else {
      lose(speaker, facet, first.id, "an earlier rule speaks");
    }
  }
  return first;
}
