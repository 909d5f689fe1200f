/** What a 3DS result that the caller has already means for the payment (`DOMAIN.md` 2.2). */
import type { Payment, ThreeDsResult } from "../payment.ts";
import { isCardPayment } from "../routing/routing-case.ts";

type TransStatus = NonNullable<ThreeDsResult["transStatus"]>;

/** What to do next by transStatus. */
export type ResultNext =
  /** Authorise, with the proof where it can go. */
  | "AUTHORISE"
  /** Authorise as if nobody had asked for 3DS: no shift; inside the zone only with an exemption, else authenticate. */
  | "AUTHORISE_WITHOUT"
  /** Never authorise, at no PSP. */
  | "REFUSE"
  /** Finish the challenge first. */
  | "FINISH";

export const resultTable: Readonly<
  Record<TransStatus, { readonly meaning: string; readonly next: ResultNext }>
> = {
  Y: { meaning: "authenticated", next: "AUTHORISE" },
  A: { meaning: "attempted", next: "AUTHORISE" },
  C: { meaning: "challenge wanted", next: "FINISH" },
  D: { meaning: "decoupled challenge wanted", next: "FINISH" },
  N: { meaning: "not authenticated", next: "REFUSE" },
  R: { meaning: "the issuer rejects", next: "REFUSE" },
  U: { meaning: "could not be run", next: "AUTHORISE_WITHOUT" },
  I: { meaning: "informational only", next: "AUTHORISE_WITHOUT" },
};

/** What the payment's own result forbids: all, or all until the challenge is finished; undefined where nothing. */
export function findBar(payment: Payment): "AUTH_FAILED" | "CHALLENGE_PENDING" | undefined {
  const next = readNext(payment);
  if (next === "REFUSE") return "AUTH_FAILED";
  return next === "FINISH" ? "CHALLENGE_PENDING" : undefined;
}

/** Whether a 3DS was run that says nothing, so that preferences for one are spent. */
export function isSpent(payment: Payment): boolean {
  return readNext(payment) === "AUTHORISE_WITHOUT";
}

/**
 * The proof that can travel to PSPs that take one: of the merchant's own server, with its cryptogram. That of a PSP stays there, and no issuer takes one of
 * 3DS 1 any more.
 */
export function findProof(payment: Payment): ThreeDsResult | undefined {
  const { threeDs } = payment;
  if (threeDs === undefined || readNext(payment) !== "AUTHORISE") return undefined;
  const isOld = threeDs.version?.startsWith("1.") ?? false;
  return threeDs.host === "MERCHANT" && threeDs.hasCryptogram && !isOld ? threeDs : undefined;
}

function readNext(payment: Payment): ResultNext | undefined {
  const status = payment.threeDs?.transStatus;
  if (status === undefined || payment.kind !== "deposit" || !isCardPayment(payment)) return undefined;
  return resultTable[status].next;
}
