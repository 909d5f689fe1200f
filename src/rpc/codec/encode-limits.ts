import type { MessageInitShape } from "@bufbuild/protobuf";
import { isForGateways } from "../../core/facts.ts";
import type { LimitReading } from "../../core/limits/limit.ts";
import type { LimitReadingSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { Rule_Class } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { Door } from "../../wire/transport.ts";
import { encodeInstant } from "./time.ts";

const limitsMax = 64;

/** Readings as they leave by a door: a gateway sees limits for payments and fraud, and the player's own, for the player is to be told of these. */
export function encodeReadings(
  readings: readonly LimitReading[],
  door: Door,
): MessageInitShape<typeof LimitReadingSchema>[] {
  const shown =
    door === "admin"
      ? readings
      : readings.filter(({ limitId, purposes }) => limitId.startsWith("player/") || isForGateways(purposes));
  return shown.slice(0, limitsMax).map(encodeReading);
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
