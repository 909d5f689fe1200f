import { type BinTable, lookUpBin } from "../core/bin/bin-table.ts";
import type { Payment } from "../core/payment.ts";
import type { ReportContext, SentPayment } from "../core/retry/apply-reports.ts";
import { codeTableOf } from "../core/retry/code-table.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { houseScaPolicy } from "../core/sca/default-policy.ts";
import { openPolicy } from "../core/sca/policy-now.ts";
import { judgeScope } from "../core/sca/scope.ts";
import type { PaymentRecord } from "../ports/payment-store.ts";

/** What reports on a stored payment are read by: `payment` is its latest revision. Answers mean what the active rule set says. */
export function describeReports(
  record: PaymentRecord,
  payment: Payment,
  at: { readonly snapshot: RuleSnapshot; readonly bins: BinTable; readonly nowMs: number },
): ReportContext {
  const { paymentId, revision, earlier } = record;
  return {
    paymentId,
    revision,
    plan: record.decision.plan,
    table: codeTableOf(at.snapshot.responseCodes),
    sentAt: (of) => {
      const sent = of === revision ? payment : earlier?.find((each) => each.revision === of)?.payment;
      return describeSent(sent ?? payment, at);
    },
    nowMs: at.nowMs,
  };
}

function describeSent(
  { card, initiator }: Payment,
  { snapshot, bins, nowMs }: Parameters<typeof describeReports>[2],
): SentPayment {
  const bin = card?.bin === undefined ? undefined : lookUpBin(bins, card.bin);
  const issuerCountry = card?.issuerCountry ?? bin?.issuerCountry;
  return {
    scheme: card?.scheme ?? bin?.scheme,
    initiator,
    isInScaZone: (psp) => {
      const acquirerCountry = snapshot.psps[snapshot.pspOrdinals.get(psp) ?? -1]?.acquirerCountry;
      const policy = openPolicy(snapshot.scaPolicy ?? houseScaPolicy, nowMs);
      return judgeScope(policy, { issuerCountry, acquirerCountry }) === "IN";
    },
  };
}

/** Names the issuer of a payment's card: by name, else by the first six digits; undefined where it is not known. */
export function nameIssuer({ card }: Pick<Payment, "card">, bins: BinTable): string | undefined {
  if (card?.bin === undefined) return card?.issuer;
  return card.issuer ?? lookUpBin(bins, card.bin).issuer ?? card.bin.slice(0, 6);
}
