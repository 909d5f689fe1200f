import type { ExperienceView } from "../snapshot.ts";
import { lose, type Speaker, stands, win } from "../speaker.ts";

/** What the rules say of the cashier, with who hides a method. */
export type ExperienceFacet = Omit<ExperienceView, "hiddenMethods"> & {
  readonly hiddenBy: ReadonlyMap<string, Speaker>;
};

const firstSpeaks = ["methodOrder", "amounts", "messageKeys"] as const;

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
  const speaking = speakers.filter((speaker) => stands(speaker, "experience"));
  const firsts = firstSpeaks.map((field) =>
    speaking.find(({ effects }) => effects.experience![field].length > 0),
  );
  const hiddenBy = new Map<string, Speaker>();
  for (const speaker of speaking) {
    const view = speaker.effects.experience!;
    for (const method of view.hiddenMethods) if (!hiddenBy.has(method)) hiddenBy.set(method, speaker);
    if (view.hiddenMethods.length > 0) win(speaker, "experience");
    const lostAt = firstSpeaks.findIndex((field, at) => view[field].length > 0 && firsts[at] !== speaker);
    if (firsts.includes(speaker)) win(speaker, "experience");
    if (lostAt >= 0) {
      lose(speaker, "experience", firsts[lostAt]!.id, `an earlier rule gives ${firstSpeaks[lostAt]}`);
    }
  }
  const [order, amounts, messages] = firsts.map((speaker) => speaker?.effects.experience);
  return {
    methodOrder: order?.methodOrder ?? [],
    amounts: amounts?.amounts ?? [],
    messageKeys: messages?.messageKeys ?? [],
    hiddenBy,
  };
}
