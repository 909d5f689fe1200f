import type { FxRates } from "../money.ts";
import { buildCountAnswered, type CountAnswered } from "./answers.ts";
import type { AggregateSpec, FeatureSpec, WindowSpec } from "./feature.ts";
import { buildFold, type Fold, type FoldSpec } from "./folds.ts";
import type { EventFrame } from "./row-filter.ts";
import { buildLongestSession, type LongestSession, sessionTypes } from "./sessions.ts";
import { createStream, type Stream, type StreamSpec } from "./stream.ts";
import { createSweptRows, type SweptRows } from "./swept-rows.ts";

/** An aggregate to be computed, with the ordinal of its feature. */
export type AggregateFeature = {
  readonly ordinal: number;
  readonly type: FeatureSpec["type"];
  readonly spec: AggregateSpec;
};

/** One definition, for all features that share it; `window` indexes `AggregatePlan.windows`. */
type Unit = { readonly ordinals: readonly number[]; readonly spec: AggregateSpec; readonly window: number };

export type FoldUnit = Unit & { readonly fold: Fold };

/** Units over one stream: it is gathered once, and each looks at the part that its window holds. */
export type Group = {
  readonly stream: Stream;
  readonly swept: SweptRows;
  readonly units: readonly FoldUnit[];
};

/** Aggregates of how rows stand to each other. `stream` has every type that they look at. */
export type RelationUnit = Unit & {
  readonly stream: Stream;
  readonly how:
    | { readonly kind: "answered"; readonly count: CountAnswered }
    | { readonly kind: "session"; readonly longest: LongestSession };
};

/** How aggregates are computed together: what is equal stands once. */
export type AggregatePlan = {
  readonly groups: readonly Group[];
  readonly relations: readonly RelationUnit[];
  readonly windows: readonly WindowSpec[];
};

export type PlanContext = { readonly events: EventFrame; readonly fx: FxRates };

/** A definition before it has its stream. */
type Definition = {
  readonly type: FeatureSpec["type"];
  readonly spec: AggregateSpec;
  readonly ordinals: number[];
};

export function planAggregates(features: readonly AggregateFeature[], context: PlanContext): AggregatePlan {
  const windows: WindowSpec[] = [];
  const windowPlaces = new Map<string, number>();
  const placeWindow = (window: WindowSpec): number => {
    const key = JSON.stringify(window);
    const known = windowPlaces.get(key);
    if (known !== undefined) return known;
    windowPlaces.set(key, windows.length);
    return windows.push(window) - 1;
  };

  const groups: (Group & { readonly key: string; readonly units: FoldUnit[] })[] = [];
  const relations: RelationUnit[] = [];
  for (const { spec, type, ordinals } of listDefinitions(features)) {
    const window = placeWindow(spec.window);
    if (!isFold(spec)) {
      relations.push({ spec, ordinals, window, ...relate(spec, context) });
      continue;
    }
    const wanted = describeStream(spec);
    const key = describeRows(wanted, spec.window);
    let group = groups.find((each) => each.key === key && serves(each.stream.spec, wanted));
    if (group === undefined) {
      const stream = createStream(wanted, context);
      group = { key, stream, swept: createSweptRows(stream), units: [] };
      groups.push(group);
    }
    const isExact = type === "int" || spec.of?.kind === "amount";
    group.units.push({ spec, ordinals, window, fold: buildFold(spec, group.stream, isExact) });
  }
  return { groups, relations, windows };
}

/** Each definition once; those that want most of their rows come first, so that the others find what they need gathered. */
function listDefinitions(features: readonly AggregateFeature[]): readonly Definition[] {
  const definitions = new Map<string, Definition>();
  for (const { ordinal, type, spec } of features) {
    const { events, answers } = spec;
    const key = JSON.stringify([type, { ...spec, events: events.toSorted(), answers: answers.toSorted() }]);
    const known = definitions.get(key);
    if (known === undefined) definitions.set(key, { type, spec, ordinals: [ordinal] });
    else known.ordinals.push(ordinal);
  }
  return [...definitions.values()].sort((a, b) => rankDefinition(b) - rankDefinition(a));
}

function rankDefinition({ spec }: Definition): number {
  return (readsValues(spec) ? 1 : 0) + (readsHits(spec) ? 1 : 0);
}

function isFold(spec: AggregateSpec): spec is FoldSpec {
  return (
    spec.function !== "UNANSWERED" && spec.function !== "FOLLOWED" && spec.function !== "LONGEST_SESSION"
  );
}

function readsHits({ function: name }: AggregateSpec): boolean {
  return name === "RATIO" || name === "WILSON_LOWER" || name === "STREAK";
}

function readsValues(spec: AggregateSpec): boolean {
  return !readsHits(spec) && spec.function !== "COUNT" && spec.function !== "MEDIAN_GAP";
}

function describeStream(spec: FoldSpec): StreamSpec {
  const { events, where, window, includeCurrent, function: name } = spec;
  const of = readsValues(spec) ? spec.of : undefined;
  const givesBack = name === "FIRST" || name === "LAST" || name === "MODE" || name === "DISTINCT";
  // One row is enough, from the one end or from the other.
  const isOldest = name === "FIRST" && window.kind !== "last";
  const isNewest = name === "LAST" && window.kind !== "last";
  return {
    events,
    where,
    hit: readsHits(spec) ? spec.hit : undefined,
    of,
    isInterned: givesBack && of?.kind === "plain",
    includeCurrent,
    most: window.kind === "last" ? window.count : isNewest || isOldest ? 1 : Number.POSITIVE_INFINITY,
    isOldest,
    needsValue: isNewest || isOldest,
  };
}

/** Which rows a stream gathers. One that stops at so many rows stops within its window, so it is for that window only. */
function describeRows(
  { events, where, includeCurrent, most, isOldest, needsValue }: StreamSpec,
  window: WindowSpec,
): string {
  const own = Number.isFinite(most) ? window : undefined;
  return JSON.stringify([events.toSorted(), where, includeCurrent, String(most), isOldest, needsValue, own]);
}

/** Whether a stream of these rows has all that is wanted of them. */
function serves(has: StreamSpec, wanted: StreamSpec): boolean {
  const isValueThere =
    wanted.of === undefined ||
    (wanted.isInterned === has.isInterned && JSON.stringify(wanted.of) === JSON.stringify(has.of));
  const isHitThere = wanted.hit === undefined || JSON.stringify(wanted.hit) === JSON.stringify(has.hit);
  return isValueThere && isHitThere;
}

function relate(spec: AggregateSpec, context: PlanContext): Pick<RelationUnit, "stream" | "how"> {
  const isSession = spec.function === "LONGEST_SESSION";
  const stream = createStream(
    {
      events: isSession ? sessionTypes : [...spec.events, ...spec.answers],
      where: undefined,
      hit: undefined,
      of: undefined,
      isInterned: false,
      includeCurrent: false,
      most: 0,
      isOldest: false,
      needsValue: false,
    },
    context,
  );
  const { events } = context;
  return isSession
    ? { stream, how: { kind: "session", longest: buildLongestSession(spec, events) } }
    : { stream, how: { kind: "answered", count: buildCountAnswered(spec, events) } };
}
