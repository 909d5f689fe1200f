import type { SlotSource } from "../cel/environment.ts";
import type { Expr, Frame, Value } from "../cel/expr.ts";
import { listChildren } from "../cel/intern.ts";
import type { FactInput } from "../facts.ts";
import type { AggregateSpec, FeatureSpec } from "../features/feature.ts";
import { openZone } from "../local-time.ts";
import { type AggregateClock, createAggregateClock } from "./feature-next.ts";
import { makeNumbers, type Range } from "./range.ts";
import { type Ahead, beBlind, rangeOf, rangeOfLocalTime } from "./range-of.ts";

/** What is being looked at: a player at an instant, with everything that is known of them by then. */
export type Look = {
  readonly frame: Frame;
  readonly input: FactInput;
};

/** How a slot changes by time alone. */
export type SlotClock = {
  /** Whether its value moves with the clock itself. */
  readonly moves: boolean;
  /** A lower bound of the next instant at which it changes in another way than by moving; Infinity where never. */
  readonly next: (look: Look) => number;
  /** Its values during a span of time in which it only moves. */
  readonly rangeOf: (ahead: Ahead, value: Value) => Range;
  /** Where it is an aggregate: what it counts, and when that leaves. */
  readonly aggregate?: { readonly spec: AggregateSpec; readonly clock: AggregateClock };
};

/** What slots are read from. */
export type SlotSources = {
  readonly slots: readonly SlotSource[];
  readonly features: readonly FeatureSpec[];
  /** Of conditions over events. */
  readonly eventSlots: readonly SlotSource[];
  /** Makes equal expressions one object, as those that `moves` and `valueOf` are asked for. */
  readonly intern: (expr: Expr) => Expr;
};

const never = Number.POSITIVE_INFINITY;
const stays: SlotClock = {
  moves: false,
  next: () => never,
  rangeOf: (_, value) => ({ kind: "same", value }),
};
/** Relative width that sums of doubles may be off when they are added up in another order, or decayed in one step instead of two. */
const slack = 1e-12;

/** The clocks of the slots of a rule set, made when first asked for. */
export type SlotClocks = {
  readonly of: (slot: number) => SlotClock;
  /** Whether an expression moves with the clock itself, through features too. */
  readonly moves: (expr: Expr) => boolean;
};

export function createSlotClocks(sources: SlotSources): SlotClocks {
  const clocks = new Map<number, SlotClock>();
  const features = new Map<number, SlotClock>();
  const moving = new Map<Expr, boolean>();
  const of = (slot: number): SlotClock => {
    let clock = clocks.get(slot);
    if (clock === undefined) {
      clock = openSlot(sources.slots[slot]!);
      clocks.set(slot, clock);
    }
    return clock;
  };
  const moves = (expr: Expr): boolean => {
    let answer = moving.get(expr);
    if (answer === undefined) {
      answer =
        expr.op === "within" ||
        expr.op === "silent" ||
        (expr.op === "slot" && of(expr.slot).moves) ||
        listChildren(expr).some(moves);
      moving.set(expr, answer);
    }
    return answer;
  };
  const openSlot = (source: SlotSource): SlotClock => {
    switch (source.kind) {
      case "now":
        return { ...stays, moves: true, rangeOf: ({ frame }) => makeNumbers(frame.nowMs, frame.nowMs, 1) };
      case "localHour":
      case "localWeekday": {
        const zone = openZone(source.zone);
        return {
          ...stays,
          moves: true,
          rangeOf: ({ frame, spanMs }) =>
            rangeOfLocalTime(source.kind, zone, frame.nowMs, frame.nowMs + spanMs),
        };
      }
      case "playerAttribute":
        return { ...stays, next: (look) => endOfAttribute(look, source.name) };
      case "field":
        return openField(source.path);
      case "feature":
        return openFeature(source.ordinal);
      case "paymentAttribute":
      case "amountIn":
      case "event":
        return stays;
    }
  };
  const openFeature = (ordinal: number): SlotClock => {
    let clock = features.get(ordinal);
    if (clock === undefined) {
      clock = makeFeatureClock(sources.features[ordinal]!);
      features.set(ordinal, clock);
    }
    return clock;
  };
  const makeFeatureClock = ({ how }: FeatureSpec): SlotClock => {
    switch (how.kind) {
      case "aggregate":
        return openAggregate(how.aggregate, sources.eventSlots);
      case "derived": {
        const expr = sources.intern(how.expr);
        const parts = listSlots(expr).map(of);
        return {
          moves: moves(expr),
          next: (look) => firstOf(parts, look),
          rangeOf: (ahead) => rangeOf(expr, ahead),
        };
      }
      case "model": {
        const parts = how.inputs.map(openFeature);
        return {
          moves: parts.some((part) => part.moves),
          next: (look) => firstOf(parts, look),
          rangeOf: beBlind,
        };
      }
    }
  };
  return { of, moves };
}

