import type { RetryPolicy, RetryRule } from "../rules/snapshot.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * What outcomes lead to where no rule names another policy, and for classes that a policy does not name. Every rule set has it under the id
 * `default`, unless it declares a policy of that id itself.
 *
 * Source: `DOMAIN.md` 1.6, `SEMANTICS.md` 4.1.
 */
export const defaultRetryPolicy: RetryPolicy = {
  id: "default",
  maxAttempts: 3,
  validForMs: 15 * minute,
  playerDeclines: undefined,
  singleTry: [],
  rules: {
    APPROVED: lead("DONE"),
    PARTIAL: lead("DONE"),
    HARD: lead("OTHER_METHOD"),
    DATA: { ...lead("CHANGE_DATA"), fields: ["card"] },
    SCA: lead("STEP_UP"),
    WAIT: { ...lead("LOWER_AMOUNT"), waitMs: 24 * hour },
    GENERIC: lead("STEP_UP"),
    TECH_NOT_PROCESSED: lead("NEXT_PSP"),
    ISSUER_DOWN: { ...lead("NEXT_PSP"), waitMs: 30 * second },
    UNKNOWN: lead("STATUS_CHECK"),
    PENDING: lead("STATUS_CHECK"),
    AUTH_FAILED: lead("OTHER_METHOD"),
    ABANDONED: lead("STOP"),
  },
};

function lead(response: RetryRule["response"]): RetryRule {
  return { response, waitMs: 0, fields: [] };
}
