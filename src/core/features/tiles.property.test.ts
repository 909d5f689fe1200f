import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Aged,
  type Definition,
  definition,
  event,
  eventSlots,
  fx,
  nows,
  rates,
  sessions,
} from "../../../test/helpers/arbitrary-aggregate.ts";
import {
  createListedLabels,
  type ListedEvent,
  type ListedLabels,
  makeListedHistory,
} from "../../../test/helpers/listed-history.ts";
import { aggregateNaively } from "../../../test/helpers/naive-aggregate.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Value } from "../cel/expr.ts";
import type { Tile } from "../history/history.ts";
import { buildAggregates } from "./aggregate.ts";

const hourMs = 3_600_000;

/** Folds events into tiles of so many hours, one for each label, as far as they lie before an instant. */
function foldEvents(
  events: readonly ListedEvent[],
  labels: ListedLabels,
  tileMs: number,
  beforeMs: number,
): { readonly tiles: readonly Tile[]; readonly kept: readonly ListedEvent[] } {
  const tiles = new Map<string, Tile>();
  const edgeMs = Math.floor(beforeMs / tileMs) * tileMs;
  for (const each of events.filter(({ atMs }) => atMs < edgeMs)) {
    const label = labels.intern(each);
    const fromMs = Math.floor(each.atMs / tileMs) * tileMs;
    const amount = each.amountMinor ?? 0;
    const known = tiles.get(`${fromMs} ${label}`);
    tiles.set(`${fromMs} ${label}`, {
      fromMs,
      untilMs: fromMs + tileMs,
      label,
      count: (known?.count ?? 0) + 1,
      sumMinor: (known?.sumMinor ?? 0) + amount,
      minMinor: Math.min(known?.minMinor ?? amount, amount),
      maxMinor: Math.max(known?.maxMinor ?? amount, amount),
    });
  }
  return { tiles: [...tiles.values()], kept: events.filter(({ atMs }) => atMs >= edgeMs) };
}

const foldingFunctions: readonly string[] = ["COUNT", "SUM", "AVG", "MIN", "MAX", "RATIO"];
const folding = definition.filter(({ spec }) => foldingFunctions.includes(spec.function));

describe("tiles", () => {
  test("SEMANTICS 5.9: what rests on them is off by no more than its bound, all else is exact or missing", () => {
    let [exact, bounded, missing] = [0, 0, 0];
    const check = (
      aged: readonly Aged[],
      definitions: readonly Definition[],
      { keptMs, nowMs }: { readonly keptMs: number; readonly nowMs: number },
    ): void => {
      const labels = createListedLabels();
      const events = aged.map(
        ({ ageMs, ...rest }, id): ListedEvent => ({ ...rest, atMs: nowMs - ageMs, id }),
      );
      const { tiles, kept } = foldEvents(events, labels, 3 * hourMs, nowMs - keptMs);
      const specs = definitions.map(({ spec }) => ({ ...spec, includeCurrent: false }));
      const features = specs.map((spec, ordinal) => ({ ordinal, type: "double" as const, spec }));
      const into = {
        values: new Array<Value>(definitions.length).fill("nothing"),
        errorBounds: new Float64Array(definitions.length).fill(-1),
      };
      const history = makeListedHistory(kept, { labels, tiles });
      buildAggregates(features, { eventSlots, lists: [], fx })({ history, current: undefined, nowMs }, into);
      for (const [at, { spec, where, hit }] of definitions.entries()) {
        const truth = aggregateNaively({ spec, where: where?.holds, hit: hit?.holds, events, nowMs, rates });
        const value = into.values[at];
        const bound = into.errorBounds[at]!;
        const story = `${JSON.stringify(spec)} is ${truth}, read as ${value} with ${bound}`;
        if (value === undefined) {
          missing++;
          continue;
        }
        if (typeof value === "number" && typeof truth === "number") {
          expect(Math.abs(value - truth), story).toBeLessThanOrEqual(bound + 1e-6);
          // What may lie outside the window is left out, so these are never too high but by rounding.
          if (spec.function === "COUNT") expect(value, story).toBeLessThanOrEqual(truth);
        } else expect(value, story).toEqual(truth);
        if (bound === 0) exact++;
        else bounded++;
      }
    };
    fc.assert(
      fc.property(
        fc.array(fc.oneof(definition, folding), { minLength: 1, maxLength: 8 }),
        fc.array(event, { maxLength: 24 }),
        sessions,
        fc.integer({ min: 1, max: 30 }),
        (definitions, aged, visits, keptHours) => {
          const keptMs = keptHours * hourMs;
          for (const nowMs of nows) check([...aged, ...visits], definitions, { keptMs, nowMs });
        },
      ),
      { numRuns: countRuns(150) },
    );
    for (const [count, least] of [
      [exact, 300],
      [bounded, 10],
      [missing, 150],
    ] as const) {
      expect(count).toBeGreaterThan(least);
    }
  });
});
