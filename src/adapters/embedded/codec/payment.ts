import type { Card, Payment, ThreeDsResult } from "../../../core/payment.ts";
import {
  readFlag,
  readMap,
  readNumber,
  readOptional,
  readOptionalFlag,
  readOptionalNumber,
  readOptionalText,
  readOptionalWord,
  readScalar,
  readText,
  readTexts,
  readWord,
} from "./byte-reader.ts";
import {
  writeFlag,
  writeMap,
  writeNumber,
  writeOptional,
  writeScalar,
  writeText,
  writeTexts,
  writeWord,
} from "./byte-writer.ts";
import { type Making, setTold } from "./members.ts";
import type { Whole } from "./pack.ts";

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
  writeText(payment.merchantId);
  writeNumber(payment.revision);
  writeText(payment.playerId);
  writeText(payment.brand);
  writeWord(payment.kind);
  writeWord(payment.currency);
  writeWord(payment.initiator);
  writeTexts(payment.riskSignals);
  writeMap(payment.attributes, writeScalar);
  writeNumber(payment.amountMinor);
  writeWord(payment.method);
  writeOptional(payment.card, writeCard);
  writeText(payment.playerCountry);
  writeText(payment.ipCountry);
  writeText(payment.deviceId);
  writeText(payment.ip);
  writeWord(payment.storedCredential);
  writeNumber(payment.trustScore);
  writeOptional(payment.threeDs, writeThreeDs);
  writeFlag(payment.recurring);
  writeFlag(payment.trustedBeneficiary);
  writeText(payment.originalNetworkId);
  writeText(payment.threeDsVersion);
}

export function readPayment(paymentId: string): Payment {
  const payment: Making<Payment> = {
    requestId: "",
    merchantId: readText(),
    paymentId,
    revision: readNumber(),
    playerId: readText(),
    brand: readText(),
    kind: readWord(),
    currency: readWord(),
    initiator: readWord(),
    riskSignals: readTexts(),
    attributes: readMap(readScalar),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  };
  setTold(payment, "amountMinor", readOptionalNumber());
  setTold(payment, "method", readOptionalWord());
  setTold(payment, "card", readOptional(readCard));
  setTold(payment, "playerCountry", readOptionalText());
  setTold(payment, "ipCountry", readOptionalText());
  setTold(payment, "deviceId", readOptionalText());
  setTold(payment, "ip", readOptionalText());
  setTold(payment, "storedCredential", readOptionalWord());
  setTold(payment, "trustScore", readOptionalNumber());
  setTold(payment, "threeDs", readOptional(readThreeDs));
  setTold(payment, "recurring", readOptionalFlag());
  setTold(payment, "trustedBeneficiary", readOptionalFlag());
  setTold(payment, "originalNetworkId", readOptionalText());
  setTold(payment, "threeDsVersion", readOptionalText());
  return payment;
}

type CardMember =
  | "bin"
  | "lastFour"
  | "scheme"
  | "funding"
  | "issuer"
  | "issuerCountry"
  | "fingerprint"
  | "credential"
  | "tokenId"
  | "reloadable"
  | "anonymous";

/** A mark that there is one comes first: all its members may be absent. */
function writeCard(card: Whole<Card, CardMember>): void {
  writeFlag(true);
  writeText(card.bin);
  writeText(card.lastFour);
  writeWord(card.scheme);
  writeWord(card.funding);
  writeText(card.issuer);
  writeText(card.issuerCountry);
  writeText(card.fingerprint);
  writeWord(card.credential);
  writeText(card.tokenId);
  writeFlag(card.reloadable);
  writeFlag(card.anonymous);
}

function readCard(): Card {
  readFlag();
  const card: Making<Card> = {};
  setTold(card, "bin", readOptionalText());
  setTold(card, "lastFour", readOptionalText());
  setTold(card, "scheme", readOptionalWord());
  setTold(card, "funding", readOptionalWord());
  setTold(card, "issuer", readOptionalText());
  setTold(card, "issuerCountry", readOptionalText());
  setTold(card, "fingerprint", readOptionalText());
  setTold(card, "credential", readOptionalWord());
  setTold(card, "tokenId", readOptionalText());
  setTold(card, "reloadable", readOptionalFlag());
  setTold(card, "anonymous", readOptionalFlag());
  return card;
}

function writeThreeDs(
  threeDs: Whole<ThreeDsResult, "transStatus" | "eci" | "host" | "version" | "hasCryptogram">,
): void {
  writeWord(threeDs.host);
  writeFlag(threeDs.hasCryptogram);
  writeText(threeDs.transStatus);
  writeText(threeDs.eci);
  writeText(threeDs.version);
}

function readThreeDs(): ThreeDsResult {
  const threeDs: Making<ThreeDsResult> = { host: readWord(), hasCryptogram: readFlag() };
  setTold(threeDs, "transStatus", readOptionalText() as ThreeDsResult["transStatus"]);
  setTold(threeDs, "eci", readOptionalText());
  setTold(threeDs, "version", readOptionalText());
  return threeDs;
}
