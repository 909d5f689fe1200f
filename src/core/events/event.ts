import type { Purpose } from "../facts.ts";
import type { Money } from "../payment.ts";

/** The value of an attribute of an event, of its declared type: a timestamp is integer ms since the epoch. */
export type EventValue = boolean | number | string;

/**
 * Something that happened to a player, checked against its type. Instants are ms since the epoch.
 *
 * Payment facts (`payment_*` and `withdrawal_*` types) have a `paymentId` mostly, and are then identified by (payment, attempt, type) instead of
 * `eventId` (`SEMANTICS.md` 6.1).
 */
export type PlayerEvent = {
  readonly eventId: string;
  readonly playerId: string;
  readonly type: string;
  readonly occurredAtMs: number;
  readonly source: string;
  readonly amount?: Money | undefined;
  readonly attributes: ReadonlyMap<string, EventValue>;
  readonly paymentId?: string | undefined;
  readonly attemptId?: string | undefined;
  /** Id of the event that this one takes back, or takes the place of. */
  readonly reverses?: string | undefined;
};

export type EventValueType = "BOOL" | "INT" | "DOUBLE" | "STRING" | "TIMESTAMP";

/**
 * An attribute of a type of events. A *plain* one is part of the row's label: it has few values and can be compared, counted and shown. A *wide*
 * one has many: numbers are kept as they are, texts by hash, so that they can be counted (DISTINCT) and matched, but neither compared nor shown.
 */
export type EventAttribute = {
  readonly name: string;
  readonly type: EventValueType;
  readonly storage: "plain" | "wide";
  /** Every value that a plain text can take; empty means any. */
  readonly values: readonly string[];
  readonly required: boolean;
  readonly doc: string;
  /** Whether the service fills it in, from the event's own fields or from the decision: it is read like any other, and never sent. */
  readonly derived?: true;
};

/** A type of events: built in (`event-types.ts`) or declared by the rule set. */
export type EventTypeInfo = {
  readonly name: string;
  readonly amount: "required" | "optional" | "none";
  readonly attributes: ReadonlyMap<string, EventAttribute>;
  /** Whether it tells a stage of a payment. */
  readonly isPaymentFact: boolean;
  /** What features over it may be used for; payments and fraud where absent. */
  readonly purposes?: readonly Purpose[];
  readonly doc: string;
};
