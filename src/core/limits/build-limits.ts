import type { Evaluator } from "../cel/evaluator.ts";
import type { Frame, Predicate } from "../cel/expr.ts";
import { buildPredicate, createPredicateCache, type PredicateCache } from "../cel/predicate.ts";
import type { FxRates } from "../money.ts";
import type { OwnLimit } from "../player.ts";
import { rankOf } from "../rules/rule-class.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import { buildCounts, type Counts, LabelViews } from "./label-views.ts";
import type { LimitSpec } from "./limit.ts";
import { LimitWindow } from "./limit-window.ts";
import { specOwnLimit } from "./player-limits.ts";

/** A limit with its conditions as closures, and with what it makes of labels. Lives as long as its rule set. */
export type BuiltLimit = {
  readonly spec: LimitSpec;
  /** Of class 1 or 2, a player's own included: no override touches it, and silence goes on counting (`SEMANTICS.md` 5.3). */
  readonly isProtective: boolean;
  /** Whether a player set it. */
  readonly isOwn: boolean;
  /** True where undefined. */
  readonly applies: Predicate | undefined;
  readonly key: Evaluator | undefined;
  readonly counts: Counts;
  readonly views: LabelViews;
  readonly window: LimitWindow;
};

/** The limits of a rule set, ready to be asked. Built once per rule set, and used by one decision at a time. */
export type LimitBook = {
  /** In order of id. */
  readonly limits: readonly BuiltLimit[];
  readonly fx: FxRates;
  readonly version: number;
  /** ISO 4217 codes of all sums, sorted: what a payment is converted to when it reserves. */
  readonly currencies: readonly string[];
  readonly segmentIds: readonly string[];
  /** The limit that a player set: players who set the same period, measure, zone and currency share one. */
  readonly own: (limit: OwnLimit) => BuiltLimit;
};

/** What `buildLimits` reads of a rule set. */
export type LimitSource = Pick<
  RuleSnapshot,
  "limits" | "fx" | "version" | "segments" | "eventSlots" | "lists"
>;

/** 12 kinds of own limits for some currencies and zones. More would be a caller that makes up zones. */
const ownMax = 4_096;

/**
 * Builds the limits of a rule set.
 *
 * Fails: throws only for conditions that the checker refuses (`buildPredicate`).
 */
export function buildLimits(source: LimitSource): LimitBook {
  const cache = createPredicateCache();
  const limits = source.limits.map((spec) => buildLimit(spec, source, cache, false));
  const own = new Map<string, BuiltLimit>();
  const currencies = new Set(limits.map(({ spec }) => spec.currency).filter((code) => code !== ""));
  return {
    limits,
    fx: source.fx,
    version: source.version,
    currencies: [...currencies].sort(),
    segmentIds: source.segments.map(({ id }) => id),
    own: (limit) => {
      const key = `${limit.period} ${limit.measure} ${limit.amount.currencyCode} ${limit.zone}`;
      let built = own.get(key);
      if (built === undefined) {
        built = buildLimit(specOwnLimit(limit), source, cache, true);
        if (own.size >= ownMax) own.clear();
        own.set(key, built);
      }
      return built;
    },
  };
}

function buildLimit(spec: LimitSpec, source: LimitSource, cache: PredicateCache, isOwn: boolean): BuiltLimit {
  const counts = buildCounts(spec, { ...source, cache });
  return {
    spec,
    isProtective: rankOf[spec.ruleClass] <= 2,
    isOwn,
    applies: spec.applies && buildPredicate(spec.applies, cache),
    key: spec.key && (buildPredicate(spec.key, cache) as (frame: Frame) => ReturnType<Evaluator>),
    counts,
    views: new LabelViews(spec, counts),
    window: new LimitWindow(spec.window),
  };
}
