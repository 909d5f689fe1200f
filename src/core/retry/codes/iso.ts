/**
 * Response codes of the networks (`DOMAIN.md` 1.2, 1.4): two characters as text, for the leading zero counts.
 *
 * Whom an answer is held against follows `DOMAIN.md` 3: issuers and players hurt no PSP. What an account of a PSP is blamed for is a matter of its
 * configuration and raises an alert. How long a block lasts is a choice of this house where no scheme says it.
 */
import type { ResponseCode } from "../answer.ts";
import { type Details, dayMs, listCodes } from "./entry.ts";

const unverified = { origin: "gk" };
const issuer: Details = { attribution: "ISSUER" };
const player: Details = { attribution: "PLAYER" };
const psp: Details = { attribution: "PSP" };
const config: Details = { attribution: "CONFIG", alert: true };
const later: Details = { ...issuer, waitMs: dayMs };
const cardForGood: Details = { ...issuer, block: { what: "card", forMs: undefined } };
const agreementForGood: Details = { ...issuer, block: { what: "agreement", forMs: undefined } };
/** Since April 2025. */
const newGamblingBlocks = { ...issuer, fromMs: Date.UTC(2025, 3) };
const visaOnly = { scheme: "visa" };
const mastercardOnly = { scheme: "mastercard" };
const adviceMissing = "B5, B6; B13 for doing nothing without an advice code";

const approvals = [
  ...listCodes("00", "APPROVED", "approved"),
  ...listCodes("11", "APPROVED", "approved, VIP"),
  ...listCodes("10", "PARTIAL", "approved for a part of the amount", { origin: "A15" }),
];

const hardDeclines = [
  ...listCodes("04 07", "HARD", "pick up the card", cardForGood),
  ...listCodes("12", "HARD", "invalid transaction", issuer),
  ...listCodes("14", "HARD", "invalid account number", {
    ...player,
    block: { what: "card", forMs: undefined },
  }),
  ...listCodes("15", "HARD", "no such issuer", { ...player, block: { what: "card", forMs: 30 * dayMs } }),
  ...listCodes("33", "HARD", "pick up the card, expired", cardForGood),
  ...listCodes("34", "HARD", "pick up the card, suspected fraud", cardForGood),
  ...listCodes("39", "HARD", "no credit account", issuer),
  ...listCodes("41", "HARD", "lost card", cardForGood),
  ...listCodes("43", "HARD", "stolen card", cardForGood),
  ...listCodes("45 46", "HARD", "closed account", cardForGood),
  ...listCodes("52", "HARD", "no cheque account", issuer),
  ...listCodes("53", "HARD", "no savings account", issuer),
  ...listCodes("57", "HARD", "not permitted to the cardholder; how issuers block gambling", {
    ...issuer,
    block: { what: "card", forMs: 7 * dayMs },
  }),
  ...listCodes("62", "HARD", "restricted card", issuer),
  ...listCodes("93", "HARD", "violation of law", issuer),
  ...listCodes("5C", "HARD", "blocked by the issuer for this range or by rule", {
    ...newGamblingBlocks,
    block: { what: "bin", forMs: dayMs },
  }),
  ...listCodes("9G", "HARD", "blocked by the cardholder's own control", {
    ...newGamblingBlocks,
    block: { what: "card", forMs: 3 * dayMs },
  }),
  ...listCodes("Q1", "HARD", "card authentication failed", issuer),
  ...listCodes("R0", "HARD", "stop this payment", agreementForGood),
  ...listCodes("R1", "HARD", "this agreement is revoked", agreementForGood),
  ...listCodes("R3", "HARD", "all agreements are revoked", agreementForGood),
  ...listCodes("79", "HARD", "life cycle; tells more with an advice code", {
    ...mastercardOnly,
    ...issuer,
    origin: adviceMissing,
  }),
  ...listCodes("82", "HARD", "policy; tells more with an advice code", {
    ...mastercardOnly,
    ...issuer,
    origin: adviceMissing,
  }),
  ...listCodes("83", "HARD", "fraud or security; tells more with an advice code", {
    ...mastercardOnly,
    ...issuer,
    origin: adviceMissing,
  }),
];

