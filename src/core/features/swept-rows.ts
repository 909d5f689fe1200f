import type { History } from "../history/history.ts";
import { createGathered, type Gathered, reserveGathered, type Source, type Stream } from "./stream.ts";
import { findFirstAfter, type Span } from "./windows.ts";

/** So many rows beyond now are gathered at once: whoever looks at one history again and again mostly goes from row to row. */
const aheadMax = 64;
/** Streams with more rows are gathered anew every time, so that their memory is bounded. */
const keptMax = 8_192;

/** The rows of one stream, for looks at one history at one instant after the other. */
export type SweptRows = {
  /**
   * Rows of the stream in a span, and maybe more on both sides; undefined where they are not to be kept. Good until the next call.
   *
   * `last` is the last row at or before now.
   */
  readonly read: (source: Source, last: number, span: Span) => Gathered | undefined;
};

/**
 * Keeps what was gathered, as long as the history is the same object: that one is valid until the next change of any history. Windows move on from
 * look to look, but most rows stay in them; conditions over events do not tell the time, so a row that matches does so at every instant.
 */
export function createSweptRows(stream: Stream): SweptRows {
  const { spec } = stream;
  let rows: Gathered | undefined;
  let of: History | undefined;
  let kept: Span = { afterMs: 0, throughMs: 0 };
  const gather = (source: Source, last: number, { afterMs, throughMs }: Span): Gathered | undefined => {
    const history = source.history!;
    const final = Math.min(last + aheadMax, history.end - 1);
    const count = final + 1 - findFirstAfter(history, afterMs);
    of = undefined;
    if (count > keptMax) return undefined;
    // Up to the instant before the first row that is not gathered.
    const untilMs = final + 1 < history.end ? history.atMs[final + 1]! - 1 : Number.POSITIVE_INFINITY;
    kept = { afterMs, throughMs: Math.max(untilMs, throughMs) };
    rows ??= createGathered();
    reserveGathered(rows, count);
    stream.gather(rows, source, final, kept);
    of = history;
    return rows;
  };
  return {
    read: (source, last, span) => {
      const { history, current } = source;
      const isKept = spec.most === Number.POSITIVE_INFINITY;
      if (!isKept || history === undefined || (spec.includeCurrent && current !== undefined))
        return undefined;
      const isThere = of === history && kept.afterMs <= span.afterMs && span.throughMs <= kept.throughMs;
      return isThere ? rows : gather(source, last, span);
    },
  };
}
