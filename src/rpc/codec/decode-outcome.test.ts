import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { DecideRequestSchema, ReportOutcomeRequestSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { decodeOutcomeReport } from "./decode-outcome.ts";
import { decodePayment } from "./decode-payment.ts";

const base = { paymentId: "pay-1", attemptId: "r0-s1-00000000", psp: "alpha" };

function decode(change: Record<string, JsonValue>) {
  return decodeOutcomeReport(fromJson(ReportOutcomeRequestSchema, { ...base, ...change }));
}

function findFaults(change: Record<string, JsonValue>): readonly string[] {
  const decoded = decode(change);
  return decoded.ok ? [] : decoded.faults.map(({ field, rule }) => `${field} ${rule}`);
}

describe("decodeOutcomeReport", () => {
  test("reads all that an answer can say", () => {
    expect(
      decode({
        result: "DECLINED",
        at: "2026-11-16T12:00:00Z",
        responseCode: "1a",
        pspCode: "D-17",
        adviceCode: "03",
        threeDs: { transStatus: "N", eci: "00", host: "MERCHANT" },
        failure: "FAILURE_THREE_DS",
        latency: "1.5s",
        corrects: "APPROVED",
      }),
    ).toEqual({
      ok: true,
      report: {
        merchantId: "default",
        ...base,
        result: "DECLINED",
        atMs: Date.UTC(2026, 10, 16, 12),
        responseCode: "1A",
        pspCode: "D-17",
        adviceCode: "03",
        threeDs: { transStatus: "N", eci: "00", host: "MERCHANT", hasCryptogram: false },
        failure: "THREE_DS",
        latencyMs: 1_500,
        corrects: "APPROVED",
      },
    });
  });

  test.each<[Record<string, JsonValue>, string]>([
    [{ result: "DECLINED", responseCode: "051" }, "response_code malformed"],
    [{ result: "DECLINED", adviceCode: "3" }, "advice_code malformed"],
    [{ result: "DECLINED", adviceCode: "3A" }, "advice_code malformed"],
    [{ result: "DECLINED", pspCode: "x".repeat(65) }, "psp_code too-long"],
    [{ result: "DECLINED", pspCode: "4111 1111 1111 1111" }, "psp_code no-card-number"],
    [{ result: "DECLINED", threeDs: { eci: "5" } }, "three_ds.eci malformed"],
    [{ result: "DECLINED", latency: "-1s" }, "latency out-of-range"],
    [{ result: "DECLINED", latency: "86400.001s" }, "latency out-of-range"],
    [{ result: "DECLINED", failure: 99 }, "failure unknown-enum-value"],
  ])("refuses %j: %s", (change, fault) => {
    expect(findFaults(change)).toEqual([fault]);
  });

  test("takes a latency of 24 hours", () => {
    expect(findFaults({ result: "DECLINED", latency: "86400s" })).toEqual([]);
  });

  test.each<[string, string, boolean]>([
    ["FAILURE_CONNECT", "DECLINED", true],
    ["FAILURE_THROTTLED", "DECLINED", true],
    ["FAILURE_NOT_PROCESSED", "DECLINED", true],
    ["FAILURE_THREE_DS", "DECLINED", true],
    ["FAILURE_TIMEOUT", "UNKNOWN", true],
    ["FAILURE_SERVER", "UNKNOWN", true],
    ["FAILURE_TIMEOUT", "DECLINED", false],
    ["FAILURE_SERVER", "DECLINED", false],
    ["FAILURE_CONNECT", "UNKNOWN", false],
    ["FAILURE_CONNECT", "APPROVED", false],
    ["FAILURE_TIMEOUT", "PENDING", false],
  ])("%s with %s is taken: %s", (failure, result, isTaken) => {
    expect(findFaults({ failure, result })).toEqual(isTaken ? [] : ["failure conflict"]);
  });

  test.each(["VOIDED", "REFUNDED", "CHARGED_BACK", "CLEARED"])(
    "%s is no answer to the attempt, so it has none of its fields",
    (result) => {
      const answer = {
        responseCode: "05",
        pspCode: "x",
        adviceCode: "03",
        threeDs: {},
        failure: "FAILURE_TIMEOUT",
        latency: "1s",
      };
      expect(findFaults({ result, ...answer })).toEqual([
        "response_code conflict",
        "psp_code conflict",
        "advice_code conflict",
        "three_ds conflict",
        "failure conflict",
        "latency conflict",
      ]);
    },
  );

  test.each<[string, string, boolean]>([
    ["DECLINED", "APPROVED", true],
    ["DECLINED", "PARTIAL", true],
    ["DECLINED", "UNKNOWN", false],
    ["APPROVED", "DECLINED", false],
    ["UNKNOWN", "APPROVED", false],
  ])("%s that corrects %s is taken: %s", (result, corrects, isTaken) => {
    expect(findFaults({ result, corrects })).toEqual(isTaken ? [] : ["corrects conflict"]);
  });
});

test("outcomes that come with a call say as much, and are held against their class", () => {
  const decide = (previous: Record<string, JsonValue>) =>
    decodePayment(
      fromJson(DecideRequestSchema, {
        paymentId: "pay-1",
        playerId: "player-1",
        kind: "deposit",
        amount: { minorUnits: "5000", currencyCode: "EUR" },
        method: "card",
        previousAttempts: [{ attemptId: "a", psp: "alpha", ...previous }],
      }),
    );
  expect(
    decide({ pspCode: "D-17", adviceCode: "24", failure: "FAILURE_TIMEOUT", threeDs: {} }),
  ).toMatchObject({
    payment: {
      previousAttempts: [
        {
          pspCode: "D-17",
          adviceCode: "24",
          failure: "TIMEOUT",
          threeDs: { host: "PSP", hasCryptogram: false },
        },
      ],
    },
  });
  for (const [failure, outcomeClass] of [
    ["FAILURE_TIMEOUT", "TECH_NOT_PROCESSED"],
    ["FAILURE_CONNECT", "UNKNOWN"],
  ] as const)
    expect(decide({ failure, class: outcomeClass })).toMatchObject({
      faults: [{ field: "previous_attempts[0].failure", rule: "conflict" }],
    });
  expect(decide({ adviceCode: "x" })).toMatchObject({
    faults: [{ field: "previous_attempts[0].advice_code", rule: "malformed" }],
  });
});
