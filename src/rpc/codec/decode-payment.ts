import { findCardNumber } from "../../core/card-number.ts";
import type { FieldFault } from "../../core/field-fault.ts";
import { parseIp } from "../../core/ip.ts";
import { isCountry } from "../../core/iso3166.ts";
import { exponentOf } from "../../core/iso4217.ts";
import type {
  AttributeInput,
  Card,
  Credential,
  Payment,
  PaymentKind,
  ReportedOutcome,
  ReviewResult,
} from "../../core/payment.ts";
import type { OutcomeClass } from "../../core/retry/outcome-class.ts";
import {
  type DecideRequest,
  DecideRequest_InitiatorSchema,
  DecideRequest_Mode,
  DecideRequest_ModeSchema,
  DecideRequest_StoredCredentialSchema,
  DecideRequestSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import {
  Card_CredentialSchema,
  type Card as CardMessage,
  CardSchema,
  MoneySchema,
  type Outcome,
  Outcome_ClassSchema,
  OutcomeSchema,
  type Review,
  Review_ResultSchema,
  ReviewSchema,
} from "../../gen/switchyard/v1/payment_pb.js";
import { checkFailure, decodeAnswer } from "./decode-answer.ts";
import { decodeThreeDsResult, decodeThreeDsVersion } from "./decode-three-ds.ts";
import { FieldChecks } from "./field-checks.ts";

const riskSignalsMax = 64;
const attributesMax = 64;
const attributeTextMax = 1024;
const attributeListMax = 64;
const previousAttemptsMax = 32;
const methodMax = 64;
const originalNetworkIdMax = 64;
const revisionMax = 1_000_000;
const fundings = new Set(["credit", "debit", "prepaid", "charge"]);
const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

export type DecodedPayment =
  | { readonly ok: true; readonly payment: Payment }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

/**
 * Turns a request into a payment, checked for shape: sizes, ranges, ISO codes, card numbers. What depends on the merchant's rule set
 * (attributes, brands) is for the corridor to check.
 *
 * `exemptFields` are fields in which the merchant allows what looks like a card number (`SEMANTICS.md` 1.9).
 * Fails: with every fault, each naming field and rule.
 */
export function decodePayment(request: DecideRequest, exemptFields?: ReadonlySet<string>): DecodedPayment {
  const checks = new FieldChecks(exemptFields);
  checks.noUnknownFields("", DecideRequestSchema, request);
  checks.enumName("mode", DecideRequest_ModeSchema, request.mode);
  const cashier = request.mode === DecideRequest_Mode.CASHIER;
  const card = request.card === undefined ? undefined : decodeCard(checks, request.card);
  const review = request.review === undefined ? undefined : decodeReview(checks, request.review);
  const initiator = checks.enumName("initiator", DecideRequest_InitiatorSchema, request.initiator);
  const storedCredential = checks.enumName(
    "stored_credential",
    DecideRequest_StoredCredentialSchema,
    request.storedCredential,
  );
  const payment: Payment = {
    requestId: checks.text("request_id", request.requestId),
    merchantId: checks.text("merchant_id", request.merchantId) || "default",
    paymentId: cashier
      ? checks.text("payment_id", request.paymentId)
      : checks.required("payment_id", request.paymentId),
    revision: decodeRevision(checks, request.revision),
    playerId: checks.required("player_id", request.playerId),
    brand: checks.text("brand", request.brand),
    kind: decodeKind(checks, request.kind),
    ...decodeAmount(checks, request, cashier),
    ...present(
      "method",
      cashier
        ? checks.text("method", request.method, methodMax)
        : checks.required("method", request.method, methodMax),
    ),
    ...present("card", card),
    ...present("playerCountry", decodeCountry(checks, "player_country", request.playerCountry)),
    ...present("ipCountry", decodeCountry(checks, "ip_country", request.ipCountry)),
    ...present("deviceId", checks.text("device_id", request.deviceId ?? "")),
    ...present("ip", decodeIp(checks, request.ip)),
    initiator: initiator === undefined ? "CIT" : (initiator as Payment["initiator"]),
    ...present("storedCredential", storedCredential as "SETUP" | "USE" | undefined),
    ...present("trustScore", decodeTrustScore(checks, request.trustScore)),
    riskSignals: decodeRiskSignals(checks, request.riskSignals),
    attributes: decodeAttributes(checks, request.attributes),
    previousAttempts: decodeAttempts(checks, request.previousAttempts),
    mode: cashier ? "CASHIER" : "PAYMENT",
    trace: request.trace,
    ...present("review", review),
    ...present(
      "decideAtMs",
      request.decideAt === undefined ? undefined : checks.instant("decide_at", request.decideAt),
    ),
    ...decodeSca(checks, request),
  };
  return checks.faults.length === 0 ? { ok: true, payment } : { ok: false, faults: checks.faults };
}

/** `{ [key]: value }`, or nothing where the value is absent or empty text. */
function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined || value === "" ? {} : ({ [key]: value } as { readonly [P in K]?: V });
}

