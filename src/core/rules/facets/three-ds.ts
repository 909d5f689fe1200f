import { firmnessOf, mandatedIndicator } from "../challenge-indicator.ts";
import { type ThreeDsLevel, type ThreeDsWish, threeDsLevels } from "../snapshot.ts";
import { lose, rank, type Speaker, stands, win } from "../speaker.ts";

/** What the rules want of 3DS, once for the payment (`SEMANTICS.md` 3.3). */
export type ThreeDsFacet = {
  readonly wish: ThreeDsWish;
  /** The strictest floor of classes 1, 2 and 4; it holds even where no player is in session. */
  readonly floor: ThreeDsWish | undefined;
};

export const noWish: ThreeDsFacet = { wish: { level: "NO_PREFERENCE" }, floor: undefined };

/** Below 0 where `a` is stricter than `b`. */
export function compareLevels(a: ThreeDsLevel, b: ThreeDsLevel): number {
  return threeDsLevels.indexOf(a) - threeDsLevels.indexOf(b);
}

/**
 * The stricter of the rules' floor and the preference. The floor is the strictest that REGULATORY, SAFER_GAMBLING and RISK say, the preference
 * the first that OVERRIDE, EXPERIMENT, SEGMENT or DEFAULT says; where both are equally strict the floor speaks. Whoever wins asks for its
 * challenge at least as firmly as every floor does.
 */
export function resolveThreeDs(speakers: readonly Speaker[]): ThreeDsFacet {
  let floor: Speaker | undefined;
  let firmest: Speaker | undefined;
  let preference: Speaker | undefined;
  for (const speaker of speakers) {
    if (!stands(speaker, "three_ds")) continue;
    if (!isFloor(speaker)) {
      preference ??= speaker;
      continue;
    }
    if (floor === undefined || compareLevels(levelOf(speaker), levelOf(floor)) < 0) floor = speaker;
    if (firmest === undefined || firmnessOf(wishOf(speaker)) > firmnessOf(wishOf(firmest))) firmest = speaker;
  }
  const winner = pickStricter(floor, preference);
  if (winner === undefined) return noWish;
  const wish = askFirmly(winner, firmest);
  const winners = wish === wishOf(winner) ? [winner] : [winner, firmest!];
  for (const each of winners) win(each, "three_ds");
  for (const speaker of speakers) {
    if (winners.includes(speaker) || !stands(speaker, "three_ds")) continue;
    const why =
      isFloor(speaker) || isFloor(winner) ? "an equal or stricter wish stands" : "an earlier rule speaks";
    lose(speaker, "three_ds", winner.id, why);
  }
  return { wish, floor: floor && askFirmly(floor, firmest) };
}

/** The facet with one floor more, as a limit puts it: it can only become stricter. */
export function raiseFloor({ wish, floor }: ThreeDsFacet, level: ThreeDsLevel): ThreeDsFacet {
  const raise = (before: ThreeDsWish | undefined): ThreeDsWish =>
    before !== undefined && compareLevels(before.level, level) <= 0 ? before : { level };
  return { wish: raise(wish), floor: raise(floor) };
}

/** What a speaker wishes, with the indicator of the firmest floor where its own asks for less. */
function askFirmly(speaker: Speaker, firmest: Speaker | undefined): ThreeDsWish {
  const wish = wishOf(speaker);
  if (firmest === undefined || firmnessOf(wishOf(firmest)) <= firmnessOf(wish)) return wish;
  // Nothing is firmer than another floor without naming its indicator but a CHALLENGE.
  return { ...wish, challengeIndicator: wishOf(firmest).challengeIndicator ?? mandatedIndicator };
}

function isFloor(speaker: Speaker): boolean {
  const place = rank(speaker);
  return place === 1 || place === 2 || place === 4;
}

function pickStricter(floor: Speaker | undefined, preference: Speaker | undefined): Speaker | undefined {
  if (floor === undefined || preference === undefined) return floor ?? preference;
  return compareLevels(levelOf(preference), levelOf(floor)) < 0 ? preference : floor;
}

function levelOf(speaker: Speaker): ThreeDsLevel {
  return wishOf(speaker).level;
}

function wishOf(speaker: Speaker): ThreeDsWish {
  return speaker.effects.threeDs!;
}
