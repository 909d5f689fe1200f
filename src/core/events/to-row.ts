import { hashWide } from "../history/hash-wide.ts";
import type { Label, NewRow } from "../history/history.ts";
import type { EventTypeInfo, EventValue, PlayerEvent } from "./event.ts";
import { type LabelBook, type LabelPart, LabelsByParts } from "./label-book.ts";

/** What is worked out once for a type. */
type Layout = {
  readonly plains: readonly string[];
  readonly wides: readonly string[];
  readonly labels: LabelsByParts;
};

/** Makes rows of events; keeps the labels that it made. */
export class RowMaker {
  readonly #layouts = new WeakMap<EventTypeInfo, Layout>();
  readonly #book: LabelBook;

  constructor(book: LabelBook) {
    this.#book = book;
  }

  /**
   * The row of a checked event. Its label has the wide attributes up to the last that the event has, so that what nobody sends takes no room.
   *
   * Fails: undefined where it would need one label more than there may be.
   */
  make(event: PlayerEvent, info: EventTypeInfo, id: number): NewRow | undefined {
    const layout = this.#layoutOf(info);
    const wides: number[] = [];
    const values = event.attributes;
    let length = 0;
    for (let place = 0; place < layout.wides.length; place++) {
      const value = values.get(layout.wides[place]!);
      wides.push(value === undefined ? NaN : typeof value === "string" ? hashWide(value) : Number(value));
      if (value !== undefined) length = place + 1;
    }
    wides.length = length;
    const label = this.#labelOf(layout, event, length);
    if (label === undefined) return undefined;
    return { id, atMs: event.occurredAtMs, amountMinor: event.amount?.minorUnits ?? 0, label, wides };
  }

  #layoutOf(info: EventTypeInfo): Layout {
    const known = this.#layouts.get(info);
    if (known !== undefined) return known;
    const attributes = [...info.attributes.values()];
    const namesOf = (storage: "plain" | "wide"): readonly string[] =>
      attributes.filter((each) => each.storage === storage).map(({ name }) => name);
    const layout: Layout = { plains: namesOf("plain"), wides: namesOf("wide"), labels: new LabelsByParts() };
    this.#layouts.set(info, layout);
    return layout;
  }

  #labelOf({ plains, wides, labels }: Layout, event: PlayerEvent, length: number): Label | undefined {
    const currency = event.amount?.currencyCode ?? "";
    const parts: LabelPart[] = [currency, length];
    for (const name of plains) parts.push(event.attributes.get(name));
    const known = labels.find(parts);
    if (known !== undefined) return known;
    if (!this.#book.admit()) return undefined;
    const values = new Map<string, EventValue>();
    for (const name of plains) {
      const value = event.attributes.get(name);
      if (value !== undefined) values.set(name, value);
    }
    const label: Label = { type: event.type, currency, values, wides: wides.slice(0, length) };
    labels.add(parts, label);
    return label;
  }
}
