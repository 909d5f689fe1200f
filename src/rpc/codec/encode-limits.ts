import type { MessageInitShape } from "@bufbuild/protobuf";
import { isForGateways } from "../../core/facts.ts";
import type { LimitReading } from "../../core/limits/limit.ts";
import type { LimitReadingSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { Rule_Class } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { Door } from "../../wire/transport.ts";
import { encodeInstant } from "./time.ts";

const limitsMax = 64;
const noSegments: ReadonlySet<string> = new Set();

/**
 * Readings as they leave by a door: a gateway sees limits for payments and fraud, and the player's own, for the player is to be told of these. Whose
 * threshold speaks it is told where the answer shows it the segment: `segmentsShown`.
 */
export function encodeReadings(
  readings: readonly LimitReading[],
  door: Door,
  segmentsShown: ReadonlySet<string> = noSegments,
): MessageInitShape<typeof LimitReadingSchema>[] {
  if (door === "admin") return readings.slice(0, limitsMax).map(encodeReading);
  return readings
    .filter(({ limitId, purposes }) => limitId.startsWith("player/") || isForGateways(purposes))
    .slice(0, limitsMax)
    .map((reading) => ({
      ...encodeReading(reading),
      segment: segmentsShown.has(reading.segment) ? reading.segment : "",
    }));
}

export function encodeReading(reading: LimitReading): MessageInitShape<typeof LimitReadingSchema> {
  const { limitId, ruleClass, fits, used, limit, headroom, asked, currency, resetsAtMs, fitsAtMs } = reading;
  return {
    limitId,
    class: Rule_Class[ruleClass],
    fits,
    used: BigInt(used),
    limit: BigInt(limit),
    headroom: BigInt(headroom),
    asked: BigInt(asked),
    currencyCode: currency,
    ...(resetsAtMs === undefined ? {} : { resetsAt: encodeInstant(resetsAtMs) }),
    ...(fitsAtMs === undefined ? {} : { fitsAt: encodeInstant(fitsAtMs) }),
    unknown: reading.unknown,
    segment: reading.segment,
    subject: reading.subject,
    errorBound: BigInt(Math.ceil(reading.errorBound)),
    overrun: reading.overrun,
  };
}
