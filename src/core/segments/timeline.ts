import type { Expr, Frame, Value } from "../cel/expr.ts";
import { buildInternedPredicate, createPredicateCache } from "../cel/predicate.ts";
import { buildPartReader, createFrame } from "../features/frame-reader.ts";
import { isOfPlayer } from "../rules/player-sources.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";
import { findNextOfSchedule, isStopping, listMarketingStops } from "./marketing-stop.ts";
import { type StatePlace, stepState, stepStay } from "./memory.ts";
import { listUnits, type Unit } from "./memory-units.ts";
import { createFlipFinder } from "./next-flip.ts";
import { makePlayerInput, type PlayerFacts, viewPlayerAt } from "./player-input.ts";
import { surveyReads } from "./segment-reads.ts";
import type { Look } from "./slot-clock.ts";

/** What a rule set says of one player at one instant after the other. Judging is synchronous, so all players share one. */
export type Timeline = {
  readonly snapshot: RuleSnapshot;
  /** Ordinals of the segments that have members without a payment, or of those with a memory only, ascending. */
  readonly tracked: readonly number[];
  /** Whether some of them depend on what was before. */
  readonly hasMemory: boolean;
  /** Whether rules suppress marketing by what is known without a payment. */
  readonly hasMarketingStops: boolean;
  /** Names of stored attributes that a segment reads, through others too. */
  readonly attributesOf: (ordinal: number) => ReadonlySet<string>;
  /** Whether rows of this type can change anything. */
  readonly reads: (type: string) => boolean;
  /**
   * Judges all tracked segments at an instant. `since` is the instant of entry by ordinal, NaN where out; segments with a memory are moved in it, the
   * others left alone.
   */
  readonly look: (facts: SweepFacts, atMs: number, since: Float64Array) => Judged;
};

export type SweepFacts = PlayerFacts & {
  /** Events are complete from here on; all of them where absent. */
  readonly coveredFromMs?: number | undefined;
};

/** Valid until the next look. */
export type Judged = {
  readonly frame: Frame;
  /** Whether the player is in a tracked segment now. */
  readonly isMember: (ordinal: number) => boolean;
  /** Whether it can be told: not where it reads a stored attribute that was set later, as what that was before is not kept. */
  readonly isKnown: (ordinal: number) => boolean;
  /** Whether a rule suppresses marketing to the player now. */
  readonly stopsMarketing: () => boolean;
  /** A lower bound of the next instant at which some membership, or whether marketing is suppressed, may change if no event comes. */
  readonly findNext: () => number;
  /** The same of one segment. */
  readonly findNextOf: (ordinal: number) => number;
};

const never = Number.POSITIVE_INFINITY;
const timelines = new WeakMap<RuleSnapshot, Timeline>();
const memories = new WeakMap<RuleSnapshot, Timeline>();

/** The timeline of a rule set, made at its first use. */
export function openTimeline(snapshot: RuleSnapshot): Timeline {
  return open(timelines, snapshot, false);
}

/** The same of segments with a memory, and of what they read: all that decisions have to follow. */
export function openMemory(snapshot: RuleSnapshot): Timeline {
  return open(memories, snapshot, true);
}

function open(
  known: WeakMap<RuleSnapshot, Timeline>,
  snapshot: RuleSnapshot,
  isMemoryOnly: boolean,
): Timeline {
  let timeline = known.get(snapshot);
  if (timeline === undefined) {
    timeline = createTimeline(snapshot, isMemoryOnly);
    known.set(snapshot, timeline);
  }
  return timeline;
}

