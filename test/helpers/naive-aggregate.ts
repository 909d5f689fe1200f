/**
 * Aggregates by their definitions (the comments of `Aggregate` in `rule_set.proto`), from a plain list of events: no order, no passes, nothing
 * shared with what serves.
 */
import type { EventValue } from "../../src/core/events/event.ts";
import type { AggregateSpec, CalendarSpec } from "../../src/core/features/feature.ts";
import type { ListedEvent } from "./listed-history.ts";

/** A condition as a test writes it down beside its expression; undefined is unknown. */
export type PlainCondition = (event: ListedEvent) => boolean | undefined;

export type NaiveQuestion = {
  readonly spec: AggregateSpec;
  readonly where?: PlainCondition | undefined;
  readonly hit?: PlainCondition | undefined;
  readonly events: readonly ListedEvent[];
  readonly nowMs: number;
  /** Minor units of the wanted currency for so many of this one, as a fraction; a currency without one has no rate. */
  readonly rates: Readonly<Record<string, readonly [numerator: number, denominator: number]>>;
};

export function aggregateNaively(question: NaiveQuestion): EventValue | undefined {
  const { spec, nowMs } = question;
  const past = question.events
    .filter(({ atMs }) => atMs <= nowMs)
    .toSorted((a, b) => a.atMs - b.atMs || (a.id ?? 0) - (b.id ?? 0));
  const [after, through] = findNaiveSpan(spec, past, nowMs);
  const isInside = ({ atMs }: ListedEvent): boolean => atMs > after && atMs <= through;
  if (spec.function === "LONGEST_SESSION") return findLongest(question, past, isInside);
  const matches = (event: ListedEvent): boolean =>
    spec.events.includes(event.type) && (question.where === undefined || question.where(event) === true);
  let found = past.filter((event) => matches(event) && isInside(event));
  if (spec.window.kind === "last") found = found.slice(-spec.window.count);
  switch (spec.function) {
    case "UNANSWERED":
      return found.filter(
        (event) => nowMs - event.atMs >= spec.answerWithinMs && !isAnswered(question, past, event),
      ).length;
    case "FOLLOWED":
      return found.filter((event) => isAnswered(question, past, event)).length;
    default:
      return fold(question, found);
  }
}

function fold(question: NaiveQuestion, found: readonly ListedEvent[]): EventValue | undefined {
  const { spec, nowMs } = question;
  const hits = found.filter((event) => question.hit?.(event) === true).length;
  const share = found.length < Math.max(1, spec.minSamples) ? undefined : hits / found.length;
  switch (spec.function) {
    case "COUNT":
      return found.length;
    case "RATIO":
      return share;
    case "WILSON_LOWER": {
      if (share === undefined) return undefined;
      const n = found.length;
      const z = 1.959963984540054;
      const centre = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
      const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
      return Math.max(0, centre - half);
    }
    case "STREAK": {
      const misses = found.findLastIndex((event) => question.hit?.(event) !== true);
      return found.length - 1 - misses;
    }
    case "MEDIAN_GAP": {
      const gaps = found.slice(1).map((event, at) => event.atMs - found[at]!.atMs);
      if (gaps.length === 0) return undefined;
      gaps.sort((a, b) => a - b);
      const half = gaps.length / 2;
      return Number.isInteger(half)
        ? Math.floor((gaps[half - 1]! + gaps[half]!) / 2)
        : gaps[Math.floor(half)];
    }
  }
  const valued = found.flatMap((event) => {
    const value = readValue(question, event);
    return value === undefined ? [] : [{ value, atMs: event.atMs }];
  });
  if (spec.function === "FIRST") return withRate(valued[0]?.value);
  if (spec.function === "LAST") return withRate(valued.at(-1)?.value);
  const values = valued.map(({ value }) => value);
  if (values.includes(noRate)) return undefined;
  if (spec.function === "DISTINCT") return new Set(values).size;
  if (spec.function === "MODE") return findMode(values as string[]);
  const numbers = values as number[];
  const sum = numbers.reduce((total, value) => total + value, 0);
  switch (spec.function) {
    case "SUM":
      return sum;
    case "AVG":
      return numbers.length === 0 ? undefined : sum / numbers.length;
    case "MIN":
      return numbers.length === 0 ? undefined : Math.min(...numbers);
    case "MAX":
      return numbers.length === 0 ? undefined : Math.max(...numbers);
    case "STDDEV": {
      if (numbers.length === 0) return undefined;
      const mean = sum / numbers.length;
      return Math.sqrt(numbers.reduce((all, value) => all + (value - mean) ** 2, 0) / numbers.length);
    }
    case "DECAYED_SUM":
      return valued.reduce(
        (all, { value, atMs }) => all + (value as number) * 0.5 ** ((nowMs - atMs) / spec.halfLifeMs),
        0,
      );
    case "PERCENTILE":
      return numbers
        .toSorted((a, b) => a - b)
        .find(
          (value) => 100 * numbers.filter((other) => other <= value).length >= spec.percent * numbers.length,
        );
  }
  throw new Error(`no such function: ${spec.function}`);
}

const noRate = Number.POSITIVE_INFINITY;

function withRate(value: EventValue | undefined): EventValue | undefined {
  return value === noRate ? undefined : value;
}

