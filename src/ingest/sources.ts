import { type Verdict, verdicts } from "./verdict.ts";

const sourcesMax = 256;
/** Where sources beyond the bound are counted together. */
const restName = "other";

/** How far a source has come, and what became of its events since the service started. */
export type SourceReport = {
  readonly source: string;
  /** The newest instant among its events; undefined where none was taken in. */
  readonly watermarkMs: number | undefined;
  /** Only verdicts that occurred. */
  readonly verdicts: ReadonlyMap<Verdict, number>;
  readonly late: number;
};

type Tally = { watermarkMs: number; late: number; readonly counts: Map<Verdict, number> };

/** The sources of one merchant: at most 256 by name, the others as one. */
export class EventSources {
  readonly #tallies = new Map<string, Tally>();

  /** Counts an event. `atMs` is undefined where it was not taken in. */
  count(source: string, verdict: Verdict, atMs: number | undefined, late: boolean): void {
    const tally = this.#tallyOf(source);
    tally.counts.set(verdict, (tally.counts.get(verdict) ?? 0) + 1);
    if (late) tally.late++;
    if (atMs !== undefined && atMs > tally.watermarkMs) tally.watermarkMs = atMs;
  }

  /** Sorted by name. */
  list(): readonly SourceReport[] {
    return [...this.#tallies]
      .map(([source, { watermarkMs, late, counts }]) => ({
        source,
        watermarkMs: watermarkMs === -Infinity ? undefined : watermarkMs,
        verdicts: new Map(verdicts.flatMap((each) => (counts.has(each) ? [[each, counts.get(each)!]] : []))),
        late,
      }))
      .sort((a, b) => (a.source < b.source ? -1 : 1));
  }

  #tallyOf(source: string): Tally {
    const known = this.#tallies.get(source);
    if (known !== undefined) return known;
    // One place is kept for the rest.
    const isFull = this.#tallies.size >= sourcesMax - 1 && source !== restName;
    if (isFull) return this.#tallyOf(restName);
    const tally: Tally = { watermarkMs: -Infinity, late: 0, counts: new Map() };
    this.#tallies.set(source, tally);
    return tally;
  }
}
