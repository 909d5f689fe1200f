import { hashWide } from "../../src/core/history/hash-wide.ts";
import type { History, Label, Labels, Tile } from "../../src/core/history/history.ts";

/** A payment fact as tests of limits write it. Texts and instants as in `PaymentFact`; what is left out is unknown. */
export type PlainFact = {
  readonly type: string;
  readonly atMs: number;
  readonly amountMinor?: number;
  readonly currency?: string;
  readonly kind?: "deposit" | "withdrawal";
  readonly payment?: string;
  readonly attempt?: string;
  readonly countedAtMs?: number;
  readonly card?: string;
  readonly device?: string;
  readonly player?: string;
  readonly method?: string;
  readonly converted?: Readonly<Record<string, number>>;
};

const wideTexts = ["payment", "attempt", "card", "device", "player"] as const;

/** Labels shared by all histories of a test, as those of a process are. */
export class PlainLabels implements Labels {
  readonly #labels: Label[] = [];
  readonly #places = new Map<string, number>();

  count(): number {
    return this.#labels.length;
  }

  get(label: number): Label {
    return this.#labels[label]!;
  }

  placeOf(fact: PlainFact): number {
    const values = new Map<string, string>([["kind", fact.kind ?? "deposit"]]);
    if (fact.method !== undefined) values.set("method", fact.method);
    const currencies = Object.keys(fact.converted ?? {}).map((code) => `in:${code}`);
    const label: Label = {
      type: fact.type,
      currency: fact.currency ?? "EUR",
      values,
      wides: [...wideTexts, "counted_at", ...currencies],
    };
    const key = JSON.stringify([label, [...values]]);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.#labels.push(label) - 1;
      this.#places.set(key, place);
    }
    return place;
  }
}

/** A history over plain arrays: rows in order of instant. */
export function makeLimitHistory(
  facts: readonly PlainFact[],
  labels: PlainLabels = new PlainLabels(),
  tiles: readonly Tile[] = [],
): History {
  const rows = facts.toSorted((a, b) => a.atMs - b.atMs);
  const wides = rows.map((fact) => [
    ...wideTexts.map((name) => (fact[name] === undefined ? NaN : hashWide(fact[name]))),
    fact.countedAtMs ?? NaN,
    ...Object.values(fact.converted ?? {}),
  ]);
  return {
    start: 0,
    end: rows.length,
    atMs: Float64Array.from(rows, ({ atMs }) => atMs),
    readAmount: (row) => rows[row]!.amountMinor ?? 0,
    amount: new Int32Array(rows.length).fill(-1),
    label: Uint32Array.from(rows, (fact) => labels.placeOf(fact)),
    readWide: (row, place) => wides[row]![place]!,
    tiles,
    exactFromMs: tiles.length === 0 ? -Infinity : Math.max(...tiles.map(({ untilMs }) => untilMs)),
    labels,
  };
}
