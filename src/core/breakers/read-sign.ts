import type { HealthSign } from "./calls.ts";
import type { HeardOutcome } from "./heard-outcome.ts";

/**
 * What an outcome says of the health of its PSP (`DOMAIN.md` 3): approvals, and payments that were accepted and are not final yet, are successes; what is
 * held against the PSP, or against how the account there is set up, is a failure; that the issuer is down is judged by how many are. All else, the answers of
 * issuers and what players got wrong, says nothing, neither good nor bad.
 */
export function readPspSign({
  outcomeClass,
  attribution,
  failure,
}: Pick<HeardOutcome, "outcomeClass" | "attribution" | "failure">): HealthSign {
  if (failure === "THREE_DS" || attribution === "THREE_DS") return "NEUTRAL";
  switch (outcomeClass) {
    case "APPROVED":
    case "PARTIAL":
    case "PENDING":
      return "SUCCESS";
    case "ISSUER_DOWN":
      return "ISSUER_DOWN";
    case "ABANDONED":
      return "NEUTRAL";
    case "UNKNOWN":
      if (failure === "TIMEOUT" || (failure === undefined && attribution === "PSP")) return "TIMEOUT";
      return readFault(attribution, failure);
    default:
      return failure === "TIMEOUT" ? "TIMEOUT" : readFault(attribution, failure);
  }
}

function readFault(attribution: HeardOutcome["attribution"], failure: HeardOutcome["failure"]): HealthSign {
  return failure !== undefined || attribution === "PSP" || attribution === "CONFIG" ? "FAILURE" : "NEUTRAL";
}

/**
 * What it says of the 3DS that the PSP runs: an authentication that ended, however, is a success; that it could not be run says nothing, because that may
 * be the issuer's doing. What the merchant runs itself is nobody's here.
 */
export function readThreeDsSign({
  attribution,
  failure,
  threeDs,
}: Pick<HeardOutcome, "attribution" | "failure" | "threeDs">): HealthSign {
  if (threeDs?.host === "MERCHANT") return "NEUTRAL";
  if (failure === "THREE_DS" || attribution === "THREE_DS") return "FAILURE";
  const status = threeDs?.transStatus;
  return status === undefined || status === "U" || status === "C" || status === "D" ? "NEUTRAL" : "SUCCESS";
}
