/**
 * The bitmap index as flat buffers, so that a worker can build it and transfer it without copying.
 *
 * Conditions get *positions*, in an order that puts alike ones side by side (`ordinals[position]` is the rule's ordinal): one mostly, one
 * for each of its alternatives where it is a disjunction, none where it can never match. A *row* is a bit per position, in `words` 32-bit words, followed by a summary of `summaryWords` words with a bit
 * per word that is not zero; `stride` is the two together. All rows lie in `pool`, and an offset is that of a row's first word.
 *
 * Each *dimension* picks one row per decision: the conditions that a value of its slot leaves standing, those that do not name the slot
 * included. The conjunction of the picked rows is what survives. What one value changes is a *posting*, held either as a row of its own
 * (dense) or as `patches`: pairs of word index and word.
 */
export type IndexImage = {
  readonly header: IndexHeader;
  /** All rows. */
  readonly pool: Int32Array<ArrayBuffer>;
  /** Three numbers for each posting: offset of its row or -1; else first and last-plus-one index of its pairs in `patches`. */
  readonly postings: Int32Array<ArrayBuffer>;
  readonly patches: Int32Array<ArrayBuffer>;
  /** For each key, in the order of the dimensions, its posting. */
  readonly keyPostings: Int32Array<ArrayBuffer>;
  /** Rows of the cells of ranges. */
  readonly cellRows: Int32Array<ArrayBuffer>;
  /** Keys that are numbers or bools (0, 1), and the bounds of the ranges. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Keys that are strings, one after another in UTF-16 units (UTF-8 would lose lone surrogates); `textEnds[i]` is where the i-th ends. */
  readonly text: Uint16Array<ArrayBuffer>;
  readonly textEnds: Int32Array<ArrayBuffer>;
  /** Ordinal of each position. */
  readonly ordinals: Int32Array<ArrayBuffer>;
  /** Checks of position p are `checks[checkStarts[p] .. checkStarts[p + 1])`: twice the number of a test, plus 1 where true is wanted. */
  readonly checkStarts: Int32Array<ArrayBuffer>;
  readonly checks: Int32Array<ArrayBuffer>;
  /** Two numbers for each test: the slot, or -1 for a segment; then the ordinal of the list or segment. */
  readonly tests: Int32Array<ArrayBuffer>;
};

export type IndexHeader = {
  /** Number of conditions, those that never match included. */
  readonly conditions: number;
  readonly positions: number;
  readonly words: number;
  readonly summaryWords: number;
  /** Row of all positions. */
  readonly allRow: number;
  /** Row of the conditions that match on unknown too. */
  readonly matchUnknownRow: number;
  /** Row of the conditions that their terms do not wholly cover. */
  readonly incompleteRow: number;
  /** Row of the conditions whose predicate may ever be asked. */
  readonly predicateRow: number;
  readonly dimensions: readonly Dimension[];
};

/** Where the keys of a dimension or probe are: `count` of them from `first` in `numbers` or in the texts, and their postings. */
export type KeyRange = {
  readonly type: "text" | "number" | "bool";
  readonly first: number;
  readonly count: number;
  readonly firstPosting: number;
};

export type Dimension =
  /** One scalar slot. A posting replaces words of the row at `base`, which holds for every value that is no key. */
  | {
      readonly kind: "values";
      readonly slot: number;
      readonly base: number;
      /** A copy of the row at `base` that postings are patched into. */
      readonly work: number;
      readonly keys: KeyRange;
      /** Posting of the unknown value. */
      readonly unknown: number;
    }
  /**
   * One number slot cut into cells by `bounds` ascending numbers: below the first, equal to it, between it and the next, and so on; then
   * NaN and unknown. `cellRows[firstCell + cell]` is the row of a cell; where `firstDoubt` is not -1, `cellRows[firstDoubt + cell]` is the
   * row of the conditions that hold in a part of the cell only.
   */
  | {
      readonly kind: "ranges";
      readonly slot: number;
      readonly firstBound: number;
      readonly bounds: number;
      readonly firstCell: number;
      readonly firstDoubt: number;
    }
  /** The row at `base` with the postings of all probes that hold added. */
  | {
      readonly kind: "probes";
      readonly base: number;
      readonly work: number;
      readonly probes: readonly Probe[];
    };

/** A test whose posting is added where it holds; `unknown` is the posting added where it is unknown. */
export type Probe =
  | {
      readonly kind: "segment";
      readonly segment: number;
      readonly posting: number;
      readonly unknown: number;
    }
  | {
      readonly kind: "list";
      readonly slot: number;
      readonly list: number;
      readonly posting: number;
      readonly unknown: number;
    }
  /** The value of the slot, or each of its elements where it is a list, is looked up among the keys. */
  | { readonly kind: "value"; readonly slot: number; readonly keys: KeyRange; readonly unknown: number };

/** The buffers to hand over with an image when it is posted to another thread. */
export function transferList(image: IndexImage): ArrayBuffer[] {
  return [
    image.pool,
    image.postings,
    image.patches,
    image.keyPostings,
    image.cellRows,
    image.numbers,
    image.text,
    image.textEnds,
    image.ordinals,
    image.checkStarts,
    image.checks,
    image.tests,
  ].map((view) => view.buffer);
}
