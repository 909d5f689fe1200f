/**
 * The labels of a process: what rows have in common, interned to a number. They are never forgotten, so their number is bounded, and rows on disk
 * name them by their number, so they come back in the order in which they were made.
 */
import type { EventValue } from "../events/event.ts";
import type { Label, Labels } from "./history.ts";
import { reversedType } from "./history.ts";

/** 262,144: of 100 bytes each or so. Whoever needs more has put something with many values into a plain attribute. */
export const labelsMax = 0x40000;

/** The label of every row that was taken back: the first of all processes. */
export const reversedLabel = 0;

/** Numbers for labels, from 0 on without a gap. */
export class LabelTable implements Labels {
  readonly #labels: Label[] = [];
  readonly #places = new Map<string, number>();
  /** Labels that were asked for: who makes rows keeps theirs, and so they are found without a text being made. */
  readonly #met = new WeakMap<Label, number>();
  /** Whoever puts a row asks twice. */
  #last: Label | undefined;
  #lastPlace = 0;
  readonly #max: number;

  constructor(max = labelsMax) {
    this.#max = max;
    this.intern({ type: reversedType, currency: "", values: new Map(), wides: [] });
  }

  count(): number {
    return this.#labels.length;
  }

  /** The label of a number below `count`. */
  get(label: number): Label {
    return this.#labels[label]!;
  }

  /** How many wide places rows of this label have. */
  countWides(label: number): number {
    return this.#labels[label]!.wides.length;
  }

  /**
   * The number of a label, new or known: equal labels have one number, whatever the order of their values. Quick for an object that was asked for
   * before.
   *
   * Fails: undefined where it would be one too many.
   */
  intern(label: Label): number | undefined {
    if (label === this.#last) return this.#lastPlace;
    const met = this.#met.get(label);
    if (met !== undefined) {
      this.#last = label;
      this.#lastPlace = met;
      return met;
    }
    const key = writeKey(label);
    const place = this.#places.get(key) ?? this.#add(key, label);
    if (place !== undefined) this.#met.set(label, place);
    return place;
  }

  /** All labels from this number on, to be written down behind those that were written before. */
  entriesFrom(label: number): readonly Label[] {
    return this.#labels.slice(label);
  }

  /**
   * Gives a label that was written down its number back. Call it in order, from 0 or from `count` on.
   *
   * Fails: throws where the number is taken by another label, or leaves a gap: the rows that name it would be read wrong.
   */
  restore(label: number, entry: Label): void {
    if (this.intern(entry) !== label) {
      throw new Error(`label ${label} (${entry.type}) is not the one of that number`);
    }
  }

  #add(key: string, label: Label): number | undefined {
    if (this.#labels.length >= this.#max) return undefined;
    const own: Label = {
      type: label.type,
      currency: label.currency,
      values: new Map([...label.values].sort(byName)),
      wides: [...label.wides],
    };
    this.#places.set(key, this.#labels.length);
    this.#met.set(own, this.#labels.length);
    return this.#labels.push(own) - 1;
  }
}

/** Types are told apart: the text "1", the number 1 and the truth of it are three values. */
function writeKey(label: Label): string {
  const values = [...label.values].sort(byName);
  return JSON.stringify([
    label.type,
    label.currency,
    label.wides,
    values.map(([name, value]) => [name, typeof value, String(value)]),
  ]);
}

function byName(a: readonly [string, EventValue], b: readonly [string, EventValue]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
