import { type Aggregate, Aggregate_Function } from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import type { SlotDomain } from "../cel/domain-goals.ts";
import type { Expr, ExprType } from "../cel/expr.ts";
import type { EventTypeInfo } from "../events/event.ts";
import type { AggregateFunction, AggregateOf, AggregateSpec } from "../features/feature.ts";
import { eventValueTypes, shareAttributes } from "./event-variables.ts";
import { toMs } from "./names.ts";
import { readWindow } from "./windows.ts";

/** Fields of an aggregate that only some functions have. */
export type FunctionField =
  | "hit"
  | "min_samples"
  | "half_life"
  | "percent"
  | "answers"
  | "answer_key"
  | "answer_within";

/**
 * What a function takes and gives.
 *
 * `of`: nothing; numbers; what has an order; texts that can be compared; what is kept as it is; anything, texts that are kept by hash too.
 */
export type FunctionRule = {
  readonly of: "nothing" | "numbers" | "ordered" | "texts" | "values" | "anything";
  readonly type: ExprType | "of" | "sum";
  readonly needs: readonly FunctionField[];
  readonly takes: readonly FunctionField[];
};

export const functionRules: Readonly<Record<AggregateFunction, FunctionRule>> = {
  COUNT: rule("nothing", "int"),
  SUM: rule("numbers", "sum"),
  AVG: rule("numbers", "double"),
  MIN: rule("ordered", "of"),
  MAX: rule("ordered", "of"),
  STDDEV: rule("numbers", "double"),
  DISTINCT: rule("anything", "int"),
  RATIO: rule("nothing", "double", ["hit"], ["min_samples"]),
  FIRST: rule("values", "of"),
  LAST: rule("values", "of"),
  STREAK: rule("nothing", "int", ["hit"]),
  DECAYED_SUM: rule("numbers", "double", ["half_life"]),
  PERCENTILE: rule("ordered", "of", ["percent"]),
  MODE: rule("texts", "string"),
  UNANSWERED: rule("nothing", "int", ["answers", "answer_within"], ["answer_key"]),
  MEDIAN_GAP: rule("nothing", "int"),
  LONGEST_SESSION: rule("nothing", "int"),
  WILSON_LOWER: rule("nothing", "double", ["hit"], ["min_samples"]),
  FOLLOWED: rule("nothing", "int", ["answers", "answer_within"], ["answer_key", "hit"]),
};

function rule(
  of: FunctionRule["of"],
  type: FunctionRule["type"],
  needs: readonly FunctionField[] = [],
  takes: readonly FunctionField[] = [],
): FunctionRule {
  return { of, type, needs, takes };
}

/** The function of an aggregate; undefined where none is said. */
export function functionOf({ function: code }: Aggregate): AggregateFunction | undefined {
  return code === Aggregate_Function.FUNCTION_UNSPECIFIED
    ? undefined
    : (Aggregate_Function[code] as AggregateFunction);
}

/** The name of what is aggregated, `amount` where none is given. */
export function ofName({ of }: Aggregate): string {
  return of === "" ? "amount" : of;
}

/** The type of what is aggregated; undefined where there is no such thing among the events. */
export function ofType(name: string, types: readonly EventTypeInfo[]): ExprType | undefined {
  switch (name) {
    case "amount":
    case "local_day":
    case "local_week":
      return "int";
    case "at":
      return "timestamp";
    default: {
      const shared = shareAttributes(types).get(name);
      return shared && eventValueTypes[shared.attribute.type];
    }
  }
}

/** The type of a checked aggregate. */
export function aggregateType(aggregate: Aggregate, types: readonly EventTypeInfo[]): ExprType {
  const { type } = functionRules[functionOf(aggregate)!];
  if (type !== "of" && type !== "sum") return type;
  const of = ofType(ofName(aggregate), types)!;
  return type === "sum" && of !== "int" ? "double" : of;
}

/** What values a checked aggregate can take, where that is bounded: counts and spans from 0 on, texts of few values. */
export function aggregateBounds(
  aggregate: Aggregate,
  types: readonly EventTypeInfo[],
): SlotDomain | undefined {
  const { of, type } = functionRules[functionOf(aggregate)!];
  if (type === "int" && (of === "nothing" || of === "anything")) return { min: 0 };
  if (type !== "of" && of !== "texts") return undefined;
  const { values = [] } = shareAttributes(types).get(ofName(aggregate)) ?? {};
  return values.length === 0 ? undefined : { values };
}

/** A checked aggregate; names of events in order, so that documents of one meaning give one specification. */
export function readAggregate(
  aggregate: Aggregate,
  types: readonly EventTypeInfo[],
  { where, hit }: { readonly where: Expr | undefined; readonly hit: Expr | undefined },
): AggregateSpec {
  const name = functionOf(aggregate)!;
  const { halfLife, answerWithin } = aggregate;
  return {
    function: name,
    events: aggregate.events.toSorted(compareCodePoints),
    where,
    hit,
    of: functionRules[name].of === "nothing" ? undefined : readOf(aggregate, types),
    window: readWindow(aggregate.window),
    minSamples: aggregate.minSamples === 0 ? 1 : aggregate.minSamples,
    halfLifeMs: halfLife === undefined ? 0 : toMs(halfLife),
    percent: aggregate.percent,
    answers: aggregate.answers.toSorted(compareCodePoints),
    answerKey: aggregate.answerKey,
    answerWithinMs: answerWithin === undefined ? 0 : toMs(answerWithin),
    includeCurrent: aggregate.includeCurrent,
  };
}

function readOf(aggregate: Aggregate, types: readonly EventTypeInfo[]): AggregateOf {
  const name = ofName(aggregate);
  const zone = aggregate.zone === "" ? "UTC" : aggregate.zone;
  switch (name) {
    case "amount":
      return { kind: "amount", currency: aggregate.currency };
    case "at":
      return { kind: "at" };
    case "local_day":
      return { kind: "localDay", zone };
    case "local_week":
      return { kind: "localWeek", zone };
    default: {
      const { attribute } = shareAttributes(types).get(name)!;
      return attribute.storage === "plain"
        ? { kind: "plain", name }
        : { kind: "wide", name, isText: attribute.type === "STRING" };
    }
  }
}
