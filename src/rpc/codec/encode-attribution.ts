import type { Attribution as AttributionName } from "../../core/retry/answer.ts";
import { Attribution } from "../../gen/switchyard/v1/payment_pb.js";

/** Whom an outcome is held against; nobody is the default value. */
export function encodeAttribution(attribution: AttributionName | undefined): Attribution {
  return attribution === undefined ? Attribution.UNSPECIFIED : Attribution[attribution];
}
