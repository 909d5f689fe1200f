import type { Card, Payment } from "../core/payment.ts";
import type { PaymentIdentity } from "../ports/payment-store.ts";

/** What of a payment is compared when it comes again (`SEMANTICS.md` 1.3). */
export function identify({ playerId, kind, amountMinor, currency, method, card }: Payment): PaymentIdentity {
  return {
    playerId,
    kind,
    amount: { minorUnits: amountMinor ?? 0, currencyCode: currency },
    method: method ?? "",
    instrument: card === undefined ? "" : identifyCard(card),
  };
}

/** Fingerprint, else token id, else BIN and last four. What it is is part of it, so that a BIN never equals a fingerprint. */
function identifyCard({ fingerprint, tokenId, bin, lastFour }: Card): string {
  if (fingerprint !== undefined) return `fingerprint:${fingerprint}`;
  if (tokenId !== undefined) return `token:${tokenId}`;
  return bin === undefined && lastFour === undefined ? "" : `bin:${bin ?? ""}:${lastFour ?? ""}`;
}

/** Fields that the player may change with a higher revision. */
const changeable: ReadonlySet<string> = new Set([
  "amount.minor_units",
  "amount.currency_code",
  "method",
  "card",
]);

/** Proto names of the fields that differ, sorted; with a higher revision only those that may not. */
export function findConflicts(
  known: PaymentIdentity,
  next: PaymentIdentity,
  isHigherRevision: boolean,
): readonly string[] {
  const fields: string[] = [];
  if (known.amount.currencyCode !== next.amount.currencyCode) fields.push("amount.currency_code");
  if (known.amount.minorUnits !== next.amount.minorUnits) fields.push("amount.minor_units");
  if (known.instrument !== next.instrument) fields.push("card");
  if (known.kind !== next.kind) fields.push("kind");
  if (known.method !== next.method) fields.push("method");
  if (known.playerId !== next.playerId) fields.push("player_id");
  return isHigherRevision ? fields.filter((field) => !changeable.has(field)) : fields;
}
