import { describe, expect, test } from "vitest";
import { threeDsDeposit } from "../../../test/helpers/three-ds.ts";
import type { Payment, ThreeDsResult } from "../payment.ts";
import { findBar, findProof, isSpent, type resultTable } from "./three-ds-result.ts";

const withResult = (transStatus: keyof typeof resultTable, more: Partial<Payment> = {}): Payment => {
  const threeDs: ThreeDsResult = { transStatus, host: "MERCHANT", hasCryptogram: true };
  return { ...threeDsDeposit, threeDs, ...more };
};

describe("a 3DS result that the caller has", () => {
  test.each([
    ["Y", undefined, true, false],
    ["A", undefined, true, false],
    ["C", "CHALLENGE_PENDING", false, false],
    ["D", "CHALLENGE_PENDING", false, false],
    ["N", "AUTH_FAILED", false, false],
    ["R", "AUTH_FAILED", false, false],
    ["U", undefined, false, true],
    ["I", undefined, false, true],
  ] as const)("%s: bars %s, is a proof: %s, is spent: %s", (status, bar, isProof, spent) => {
    const payment = withResult(status);
    expect(findBar(payment)).toBe(bar);
    expect(findProof(payment) !== undefined).toBe(isProof);
    expect(isSpent(payment)).toBe(spent);
  });

  test("says nothing of withdrawals and of methods without a card", () => {
    expect(findBar(withResult("N", { kind: "withdrawal" }))).toBeUndefined();
    expect(findBar(withResult("N", { method: "sepa" }))).toBeUndefined();
    expect(findBar(threeDsDeposit)).toBeUndefined();
  });
});
