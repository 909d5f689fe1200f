import { makeReason } from "../core/make-reason.ts";
import type { OutcomeReport } from "../core/outcome-report.ts";
import type { Reason } from "../core/reason.ts";
import { readMeaning, type SentPayment } from "../core/retry/apply-reports.ts";
import { type Attempt, isCharged } from "../core/retry/attempts.ts";
import type { CodeTable } from "../core/retry/code-table.ts";
import { readReport } from "./read-report.ts";

/** Where nothing is known of what was sent. */
export const unknownSent: SentPayment = {
  scheme: undefined,
  initiator: undefined,
  isInScaZone: () => false,
};

/** What somebody has to look at after a report: it is told as long as it stands, so that a repeat is answered alike. */
export function listAlerts(
  told: OutcomeReport,
  attempt: Attempt,
  at: SentPayment & { readonly attempts: readonly Attempt[]; readonly table: CodeTable },
): readonly Reason[] {
  const alerts: Reason[] = [];
  const charged = at.attempts.filter(isCharged);
  if (charged.length > 1) {
    const ids = charged.map(({ attemptId, psp }) => `${attemptId} at ${psp}`).join(", ");
    alerts.push(
      makeReason(
        "informational",
        "SECOND_APPROVAL",
        attempt.attemptId,
        `approved more than once: ${ids}; void all but one`,
      ),
    );
  }
  const isApproval = told.result === "APPROVED" || told.result === "PARTIAL";
  const wasApproved = attempt.outcomeClass === "APPROVED" || attempt.outcomeClass === "PARTIAL";
  if (isApproval && !wasApproved && (attempt.voided === true || attempt.corrected === true)) {
    const became = attempt.voided === true ? "voided" : "corrected to a decline";
    const detail = `${told.psp} reports as approved what was ${became} before; the attempt stays as it is`;
    alerts.push(makeReason("informational", "APPROVAL_CONTRADICTED", attempt.attemptId, detail));
  }
  const { atMs } = attempt;
  if (told.result === "DECLINED" && readMeaning(readReport(told, 0), undefined, { ...at, atMs }).alert)
    alerts.push(alertOfAnswer(told));
  return alerts;
}

/** That the answer says something of the account at the PSP, or for compliance. */
export function alertOfAnswer({ psp, pspCode, responseCode, adviceCode }: OutcomeReport): Reason {
  const codes = [pspCode, responseCode, adviceCode && `advice ${adviceCode}`]
    .filter((code) => code)
    .join(", ");
  return makeReason("informational", "ANSWER_ALERT", psp, `${psp} answered ${codes}`);
}
