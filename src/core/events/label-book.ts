import type { Label } from "../history/history.ts";

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

/** Labels of one type by what makes them different. */
export type LabelsByKey = Map<string, Label>;

/** Stands between the parts of a key; no checked text holds it. */
export const keySeparator = "\0";
