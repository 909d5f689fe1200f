import type { Expr, ExprType } from "../cel/expr.ts";
import type { Purpose } from "../facts.ts";

/** A feature as compiled with its rule set. Ordinals index `RuleSnapshot.features`. */
export type FeatureSpec = {
  readonly id: string;
  readonly type: ExprType;
  readonly purposes: readonly Purpose[];
  readonly how:
    | { readonly kind: "aggregate"; readonly aggregate: AggregateSpec }
    /** Over the slots of the rule set; features that it reads have lower places in `RuleSnapshot.featureOrder`. */
    | { readonly kind: "derived"; readonly expr: Expr }
    /** Inputs are ordinals of features. */
    | { readonly kind: "model"; readonly model: number; readonly inputs: readonly number[] };
};

export type AggregateFunction =
  | "COUNT"
  | "SUM"
  | "AVG"
  | "MIN"
  | "MAX"
  | "STDDEV"
  | "DISTINCT"
  | "RATIO"
  | "FIRST"
  | "LAST"
  | "STREAK"
  | "DECAYED_SUM"
  | "PERCENTILE"
  | "MODE"
  | "UNANSWERED"
  | "MEDIAN_GAP"
  | "LONGEST_SESSION"
  | "WILSON_LOWER"
  | "FOLLOWED";

/** What is aggregated of a row. */
export type AggregateOf =
  | { readonly kind: "amount"; readonly currency: string }
  | { readonly kind: "at" }
  | { readonly kind: "localDay" | "localWeek"; readonly zone: string }
  | { readonly kind: "plain"; readonly name: string }
  | { readonly kind: "wide"; readonly name: string; readonly isText: boolean };

/** Durations in ms. `where` and `hit` are over slots of kind `event`; `hit` of FOLLOWED looks at the answer. */
export type AggregateSpec = {
  readonly function: AggregateFunction;
  readonly events: readonly string[];
  readonly where: Expr | undefined;
  readonly hit: Expr | undefined;
  readonly of: AggregateOf | undefined;
  readonly window: WindowSpec;
  readonly minSamples: number;
  readonly halfLifeMs: number;
  readonly percent: number;
  readonly answers: readonly string[];
  readonly answerKey: string;
  readonly answerWithinMs: number;
  readonly includeCurrent: boolean;
};

export type CalendarPeriod = "DAY" | "WEEK" | "MONTH" | "FOUR_WEEKS";

/** Spans of time that end at `now` (`SEMANTICS.md` 5.9). */
export type CalendarSpec = {
  readonly kind: "calendar";
  readonly period: CalendarPeriod;
  readonly zone: string;
  /** ISO day of the week, 1 is Monday. */
  readonly weekStart: number;
  /** Local day on which a cycle of four weeks starts, as days since 1970-01-01. */
  readonly anchorDay: number;
  /** How many periods back. */
  readonly back: number;
};

export type RollingSpec = { readonly kind: "rolling"; readonly spanMs: number; readonly offsetMs: number };

export type WindowSpec =
  | RollingSpec
  | CalendarSpec
  | { readonly kind: "last"; readonly count: number }
  | { readonly kind: "session" }
  | { readonly kind: "lifetime" };
