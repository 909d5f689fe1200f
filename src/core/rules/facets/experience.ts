import type { ExperienceView } from "../snapshot.ts";
import { lose, type Speaker, stands, win } from "../speaker.ts";

/** What the rules say of the cashier, with who hides a method. */
export type ExperienceFacet = Omit<ExperienceView, "hiddenMethods"> & {
  readonly hiddenBy: ReadonlyMap<string, Speaker>;
};

const firstSpeaks = ["methodOrder", "amounts", "messageKeys"] as const;
type FirstSpeaks = (typeof firstSpeaks)[number];

export const noExperience: ExperienceFacet = {
  methodOrder: [],
  amounts: [],
  messageKeys: [],
  hiddenBy: new Map(),
};

/**
 * *Experience resolves per field: order, amounts and messages from the first in order; hidden methods are a union* (`SEMANTICS.md` 3.2). A
 * rule may so win one field and lose another. An empty field says nothing.
 */
export function resolveExperience(speakers: readonly Speaker[]): ExperienceFacet {
  const firsts: Record<FirstSpeaks, Speaker | undefined> = {
    methodOrder: undefined,
    amounts: undefined,
    messageKeys: undefined,
  };
  for (const speaker of speakers) {
    if (!stands(speaker, "experience")) continue;
    for (const field of firstSpeaks) if (gives(speaker, field)) firsts[field] ??= speaker;
  }
  let hiddenBy: Map<string, Speaker> | undefined;
  for (const speaker of speakers) {
    if (!stands(speaker, "experience")) continue;
    for (const method of speaker.effects.experience!.hiddenMethods) {
      hiddenBy ??= new Map();
      if (!hiddenBy.has(method)) hiddenBy.set(method, speaker);
      win(speaker, "experience");
    }
    judgeFirsts(speaker, firsts);
  }
  return {
    methodOrder: firsts.methodOrder?.effects.experience?.methodOrder ?? noExperience.methodOrder,
    amounts: firsts.amounts?.effects.experience?.amounts ?? noExperience.amounts,
    messageKeys: firsts.messageKeys?.effects.experience?.messageKeys ?? noExperience.messageKeys,
    hiddenBy: hiddenBy ?? noExperience.hiddenBy,
  };
}

/** Notes the win of any field, and the loss of the first one that an earlier rule gives. */
function judgeFirsts(speaker: Speaker, firsts: Readonly<Record<FirstSpeaks, Speaker | undefined>>): void {
  let lost: FirstSpeaks | undefined;
  for (const field of firstSpeaks) {
    if (firsts[field] === speaker) win(speaker, "experience");
    else if (gives(speaker, field)) lost ??= field;
  }
  if (lost !== undefined) {
    lose(speaker, "experience", firsts[lost]!.id, `an earlier rule gives ${lost}`);
  }
}

function gives({ effects }: Speaker, field: FirstSpeaks): boolean {
  return effects.experience![field].length > 0;
}
