import type { Card, Payment, ThreeDsResult } from "../../../core/payment.ts";
import type { Row, Whole } from "./pack.ts";
import {
  writeArray,
  writeFlag,
  writeNumber,
  writeOptional,
  writePairs,
  writeText,
  writeTexts,
  writeUndefined,
} from "./row-writer.ts";

/** What is kept of the call that was decided: all but what only mattered then. */
export function writePayment(
  payment: Whole<
    Payment,
    | "requestId"
    | "merchantId"
    | "paymentId"
    | "revision"
    | "playerId"
    | "brand"
    | "kind"
    | "amountMinor"
    | "currency"
    | "method"
    | "card"
    | "playerCountry"
    | "ipCountry"
    | "deviceId"
    | "ip"
    | "initiator"
    | "storedCredential"
    | "trustScore"
    | "riskSignals"
    | "attributes"
    | "previousAttempts"
    | "mode"
    | "trace"
    | "review"
    | "decideAtMs"
    | "threeDs"
    | "recurring"
    | "trustedBeneficiary"
    | "originalNetworkId"
    | "threeDsVersion"
  >,
): void {
  const { card, attributes, storedCredential, threeDs } = payment;
  writeArray(23);
  writeText(payment.merchantId);
  writeNumber(payment.revision);
  writeText(payment.playerId);
  writeText(payment.brand);
  writeText(payment.kind);
  writeNumber(payment.amountMinor);
  writeText(payment.currency);
  writeText(payment.method);
  writeOptional(card, writeCard);
  writeText(payment.playerCountry);
  writeText(payment.ipCountry);
  writeText(payment.deviceId);
  writeText(payment.ip);
  writeText(payment.initiator);
  writeText(storedCredential);
  writeNumber(payment.trustScore);
  writeTexts(payment.riskSignals);
  if (attributes.size === 0) writeUndefined();
  else writePairs(attributes);
  writeOptional(threeDs, writeThreeDs);
  writeFlag(payment.recurring);
  writeFlag(payment.trustedBeneficiary);
  writeText(payment.originalNetworkId);
  writeText(payment.threeDsVersion);
}

export function readPayment(paymentId: string, row: Row): Payment {
  const [
    merchantId,
    revision,
    playerId,
    brand,
    kind,
    amountMinor,
    currency,
    method,
    card,
    playerCountry,
    ipCountry,
    deviceId,
    ip,
    initiator,
    storedCredential,
    trustScore,
    riskSignals,
    attributes,
    threeDs,
    recurring,
    trustedBeneficiary,
    originalNetworkId,
    threeDsVersion,
  ] = row as [
    string,
    number,
    string,
    string,
    Payment["kind"],
    number | undefined,
    string,
    string | undefined,
    Row | undefined,
    string | undefined,
    string | undefined,
    string | undefined,
    string | undefined,
    Payment["initiator"],
    Payment["storedCredential"],
    number | undefined,
    string[],
    unknown[] | undefined,
    // Absent in records of before they were kept.
    Row?,
    boolean?,
    boolean?,
    string?,
    string?,
  ];
  return {
    requestId: "",
    merchantId,
    paymentId,
    revision,
    playerId,
    brand,
    kind,
    currency,
    initiator,
    riskSignals,
    attributes: readAttributes(attributes ?? []),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
    ...(amountMinor === undefined ? {} : { amountMinor }),
    ...(method === undefined ? {} : { method }),
    ...(card === undefined ? {} : { card: readCard(card) }),
    ...(playerCountry === undefined ? {} : { playerCountry }),
    ...(ipCountry === undefined ? {} : { ipCountry }),
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(ip === undefined ? {} : { ip }),
    ...(storedCredential === undefined ? {} : { storedCredential }),
    ...(trustScore === undefined ? {} : { trustScore }),
    ...(threeDs === undefined ? {} : { threeDs: readThreeDs(threeDs) }),
    ...(recurring === undefined ? {} : { recurring }),
    ...(trustedBeneficiary === undefined ? {} : { trustedBeneficiary }),
    ...(originalNetworkId === undefined ? {} : { originalNetworkId }),
    ...(threeDsVersion === undefined ? {} : { threeDsVersion }),
  };
}

function readAttributes(written: readonly unknown[]): Payment["attributes"] {
  const attributes = new Map<string, boolean | number | string | readonly string[]>();
  for (let at = 0; at < written.length; at += 2) {
    attributes.set(written[at] as string, written[at + 1] as boolean | number | string | readonly string[]);
  }
  return attributes;
}

const cardFields = [
  "bin",
  "lastFour",
  "scheme",
  "funding",
  "issuer",
  "issuerCountry",
  "fingerprint",
  "credential",
  "tokenId",
  "reloadable",
  "anonymous",
] as const;

function writeCard(card: Whole<Card, (typeof cardFields)[number]>): void {
  writeArray(cardFields.length);
  writeText(card.bin);
  writeText(card.lastFour);
  writeText(card.scheme);
  writeText(card.funding);
  writeText(card.issuer);
  writeText(card.issuerCountry);
  writeText(card.fingerprint);
  writeText(card.credential);
  writeText(card.tokenId);
  writeFlag(card.reloadable);
  writeFlag(card.anonymous);
}

function readCard(row: Row): Card {
  const card: Record<string, unknown> = {};
  for (const [at, name] of cardFields.entries())
    if (row[at] !== undefined && row[at] !== null) card[name] = row[at];
  return card as Card;
}

function writeThreeDs(
  threeDs: Whole<ThreeDsResult, "transStatus" | "eci" | "host" | "version" | "hasCryptogram">,
): void {
  writeArray(5);
  writeText(threeDs.transStatus);
  writeText(threeDs.eci);
  writeText(threeDs.host);
  writeText(threeDs.version);
  writeFlag(threeDs.hasCryptogram);
}

function readThreeDs(row: Row): ThreeDsResult {
  const [transStatus, eci, host, version, hasCryptogram] = row as [
    ThreeDsResult["transStatus"] | undefined,
    string | undefined,
    ThreeDsResult["host"],
    string | undefined,
    boolean,
  ];
  return {
    host,
    hasCryptogram,
    ...(transStatus === undefined ? {} : { transStatus }),
    ...(eci === undefined ? {} : { eci }),
    ...(version === undefined ? {} : { version }),
  };
}
