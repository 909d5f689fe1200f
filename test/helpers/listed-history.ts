import type { EventValue } from "../../src/core/events/event.ts";
import type { History, Label, Labels, Tile } from "../../src/core/history/history.ts";

/** An event as a test writes it down. `wides` are numbers, texts already by hash. */
export type ListedEvent = {
  readonly type: string;
  readonly atMs: number;
  /** Orders events of one instant. */
  readonly id?: number;
  readonly amountMinor?: number;
  readonly currency?: string;
  readonly values?: Readonly<Record<string, EventValue>>;
  readonly wides?: Readonly<Record<string, number>>;
};

/** Labels that a test's histories share, interned. */
export type ListedLabels = Labels & { readonly intern: (event: ListedEvent) => number };

export function createListedLabels(): ListedLabels {
  const labels: Label[] = [];
  const places = new Map<string, number>();
  return {
    count: () => labels.length,
    get: (label) => labels[label]!,
    intern: ({ type, currency = "", values = {}, wides = {} }) => {
      const key = JSON.stringify([type, currency, values, Object.keys(wides)]);
      let place = places.get(key);
      if (place === undefined) {
        place = labels.length;
        labels.push({ type, currency, values: new Map(Object.entries(values)), wides: Object.keys(wides) });
        places.set(key, place);
      }
      return place;
    },
  };
}

/** A history over arrays of its own, with some rows of nobody before and after, so that who reads beyond its rows is seen. */
export function makeListedHistory(
  events: readonly ListedEvent[],
  { labels = createListedLabels(), tiles = [] }: { labels?: ListedLabels; tiles?: readonly Tile[] } = {},
): History {
  const sorted = events.toSorted((a, b) => a.atMs - b.atMs || (a.id ?? 0) - (b.id ?? 0));
  const padding = 2;
  const start = padding;
  const end = padding + sorted.length;
  const atMs = new Float64Array(end + padding).fill(Number.NaN);
  const label = new Uint32Array(end + padding).fill(0xffffffff);
  const amount = new Int32Array(end + padding).fill(-1);
  for (const [at, event] of sorted.entries()) {
    atMs[start + at] = event.atMs;
    const { amountMinor = 0 } = event;
    if (amountMinor === (amountMinor | 0)) amount[start + at] = amountMinor;
    label[start + at] = labels.intern(event);
  }
  return {
    start,
    end,
    atMs,
    readAmount: (row) => {
      const event = sorted[row - start];
      return event === undefined ? Number.NaN : (event.amountMinor ?? 0);
    },
    amount,
    label,
    labels,
    tiles,
    exactFromMs: Math.max(Number.NEGATIVE_INFINITY, ...tiles.map(({ untilMs }) => untilMs)),
    readWide: (row, place) => Object.values(sorted[row - start]!.wides ?? {})[place] ?? Number.NaN,
  };
}
