import { create, fromBinary, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { DecideRequestSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { decodePayment } from "./decode-payment.ts";

const example = {
  requestId: "r-1",
  paymentId: "pay-1",
  playerId: "player-1",
  kind: "deposit",
  amount: { minorUnits: "5000", currencyCode: "EUR" },
  method: "card",
  card: { bin: "45710435" },
  playerCountry: "DK",
};

/** The faults of the example with some fields changed, as `field rule`. */
function findFaults(change: Record<string, JsonValue>, exempt?: ReadonlySet<string>): readonly string[] {
  const decoded = decodePayment(fromJson(DecideRequestSchema, { ...example, ...change }), exempt);
  return decoded.ok ? [] : decoded.faults.map(({ field, rule }) => `${field} ${rule}`);
}

describe("decodePayment", () => {
  test("reads the whole call of the law", () => {
    const decoded = decodePayment(fromJson(DecideRequestSchema, example));
    expect(decoded).toEqual({
      ok: true,
      payment: {
        requestId: "r-1",
        merchantId: "default",
        paymentId: "pay-1",
        revision: 0,
        playerId: "player-1",
        brand: "",
        kind: "deposit",
        amountMinor: 5000,
        currency: "EUR",
        method: "card",
        card: { bin: "45710435" },
        playerCountry: "DK",
        initiator: "CIT",
        riskSignals: [],
        attributes: new Map(),
        previousAttempts: [],
        mode: "PAYMENT",
        trace: false,
      },
    });
  });

  test("reads what the call says of authentication", () => {
    const decoded = decodePayment(
      fromJson(DecideRequestSchema, {
        ...example,
        initiator: "MOTO",
        card: { bin: "45710435", reloadable: false, anonymous: true },
        threeDs: { transStatus: "Y", eci: "05", host: "MERCHANT", version: "2.2.0", hasCryptogram: true },
        recurring: true,
        trustedBeneficiary: true,
        originalNetworkId: "net-1",
        threeDsVersion: "2.3.1",
      }),
    );
    expect(decoded).toMatchObject({
      ok: true,
      payment: {
        initiator: "MOTO",
        card: { bin: "45710435", reloadable: false, anonymous: true },
        threeDs: { transStatus: "Y", eci: "05", host: "MERCHANT", version: "2.2.0", hasCryptogram: true },
        recurring: true,
        trustedBeneficiary: true,
        originalNetworkId: "net-1",
        threeDsVersion: "2.3.1",
      },
    });
  });

  test.each<[string, Record<string, JsonValue>, string]>([
    ["a 3DS result without status", { threeDs: { eci: "05" } }, "three_ds.trans_status required"],
    ["an ECI of one digit", { threeDs: { transStatus: "Y", eci: "5" } }, "three_ds.eci malformed"],
    ["an ECI with letters", { threeDs: { transStatus: "Y", eci: "0A" } }, "three_ds.eci malformed"],
    ["no 3DS version", { threeDs: { transStatus: "Y", version: "two" } }, "three_ds.version malformed"],
    ["no version", { threeDsVersion: "2.2.0-beta" }, "three_ds_version malformed"],
    ["a long version", { threeDsVersion: "2.2.00000000000000" }, "three_ds_version too-long"],
    ["a long network id", { originalNetworkId: "n".repeat(65) }, "original_network_id too-long"],
    [
      "a card number as network id",
      { originalNetworkId: "4111111111111111" },
      "original_network_id no-card-number",
    ],
    ["no payment id", { paymentId: "" }, "payment_id required"],
    ["no player", { playerId: "" }, "player_id required"],
    ["no kind", { kind: "" }, "kind required"],
    ["an unknown kind", { kind: "refund" }, "kind unknown-value"],
    ["no method", { method: "" }, "method required"],
    ["a zero amount", { amount: { minorUnits: "0", currencyCode: "EUR" } }, "amount.minor_units positive"],
    [
      "a negative amount",
      { amount: { minorUnits: "-1", currencyCode: "EUR" } },
      "amount.minor_units positive",
    ],
    [
      "an amount beyond 2^53",
      { amount: { minorUnits: "9007199254740993", currencyCode: "EUR" } },
      "amount.minor_units safe-integer",
    ],
    [
      "an unknown currency",
      { amount: { minorUnits: "1", currencyCode: "EUX" } },
      "amount.currency_code iso-4217",
    ],
    [
      "a currency in lower case",
      { amount: { minorUnits: "1", currencyCode: "eur" } },
      "amount.currency_code iso-4217",
    ],
    [
      "a currency that is too long",
      { amount: { minorUnits: "1", currencyCode: "EURO" } },
      "amount.currency_code too-long",
    ],
    ["an unknown country", { playerCountry: "XX" }, "player_country iso-3166"],
    ["a country in lower case", { ipCountry: "dk" }, "ip_country malformed"],
    ["a BIN of nine digits", { card: { bin: "457104351" } }, "card.bin malformed"],
    ["a BIN with letters", { card: { bin: "45710a" } }, "card.bin malformed"],
    ["three last digits", { card: { lastFour: "123" } }, "card.last_four malformed"],
    ["unknown funding", { card: { funding: "barter" } }, "card.funding unknown-value"],
    ["an address that is none", { ip: "300.1.1.1" }, "ip malformed"],
    ["a trust score above 100", { trustScore: 100.5 }, "trust_score out-of-range"],
    ["a trust score that is no number", { trustScore: "NaN" }, "trust_score out-of-range"],
    ["a negative revision", { revision: -1 }, "revision out-of-range"],
    ["an id that is too long", { playerId: "x".repeat(129) }, "player_id too-long"],
    ["too many signals", { riskSignals: Array(65).fill("proxy") }, "risk_signals too-many"],
    ["an empty signal", { riskSignals: [""] }, "risk_signals[0] required"],
    [
      "an attribute with a hostile name",
      { attributes: { constructor: 1, "a'b": 2 } },
      "attributes.a'b malformed",
    ],
    ["an infinite attribute", { attributes: { x: "ok", y: [1] } }, "attributes.y[0] type"],
    [
      "an attempt without an id",
      { previousAttempts: [{ psp: "a" }] },
      "previous_attempts[0].attempt_id required",
    ],
    [
      "a response code of three characters",
      { previousAttempts: [{ attemptId: "1", psp: "a", responseCode: "051" }] },
      "previous_attempts[0].response_code malformed",
    ],
    [
      "a review without a reviewer",
      { review: { result: "APPROVED", at: "2026-01-01T00:00:00Z" } },
      "review.reviewer required",
    ],
  ])("refuses %s", (_, change, fault) => {
    expect(findFaults(change)).toContain(fault);
  });

  test.each<[string, Record<string, JsonValue>]>([
    ["with spaces", { card: { issuer: "4111 1111 1111 1111" } }],
    ["with hyphens", { requestId: "x 4111-1111-1111-1111 y" }],
    ["as the name of an attribute", { attributes: { "a_4111 1111 1111 1111": 1 } }],
  ])("never lets a card number in, nor repeats it: %s", (_, change) => {
    const faults = findFaults(change);
    expect(faults.map((fault) => fault.split(" ")[1])).toEqual(["no-card-number"]);
    expect(faults.join()).not.toContain("4111");
  });

  test("lets a merchant exempt an id field from the card-number guard", () => {
    const change = { paymentId: "4111111111111111" };
    expect(findFaults(change)).toEqual(["payment_id no-card-number"]);
    expect(findFaults(change, new Set(["payment_id"]))).toEqual([]);
  });

  test("needs no amount, method or payment id in the cashier", () => {
    const cashier = { paymentId: "", method: "", mode: "CASHIER", amount: { currencyCode: "EUR" } };
    expect(findFaults(cashier)).toEqual([]);
    expect(findFaults({ ...cashier, amount: null })).toEqual(["amount.currency_code required"]);
  });

  test("refuses enum values and fields that it does not know in the binary form", () => {
    const request = create(DecideRequestSchema, { ...fromJson(DecideRequestSchema, example), mode: 9 as 0 });
    // Field 1000, a varint: 7.
    const bytes = new Uint8Array([...toBinary(DecideRequestSchema, request), 0xc0, 0x3e, 0x07]);
    const decoded = decodePayment(fromBinary(DecideRequestSchema, bytes));
    const faults = decoded.ok ? [] : decoded.faults.map(({ field, rule }) => `${field} ${rule}`);
    expect(faults).toEqual(["#1000 unknown-field", "mode unknown-enum-value"]);
  });

  test("collects every fault of a call", () => {
    expect(findFaults({ paymentId: "", playerId: "", kind: "x" })).toHaveLength(3);
  });
});
