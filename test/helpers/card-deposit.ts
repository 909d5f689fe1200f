import type { Payment } from "../../src/core/payment.ts";

/** A deposit of EUR 60 by card, of a player in session; nothing is known of the card. */
export const plainDeposit: Payment = {
  requestId: "r",
  merchantId: "default",
  paymentId: "pay",
  revision: 0,
  playerId: "p",
  brand: "",
  kind: "deposit",
  amountMinor: 6_000,
  currency: "EUR",
  method: "card",
  initiator: "CIT",
  riskSignals: [],
  attributes: new Map(),
  previousAttempts: [],
  mode: "PAYMENT",
  trace: false,
};

/** The same with a card that is known. */
export const cardDeposit: Payment = { ...plainDeposit, card: { fingerprint: "f" } };
