import type { Subject } from "../core/history/history.ts";
import type { Hold } from "../core/limits/limit.ts";

/**
 * Where open reservations are kept. Reading the counters and holding are one synchronous step of the embedded store, so nothing comes between
 * them; `durable` resolves when the change is kept, before which no answer may leave.
 */
export type LimitStore = {
  /** Open holds that touch a subject; the list is good until the next change. */
  readonly holdsOf: (merchantId: string, subject: Subject) => readonly Hold[];
  /** Open holds with attempts of a card (subject id); the list is good until the next change. */
  readonly attemptsOf: (merchantId: string, card: string) => readonly Hold[];
  readonly get: (merchantId: string, paymentId: string) => Hold | undefined;
  /** Holds, in place of what the payment held before. */
  readonly hold: (merchantId: string, hold: Hold) => Promise<void>;
  /** Lets go. Nothing happens where nothing is held. */
  readonly release: (merchantId: string, paymentId: string) => Promise<void>;
  /** Forgets holds that no window and no reconciliation wants any more. */
  readonly sweep: (beforeMs: number) => void;
};
