import type { Limit, PolicyPack } from "../../gen/switchyard/v1/rule_set_pb.js";
import {
  Limit_Breach,
  Limit_Counted,
  Limit_CountedAt,
  Limit_Subject,
  Rule_OnUnknown,
  WeeklyHours_Day,
  Window_Calendar_Period,
} from "../../gen/switchyard/v1/rule_set_pb.js";

const defaultZone = "UTC";
/** How long a player waits for a looser limit of their own where the pack does not say (`SEMANTICS.md` 5.7). */
const increaseWaitSeconds = 86_400n;

/** Fills in what the contract says of absent fields of a limit, but for its purposes; calendar windows take zone and week from the pack. */
export function fillLimit(
  limit: Limit,
  { zone, weekStart }: Pick<PolicyPack, "zone" | "weekStart"> = { zone: "", weekStart: 0 },
): void {
  if (limit.subject === Limit_Subject.SUBJECT_UNSPECIFIED) limit.subject = Limit_Subject.PLAYER;
  if (limit.counted === Limit_Counted.COUNTED_UNSPECIFIED) limit.counted = Limit_Counted.PAYMENTS;
  if (limit.breach === Limit_Breach.BREACH_UNSPECIFIED) limit.breach = defaultBreach(limit.subject);
  if (limit.onUnknown === Rule_OnUnknown.ON_UNKNOWN_UNSPECIFIED) limit.onUnknown = Rule_OnUnknown.SKIP;
  if (limit.countedAt === Limit_CountedAt.COUNTED_AT_UNSPECIFIED) limit.countedAt = Limit_CountedAt.DECIDED;
  if (limit.kinds.length === 0) limit.kinds = ["deposit"];
  if (limit.reason === "") limit.reason = "LIMIT_EXCEEDED";
  limit.kinds.sort();
  const span = limit.window?.span;
  if (span?.case !== "calendar") return;
  const calendar = span.value;
  if (calendar.zone === "") calendar.zone = zone === "" ? defaultZone : zone;
  // Only weeks have a first day.
  if (calendar.period === Window_Calendar_Period.WEEK && calendar.weekStart === 0)
    calendar.weekStart = weekStart === 0 ? WeeklyHours_Day.MON : weekStart;
}

/** Fills in what the contract says of absent fields of a pack, but for its rules and limits. */
export function fillPack(pack: PolicyPack): void {
  if (pack.zone === "") pack.zone = defaultZone;
  if (pack.weekStart === WeeklyHours_Day.DAY_UNSPECIFIED) pack.weekStart = WeeklyHours_Day.MON;
  pack.limitIncreaseWait ??= {
    $typeName: "google.protobuf.Duration",
    seconds: increaseWaitSeconds,
    nanos: 0,
  };
}

function defaultBreach(subject: Limit_Subject): Limit_Breach {
  const isOfPsp = subject === Limit_Subject.PSP || subject === Limit_Subject.MID;
  return isOfPsp ? Limit_Breach.EXCLUDE_PSP : Limit_Breach.DENY;
}
