import { hourAt, openZone, weekdayAt, type ZoneClock } from "../local-time.ts";
import type { BuildPart, Evaluator } from "./evaluator.ts";
import type { Expr, Predicate } from "./expr.ts";

/** Compiles `within(t, d)`, that is now - d < t <= now, and `silent(t, d)`, that is now - t >= d. */
export function buildSpanTest(expr: Extract<Expr, { op: "within" | "silent" }>, build: BuildPart): Predicate {
  const readAt = build(expr.at);
  const readDuration = build(expr.duration);
  const isWithin = expr.op === "within";
  return (frame) => {
    const atMs = readAt(frame) as number | undefined;
    if (atMs === undefined) {
      return undefined;
    }
    const durationMs = readDuration(frame) as number | undefined;
    if (durationMs === undefined) {
      return undefined;
    }
    const elapsedMs = frame.nowMs - atMs;
    return isWithin ? elapsedMs >= 0 && elapsedMs < durationMs : elapsedMs >= durationMs;
  };
}

/** Compiles `local_hour` and `local_weekday`. A zone that the tz database does not know is a bug (the checker refuses it). */
export function buildLocalTime(
  expr: Extract<Expr, { op: "localHour" | "localWeekday" }>,
  build: BuildPart,
): Evaluator {
  const read = build(expr.at);
  const clock: ZoneClock = openZone(expr.zone);
  const readField = expr.op === "localHour" ? hourAt : weekdayAt;
  return (frame) => {
    const atMs = read(frame) as number | undefined;
    return atMs === undefined ? undefined : readField(atMs, clock);
  };
}