function findMode(texts: readonly string[]): string | undefined {
  const often = (text: string): number => texts.filter((other) => other === text).length;
  return texts.toSorted((a, b) => often(b) - often(a) || (a < b ? -1 : 1))[0];
}

function readValue({ spec: { of }, rates }: NaiveQuestion, event: ListedEvent): EventValue | undefined {
  switch (of?.kind) {
    case undefined:
      return undefined;
    case "amount": {
      if (event.currency === undefined) return undefined;
      const rate = event.currency === of.currency ? [1, 1] : rates[event.currency];
      if (rate === undefined) return noRate;
      const [numerator, denominator] = rate as [number, number];
      return Math.floor((2 * event.amountMinor! * numerator + denominator) / (2 * denominator));
    }
    case "at":
      return event.atMs;
    case "localDay":
      return localDate(event.atMs, of.zone).toString();
    case "localWeek": {
      const date = localDate(event.atMs, of.zone);
      return `${date.yearOfWeek}-${date.weekOfYear}`;
    }
    case "plain":
      return event.values?.[of.name];
    case "wide":
      return event.wides?.[of.name];
  }
}

function localDate(atMs: number, zone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone).toPlainDate();
}

function isAnswered({ spec, hit }: NaiveQuestion, past: readonly ListedEvent[], event: ListedEvent): boolean {
  const { answers, answerKey, answerWithinMs } = spec;
  const keyOf = ({ values, wides }: ListedEvent): unknown => values?.[answerKey] ?? wides?.[answerKey];
  return past.some(
    (answer) =>
      answer !== event &&
      answers.includes(answer.type) &&
      answer.atMs >= event.atMs &&
      answer.atMs - event.atMs < answerWithinMs &&
      (answerKey === "" || (keyOf(event) !== undefined && keyOf(answer) === keyOf(event))) &&
      (spec.function !== "FOLLOWED" || hit === undefined || hit(answer) === true),
  );
}

type Visit = { readonly start: ListedEvent; readonly endMs: number | undefined };

/** Sessions by name: each start with the first end of its name after it, before the name comes again. */
function listSessions(past: readonly ListedEvent[]): readonly Visit[] {
  return past
    .filter(({ type }) => type === "session_start")
    .map((start) => {
      const name = start.wides?.session;
      const next = past.find(
        (event) => event.type === "session_end" && event.wides?.session === name && event.atMs >= start.atMs,
      );
      return { start, endMs: next?.atMs };
    });
}

function findLongest(
  { spec, where, nowMs }: NaiveQuestion,
  past: readonly ListedEvent[],
  isInside: (event: ListedEvent) => boolean,
): number | undefined {
  const visits = listSessions(past);
  const lengths = visits.flatMap(({ start, endMs }, at) => {
    if (!spec.events.includes("session_start") || (where !== undefined && where(start) !== true)) return [];
    if (endMs === undefined && at < visits.length - 1) return [];
    const end = endMs ?? nowMs;
    return isInside({ ...start, atMs: end }) ? [end - start.atMs] : [];
  });
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

function findNaiveSpan(
  { window }: AggregateSpec,
  past: readonly ListedEvent[],
  nowMs: number,
): readonly [number, number] {
  switch (window.kind) {
    case "rolling":
      return [nowMs - window.offsetMs - window.spanMs, nowMs - window.offsetMs];
    case "calendar": {
      const [startMs, endMs] = findNaivePeriod(nowMs, window);
      return [startMs - 1, Math.min(nowMs, endMs - 1)];
    }
    case "session": {
      const visit = listSessions(past).at(-1);
      return visit === undefined ? [0, -1] : [visit.start.atMs - 1, visit.endMs ?? nowMs];
    }
    case "last":
    case "lifetime":
      return [Number.NEGATIVE_INFINITY, nowMs];
  }
}

/** The period that holds an instant, `back` periods ago: found among the starts of all periods around, by the calendar of the platform. */
export function findNaivePeriod(nowMs: number, spec: CalendarSpec): readonly [number, number] {
  const today = localDate(nowMs, spec.zone);
  const days = { DAY: 1, WEEK: 7, MONTH: 31, FOUR_WEEKS: 28 }[spec.period];
  const first = today.subtract({ days: (spec.back + 2) * days });
  const starts: number[] = [];
  for (let ahead = 0; ahead <= (spec.back + 4) * days; ahead++) {
    const day = first.add({ days: ahead });
    if (startsPeriod(day, spec)) starts.push(startOf(day, spec.zone));
  }
  const at = starts.findLastIndex((startMs) => startMs <= nowMs) - spec.back;
  return [starts[at]!, starts[at + 1]!];
}

function startsPeriod(day: Temporal.PlainDate, { period, weekStart, anchorDay }: CalendarSpec): boolean {
  switch (period) {
    case "DAY":
      return true;
    case "WEEK":
      return day.dayOfWeek === weekStart;
    case "MONTH":
      return day.day === 1;
    case "FOUR_WEEKS":
      return day.since(new Temporal.PlainDate(1970, 1, 1)).days % 28 === ((anchorDay % 28) + 28) % 28;
  }
}

function startOf(day: Temporal.PlainDate, zone: string): number {
  return day.toZonedDateTime(zone).epochMilliseconds;
}
