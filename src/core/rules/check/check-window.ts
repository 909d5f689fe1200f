import {
  type Window,
  type Window_Calendar,
  Window_Calendar_Period,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { isTimeZone } from "../../local-time.ts";
import type { FaultList } from "../document/fault.ts";
import { parseDay } from "../windows.ts";
import { checkDuration, checkRange } from "./values.ts";

/** Ten years, leap days included. */
export const spanMaxMs = 3_653 * 86_400_000;
const lastMax = 1_000;
const backMax = 120;
const zoneMax = 64;

/** Who may have windows of all kinds: limits have rolling and calendar ones that end now. */
type Owner = "feature" | "limit";

/** Checks a window that is there. */
export function checkWindow(faults: FaultList, path: string, { span, offset }: Window, owner: Owner): void {
  if (offset !== undefined)
    checkOffset(faults, `${path}.offset`, offset, span.case === "rolling" && owner === "feature");
  if (span.case === undefined) {
    faults.error(path, "missing", "say which span: rolling, calendar, last, session or lifetime");
    return;
  }
  if (owner === "limit" && span.case !== "rolling" && span.case !== "calendar") {
    faults.error(`${path}.${span.case}`, "not-for-window", "the window of a limit is rolling or calendar");
    return;
  }
  switch (span.case) {
    case "rolling":
      checkDuration(faults, `${path}.rolling`, span.value, {
        min: 1,
        max: spanMaxMs,
        said: "from 1 ms to 10 years",
      });
      break;
    case "calendar":
      checkCalendar(faults, `${path}.calendar`, span.value, owner);
      break;
    case "last":
      checkRange(faults, `${path}.last`, span.value, [1, lastMax]);
      break;
    case "session":
    case "lifetime":
      if (!span.value)
        faults.error(`${path}.${span.case}`, "out-of-range", "leave this out where it does not hold");
      break;
  }
}

/** A zone of the IANA database; empty where it may be left out. */
export function checkZone(faults: FaultList, path: string, zone: string): void {
  if (zone.length > zoneMax || (zone !== "" && !isTimeZone(zone)))
    faults.error(path, "bad-zone", `${quote(zone)} is no zone such as Europe/Berlin`);
}

function checkOffset(
  faults: FaultList,
  path: string,
  offset: NonNullable<Window["offset"]>,
  isAllowed: boolean,
): void {
  if (!isAllowed) faults.error(path, "not-for-window", "only rolling windows of features end before now");
  else checkDuration(faults, path, offset, { min: 0, max: spanMaxMs, said: "from 0 to 10 years" });
}

function checkCalendar(faults: FaultList, path: string, calendar: Window_Calendar, owner: Owner): void {
  const { period, zone, weekStart, anchor, back } = calendar;
  if (period === Window_Calendar_Period.PERIOD_UNSPECIFIED)
    faults.error(`${path}.period`, "missing", "say which period: DAY, WEEK, MONTH or FOUR_WEEKS");
  checkZone(faults, `${path}.zone`, zone);
  if (weekStart !== 0 && period !== Window_Calendar_Period.WEEK)
    faults.error(`${path}.week_start`, "not-for-window", "only a WEEK has a first day");
  if (period === Window_Calendar_Period.FOUR_WEEKS) {
    if (anchor === "")
      faults.error(`${path}.anchor`, "missing", "say on which day a cycle of four weeks starts");
    else if (parseDay(anchor) === undefined)
      faults.error(`${path}.anchor`, "bad-day", `${quote(anchor)} is no day YYYY-MM-DD`);
  } else if (anchor !== "") {
    faults.error(`${path}.anchor`, "not-for-window", "only FOUR_WEEKS are counted from a day on");
  }
  if (owner === "limit" && back !== 0)
    faults.error(`${path}.back`, "not-for-window", "the window of a limit is the current period");
  else checkRange(faults, `${path}.back`, back, [0, backMax]);
}