const dataDeclines = [
  ...listCodes("13", "DATA", "invalid amount", { ...player, fields: ["amount"] }),
  ...listCodes("54", "DATA", "expired card", { ...player, fields: ["expiry"] }),
  ...listCodes("55", "DATA", "wrong PIN", { ...player, fields: ["pin"] }),
  ...listCodes("63", "DATA", "security violation", issuer),
  ...listCodes("82", "DATA", "the CAM or CVV is wrong", { ...visaOnly, ...player, fields: ["cvv"] }),
  ...listCodes("6P", "DATA", "verification of identity data failed", { ...player, fields: ["identity"] }),
  ...listCodes("N7", "DATA", "the CVV2 does not match", { ...player, fields: ["cvv"] }),
  ...listCodes("N8", "DATA", "amount over the pre-authorised one", { ...player, fields: ["amount"] }),
  ...listCodes("Z5", "DATA", "amount not supported", { ...player, fields: ["amount"] }),
];

const softDeclines = [
  ...listCodes("1A", "SCA", "additional authentication required"),
  ...listCodes(
    "65",
    "SCA",
    "strong customer authentication required, where card and acquirer are in its zone and there was no challenge",
    { ...mastercardOnly, scaZoneOnly: true, origin: "A15; the condition is an inference" },
  ),
  ...listCodes("70", "SCA", "PIN or strong customer authentication required", { ...visaOnly, ...unverified }),

  ...listCodes("51", "WAIT", "insufficient funds", later),
  ...listCodes("61", "WAIT", "over the amount limit", later),
  ...listCodes("65", "WAIT", "over the count or frequency limit", later),
  ...listCodes("75", "WAIT", "too many wrong PINs", { ...player, waitMs: dayMs }),
  ...listCodes("78", "WAIT", "blocked, first use, or no account", later),
  ...listCodes("N0", "WAIT", "forced stand-in processing", { ...later, ...unverified }),
  ...listCodes("N3", "WAIT", "cash service not available", later),
  ...listCodes("N4", "WAIT", "over the cash limit", later),

  ...listCodes("01 02", "GENERIC", "refer to the issuer", issuer),
  ...listCodes("05", "GENERIC", "do not honour", issuer),
  ...listCodes("59", "GENERIC", "suspected fraud", issuer),
];

const failures = [
  ...listCodes(
    "03",
    "TECH_NOT_PROCESSED",
    "invalid merchant: the account at this PSP is set up wrongly",
    config,
  ),
  ...listCodes("06", "TECH_NOT_PROCESSED", "general error", psp),
  ...listCodes("19", "TECH_NOT_PROCESSED", "re-enter the transaction", psp),
  ...listCodes("30", "TECH_NOT_PROCESSED", "format error: this PSP's message is wrong", config),
  ...listCodes(
    "58",
    "TECH_NOT_PROCESSED",
    "not permitted to the terminal: the account at this PSP is set up wrongly",
    config,
  ),
  ...listCodes("88", "TECH_NOT_PROCESSED", "unable to authorise", { ...psp, ...unverified }),
  ...listCodes("92", "TECH_NOT_PROCESSED", "cannot be routed", { ...psp, ...unverified }),
  ...listCodes("96", "TECH_NOT_PROCESSED", "system malfunction", psp),
  ...listCodes(
    "Z6",
    "TECH_NOT_PROCESSED",
    "invalid use of the MCC: the account at this PSP is set up wrongly",
    config,
  ),

  ...listCodes("91", "ISSUER_DOWN", "the issuer or its switch is down", { ...issuer, waitMs: 30_000 }),

  ...listCodes("68", "UNKNOWN", "the response came too late", { ...psp, ...unverified }),
  ...listCodes("94", "UNKNOWN", "duplicate: what became of the first one is not known"),
];

export const isoCodes: readonly ResponseCode[] = [
  ...approvals,
  ...hardDeclines,
  ...dataDeclines,
  ...softDeclines,
  ...failures,
];
