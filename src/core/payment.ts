import type { OutcomeClass } from "./retry/outcome-class.ts";

export type PaymentKind = "deposit" | "withdrawal";

export type Money = {
  /** Integer minor units of the currency, exact to 2^53. */
  readonly minorUnits: number;
  /** ISO 4217 code. */
  readonly currencyCode: string;
};

export type Credential = "PAN" | "NETWORK_TOKEN" | "PSP_TOKEN";

/** The card as the caller sent it; absent fields are unknown. Scheme and funding are lower case. */
export type Card = {
  readonly bin?: string;
  readonly lastFour?: string;
  readonly scheme?: string;
  readonly funding?: string;
  readonly issuer?: string;
  readonly issuerCountry?: string;
  readonly fingerprint?: string;
  readonly credential?: Credential;
  readonly tokenId?: string;
};

/** A value of a free attribute, before it is held against its declaration. */
export type AttributeInput = boolean | number | string | readonly string[];

/** What the caller says became of an attempt. */
export type ReportedOutcome = {
  readonly attemptId: string;
  readonly psp: string;
  readonly outcomeClass?: OutcomeClass;
  readonly responseCode?: string;
  readonly atMs?: number;
  /** Minor units that were approved, where fewer than asked. */
  readonly approvedMinor?: number;
  /** The attempt was voided; all else is as it was. */
  readonly voided?: boolean;
};

export type ReviewResult = {
  readonly result: "APPROVED" | "REJECTED";
  readonly reviewer: string;
  readonly atMs: number;
};

/**
 * One call of `Decide`, checked for shape. Optional fields are absent where the caller does not know them.
 *
 * In mode CASHIER `paymentId` and `method` may be empty and `amountMinor` absent.
 */
export type Payment = {
  readonly requestId: string;
  readonly merchantId: string;
  readonly paymentId: string;
  readonly revision: number;
  readonly playerId: string;
  readonly brand: string;
  readonly kind: PaymentKind;
  readonly amountMinor?: number;
  readonly currency: string;
  readonly method?: string;
  readonly card?: Card;
  readonly playerCountry?: string;
  readonly ipCountry?: string;
  readonly deviceId?: string;
  readonly ip?: string;
  readonly initiator: "CIT" | "MIT";
  readonly storedCredential?: "SETUP" | "USE";
  readonly trustScore?: number;
  readonly riskSignals: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeInput>;
  readonly previousAttempts: readonly ReportedOutcome[];
  readonly mode: "PAYMENT" | "CASHIER";
  readonly trace: boolean;
  readonly review?: ReviewResult;
  readonly decideAtMs?: number;
};
