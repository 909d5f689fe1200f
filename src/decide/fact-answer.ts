import type { Step } from "../core/decision.ts";
import { noAnswer, type PaymentFact } from "../core/events/payment-fact.ts";
import type { HoldFact } from "../core/limits/holds.ts";
import type { Payment } from "../core/payment.ts";
import type { Attempt } from "../core/retry/attempts.ts";
import { partialCode } from "../core/retry/card-views.ts";
import { findExemptionOf } from "../core/sca/step-three-ds.ts";

/** What was asked of 3DS for an attempt. */
type Asked = { readonly step: Step | undefined; readonly payment: Pick<Payment, "threeDs" | "initiator"> };

/** What a fact tells of the answer to its attempt; undefined where nothing is known any more of what was sent. */
export function describeAnswer(
  { type }: Pick<HoldFact, "type">,
  attempt: Attempt,
  asked: Asked | undefined,
): Pick<PaymentFact, "code" | "advice" | "initiator" | "sca" | "block" | "blockUntilMs"> {
  const { code = "", adviceCode = "", block } = attempt;
  const initiator = attempt.initiator ?? asked?.payment.initiator ?? "";
  switch (type) {
    case "payment_declined":
      return {
        ...noAnswer,
        code,
        advice: adviceCode,
        initiator,
        ...(block === undefined ? {} : { block: block.what, blockUntilMs: block.untilMs }),
      };
    case "payment_approved":
      return { ...noAnswer, code: approvalCode(attempt), initiator, sca: describeSca(attempt, asked) };
    default:
      return { ...noAnswer, initiator };
  }
}

/** That only a part was approved, in the words of the networks: the amount of the fact is then not the one that was asked for. */
function approvalCode({ outcomeClass }: Attempt): string {
  return outcomeClass === "PARTIAL" ? partialCode : "";
}

/** How an approval was authenticated, or which exemption let it through without; empty where nobody said. */
function describeSca({ threeDs }: Attempt, asked: Asked | undefined): string {
  if (threeDs?.transStatus === "Y") return "authenticated";
  const does = asked?.step?.threeDs;
  const exemption = does && findExemptionOf(does);
  if (exemption !== undefined) return exemption;
  const isProven =
    does?.requirement === "THREE_DS" && does.useProof && asked?.payment.threeDs?.transStatus === "Y";
  return isProven ? "authenticated" : "";
}
