import { hash53 } from "../hash.ts";

/** A hash has 53 bits; the lowest are dropped. */
const dropped = 2 ** 5;

/**
 * The id of an event's row: 48 bits as an integer, by which a second delivery is recognised (`DESIGN.md` 5).
 *
 * `playerId` is the one that was sent, alias or not: so a delivery before a merge and one after it are the same.
 */
export function rowId(merchantId: string, playerId: string, eventId: string): number {
  return shorten(hash53(merchantId, playerId, eventId));
}

/** The id of the row of a payment fact: told once per payment, attempt and stage, whoever tells it (`SEMANTICS.md` 6.1). */
export function factRowId(fact: {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly attemptId: string;
  readonly type: string;
}): number {
  // One field more than an event has, so that the two never meet.
  return shorten(hash53(fact.merchantId, fact.paymentId, fact.attemptId, fact.type));
}

function shorten(hash: number): number {
  return Math.floor(hash / dropped);
}
