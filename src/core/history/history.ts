/**
 * The history of a subject (mostly a player): its events as rows of shared columns, oldest first, in the order (instant, id). What is beyond the
 * cap of a subject is folded into tiles.
 */
import type { EventValue } from "../events/event.ts";
import type { RowFeed } from "./row-feed.ts";

/**
 * A window onto the rows of one subject: row `r` of `start <= r < end` is at index `r` of every column. Valid until the next change of any history.
 */
export type History = {
  readonly start: number;
  readonly end: number;
  /** Instants in ms since the epoch, ascending. */
  readonly atMs: Float64Array;
  /** Minor units of the label's currency; for payment facts what the outcome said. 0 where the type has no amount. */
  readonly readAmount: (row: number) => number;
  /** The same at hand for loops: from 0 on the amount itself; below zero `readAmount` knows it. */
  readonly amount: Int32Array;
  /** Ids of labels (`Labels.get`). */
  readonly label: Uint32Array;
  /** The wide value at a place of the row's label: a number, or the hash of a text (`hashWide`). NaN where the event had none. */
  readonly readWide: (row: number, place: number) => number;
  /** What was folded away, oldest first, by label; empty where nothing was. */
  readonly tiles: readonly Tile[];
  /** Rows at and after this instant are all there; -Infinity where nothing was folded. */
  readonly exactFromMs: number;
  /** What `label` refers to. */
  readonly labels: Labels;
  /** Tells of the rows as they come and go; of long histories only. */
  readonly feed?: RowFeed | undefined;
};

/** Folded rows of one label within `[fromMs, untilMs)`. */
export type Tile = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly label: number;
  readonly count: number;
  readonly sumMinor: number;
  readonly minMinor: number;
  readonly maxMinor: number;
  /**
   * Sums of the amounts in other currencies that the rows were told with: of each `in:XXX` among the wide names of the label, in their order. NaN where a
   * row was told without; absent where the label has none.
   */
  readonly convertedMinor?: readonly number[];
};

/**
 * What rows have in common: type, currency and plain attributes. Interned, so that a filter is judged once per label and not once per row.
 */
export type Label = {
  readonly type: string;
  /** ISO 4217 code; empty where the type has no amount. */
  readonly currency: string;
  readonly values: ReadonlyMap<string, EventValue>;
  /** Names of wide attributes, by place. */
  readonly wides: readonly string[];
};

/** Rows that were taken back keep their place and id under this type, so that a second delivery is still recognised. No feature sees them. */
export const reversedType = "event_reversed";

/** The labels of a process: interned, numbered from 0, never forgotten. */
export type Labels = {
  readonly count: () => number;
  readonly get: (label: number) => Label;
};

/** A row to be put into a history. */
export type NewRow = {
  /** From `rowId` of the event: 48 bits as an integer. */
  readonly id: number;
  readonly atMs: number;
  readonly amountMinor: number;
  readonly label: Label;
  /** By place of the label; NaN where the event has none. */
  readonly wides: readonly number[];
};

/** Whose history it is. Keys of stores and counters: the merchant comes first, always. */
export type SubjectKind = "player" | "card" | "device" | "ip" | "bin" | "psp" | "mid" | "brand" | "key";

export type Subject = { readonly kind: SubjectKind; readonly id: string };

/** What became of a row. */
export type Placed =
  /** `late`: a newer row was there before. */
  | { readonly kind: "added"; readonly late: boolean }
  /** Its id was there with the same body. */
  | { readonly kind: "duplicate" }
  /** Its id was there with another body: names of what differs. The first stands. */
  | { readonly kind: "conflict"; readonly differs: readonly string[] }
  /** A payment fact told before (`SEMANTICS.md` 6.1): the first instant stands, an outcome's amount wins. */
  | { readonly kind: "merged"; readonly differs: readonly string[] }
  /** Its id was taken back before it came. */
  | { readonly kind: "reversed" }
  /** Older than what is still kept row by row, so that nobody can tell whether it is known. */
  | { readonly kind: "too-old" }
  /** Its label would be one too many for the process: nothing was kept. */
  | { readonly kind: "too-many-labels" };
