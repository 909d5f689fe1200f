import type { FieldFault } from "../core/field-fault.ts";

/** What became of an event, named as in the contract. */
export const verdicts = [
  "ACCEPTED",
  "DUPLICATE",
  "MERGED",
  "CLAMPED",
  "REVERSED",
  "CONFLICT",
  "QUARANTINED",
  "REFUSED",
  "DELETED_PLAYER",
] as const;

export type Verdict = (typeof verdicts)[number];

export type EventOutcome = {
  readonly verdict: Verdict;
  /** Whether a newer event of the player was there before. */
  readonly late: boolean;
  readonly faults: readonly FieldFault[];
  /** What else there is to say, in English; mostly empty. */
  readonly detail: string;
};

const noFaults: readonly FieldFault[] = [];

/** Nearly every event comes out like this, so it is made once. */
const accepted: EventOutcome = { verdict: "ACCEPTED", late: false, faults: noFaults, detail: "" };
const acceptedLate: EventOutcome = { ...accepted, late: true };

export function accept(late: boolean): EventOutcome {
  return late ? acceptedLate : accepted;
}

export function tell(verdict: Verdict, detail = "", late = false): EventOutcome {
  return { verdict, late, faults: noFaults, detail };
}

export function refuse(faults: readonly FieldFault[]): EventOutcome {
  return { verdict: "REFUSED", late: false, faults, detail: "" };
}

export function refuseField(field: string, rule: string, message: string): EventOutcome {
  return refuse([{ field, rule, message }]);
}
