import type { ThreeDsResult } from "../../core/payment.ts";
import {
  ThreeDsResult_HostSchema,
  ThreeDsResult_TransStatusSchema,
  type ThreeDsResult as ThreeDsResultMessage,
  ThreeDsResultSchema,
} from "../../gen/switchyard/v1/payment_pb.js";
import type { FieldChecks } from "./field-checks.ts";

const versionMax = 16;
/** EMV 3DS versions, and 3DS 1 as it was. */
const versionPattern = /^[12]\.\d{1,2}(\.\d{1,2})?$/;

/** What 3DS came to, checked for shape; `path` is where the message stands. */
export function decodeThreeDsResult(
  checks: FieldChecks,
  path: string,
  message: ThreeDsResultMessage,
): ThreeDsResult {
  checks.noUnknownFields(path, ThreeDsResultSchema, message);
  const transStatus = checks.enumName(
    `${path}.trans_status`,
    ThreeDsResult_TransStatusSchema,
    message.transStatus,
  ) as ThreeDsResult["transStatus"];
  const host = checks.enumName(`${path}.host`, ThreeDsResult_HostSchema, message.host);
  const eci = checks.pattern(`${path}.eci`, message.eci, /^[0-9]{2}$/, "two digits");
  const version = decodeThreeDsVersion(checks, `${path}.version`, message.version);
  return {
    ...(transStatus === undefined ? {} : { transStatus }),
    ...(eci === undefined ? {} : { eci }),
    host: host === "MERCHANT" ? "MERCHANT" : "PSP",
    ...(version === undefined ? {} : { version }),
    hasCryptogram: message.hasCryptogram,
  };
}

/** An EMV 3DS version such as 2.2.0; undefined where absent or empty. */
export function decodeThreeDsVersion(
  checks: FieldChecks,
  field: string,
  version: string | undefined,
): string | undefined {
  if (version !== undefined && version.length > versionMax) {
    checks.text(field, version, versionMax);
    return undefined;
  }
  return checks.pattern(field, version, versionPattern, "an EMV 3DS version such as 2.2.0");
}
