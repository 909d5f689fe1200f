import type { BinFacts } from "../bin/bin-table.ts";
import type { MembershipList } from "../cel/expr.ts";
import { type FactInput, readStored } from "../facts.ts";
import type { FxRates } from "../money.ts";
import type { Credential, Payment, PaymentKind } from "../payment.ts";
import type { Psp } from "../rules/snapshot.ts";

/** What PSPs are asked about a payment; `undefined` is unknown. One per decision. */
export type RoutingCase = {
  readonly merchantId: string;
  readonly paymentId: string;
  readonly kind: PaymentKind;
  readonly method: string;
  readonly currency: string;
  readonly amountMinor: number | undefined;
  /** Whether a card stands behind the payment, so that schemes, issuers, BINs and 3DS mean something. */
  readonly isCard: boolean;
  readonly scheme: string | undefined;
  readonly bin: string | undefined;
  readonly issuerCountry: string | undefined;
  /** The country that the request gives, else the stored KYC country. */
  readonly playerCountry: string | undefined;
  readonly credential: Credential | undefined;
  readonly brand: string;
  readonly licence: string | undefined;
  readonly fx: FxRates;
  readonly lists: readonly MembershipList[];
  /** Whether the payment cannot go to a PSP that cannot run 3DS. */
  readonly needsThreeDs: (psp: Psp) => boolean;
  /** Whether what is unknown keeps a PSP in: the cashier asks before the player has chosen a card. */
  readonly isLenient: boolean;
};

/** Reads a routing case from the facts of a decision. The caller's word on the card counts before the table's (`SEMANTICS.md` 2.4). */
export function openRoutingCase(
  input: FactInput,
  rules: { readonly fx: FxRates; readonly lists: readonly MembershipList[] },
  needsThreeDs: RoutingCase["needsThreeDs"],
): RoutingCase {
  const { payment, bin, licence } = input;
  const { card } = payment;
  return {
    merchantId: payment.merchantId,
    paymentId: payment.paymentId,
    kind: payment.kind,
    method: payment.method ?? "",
    currency: payment.currency,
    amountMinor: payment.amountMinor,
    isCard: isCardPayment(payment),
    scheme: readScheme(payment, bin),
    bin: card?.bin,
    issuerCountry: card?.issuerCountry ?? bin.issuerCountry,
    playerCountry: payment.playerCountry ?? (readStored(input, "kyc_country") as string | undefined),
    credential: card?.credential,
    brand: payment.brand,
    licence,
    fx: rules.fx,
    lists: rules.lists,
    needsThreeDs,
    isLenient: payment.mode === "CASHIER",
  };
}

/** Whether a card stands behind the payment: it names one, or its method is `card`. */
export function isCardPayment({ card, method }: Payment): boolean {
  return card !== undefined || method === "card";
}

function readScheme({ card }: Payment, bin: BinFacts): string | undefined {
  return card?.scheme ?? bin.scheme;
}
