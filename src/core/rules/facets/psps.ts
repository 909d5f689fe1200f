import type { Facet } from "../../decision.ts";
import { facetBits, lose, rank, type Speaker, stands, win } from "../speaker.ts";

/** Which PSPs the rules leave, by ordinal. */
export type PspsFacet = {
  /** Whether some rule narrowed the choice by requiring. */
  readonly isNarrowed: boolean;
  /** PSPs that an override forces; empty where none does. */
  readonly forcedBy: Speaker | undefined;
  /** Those of classes 1-4 that require PSPs and have none in common; undefined where they have. */
  readonly conflict: readonly Speaker[] | undefined;
};

/** Writes 1 for PSPs that the rules take out; 0 stays. Reused from call to call. */
export type Removals = { readonly excluded: Uint8Array; readonly unrequired: Uint8Array };

const untouched: PspsFacet = { isNarrowed: false, forcedBy: undefined, conflict: undefined };
const speaksOfPsps = facetBits.exclude | facetBits.require;

/**
 * *Exclude: all of 1-2, plus those of 3-6 not lifted by a named override. Require: those of 1-4 intersect; those of 5-7 apply in order, and one
 * that would empty the set is dropped. Force is a class-3 require: it lifts 4-7, never 1-2; against forbid, forbid wins* (`SEMANTICS.md` 3.2).
 *
 * `isUsable` says of each PSP whether it passed every other filter: the set that 5-7 must not empty. `removals` is cleared and filled.
 */
export function resolvePsps(
  speakers: readonly Speaker[],
  isUsable: (psp: number) => boolean,
  removals: Removals,
): PspsFacet {
  const { excluded, unrequired } = removals;
  excluded.fill(0);
  unrequired.fill(0);
  let speaks = 0;
  for (const speaker of speakers) speaks |= speaker.speaks;
  if ((speaks & speaksOfPsps) === 0) return untouched;

  const forcedBy = speakers.find((speaker) => speaker.ruleClass === "OVERRIDE" && stands(speaker, "require"));
  const hard = speakers.filter((speaker) => rank(speaker) <= 4 && binds(speaker, "require", forcedBy));
  for (const speaker of hard) narrow(speaker, unrequired);
  const conflict = hard.length > 1 && unrequired.every((bit) => bit === 1) ? hard : undefined;
  for (const speaker of speakers) if (stands(speaker, "exclude")) exclude(speaker, forcedBy, removals);

  let isNarrowed = hard.length > 0;
  for (const speaker of speakers) {
    if (rank(speaker) <= 4 || !stands(speaker, "require")) continue;
    isNarrowed = requireSoftly(speaker, forcedBy, isUsable, removals, hard) || isNarrowed;
  }
  return { isNarrowed, forcedBy, conflict };
}

/** What a force lifts: the excludes and requires of 4-7. */
function binds(speaker: Speaker, facet: Facet, forcedBy: Speaker | undefined): boolean {
  if (!stands(speaker, facet)) return false;
  if (forcedBy === undefined || rank(speaker) <= 3) return true;
  lose(speaker, facet, forcedBy.id, "an override forces PSPs");
  return false;
}

function narrow(speaker: Speaker, unrequired: Uint8Array): void {
  const wanted = speaker.effects.requirePsps!;
  for (let psp = 0; psp < unrequired.length; psp++) if (!wanted.includes(psp)) unrequired[psp] = 1;
  win(speaker, "require");
}

function exclude(speaker: Speaker, forcedBy: Speaker | undefined, { excluded, unrequired }: Removals): void {
  const isWeaker = rank(speaker) > 3;
  let isLifted = false;
  let isHeard = false;
  for (const psp of speaker.effects.excludePsps!) {
    const isForced = forcedBy !== undefined && unrequired[psp] === 0;
    if (isForced && isWeaker) {
      isLifted = true;
      continue;
    }
    excluded[psp] = 1;
    isHeard = true;
    if (isForced)
      loseOnce(forcedBy, "require", speaker.id, "a stronger rule or a forbid excludes a forced PSP");
  }
  if (isLifted) lose(speaker, "exclude", forcedBy!.id, "an override forces PSPs");
  if (isHeard) win(speaker, "exclude");
}

/** Applies a require of 5-7, unless nothing would be left. Returns whether it narrowed. */
function requireSoftly(
  speaker: Speaker,
  forcedBy: Speaker | undefined,
  isUsable: (psp: number) => boolean,
  { excluded, unrequired }: Removals,
  hard: readonly Speaker[],
): boolean {
  if (!binds(speaker, "require", forcedBy)) return false;
  const wanted = speaker.effects.requirePsps!;
  const leavesSome = wanted.some((psp) => excluded[psp] === 0 && unrequired[psp] === 0 && isUsable(psp));
  if (!leavesSome) {
    lose(speaker, "require", hard[0]?.id ?? "eligibility", "it would leave no PSP");
    return false;
  }
  narrow(speaker, unrequired);
  return true;
}

function loseOnce(speaker: Speaker, facet: Facet, to: string, why: string): void {
  if (!speaker.lost.some((loss) => loss.facet === facet && loss.to === to)) lose(speaker, facet, to, why);
}