function createTimeline(snapshot: RuleSnapshot, isMemoryOnly: boolean): Timeline {
  const { slots, segments, features, eventSlots } = snapshot;
  const frame = createFrame(slots, snapshot);
  const cache = createPredicateCache();
  const conditions = segments.map((_, ordinal) => cache.intern(snapshot.segmentCondition(ordinal)));
  const evaluate = (expr: Expr): Value => buildInternedPredicate(expr, cache)(frame);
  const holds = (expr: Expr): boolean => evaluate(expr) === true;
  const units = listUnits(snapshot, conditions, cache.intern);
  const unitOf = new Map(units.flatMap((unit) => unit.ordinals.map((ordinal) => [ordinal, unit])));
  const tracked = [...segments.keys()].filter((ordinal) =>
    isMemoryOnly ? unitOf.has(ordinal) : !segments[ordinal]!.needsPayment,
  );
  const remembered = new Uint8Array(segments.length);
  frame.remembered = remembered;
  let coveredFromMs = Number.NEGATIVE_INFINITY;
  let since: Float64Array = new Float64Array(0);
  /** The unit whose next move is being computed: its own states are then seen as conditions. */
  let moving: Unit | undefined;

  const warmFromMs = (ordinal: number): number => {
    const { windowMsMax } = segments[ordinal]!;
    return windowMsMax === 0 ? Number.NEGATIVE_INFINITY : coveredFromMs + windowMsMax;
  };
  const flips = createFlipFinder({
    slots,
    features,
    eventSlots,
    intern: cache.intern,
    valueOf: evaluate,
    nextOfSegment: (ordinal, want, look) => {
      const unit = unitOf.get(ordinal);
      if (unit !== undefined && unit !== moving) return nextOfUnit(unit, look);
      const warmMs = warmFromMs(ordinal);
      if (warmMs >= frame.nowMs && frame.segments[ordinal] === 2) return Math.max(warmMs, frame.nowMs + 1);
      return flips.next(conditions[ordinal]!, want, look);
    },
  });
  const nextOfUnit = (unit: Unit, look: Look): number => {
    const outer = moving;
    moving = unit;
    const nextMs = unit.isJourney ? nextOfJourney(unit, look) : nextOfStay(unit, look);
    moving = outer;
    return nextMs;
  };
  const nextOfStay = ({ ordinals, conditions: [condition], exit, dwellMinMs }: Unit, look: Look): number => {
    const ordinal = ordinals[0]!;
    const sinceMs = since[ordinal]!;
    const warmMs = warmFromMs(ordinal);
    if (warmMs > frame.nowMs) return warmMs;
    const exits = exit === undefined ? !holds(condition!) : holds(exit);
    const nextExitMs = exit === undefined ? flips.next(condition!, true, look) : flips.next(exit, true, look);
    if (Number.isNaN(sinceMs)) {
      if (holds(condition!)) return nextExitMs;
      const nextEntryMs = flips.next(condition!, true, look);
      return exits ? Math.max(nextEntryMs, nextExitMs) : nextEntryMs;
    }
    const dueMs = sinceMs + dwellMinMs[0]!;
    return exits ? dueMs : Math.max(dueMs, nextExitMs);
  };
  const nextOfJourney = ({ ordinals, conditions: states, dwellMinMs }: Unit, look: Look): number => {
    const state = ordinals.findIndex((ordinal) => !Number.isNaN(since[ordinal]!));
    const dueMs = state === -1 ? frame.nowMs : since[ordinals[state]!]! + dwellMinMs[state]!;
    if (dueMs > frame.nowMs) return dueMs;
    let nextMs = never;
    for (const [place, ordinal] of ordinals.entries()) {
      const warmMs = warmFromMs(ordinal);
      if (warmMs > frame.nowMs) nextMs = Math.min(nextMs, warmMs);
      for (const want of [true, false]) nextMs = Math.min(nextMs, flips.next(states[place]!, want, look));
    }
    return nextMs;
  };
  const isWarm = (ordinal: number): boolean => warmFromMs(ordinal) <= frame.nowMs;

  const moveUnit = (unit: Unit): boolean => {
    const { ordinals, dwellMinMs } = unit;
    const before = ordinals.map((ordinal) => since[ordinal]!);
    if (unit.isJourney) moveJourney(unit);
    else {
      const ordinal = ordinals[0]!;
      const [condition] = unit.conditions;
      const stay = stepStay(Number.isNaN(before[0]!) ? undefined : before[0], {
        enters: isWarm(ordinal) && holds(condition!),
        exits: unit.exit === undefined ? !holds(condition!) : holds(unit.exit),
        dwellMinMs: dwellMinMs[0]!,
        nowMs: frame.nowMs,
      });
      since[ordinal] = stay ?? Number.NaN;
    }
    return ordinals.some((ordinal, at) => Number.isNaN(since[ordinal]!) !== Number.isNaN(before[at]!));
  };
  const moveJourney = ({ ordinals, conditions: states, dwellMinMs }: Unit): void => {
    const state = ordinals.findIndex((ordinal) => !Number.isNaN(since[ordinal]!));
    const place: StatePlace | undefined =
      state === -1 ? undefined : { state, sinceMs: since[ordinals[state]!]! };
    // A state may exclude the earlier ones by name: they have to be seen as they would be now, and not as they were.
    const holding = ordinals.map((ordinal, at) => {
      const truth = isWarm(ordinal) ? evaluate(states[at]!) : undefined;
      frame.segments[ordinal] = truth === undefined ? 2 : truth === true ? 1 : 0;
      return truth === true;
    });
    const next = stepState(place, { holds: holding, dwellMinMs, nowMs: frame.nowMs });
    for (const [at, ordinal] of ordinals.entries()) {
      since[ordinal] = next?.state === at ? next.sinceMs : Number.NaN;
      frame.segments[ordinal] = next?.state === at ? 1 : 0;
    }
  };
  const remember = (ordinal: number): void => {
    remembered[ordinal] = Number.isNaN(since[ordinal]!) ? 0 : 1;
  };

  const stops = listMarketingStops(snapshot, cache.intern);
  const stopReads = stops.flatMap(({ condition }) => (condition === undefined ? [] : [condition]));
  const { ofSegments: surveys, ofOthers } = surveyReads(snapshot, { conditions, units, others: stopReads });
  const heeded = isMemoryOnly ? tracked.map((ordinal) => surveys[ordinal]!) : [...surveys, ofOthers];
  const types = new Set(heeded.flatMap((each) => [...each.types]));
  const ofPayments = [...slots.keys()].filter((slot) => !isOfPlayer(slots[slot]!));
  const read = buildPartReader(
    heeded.flatMap((reads) => [...reads.slots]),
    snapshot,
  );
  return {
    snapshot,
    tracked,
    hasMemory: units.length > 0,
    hasMarketingStops: stops.length > 0,
    attributesOf: (ordinal) => surveys[ordinal]!.attributes,
    reads: (type) => types.has(type),
    look: (facts, atMs, sinceMs) => {
      const player = viewPlayerAt(facts.player, atMs);
      const input = makePlayerInput(facts, atMs, player);
      const look: Look = { frame, input };
      since = sinceMs;
      coveredFromMs = facts.coveredFromMs ?? Number.NEGATIVE_INFINITY;
      frame.coveredFromMs = coveredFromMs;
      read(input, frame);
      for (const slot of ofPayments) frame.values[slot] = undefined;
      for (const ordinal of unitOf.keys()) remember(ordinal);
      snapshot.matchSegments(frame);
      const isKnown = (ordinal: number): boolean => {
        if (player === facts.player) return true;
        for (const name of surveys[ordinal]!.attributes) {
          const stored = facts.player.attributes.get(name);
          if (stored !== undefined && stored.setAtMs > atMs) return false;
        }
        return true;
      };
      for (const unit of units) {
        if (!unit.ordinals.every(isKnown)) continue;
        const hasMoved = moveUnit(unit);
        for (const ordinal of unit.ordinals) remember(ordinal);
        // What reads it stands by its name; journeys were looked at out of order besides.
        if (hasMoved || unit.isJourney) snapshot.matchSegments(frame);
      }
      const findNextOf = (ordinal: number): number => {
        const unit = unitOf.get(ordinal);
        if (unit !== undefined) return nextOfUnit(unit, look);
        const warmMs = warmFromMs(ordinal);
        if (warmMs > atMs) return warmMs;
        return flips.next(conditions[ordinal]!, true, look);
      };
      return {
        frame,
        isMember: (ordinal) => frame.segments[ordinal] === 1,
        isKnown,
        stopsMarketing: () => stops.some((stop) => isStopping(stop, input.payment, atMs, evaluate)),
        findNext: () => {
          let nextMs = never;
          for (const stop of isMemoryOnly ? [] : stops) {
            nextMs = Math.min(nextMs, findNextOfSchedule(stop, atMs));
            if (stop.condition === undefined) continue;
            // One that matches on unknown stops unless its condition is false.
            nextMs = Math.min(nextMs, flips.next(stop.condition, !stop.rule.matchUnknown, look));
          }
          for (const ordinal of tracked) nextMs = Math.min(nextMs, findNextOf(ordinal));
          return nextMs;
        },
        findNextOf,
      };
    },
  };
}
