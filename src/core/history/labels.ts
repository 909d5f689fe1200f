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

/**
 * The attributes of a type of events, in the order in which `internValues` gets their values. Hold on to it: making one costs more than using it.
 */
export type LabelShape = {
  readonly type: string;
  /** Names of plain attributes. */
  readonly names: readonly string[];
  /** Names of wide attributes, by place. */
  readonly wides: readonly string[];
  /** Currency, then value by value: where labels of this shape are found again without a text being made. */
  readonly known: Branch;
};

type Branch = Map<EventValue | undefined, Branch | number>;

/** A label that is known by its number, so that interning it again is a look at it. */
class KnownLabel implements Label {
  readonly type: string;
  readonly currency: string;
  readonly values: ReadonlyMap<string, EventValue>;
  readonly wides: readonly string[];
  readonly place: number;
  readonly home: LabelTable;

  constructor(label: Label, place: number, home: LabelTable) {
    this.type = label.type;
    this.currency = label.currency;
    this.values = new Map([...label.values].sort(byName));
    this.wides = [...label.wides];
    this.place = place;
    this.home = home;
  }
}

/** Numbers for labels, from 0 on without a gap. */
export class LabelTable implements Labels {
  readonly #labels: KnownLabel[] = [];
  readonly #places = new Map<string, number>();
  /** Labels of others that were interned before: whoever hands one in again gets its number without a text being made. */
  readonly #given = new WeakMap<Label, number>();
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
   * The number of a label, new or known: equal labels have one number, whatever the order of their values. Quick for what `get` returned,
   * and for an object that was handed in before.
   *
   * Fails: undefined where it would be one too many.
   */
  intern(label: Label): number | undefined {
    if (label instanceof KnownLabel && label.home === this) return label.place;
    const given = this.#given.get(label);
    if (given !== undefined) return given;
    const key = writeKey(label);
    const known = this.#places.get(key);
    const place = known ?? this.#labels.length;
    if (place >= this.#max) return undefined;
    if (known === undefined) {
      this.#labels.push(new KnownLabel(label, place, this));
      this.#places.set(key, place);
    }
    this.#given.set(label, place);
    return place;
  }

  shape(type: string, names: readonly string[], wides: readonly string[]): LabelShape {
    return { type, names: [...names], wides: [...wides], known: new Map() };
  }

  /**
   * The number of the label of this shape: `intern` for the path of every event. `values` lie as `shape.names` do; undefined is an absent one.
   *
   * Fails: undefined where it would be one too many.
   */
  internValues(
    shape: LabelShape,
    currency: string,
    values: readonly (EventValue | undefined)[],
  ): number | undefined {
    const last = shape.names.length;
    let branch = shape.known;
    let key: EventValue | undefined = currency;
    for (let at = 0; at < last; at++) {
      branch = growBranch(branch, key);
      key = values[at];
    }
    const known = branch.get(key);
    if (known !== undefined) return known as number;
    const label = this.intern(spellLabel(shape, currency, values));
    if (label !== undefined) branch.set(key, label);
    return label;
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
    if (label > this.#labels.length || this.intern(entry) !== label) {
      throw new Error(`label ${label} (${entry.type}) is not the one of that number`);
    }
  }
}

function growBranch(branch: Branch, key: EventValue | undefined): Branch {
  const known = branch.get(key);
  if (known !== undefined) return known as Branch;
  const grown: Branch = new Map();
  branch.set(key, grown);
  return grown;
}

function spellLabel(shape: LabelShape, currency: string, values: readonly (EventValue | undefined)[]): Label {
  const present = new Map<string, EventValue>();
  for (const [at, name] of shape.names.entries()) {
    const value = values[at];
    if (value !== undefined) present.set(name, value);
  }
  return { type: shape.type, currency, values: present, wides: shape.wides };
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