function decodeRevision(checks: FieldChecks, revision: number): number {
  if (revision < 0 || revision > revisionMax) {
    checks.note("revision", "out-of-range", `revision must be between 0 and ${revisionMax}`);
  }
  return revision;
}

function decodeKind(checks: FieldChecks, kind: string): PaymentKind {
  if (kind === "") checks.note("kind", "required", "kind is required: deposit or withdrawal");
  else if (kind !== "deposit" && kind !== "withdrawal") {
    checks.note("kind", "unknown-value", "kind must be deposit or withdrawal");
  }
  return kind === "withdrawal" ? "withdrawal" : "deposit";
}

function decodeAmount(
  checks: FieldChecks,
  { amount }: DecideRequest,
  cashier: boolean,
): { readonly amountMinor?: number; readonly currency: string } {
  if (amount === undefined) {
    const field = cashier ? "amount.currency_code" : "amount";
    checks.note(field, "required", `${field} is required`);
    return { currency: "" };
  }
  checks.noUnknownFields("amount", MoneySchema, amount);
  const currency = checks.required("amount.currency_code", amount.currencyCode, 3);
  if (currency !== "" && exponentOf(currency) === undefined) {
    checks.note("amount.currency_code", "iso-4217", "amount.currency_code is no ISO 4217 code in capitals");
  }
  const minorUnits = checks.safeInt("amount.minor_units", amount.minorUnits);
  if (cashier && minorUnits === 0) return { currency };
  if (minorUnits <= 0) checks.note("amount.minor_units", "positive", "amount.minor_units must be positive");
  return { amountMinor: minorUnits, currency };
}

function decodeCountry(checks: FieldChecks, field: string, value: string | undefined): string | undefined {
  const country = checks.pattern(field, value, /^[A-Z]{2}$/, "an ISO 3166-1 alpha-2 code in capitals");
  if (country === undefined || isCountry(country)) return country;
  return checks.note(field, "iso-3166", `${field} is no ISO 3166-1 alpha-2 code`);
}

function decodeIp(checks: FieldChecks, value: string | undefined): string | undefined {
  if (value === undefined || value === "") return undefined;
  checks.text("ip", value, 45);
  return parseIp(value) === undefined
    ? checks.note("ip", "malformed", "ip is no IPv4 or IPv6 address")
    : value;
}

function decodeTrustScore(checks: FieldChecks, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  // NaN fails both comparisons, so it is refused here too.
  if (value >= 0 && value <= 100) return value;
  return checks.note("trust_score", "out-of-range", "trust_score must be between 0 and 100");
}

function decodeRiskSignals(checks: FieldChecks, signals: readonly string[]): readonly string[] {
  if (!checks.count("risk_signals", signals.length, riskSignalsMax)) return [];
  return signals.map((signal, i) => checks.required(`risk_signals[${i}]`, signal, 64));
}

function decodeCard(checks: FieldChecks, card: CardMessage): Card {
  checks.noUnknownFields("card", CardSchema, card);
  const funding = checks.text("card.funding", card.funding ?? "").toLowerCase();
  if (funding !== "" && !fundings.has(funding)) {
    checks.note("card.funding", "unknown-value", "card.funding must be credit, debit, prepaid or charge");
  }
  const credential = checks.enumName("card.credential", Card_CredentialSchema, card.credential);
  return {
    ...present("bin", checks.pattern("card.bin", card.bin, /^[0-9]{6,8}$/, "6 to 8 digits")),
    ...present("lastFour", checks.pattern("card.last_four", card.lastFour, /^[0-9]{4}$/, "4 digits")),
    ...present("scheme", checks.text("card.scheme", card.scheme ?? "", 32).toLowerCase()),
    ...present("funding", funding),
    ...present("issuer", checks.text("card.issuer", card.issuer ?? "")),
    ...present("issuerCountry", decodeCountry(checks, "card.issuer_country", card.issuerCountry)),
    ...present("fingerprint", checks.text("card.fingerprint", card.fingerprint ?? "")),
    ...present("credential", credential as Credential | undefined),
    ...present("tokenId", checks.text("card.token_id", card.tokenId ?? "")),
    ...present("reloadable", card.reloadable),
    ...present("anonymous", card.anonymous),
  };
}

type ScaFields = Pick<
  Payment,
  "threeDs" | "recurring" | "trustedBeneficiary" | "originalNetworkId" | "threeDsVersion"
>;

