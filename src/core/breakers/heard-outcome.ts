import type { Failure, ThreeDsResult } from "../payment.ts";
import type { Attribution } from "../retry/answer.ts";
import type { OutcomeClass } from "../retry/outcome-class.ts";

/** What became of an attempt, as far as the health of its PSP is concerned. */
export type HeardOutcome = {
  readonly paymentId: string;
  /** Unique in the payment. */
  readonly attemptId: string;
  readonly psp: string;
  /** Empty where it is not known. */
  readonly method: string;
  readonly outcomeClass: OutcomeClass;
  /** Whom it is held against; undefined means nobody. */
  readonly attribution: Attribution | undefined;
  readonly failure: Failure | undefined;
  /** What 3DS came to, where it was run. */
  readonly threeDs: Pick<ThreeDsResult, "host" | "transStatus"> | undefined;
  /** How long the PSP took; undefined where nobody said. */
  readonly latencyMs: number | undefined;
  /** Names the issuer: by name, else by the first six digits; undefined where it is not known. */
  readonly issuerKey: string | undefined;
  /** When it was known to the caller, ms since the epoch. */
  readonly atMs: number;
};
