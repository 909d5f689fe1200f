import type { BinFacts } from "./bin/bin-table.ts";
import type { ExprType, Value } from "./cel/expr.ts";
import type { History } from "./history/history.ts";
import { countryCodes } from "./iso3166.ts";
import type { Payment } from "./payment.ts";
import type { Player } from "./player.ts";

export type Purpose = "payments" | "fraud" | "rg" | "aml" | "marketing";

/** Whether gateways may see what serves these purposes; the rest is for admins (`SEMANTICS.md` 3.9). */
export function isForGateways(purposes: readonly Purpose[]): boolean {
  return purposes.includes("payments") || purposes.includes("fraud");
}

/** All that built-in facts are read from. One per decision. */
export type FactInput = {
  readonly payment: Payment;
  readonly player: Player;
  /** What the BIN table says of the card; absent fields are unknown. */
  readonly bin: BinFacts;
  /** Country of the licence of the payment's brand. */
  readonly licence: string | undefined;
  readonly nowMs: number;
  /** The player's events; absent where there are none or nobody asks for features. */
  readonly history?: History | undefined;
};

/** A built-in fact: how conditions write it, its type, what it may be used for, and how it is read. */
export type Fact = {
  readonly path: string;
  readonly type: ExprType;
  readonly doc: string;
  /** Every value that it can take, where that is a closed set. */
  readonly domain?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** payments and fraud where absent. */
  readonly purposes?: readonly Purpose[];
  /** `undefined` where unknown. */
  readonly read: (input: FactInput) => Value;
};

/** Path of the funding by the caller's word, else the table's. */
export const fundingPath = "card.funding";

/** Path by which rules of classes 1 and 2 read `card.funding`: credit if either the caller or the table says credit (`SEMANTICS.md` 2.4). */
export const strictFundingPath = "card.funding_strict";

/** Every funding that a card can have. */
export const fundings = ["credit", "debit", "prepaid", "charge"] as const;
const textList: ExprType = { list: "string" };

/** The vocabulary of conditions beside declared attributes: requests are `payment.*`, stored facts `player.*`. */
export const facts: readonly Fact[] = [
  fact("payment.id", "string", "Id of the payment.", ({ payment }) => payment.paymentId || undefined),
  {
    ...fact("payment.kind", "string", "deposit or withdrawal.", ({ payment }) => payment.kind),
    domain: ["deposit", "withdrawal"],
  },
  {
    ...fact(
      "payment.amount_minor",
      "int",
      "Amount in minor units of its currency.",
      ({ payment }) => payment.amountMinor,
    ),
    min: 1,
  },
  fact("payment.currency", "string", "ISO 4217 code.", ({ payment }) => payment.currency || undefined),
  fact("payment.method", "string", "Payment method.", ({ payment }) => payment.method),
  fact("payment.brand", "string", "Brand inside the merchant.", ({ payment }) => payment.brand || undefined),
  {
    ...fact(
      "payment.player_country",
      "string",
      "Country that the player declared.",
      ({ payment }) => payment.playerCountry,
    ),
    domain: countryCodes,
  },
  {
    ...fact("payment.ip_country", "string", "Country of the IP address.", ({ payment }) => payment.ipCountry),
    domain: countryCodes,
  },
  fact("payment.device_id", "string", "Device of the player.", ({ payment }) => payment.deviceId),
  fact("payment.ip", "string", "IP address of the player.", ({ payment }) => payment.ip),
  {
    ...fact("payment.initiator", "string", "CIT, MIT or MOTO.", ({ payment }) => payment.initiator),
    domain: ["CIT", "MIT", "MOTO"],
  },
  {
    ...fact(
      "payment.stored_credential",
      "string",
      "SETUP or USE.",
      ({ payment }) => payment.storedCredential,
    ),
    domain: ["SETUP", "USE"],
  },
  fact(
    "payment.original_network_id",
    "string",
    "The network's id of the payment that set the agreement up.",
    ({ payment }) => payment.originalNetworkId,
  ),
  {
    ...fact(
      "payment.three_ds_status",
      "string",
      "EMV transStatus of the 3DS that was run already.",
      ({ payment }) => payment.threeDs?.transStatus,
    ),
    domain: ["Y", "A", "C", "D", "N", "R", "U", "I"],
  },
  fact(
    "payment.recurring",
    "bool",
    "One of a series of the same amount.",
    ({ payment }) => payment.recurring ?? false,
  ),
  fact(
    "payment.trusted_beneficiary",
    "bool",
    "The player trusts the merchant at the issuer.",
    ({ payment }) => payment.trustedBeneficiary ?? false,
  ),
  fact(
    "payment.trust_score",
    "double",
    "Trust of the operator, 0 to 100.",
    ({ payment }) => payment.trustScore,
  ),
  fact("payment.risk_signals", textList, "Signals of fraud tools.", ({ payment }) => payment.riskSignals),
  { ...fact("payment.revision", "int", "Revision, from 0.", ({ payment }) => payment.revision), min: 0 },
  fact("card.bin", "string", "First 6 to 8 digits.", ({ payment }) => payment.card?.bin),
  fact("card.last_four", "string", "Last four digits.", ({ payment }) => payment.card?.lastFour),
  fact(
    "card.fingerprint",
    "string",
    "Stable identifier of the card.",
    ({ payment }) => payment.card?.fingerprint,
  ),
  {
    ...fact(
      "card.credential",
      "string",
      "PAN, NETWORK_TOKEN or PSP_TOKEN.",
      ({ payment }) => payment.card?.credential,
    ),
    domain: ["PAN", "NETWORK_TOKEN", "PSP_TOKEN"],
  },
  fact(
    "card.scheme",
    "string",
    "Scheme: the caller's word, else the table's.",
    ({ payment, bin }) => payment.card?.scheme ?? bin.scheme,
  ),
  {
    ...fact(fundingPath, "string", "Funding: the caller's word, else the table's.", readFunding),
    domain: fundings,
  },
  {
    ...fact(
      strictFundingPath,
      "string",
      "Funding as classes 1 and 2 see it: credit if either says credit.",
      readStrictFunding,
    ),
    domain: fundings,
  },
  fact(
    "card.issuer",
    "string",
    "Issuer: the caller's word, else the table's.",
    ({ payment, bin }) => payment.card?.issuer ?? bin.issuer,
  ),
  fact(
    "card.issuer_country",
    "string",
    "Country of the issuer: the caller's word, else the table's.",
    ({ payment, bin }) => payment.card?.issuerCountry ?? bin.issuerCountry,
  ),
  fact("card.table_scheme", "string", "Scheme by the BIN table.", ({ bin }) => bin.scheme),
  {
    ...fact("card.table_funding", "string", "Funding by the BIN table.", ({ bin }) => bin.funding),
    domain: fundings,
  },
  fact("card.table_issuer", "string", "Issuer by the BIN table.", ({ bin }) => bin.issuer),
  fact(
    "card.table_issuer_country",
    "string",
    "Country of the issuer by the BIN table.",
    ({ bin }) => bin.issuerCountry,
  ),
  fact("card.prepaid", "bool", "Prepaid by the BIN table.", ({ bin }) => bin.prepaid),
  fact(
    "card.reloadable",
    "bool",
    "Whether more money can be put on a prepaid card.",
    ({ payment }) => payment.card?.reloadable,
  ),
  fact(
    "card.anonymous",
    "bool",
    "Whether nobody knows the holder of a prepaid card.",
    ({ payment }) => payment.card?.anonymous,
  ),
  fact("player.id", "string", "Id of the player.", ({ payment }) => payment.playerId),
  {
    ...fact("player.kyc_country", "string", "Verified country.", (input) => readStored(input, "kyc_country")),
    domain: countryCodes,
  },
  fact("player.registered_at", "timestamp", "Registration.", (input) => readStored(input, "registered_at")),
  { ...fact("player.age", "int", "Whole years by birth_date, in UTC.", readAge), min: 0 },
  fact("context.merchant", "string", "The tenant.", ({ payment }) => payment.merchantId),
  {
    ...fact("context.mode", "string", "PAYMENT or CASHIER.", ({ payment }) => payment.mode),
    domain: ["PAYMENT", "CASHIER"],
  },
  {
    ...fact("context.licence", "string", "Country of the brand's licence.", ({ licence }) => licence),
    domain: countryCodes,
  },
  {
    ...fact(
      "context.physical_country",
      "string",
      "Country of the IP address.",
      ({ payment }) => payment.ipCountry,
    ),
    domain: countryCodes,
  },
  {
    ...fact(
      "context.jurisdictions",
      textList,
      "KYC country (else player_country) and licence; unknown where neither country is known.",
      readJurisdictions,
    ),
    domain: countryCodes,
  },
];

