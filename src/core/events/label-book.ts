import type { Label } from "../history/history.ts";
import type { EventValue } from "./event.ts";

/**
 * The labels that the events of one merchant have had: one object per label, so that whoever interns them knows it by identity.
 *
 * Labels are never forgotten, so their number is bounded: a source that puts ids where few values belong must not fill the memory.
 */
export class LabelBook {
  readonly #labelsMax: number;
  #count = 0;

  constructor(labelsMax: number) {
    this.#labelsMax = labelsMax;
  }

  /** Whether one more label may be had; if so it counts. */
  admit(): boolean {
    if (this.#count >= this.#labelsMax) return false;
    this.#count++;
    return true;
  }
}

/** What makes a label different from others: always as many parts, each at its place. */
export type LabelPart = EventValue | undefined;

/** Labels by their parts. Most events have one of a few, and those are found without a text being made. */
export class LabelsByParts {
  readonly #byKey = new Map<string, Label>();
  /** Lately met ones, those met often in front. */
  readonly #recent: { readonly parts: readonly LabelPart[]; readonly label: Label }[] = [];

  find(parts: readonly LabelPart[]): Label | undefined {
    const recent = this.#recent;
    for (let at = 0; at < recent.length; at++) {
      const entry = recent[at]!;
      if (!areSame(entry.parts, parts)) continue;
      if (at > 0) {
        recent[at] = recent[at - 1]!;
        recent[at - 1] = entry;
      }
      return entry.label;
    }
    const known = this.#byKey.get(spell(parts));
    if (known !== undefined) this.#meet(parts, known);
    return known;
  }

  add(parts: readonly LabelPart[], label: Label): void {
    this.#byKey.set(spell(parts), label);
    this.#meet(parts, label);
  }

  #meet(parts: readonly LabelPart[], label: Label): void {
    if (this.#recent.length === recentMax) this.#recent.pop();
    this.#recent.push({ parts: [...parts], label });
  }
}

const recentMax = 12;

function areSame(known: readonly LabelPart[], parts: readonly LabelPart[]): boolean {
  for (let at = 0; at < known.length; at++) if (known[at] !== parts[at]) return false;
  return true;
}

/** Different for values of different types: true is not the text "true". No checked text holds what stands between. */
function spell(parts: readonly LabelPart[]): string {
  return parts
    .map((part) => (typeof part === "string" ? `=${part}` : part === undefined ? "" : String(part)))
    .join("\0");
}
