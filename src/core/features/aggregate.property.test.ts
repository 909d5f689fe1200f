import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
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
  makeListedHistory,
} from "../../../test/helpers/listed-history.ts";
import { aggregateNaively } from "../../../test/helpers/naive-aggregate.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Value } from "../cel/expr.ts";
import { buildAggregates } from "./aggregate.ts";
import type { AggregateFunction, AggregateSpec } from "./feature.ts";
import type { CurrentRow } from "./stream.ts";

const hourMs = 3_600_000;

const current: CurrentRow = {
  label: {
    type: "payment_attempted",
    currency: "GBP",
    values: new Map([["method", "card"]]),
    wides: ["weight"],
  },
  amountMinor: 333,
  readWide: () => 5,
};
const currentEvent = (nowMs: number): ListedEvent => ({
  atMs: nowMs,
  id: Number.POSITIVE_INFINITY,
  type: "payment_attempted",
  currency: "GBP",
  amountMinor: 333,
  values: { method: "card" },
  wides: { weight: 5 },
});

const isInt = ({ function: name, of }: AggregateSpec): boolean =>
  name === "SUM" && of?.kind !== "amount" ? true : name === "COUNT";

const roundedFunctions: readonly AggregateFunction[] = ["AVG", "STDDEV", "WILSON_LOWER", "DECAYED_SUM"];

function expectClose(value: Value, want: Value, spec: AggregateSpec): void {
  const isRounded = roundedFunctions.includes(spec.function);
  if (isRounded && typeof want === "number") expect(value, JSON.stringify(spec)).toBeCloseTo(want, 6);
  else expect(value, JSON.stringify(spec)).toEqual(want);
}

describe("aggregates", () => {
  test("SEMANTICS 5.9: all aggregates at once are what each is by its definition, at any instant", () => {
    fc.assert(
      fc.property(
        fc.array(definition, { minLength: 1, maxLength: 8 }),
        fc.array(event, { maxLength: 24 }),
        sessions,
        (definitions, aged, visits) => {
          const labels = createListedLabels();
          const features = definitions.map(({ spec }, ordinal) => ({
            ordinal,
            type: isInt(spec) ? ("int" as const) : ("double" as const),
            spec,
          }));
          const compute = buildAggregates(features, { eventSlots, lists: [], fx });
          for (const nowMs of nows) {
            const events = [...aged, ...visits].map(
              ({ ageMs, ...rest }, id): ListedEvent => ({ ...rest, atMs: nowMs - ageMs, id }),
            );
            const values = new Array<Value>(definitions.length).fill("nothing");
            const into = { values, errorBounds: new Float64Array(definitions.length) };
            compute({ history: makeListedHistory(events, { labels }), current, nowMs }, into);
            for (const [at, { spec, where, hit }] of definitions.entries()) {
              const all = spec.includeCurrent ? [...events, currentEvent(nowMs)] : events;
              const question = { spec, where: where?.holds, hit: hit?.holds, events: all, nowMs, rates };
              expectClose(values[at], aggregateNaively(question), spec);
              expect(into.errorBounds[at]).toBe(0);
            }
          }
        },
      ),
      { numRuns: countRuns(250) },
    );
  });

  test("looking at one history again and again, forward and back, sees what one look at it sees", () => {
    const [middleMs] = nows as [number];
    const instants = fc.array(fc.integer({ min: -100 * hourMs, max: hourMs }), {
      minLength: 2,
      maxLength: 20,
    });
    fc.assert(
      fc.property(
        fc.array(definition, { minLength: 1, maxLength: 4 }),
        fc.array(event, { minLength: 50, maxLength: 250, size: "max" }),
        instants,
        (definitions, aged, steps) => {
          const features = definitions.map(({ spec }, ordinal) => ({
            ordinal,
            type: "double" as const,
            spec,
          }));
          const events = aged.map(
            ({ ageMs, ...rest }, id): ListedEvent => ({ ...rest, atMs: middleMs - ageMs, id }),
          );
          const history = makeListedHistory(events);
          const compute = buildAggregates(features, { eventSlots, lists: [], fx });
          const alone = buildAggregates(features, { eventSlots, lists: [], fx });
          const read = (by: typeof compute, of: typeof history, nowMs: number): readonly Value[] => {
            const values = new Array<Value>(definitions.length).fill("nothing");
            by(
              { history: of, current, nowMs },
              { values, errorBounds: new Float64Array(definitions.length) },
            );
            return values;
          };
          const forward = steps.toSorted((a, b) => a - b);
          for (const step of [...forward, ...steps]) {
            const nowMs = middleMs + step;
            expect(read(compute, history, nowMs)).toEqual(read(alone, { ...history }, nowMs));
          }
        },
      ),
      { numRuns: countRuns(50) },
    );
  });
});
