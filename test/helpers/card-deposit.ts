import type { Payment } from "../../src/core/payment.ts";

/** A deposit of EUR 60 by card, of a player in session. */
export const cardDeposit: Payment = {
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
  card: { fingerprint: "f" },
  initiator: "CIT",
  riskSignals: [],
  attributes: new Map(),
  previousAttempts: [],
  mode: "PAYMENT",
  trace: false,
};