/** The slots that an expression names itself, each once. */
function listSlots(expr: Expr): readonly number[] {
  const slots = new Set<number>();
  const visit = (part: Expr): void => {
    if (part.op === "slot" || part.op === "has") slots.add(part.slot);
    listChildren(part).forEach(visit);
  };
  visit(expr);
  return [...slots];
}

function firstOf(parts: readonly SlotClock[], look: Look): number {
  let firstMs = never;
  for (const part of parts) firstMs = Math.min(firstMs, part.next(look));
  return firstMs;
}

function openAggregate(spec: AggregateSpec, eventSlots: readonly SlotSource[]): SlotClock {
  const clock = createAggregateClock(spec);
  const readsNow = [spec.where, spec.hit].some((expr) => expr !== undefined && tellsTime(expr, eventSlots));
  if (readsNow) return { ...stays, moves: true, rangeOf: beBlind };
  const base = {
    next: ({ input }: Look) => clock.next(input.history, input.nowMs),
    aggregate: { spec, clock },
  };
  switch (spec.function) {
    case "DECAYED_SUM":
      return { ...base, moves: true, rangeOf: ({ spanMs }, value) => rangeOfDecay(value, spec, spanMs) };
    case "LONGEST_SESSION":
      // An open session grows with time; one that is over does not, which is inside.
      return {
        ...base,
        moves: true,
        rangeOf: ({ spanMs }, value) =>
          typeof value === "number" ? makeNumbers(value, value + spanMs) : { kind: "same", value },
      };
    default:
      return { ...stays, ...base };
  }
}

/** Whether a condition over an event also depends on when it is asked. */
function tellsTime(expr: Expr, eventSlots: readonly SlotSource[]): boolean {
  if (expr.op === "within" || expr.op === "silent") return true;
  if (expr.op === "slot" && eventSlots[expr.slot]?.kind === "now") return true;
  return listChildren(expr).some((part) => tellsTime(part, eventSlots));
}

/** All that is in the sum loses weight at one pace, so the sum does. */
function rangeOfDecay(value: Value, { halfLifeMs }: AggregateSpec, spanMs: number): Range {
  if (typeof value !== "number" || value === 0) return { kind: "same", value };
  const later = value * 2 ** (-spanMs / halfLifeMs);
  const [low, high] = value > 0 ? [later, value] : [value, later];
  const spare = Math.abs(value) * slack;
  return makeNumbers(low - spare, high + spare);
}

function openField(path: string): SlotClock {
  switch (path) {
    case "player.age":
      return {
        ...stays,
        next: (look) => Math.min(endOfAttribute(look, "birth_date"), nextBirthday(look.input)),
      };
    case "player.kyc_country":
      return { ...stays, next: (look) => endOfAttribute(look, "kyc_country") };
    case "player.registered_at":
      return { ...stays, next: (look) => endOfAttribute(look, "registered_at") };
    default:
      return stays;
  }
}

/** When the TTL of a stored attribute ends. */
function endOfAttribute({ input: { player, nowMs } }: Look, name: string): number {
  const stored = player.attributes.get(name);
  if (stored?.ttlMs === undefined) return never;
  const endMs = stored.setAtMs + stored.ttlMs;
  return endMs > nowMs ? endMs : never;
}

/** The instant at which `player.age` grows next, in UTC; who was born on 29 February grows older on 1 March elsewhen. */
function nextBirthday({ player, nowMs }: FactInput): number {
  const birthMs = player.attributes.get("birth_date")?.value;
  if (typeof birthMs !== "number") return never;
  const birth = new Date(birthMs);
  const now = new Date(nowMs);
  for (const years of [0, 1]) {
    const birthday = new Date(nowMs);
    birthday.setUTCFullYear(now.getUTCFullYear() + years, birth.getUTCMonth(), birth.getUTCDate());
    birthday.setUTCHours(0, 0, 0, 0);
    if (birthday.getTime() > nowMs) return birthday.getTime();
  }
  return never;
}
