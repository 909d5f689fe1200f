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
  /** Of a prepaid card: whether more money can be put on it, and whether nobody knows its holder. */
  readonly reloadable?: boolean;
  readonly anonymous?: boolean;
};

/** What an EMV 3DS authentication came to. */
export type ThreeDsResult = {
  readonly transStatus?: "Y" | "A" | "C" | "D" | "N" | "R" | "U" | "I";
  /** Two digits. */
  readonly eci?: string;
  /** Who ran it: the proof of a PSP stays there. */
  readonly host: "PSP" | "MERCHANT";
  /** EMV version such as 2.2.0. */
  readonly version?: string;
  readonly hasCryptogram: boolean;
};

/** A technical failure as the caller met it. SERVER and TIMEOUT leave open whether anything was processed; the others do not. */
export type Failure = "CONNECT" | "THROTTLED" | "NOT_PROCESSED" | "SERVER" | "TIMEOUT" | "THREE_DS";

/** A value of a free attribute, before it is held against its declaration. */
export type AttributeInput = boolean | number | string | readonly string[];

/** What the caller says became of an attempt. */
export type ReportedOutcome = {
  readonly attemptId: string;
  readonly psp: string;
  readonly outcomeClass?: OutcomeClass;
  /** Of the network, two characters. */
  readonly responseCode?: string;
  /** Of the PSP. */
  readonly pspCode?: string;
  /** Of the network, two digits. */
  readonly adviceCode?: string;
  readonly threeDs?: ThreeDsResult;
  readonly failure?: Failure;
  readonly atMs?: number;
  /** Minor units that were approved, where fewer than asked. */
  readonly approvedMinor?: number;
  /** The attempt was voided; all else is as it was. */
  readonly voided?: boolean;
  /** It was declined, and the codes are to say how. */
  readonly declined?: boolean;
  /** All of what was approved was given back. */
  readonly refunded?: boolean;
  /** The approval that was reported before and was none. */
  readonly corrects?: "APPROVED" | "PARTIAL";
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
  readonly initiator: "CIT" | "MIT" | "MOTO";
  readonly storedCredential?: "SETUP" | "USE";
  readonly trustScore?: number;
  readonly riskSignals: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeInput>;
  readonly previousAttempts: readonly ReportedOutcome[];
  readonly mode: "PAYMENT" | "CASHIER";
  readonly trace: boolean;
  readonly review?: ReviewResult;
  readonly decideAtMs?: number;
  /** A result that was obtained before the call. */
  readonly threeDs?: ThreeDsResult;
  /** One of a series of the same amount whose first payment was authenticated. */
  readonly recurring?: boolean;
  readonly trustedBeneficiary?: boolean;
  readonly originalNetworkId?: string;
  /** The newest EMV 3DS version that device and merchant can run. */
  readonly threeDsVersion?: string;
};
