import type { Reason } from "./reason.ts";
import type { BuiltInCode } from "./reason-codes.ts";

/** A reason that no rule gives: for payments, and without a text for the player. */
export function makeReason(
  stage: Reason["stage"],
  code: BuiltInCode,
  sourceId: string,
  detail: string,
): Reason {
  return { stage, code, sourceId, detail, playerMessageKey: "", purposes: ["payments"] };
}
