/** What the issuers booked: the truth that a gateway only ever hears of. */
import type { Authorisation } from "./issuer.ts";

/** One authorisation that reached an issuer. Instants are ms since the epoch. */
export type LedgerEntry = {
  readonly payment: string;
  readonly psp: string;
  readonly key: string;
  readonly card: string;
  readonly scheme: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly code: string;
  readonly atMs: number;
  /** What was taken from the card; 0 for a decline. */
  readonly chargedMinor: number;
  voided: boolean;
  refundedMinor: number;
  /** Whether the merchant was ever answered: what came in late and was declined nobody hears of. */
  told: boolean;
};

export type Ledger = {
  /** In the order in which they reached the issuers. */
  readonly entries: readonly LedgerEntry[];
  readonly book: (
    psp: string,
    key: string,
    asked: Authorisation,
    told: { readonly code: string; readonly chargedMinor: number },
  ) => LedgerEntry;
  /** Charges of a payment that were not voided. */
  readonly listCharges: (payment: string) => readonly LedgerEntry[];
  /** Payments with more than one charge that was not voided. */
  readonly findDoubles: () => readonly string[];
};

export function openLedger(nowMs: () => number): Ledger {
  const entries: LedgerEntry[] = [];
  const byPayment = new Map<string, LedgerEntry[]>();
  const listCharges: Ledger["listCharges"] = (payment) => (byPayment.get(payment) ?? []).filter(isCharge);
  return {
    entries,
    book(psp, key, { payment, card, amountMinor, currency }, { code, chargedMinor }) {
      const entry: LedgerEntry = {
        payment,
        psp,
        key,
        card: card?.token ?? "",
        scheme: card?.scheme ?? "",
        amountMinor,
        currency,
        code,
        atMs: nowMs(),
        chargedMinor,
        voided: false,
        refundedMinor: 0,
        told: false,
      };
      entries.push(entry);
      const known = byPayment.get(payment);
      if (known === undefined) byPayment.set(payment, [entry]);
      else known.push(entry);
      return entry;
    },
    listCharges,
    findDoubles: () => [...byPayment.keys()].filter((payment) => listCharges(payment).length > 1),
  };
}

function isCharge({ chargedMinor, voided }: LedgerEntry): boolean {
  return chargedMinor > 0 && !voided;
}
