import { create } from "@bufbuild/protobuf";
import type { Reported } from "../../decide/decided.ts";
import {
  type ReportOutcomeResponse,
  ReportOutcomeResponse_Verdict,
  ReportOutcomeResponseSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import { Outcome_Class } from "../../gen/switchyard/v1/payment_pb.js";
import type { Door } from "../../wire/transport.ts";
import { encodeAttribution } from "./encode-attribution.ts";
import { encodePlan, encodeReason, findShown } from "./encode-decision.ts";
import { encodeReadings } from "./encode-limits.ts";

const alertsMax = 8;

/** How things stand after a report, as it leaves by a door. */
export function encodeReported(reported: Reported, door: Door): ReportOutcomeResponse {
  const { verdict, plan, limits, overrun, outcome, attribution, alerts } = reported;
  return create(ReportOutcomeResponseSchema, {
    verdict: ReportOutcomeResponse_Verdict[verdict],
    ...(plan === undefined ? {} : { plan: encodePlan(plan, findShown(door)) }),
    limits: encodeReadings(limits, door),
    overrun,
    outcome: Outcome_Class[outcome],
    attribution: encodeAttribution(attribution),
    alerts: alerts.slice(0, alertsMax).map(encodeReason),
  });
}
