/** What most people write first: a map of players, each with an array of objects, and a loop per feature. */
import type { History } from "../../src/core/history/history.ts";
import { type MeasuredFeature, measuredFeatures } from "./rule-set.ts";

export type NaiveEvent = {
  readonly type: string;
  readonly atMs: number;
  readonly amountMinor: number;
  readonly currency: string;
  /** Hash of the payment; NaN where there is none. */
  readonly payment: number;
};

export type NaivePlayers = ReadonlyMap<string, readonly NaiveEvent[]>;

/** The rows of a history as objects. */
export function copyHistory(history: History): readonly NaiveEvent[] {
  const events: NaiveEvent[] = [];
  for (let row = history.start; row < history.end; row++) {
    const { type, currency, wides } = history.labels.get(history.label[row]!);
    const place = wides.indexOf("payment");
    events.push({
      type,
      atMs: history.atMs[row]!,
      amountMinor: history.readAmount(row),
      currency,
      payment: place < 0 ? Number.NaN : history.readWide(row, place),
    });
  }
  return events;
}

/** Values of all features of the bench at an instant, in their order; undefined where there is none. */
export function computeNaively(
  events: readonly NaiveEvent[],
  nowMs: number,
): readonly (number | undefined)[] {
  return measuredFeatures.map((feature) => computeOne(feature, events, nowMs));
}

function computeOne(
  feature: MeasuredFeature,
  events: readonly NaiveEvent[],
  nowMs: number,
): number | undefined {
  const seen = events.filter(
    ({ type, atMs }) => type === feature.type && atMs > nowMs - feature.windowMs && atMs <= nowMs,
  );
  switch (feature.function) {
    case "COUNT":
      return seen.length;
    case "SUM":
      return seen.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    case "MAX":
      return seen.length === 0 ? undefined : Math.max(...seen.map(({ amountMinor }) => amountMinor));
  }
}
