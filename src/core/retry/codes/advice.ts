/**
 * Merchant advice codes of Mastercard (`DOMAIN.md` 1.5), alone and beside the codes 79, 82 and 83, which say little without one.
 *
 * PSPs renumber them: a rule set maps what such a PSP sends by entries of its own.
 */
import type { ResponseCode } from "../answer.ts";
import type { OutcomeClass } from "../outcome-class.ts";
import { type Details, dayMs, hourMs, makeEntry } from "./entry.ts";

const waitedFor = 72 * hourMs;

function advise(
  adviceCode: string,
  outcomeClass: OutcomeClass,
  meaning: string,
  details: Details,
): ResponseCode {
  return { ...makeEntry(outcomeClass, meaning, details), scheme: "mastercard", adviceCode };
}

const never: Details = {
  attribution: "ISSUER",
  block: { what: "card_amount", forMs: 30 * dayMs },
  origin: "B5",
};

function retryAfter(adviceCode: string, waitMs: number, said: string): ResponseCode {
  return advise(adviceCode, "WAIT", `try again after ${said}`, {
    attribution: "ISSUER",
    waitMs,
    origin: "B1",
  });
}

function inform(adviceCode: string, meaning: string, origin: string): ResponseCode {
  return advise(adviceCode, "GENERIC", meaning, { informational: true, origin });
}

const alone: readonly ResponseCode[] = [
  advise("01", "DATA", "new or additional information is available", {
    attribution: "PLAYER",
    fields: ["card"],
    origin: "B5, B6",
  }),
  advise("02", "WAIT", "cannot approve at this time", {
    attribution: "ISSUER",
    waitMs: waitedFor,
    origin: "B3, A15",
  }),
  advise("03", "HARD", "do not try again", never),
  advise("04", "DATA", "token requirements are not met: send the PAN or another token", {
    fields: ["credential"],
    origin: "B1, B4",
  }),
  advise("05", "DATA", "the negotiated value is not approved", {
    attribution: "PLAYER",
    fields: ["amount"],
    origin: "B4",
  }),
  advise("21", "HARD", "payment cancelled: stop the agreement", {
    attribution: "ISSUER",
    block: { what: "agreement", forMs: 30 * dayMs },
    origin: "B2, B5",
  }),
  advise("22", "HARD", "the merchant is not eligible for this product", {
    attribution: "CONFIG",
    alert: true,
    origin: "B3, B4",
  }),
  retryAfter("24", hourMs, "1 hour"),
  retryAfter("25", 24 * hourMs, "24 hours"),
  retryAfter("26", 2 * dayMs, "2 days"),
  retryAfter("27", 4 * dayMs, "4 days"),
  retryAfter("28", 6 * dayMs, "6 days"),
  retryAfter("29", 8 * dayMs, "8 days"),
  retryAfter("30", 10 * dayMs, "10 days"),
  inform("40", "non-reloadable prepaid card of a consumer: no agreement on it", "B1, B7"),
  inform("41", "single-use virtual number of a consumer: dead after use", "B1, B7"),
  advise("42", "HARD", "the sanctions score is over the threshold: compliance has to look", {
    attribution: "ISSUER",
    alert: true,
    origin: "B4",
  }),
  inform("43", "multi-use virtual number of a consumer", "B1"),
];

function withCode(
  code: string,
  adviceCode: string,
  outcomeClass: OutcomeClass,
  meaning: string,
  details: Details,
): ResponseCode {
  return { ...advise(adviceCode, outcomeClass, meaning, { origin: "B6", ...details }), code };
}

const newData: Details = { attribution: "PLAYER", fields: ["card"] };

const beside: readonly ResponseCode[] = [
  withCode("79", "01", "DATA", "life cycle: there is new card data", newData),
  withCode("82", "01", "DATA", "policy: there is new card data", newData),
  withCode("83", "01", "SCA", "fraud or security: try again with 3DS", {}),
  ...["79", "82", "83"].flatMap((code) => [
    withCode(code, "02", "WAIT", "not at this time", { attribution: "ISSUER", waitMs: waitedFor }),
    withCode(code, "03", "HARD", "do not try again", { ...never, origin: "B5, B6" }),
  ]),
  // Without it the advice alone would hide that the issuer asks for authentication.
  withCode("65", "01", "SCA", "strong customer authentication required, as code 65 alone", {
    scaZoneOnly: true,
    origin: "gk",
  }),
];

export const adviceCodes: readonly ResponseCode[] = [...alone, ...beside];