/** What the call says of authentication. */
function decodeSca(checks: FieldChecks, request: DecideRequest): ScaFields {
  const { threeDs, recurring, trustedBeneficiary, originalNetworkId } = request;
  if (threeDs?.transStatus === 0) {
    checks.note("three_ds.trans_status", "required", "three_ds.trans_status is required");
  }
  return {
    ...present(
      "threeDs",
      threeDs === undefined ? undefined : decodeThreeDsResult(checks, "three_ds", threeDs),
    ),
    ...(recurring ? { recurring } : {}),
    ...(trustedBeneficiary ? { trustedBeneficiary } : {}),
    ...present(
      "originalNetworkId",
      checks.text("original_network_id", originalNetworkId, originalNetworkIdMax),
    ),
    ...present("threeDsVersion", decodeThreeDsVersion(checks, "three_ds_version", request.threeDsVersion)),
  };
}

function decodeAttributes(
  checks: FieldChecks,
  attributes: DecideRequest["attributes"],
): ReadonlyMap<string, AttributeInput> {
  const decoded = new Map<string, AttributeInput>();
  const entries = Object.entries(attributes);
  if (!checks.count("attributes", entries.length, attributesMax)) return decoded;
  for (const [name, value] of entries) {
    if (findCardNumber(name) !== undefined) {
      // Not even the name of the field may repeat it.
      checks.note(
        "attributes",
        "no-card-number",
        "the name of an attribute holds what looks like a card number",
      );
      continue;
    }
    const field = `attributes.${name.slice(0, 80)}`;
    if (!namePattern.test(name)) {
      checks.note(
        field,
        "malformed",
        "names of attributes are a lower-case letter, then up to 63 lower-case letters, digits or _",
      );
      continue;
    }
    const input = decodeAttribute(checks, field, value.kind);
    if (input !== undefined) decoded.set(name, input);
  }
  return decoded;
}

/** A JSON value as an attribute: bool, number, text or a list of texts; null is as if it were absent. */
export function decodeAttribute(
  checks: FieldChecks,
  field: string,
  kind: DecideRequest["attributes"][string]["kind"],
): AttributeInput | undefined {
  switch (kind.case) {
    case "boolValue":
      return kind.value;
    case "numberValue":
      return Number.isFinite(kind.value)
        ? kind.value
        : checks.note(field, "finite", `${field} must be a finite number`);
    case "stringValue":
      return checks.prose(field, kind.value, attributeTextMax);
    case "listValue": {
      if (!checks.count(field, kind.value.values.length, attributeListMax)) return undefined;
      const texts = kind.value.values.map((each, i) =>
        each.kind.case === "stringValue"
          ? checks.text(`${field}[${i}]`, each.kind.value)
          : checks.note(`${field}[${i}]`, "type", `${field} must be a list of texts`),
      );
      return texts.every((text) => text !== undefined) ? texts : undefined;
    }
    case "nullValue":
      return undefined;
    default:
      return checks.note(field, "type", `${field} must be a bool, a number, a text or a list of texts`);
  }
}

function decodeAttempts(checks: FieldChecks, outcomes: readonly Outcome[]): readonly ReportedOutcome[] {
  if (!checks.count("previous_attempts", outcomes.length, previousAttemptsMax)) return [];
  return outcomes.map((outcome, i) => decodeOutcome(checks, `previous_attempts[${i}]`, outcome));
}

function decodeOutcome(checks: FieldChecks, path: string, outcome: Outcome): ReportedOutcome {
  checks.noUnknownFields(path, OutcomeSchema, outcome);
  const outcomeClass = checks.enumName(`${path}.class`, Outcome_ClassSchema, outcome.class);
  const answer = decodeAnswer(checks, path, outcome);
  checkFailure(checks, `${path}.failure`, { failure: answer.failure, became: outcomeClass });
  return {
    attemptId: checks.required(`${path}.attempt_id`, outcome.attemptId, 64),
    psp: checks.required(`${path}.psp`, outcome.psp, 64),
    ...present("outcomeClass", outcomeClass as OutcomeClass | undefined),
    ...answer,
    ...present("atMs", outcome.at === undefined ? undefined : checks.instant(`${path}.at`, outcome.at)),
  };
}

function decodeReview(checks: FieldChecks, review: Review): ReviewResult {
  checks.noUnknownFields("review", ReviewSchema, review);
  const result = checks.enumName("review.result", Review_ResultSchema, review.result);
  if (result === undefined)
    checks.note("review.result", "required", "review.result must be APPROVED or REJECTED");
  if (review.at === undefined) checks.note("review.at", "required", "review.at is required");
  return {
    result: result === "APPROVED" ? "APPROVED" : "REJECTED",
    reviewer: checks.required("review.reviewer", review.reviewer),
    atMs: review.at === undefined ? 0 : checks.instant("review.at", review.at),
  };
}