/** Attributes of a player that every rule set knows, with their types; `birth_date` is a timestamp at 00:00 UTC. */
export const storedFacts: ReadonlyMap<string, "string" | "timestamp"> = new Map([
  ["kyc_country", "string"],
  ["registered_at", "timestamp"],
  ["birth_date", "timestamp"],
]);

/** The value of a stored attribute at `nowMs`; undefined where there is none or its TTL has passed. */
export function readStored({ player, nowMs }: Pick<FactInput, "player" | "nowMs">, name: string): Value {
  const stored = player.attributes.get(name);
  if (stored === undefined) return undefined;
  if (stored.ttlMs !== undefined && nowMs >= stored.setAtMs + stored.ttlMs) return undefined;
  return stored.value;
}

function fact(path: string, type: ExprType, doc: string, read: (input: FactInput) => Value): Fact {
  return { path, type, doc, read };
}

function readFunding({ payment, bin }: FactInput): Value {
  return payment.card?.funding ?? bin.funding;
}

function readStrictFunding(input: FactInput): Value {
  const { payment, bin } = input;
  if (payment.card?.funding === "credit" || bin.funding === "credit") return "credit";
  return readFunding(input);
}

/** KYC country, else the declared one, and the licence; undefined where no country is known. */
export function readJurisdictions(input: FactInput): readonly string[] | undefined {
  const home = (readStored(input, "kyc_country") as string | undefined) ?? input.payment.playerCountry;
  const { licence } = input;
  // Without a country the set is not smaller but unknown: whoever leaves the country out must not escape its law.
  if (home === undefined) return undefined;
  return licence === undefined || licence === home ? [home] : [home, licence];
}

function readAge(input: FactInput): Value {
  const birthMs = readStored(input, "birth_date");
  if (typeof birthMs !== "number") return undefined;
  const birth = new Date(birthMs);
  const now = new Date(input.nowMs);
  const years = now.getUTCFullYear() - birth.getUTCFullYear();
  const hadBirthday =
    now.getUTCMonth() > birth.getUTCMonth() ||
    (now.getUTCMonth() === birth.getUTCMonth() && now.getUTCDate() >= birth.getUTCDate());
  return hadBirthday ? years : years - 1;
}
