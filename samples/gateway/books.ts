/** What the gateway knows of every attempt that it sent: it is written before the PSP is called, so that nothing is sent and forgotten. */
import type { PspAnswer } from "./psp-client.ts";

export type BookedAttempt = {
  readonly payment: string;
  readonly attemptId: string;
  readonly psp: string;
  readonly key: string;
  readonly revision: number;
  readonly amountMinor: number;
  readonly currency: string;
  /** `sent` until an answer came. */
  state:
    | "sent"
    | "unknown"
    | Exclude<PspAnswer["kind"], "failed" | "refused" | "not_found" | "three_ds_failed">;
};

export type Books = {
  /** In the order in which they were sent. */
  readonly attempts: readonly BookedAttempt[];
  readonly open: (attempt: Omit<BookedAttempt, "state">) => BookedAttempt;
  readonly ofPayment: (payment: string) => readonly BookedAttempt[];
  readonly ofKey: (key: string) => BookedAttempt | undefined;
};

/** Kept in memory here; a real gateway keeps them in its database. */
export function openBooks(): Books {
  const attempts: BookedAttempt[] = [];
  const byKey = new Map<string, BookedAttempt>();
  const byPayment = new Map<string, BookedAttempt[]>();
  return {
    attempts,
    open(attempt) {
      const booked: BookedAttempt = { ...attempt, state: "sent" };
      attempts.push(booked);
      byKey.set(attempt.key, booked);
      const known = byPayment.get(attempt.payment);
      if (known === undefined) byPayment.set(attempt.payment, [booked]);
      else known.push(booked);
      return booked;
    },
    ofPayment: (payment) => byPayment.get(payment) ?? [],
    ofKey: (key) => byKey.get(key),
  };
}
